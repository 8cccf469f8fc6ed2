/** A message in pieces. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Assembly } from '../../../src/protocols/websocket/assembly.ts'
import { viewOf } from '../../../src/protocols/websocket/frames.ts'

function add(assembly: Assembly, piece: Uint8Array, expected = piece.length): boolean {
  return assembly.add(viewOf(piece), 0, piece.length, 0, expected)
}

t.test('pieces of any size become one message', async t => {
  const whole = Buffer.from('äöü'.repeat(5000))
  for (const step of [1, 3, 1000, 40_000]) {
    const assembly = new Assembly(true, false)
    const refused: number[] = []
    for (let at = 0; at < whole.length; at += step)
      if (!add(assembly, whole.subarray(at, at + step))) refused.push(at)
    t.same(refused, [], `in pieces of ${step}`)
    t.equal(assembly.size, whole.length)
    t.equal(assembly.text, whole.toString())
    t.ok(assembly.payload.equals(whole))
    t.ok(assembly.capacity <= 2 * whole.length + 4096, `${assembly.capacity}`)
  }
})

t.test('what is expected is no reason to keep memory for it', async t => {
  const assembly = new Assembly(false, false)
  add(assembly, Buffer.from('x'), 1_000_000)
  t.equal(assembly.capacity, 4096)
  add(assembly, Buffer.from('y'), 999_999)
  t.equal(assembly.capacity, 4096, 'there is room for it')
  add(assembly, Buffer.alloc(7999), 999_998)
  t.equal(assembly.capacity, 16_002)
  const exact = new Assembly(false, false)
  add(exact, Buffer.alloc(60_000), 65_536)
  t.equal(exact.capacity, 65_536, 'nor for more than it')
})

// Each fragment made room for itself alone, and moved all that there was: a message of 4 MiB in
// fragments of 64 bytes moved 137 GB.
t.test('many fragments are moved as seldom as one long frame', async t => {
  const assembly = new Assembly(false, false)
  const capacities = new Set<number>()
  for (let i = 0; i < 16_384; i++) {
    add(assembly, Buffer.alloc(64), Infinity)
    capacities.add(assembly.capacity)
  }
  t.equal(capacities.size, 9)
  t.equal(assembly.size, 1024 * 1024)
})

t.test(
  'text is ASCII, UTF-8, wrong, or not complete; compressed text is not looked at',
  async t => {
    const ascii = new Assembly(true, false)
    add(ascii, Buffer.from('abc'))
    t.equal(ascii.text, 'abc')
    const half = new Assembly(true, false)
    t.ok(add(half, Buffer.from([0xc3])))
    t.equal(half.text, undefined)
    t.notOk(add(half, Buffer.from([0x28])))
    const deflated = new Assembly(true, true)
    t.ok(add(deflated, Buffer.from([0xff])))
    const bytes = new Assembly(false, false)
    t.ok(add(bytes, Buffer.from([0xff])))
    t.equal(new Assembly(true, false).text, '', 'no bytes at all')
  },
)
