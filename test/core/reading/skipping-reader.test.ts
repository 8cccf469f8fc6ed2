/** Messages that are too long are reported, and skipped. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { type ReadDelimiter, readerFor } from '../../../src/core/delimiters.ts'
import { NEED_MORE, TOO_LONG } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { endOfPattern } from '../../../src/core/reading/skipping-reader.ts'
import type { Encoding } from '../../../src/types.ts'
import { chunked, chunkings, difference, oracle, seeded, streamOf } from '../oracle.ts'
import { PIECES } from './reader-kit.ts'

const make = (delimiter: ReadDelimiter, encoding: Encoding | null) =>
  readerFor(delimiter, { encoding, regex_search: true, overflow: 'skip' })

/** As the read path does. Also: the most bytes that were kept. */
function readAll(
  delimiter: ReadDelimiter,
  encoding: Encoding | null,
  limit: number,
  chunks: Buffer[],
) {
  const reader = make(delimiter, encoding)
  const buffer = new RecvBuffer()
  const reads: unknown[][] = []
  let most = 0
  for (const chunk of chunks) {
    buffer.append(chunk)
    for (;;) {
      const message = reader.next(buffer, limit)
      if (message === TOO_LONG) {
        reads.push(['too long'])
        reader.giveBack(buffer)
      } else if (message !== NEED_MORE) reads.push([message])
      else if (!buffer.more()) break
    }
    buffer.trim()
    most = Math.max(most, buffer.length)
  }
  return { reads, most }
}

/** Slow and right: a message that is too long ends with the first delimiter, under no limit. */
function wanted(
  stream: Buffer,
  delimiter: ReadDelimiter,
  encoding: Encoding | null,
  limit: number,
): unknown[][] {
  const reads: unknown[][] = []
  for (let at = 0; ;) {
    const rules = { delimiter, encoding, limit }
    const outcome = oracle(stream, at, rules)
    if (outcome === 'more') return reads
    reads.push(outcome === 'too long' ? ['too long'] : outcome.data)
    const whole =
      outcome === 'too long' ? oracle(stream, at, { ...rules, limit: Infinity }) : outcome
    if (typeof whole === 'string') return reads
    at += whole.size
  }
}

// What stood behind a chunk that was dropped was looked at only when another chunk came.
t.test('what has come is looked at, however long the chunks are', async t => {
  const rows: [ReadDelimiter, Encoding | null][] = [
    ['\n', null],
    ['\n', 'utf16le'],
    [/\r?\n/, null],
  ]
  for (const [delimiter, encoding] of rows) {
    const reader = make(delimiter, encoding)
    const buffer = new RecvBuffer()
    const reads: unknown[] = []
    for (const piece of ['x'.repeat(10), 'x'.repeat(3000), 'x'.repeat(9), '\nz\n']) {
      buffer.append(Buffer.from(piece, encoding ?? 'utf8'))
      let read = reader.next(buffer, 100)
      for (; read !== NEED_MORE || buffer.more(); read = reader.next(buffer, 100))
        if (read !== NEED_MORE) reads.push(read === TOO_LONG ? 'too long' : String(read))
    }
    t.same(reads, ['too long', 'z'], `${delimiter} ${encoding}`)
  }
})

t.test('PROPERTY: as the oracle has it, in any chunks', async t => {
  const random = seeded(9)
  const delimiters = ['\n', '\r\n', 'aab', Buffer.of(0), /\r?\n/, /[;,]/, /\d{3}/]
  for (const delimiter of delimiters) {
    const wrong: string[] = []
    for (const encoding of [null, 'utf8', 'utf16le', 'latin1'] as const)
      for (const limit of [1, 5, 30]) {
        const stream = streamOf(random, 600, PIECES)
        const right = wanted(stream, delimiter, encoding, limit)
        for (const [name, chunks] of chunkings(stream, random)) {
          const found = difference(readAll(delimiter, encoding, limit, chunks).reads, right)
          if (found !== '') wrong.push(`${encoding}, limit ${limit}, ${name}: ${found}`)
        }
      }
    t.same(wrong, [], String(delimiter))
  }
})

t.test('nothing is kept of what is skipped', async t => {
  const stream = Buffer.from(`${'x'.repeat(100_000)}\r\nok\r\n`)
  for (const delimiter of ['\r\n', /\r?\n/]) {
    const { reads, most } = readAll(
      delimiter,
      'utf8',
      50,
      chunked(stream, () => 100),
    )
    t.same(reads, [['too long'], ['ok']])
    t.ok(most <= 150, `${most} bytes`)
  }
})

t.test('while it skips it is not idle, and forgets it if it is told to', async t => {
  const reader = make('\n', null)
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('abcdef'))
  t.equal(reader.held, 0)
  t.equal(reader.next(buffer, 3), TOO_LONG)
  t.equal(reader.held, 1)
  reader.forget?.()
  t.equal(reader.held, 0)
  buffer.append(Buffer.from('\n'))
  while (buffer.more());
  t.same(reader.next(buffer, 10), Buffer.from('abcdef'))
})

t.test('a RegExp of any length has no end that can be waited for', async t => {
  t.equal(endOfPattern(/\n+/), undefined)
  t.match(endOfPattern(/\r?\n/y), { longest: 2, step: 1 })
})
