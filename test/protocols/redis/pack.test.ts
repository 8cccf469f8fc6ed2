import { Buffer } from 'node:buffer'
import t from 'tap'
import { headOf, pack, packInto, type Word } from '../../../src/protocols/redis/pack.ts'

/** As the specification says it, and nothing else. */
function slow(words: readonly Word[]): Buffer {
  const parts = words.map(word => {
    const bytes = Buffer.from(word as string)
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
  })
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

const COMMANDS: Word[][] = [
  ['PING'],
  ['SET', 'key', ''],
  ['SET', 'key', 'x'.repeat(9)],
  ['SET', 'key', 'x'.repeat(10)],
  ['SET', 'key', 'x'.repeat(99)],
  ['SET', 'key', 'x'.repeat(100)],
  ['SET', 'key', 'x'.repeat(12_345)],
  ['SET', 'ключ', 'é'.repeat(5)],
  // In bytes its length has one digit more than in characters.
  ['SET', 'k', 'é'.repeat(50)],
  ['SET', 'k', 'ab€'.repeat(3)],
  ['SET', 'k', '\ud800'],
  ['SET', new Uint8Array([0, 13, 10, 255]), Buffer.alloc(1000)],
  ['MGET', ...Array.from({ length: 150 }, (_, i) => `key:${i}`)],
]

t.test('the bytes of a command', async t => {
  for (const words of COMMANDS) t.ok(pack(...words).equals(slow(words)), String(words).slice(0, 50))
})

t.test('written into memory, it fits or says how much it needs', async t => {
  for (const words of COMMANDS) {
    const expected = slow(words)
    for (const room of [0, 1, expected.length - 1, expected.length, expected.length + 1000]) {
      const target = Buffer.alloc(5 + room)
      t.equal(packInto(target, 5, ...words), expected.length)
      if (room >= expected.length)
        t.ok(target.subarray(5, 5 + expected.length).equals(expected), `room ${room}`)
    }
  }
})

t.test('what surrounds a large word', async t => {
  t.equal(headOf('*', 3), '*3\r\n')
  t.equal(headOf('$', 100_000), '$100000\r\n')
})
