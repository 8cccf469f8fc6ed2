/** Headers and masks, by hand. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  bitsOf,
  headerSize,
  mask,
  maskInto,
  nextKey,
  readLength,
  sizeOfHeader,
  turnKey,
  unmasked,
  viewOf,
  writeHeader,
} from '../../../src/protocols/websocket/frames.ts'

const LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, 2 ** 32, 2 ** 53 - 1]

t.test('a header says its length in the shortest form, and is read again', async t => {
  for (const length of LENGTHS) {
    for (const bit of [0, 0x80]) {
      const target = Buffer.alloc(16, 0x55)
      const size = writeHeader(target, 1, 0x81, bit, length)
      t.equal(size, headerSize(length))
      t.equal(target[1], 0x81)
      t.equal((target[2] as number) & 0x80, bit)
      t.equal(sizeOfHeader(target[2] as number), size + (bit === 0 ? 0 : 4))
      t.equal(readLength(target, 1), length)
      t.equal(target[0], 0x55)
      t.equal(target[1 + size], 0x55)
    }
  }
})

t.test('a length in a form that is too long is -1, one that no number can be Infinity', async t => {
  t.equal(readLength(Buffer.from('827e007d', 'hex'), 0), -1)
  t.equal(readLength(Buffer.from('827f000000000000ffff', 'hex'), 0), -1)
  t.equal(readLength(Buffer.from('827f0020000000000000', 'hex'), 0), Infinity)
  t.equal(readLength(Buffer.from('827fffffffffffffffff', 'hex'), 0), Infinity)
})

t.test('a payload that is taken out is a copy, unmasked', async t => {
  const bytes = Buffer.from('..bcde.')
  const payload = unmasked(bytes, 2, 4, 0x01010101)
  t.same([payload.toString(), bytes.toString()], ['cbed', '..bcde.'])
})

/** Byte by byte, as the RFC says it. */
function masked(bytes: Uint8Array, key: Uint8Array): number[] {
  return Array.from(bytes, (byte, i) => byte ^ (key[i % 4] as number))
}

t.test('masking by words is masking by bytes, wherever and however long', async t => {
  for (let at = 0; at < 5; at++) {
    for (let length = 0; length < 23; length++) {
      const bytes = Buffer.alloc(32, 0x20)
      for (let i = 0; i < length; i++) bytes[at + i] = 33 + i * 7
      const before = Buffer.from(bytes)
      const key = nextKey()
      const keyBytes = Buffer.alloc(4)
      keyBytes.writeInt32LE(key)
      const wanted = masked(before.subarray(at, at + length), keyBytes)

      const copy = Buffer.alloc(40)
      maskInto(viewOf(bytes), at, viewOf(copy), 3, length, key)
      const rest = Array<number>(40 - 3 - length).fill(0)
      const all = mask(viewOf(bytes), at, at + length, key)
      const inPlace = [...bytes.subarray(at, at + length)]
      const bits = bitsOf(viewOf(bytes), at, at + length)
      const behind = bytes[at + length]
      mask(viewOf(bytes), at, at + length, key)
      t.strictSame(
        { copy: [...copy], inPlace, all, bits, behind, back: bytes },
        {
          copy: [0, 0, 0, ...wanted, ...rest],
          inPlace: wanted,
          all: wanted.reduce((sum, byte) => sum | byte, 0),
          bits: all,
          behind: 0x20,
          back: before,
        },
        `${length} bytes at ${at}`,
      )
    }
  }
})

t.test('a key goes on where the last piece ended', async t => {
  const key = 0x04030201
  t.same(
    [0, 1, 2, 3, 4, 5].map(bytes => turnKey(key, bytes) >>> 0),
    [0x04030201, 0x01040302, 0x02010403, 0x03020104, 0x04030201, 0x01040302],
  )
})

t.test('keys are random: one differs from the next, also where the supply is renewed', async t => {
  const keys = Array.from({ length: 3000 }, nextKey)
  t.ok(new Set(keys).size > 2990)
})
