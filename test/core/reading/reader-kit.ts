/**
 * For the tests of readers: how the read path feeds one, what streams are made of, and what reading
 * them costs.
 */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import { type ReadDelimiter, readerFor } from '../../../src/core/delimiters.ts'
import { NEED_MORE, type Reader, TOO_LONG } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { show } from '../../../src/errors.ts'
import {
  chunkings,
  difference,
  ENCODINGS,
  oracleAll,
  pick,
  type Rules,
  seeded,
  streamOf,
} from '../oracle.ts'

export const readerOf = ({ delimiter, encoding, regex_search = true }: Rules): Reader =>
  readerFor(delimiter, { encoding, regex_search })

/** Feeds a reader as the read path does. */
export function readAll(rules: Rules, chunks: readonly Buffer[]): unknown[][] {
  const reader = readerOf(rules)
  const buffer = new RecvBuffer()
  const reads: unknown[][] = []
  for (const chunk of chunks) {
    buffer.append(chunk)
    for (;;) {
      const message = reader.next(buffer, rules.limit)
      if (message === TOO_LONG) return [...reads, ['too long']]
      if (message !== NEED_MORE) reads.push(reader.spread ? (message as unknown[]) : [message])
      else if (!buffer.more()) break
    }
    buffer.trim()
  }
  const rest = reader.rest?.(buffer)
  return rest === undefined ? reads : [...reads, [rest]]
}

/**
 * Delimiters and bytes that look like them, complete characters and parts of them, lengths, digits.
 */
// prettier-ignore
export const PIECES = [
  'a', 'b', 'aab', 'aaab', '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', ';', ',', '1', '42', '999', 'é',
  'ÿ', '€', '😀', '\0', '\x01', '\x03', '\x0c\0', Buffer.from([0xff]), Buffer.from([0xc3]),
  Buffer.from([0xe2, 0x82]), Buffer.from([0xf0, 0x9f, 0x98]), Buffer.from([0x80]),
  Buffer.from([0xac]), Buffer.from('a\n', 'utf16le'), Buffer.from('\r\n', 'utf16le'),
  Buffer.from([0x3d, 0xd8]), Buffer.from([0xed, 0xa0, 0x80]), 'a fairly long piece of text',
  '.\r\n',
]

/** PROPERTY: reads do not depend on chunks, for every delimiter, encoding and limit. */
export function readsAsTheOracle(
  t: Test,
  seed: number,
  delimiters: readonly ReadDelimiter[],
): void {
  const random = seeded(seed)
  for (const delimiter of delimiters) {
    const wrong = new Set<string>()
    for (const encoding of ENCODINGS) {
      for (const limit of [1, 5, 30, 65536]) {
        const stream = streamOf(random, pick(random, [0, 30, 300]), PIECES)
        const rules = { delimiter, encoding, limit }
        const wanted = oracleAll(stream, rules)
        for (const [name, chunks] of chunkings(stream, random)) {
          const found = difference(readAll(rules, chunks), wanted)
          if (found !== '') wrong.add(`${encoding}, limit ${limit}, ${name}: ${found}`)
        }
      }
    }
    t.same([...wrong], [], `delimiter ${show(delimiter)}`)
  }
}

/** Counts the bytes that all Buffers search, copy and decode. */
export function spyOnBuffers() {
  const { indexOf, lastIndexOf, toString, copy, copyWithin, set } = Buffer.prototype
  const spy = {
    touched: 0,
    stop(): void {
      Object.assign(Buffer.prototype, { indexOf, lastIndexOf, toString, copy, copyWithin, set })
    },
  }
  const wrap = (method: Function, cost: (self: Buffer, args: any[], result: number) => number) =>
    function (this: Buffer, ...args: unknown[]): unknown {
      const result = Reflect.apply(method, this, args)
      spy.touched += Math.max(0, cost(this, args, result))
      return result
    }
  Object.assign(Buffer.prototype, {
    indexOf: wrap(
      indexOf,
      (self, [, from = 0], found) => (found === -1 ? self.length : found) - from,
    ),
    lastIndexOf: wrap(lastIndexOf, (self, _args, found) => self.length - Math.max(0, found)),
    toString: wrap(toString, (self, [, from = 0, to = self.length]) => to - from),
    copy: wrap(copy, (_self, _args, size) => size),
    copyWithin: wrap(copyWithin, (_self, [, from, to]) => to - from),
    set: wrap(set, (_self, [from]) => from.length),
  })
  return spy
}
