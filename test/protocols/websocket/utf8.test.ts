/** UTF-8 in pieces: every cut of every text gives the same answer, as early as it can be known. */

import { Buffer, isUtf8 } from 'node:buffer'
import t from 'tap'
import { checkUtf8 } from '../../../src/protocols/websocket/utf8.ts'

/** The number of bytes after which it is known to be wrong; Infinity if it is right so far. */
function wrongAfter(bytes: Buffer, step: number): number {
  let checked = 0
  for (let end = Math.min(step, bytes.length); ; end = Math.min(end + step, bytes.length)) {
    checked = checkUtf8(bytes, checked, end)
    if (checked === -1) return end
    if (end === bytes.length) return Infinity
  }
}

t.test('text in every alphabet, in steps of any size', async t => {
  const bytes = Buffer.from('a\u00e9\u20ac\u{1f600}\u0800\ud7ff\ue000\u{10ffff}\u{10000}z')
  for (let step = 1; step <= bytes.length; step++) t.equal(wrongAfter(bytes, step), Infinity)
  t.equal(checkUtf8(bytes, 0, bytes.length), bytes.length)
  t.equal(checkUtf8(bytes, 0, 2), 1, 'half a character is not checked yet')
  t.equal(checkUtf8(Buffer.alloc(0), 0, 0), 0)
})

t.test('a wrong byte is found when it comes', async t => {
  const cases: [string, number][] = [
    ['61 80', 2],
    ['c0', 1],
    ['c1', 1],
    ['f5', 1],
    ['ff', 1],
    ['e0 9f', 2],
    ['ed a0', 2],
    ['f0 8f', 2],
    ['f4 90', 2],
    ['c3 28', 2],
    ['e2 28', 2],
    ['e2 82 28', 3],
    ['f0 9f 28', 3],
    ['f0 9f 98 28', 4],
    ['80', 1],
    ['c3 a9 a9', 3],
  ]
  for (const [hex, after] of cases) {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    t.equal(wrongAfter(Buffer.concat([bytes, Buffer.from('aaaa')]), 1), after, hex)
    t.notOk(checkUtf8(bytes, 0, bytes.length) === bytes.length, hex)
  }
})

t.test('the same answer as Node, for random bytes and every pair of bytes', async t => {
  const pair = Buffer.alloc(2)
  let differ = 0
  for (let word = 0; word < 65536; word++) {
    pair.writeUInt16BE(word)
    const isWhole = checkUtf8(pair, 0, 2) === 2
    if (isWhole !== isUtf8(pair)) differ++
  }
  t.equal(differ, 0)
})
