/** A string or bytes as delimiter: what is read, compared with the oracle, and what that costs. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { NEED_MORE } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { show } from '../../../src/errors.ts'
import { chunked, chunkings, difference, pick, type Rules, seeded, streamOf } from '../oracle.ts'
import { readAll, readerOf, readsAsTheOracle, spyOnBuffers } from './reader-kit.ts'

t.test(
  'PROPERTY: reads do not depend on chunks, for every delimiter, encoding and limit',
  async t => {
    // prettier-ignore
    readsAsTheOracle(t, 1, [
      '\n', '\r\n', '\r\n\r\n', 'aab', 'aa', 'ÿ', '€', '😀', 'a', '\0', new Uint8Array([0xff]),
      new Uint8Array([0x80, 0xac]), new Uint8Array([10, 0]),
    ])
  },
)

t.test(
  'PROPERTY: the same in long streams, with short lines and lines longer than a window',
  async t => {
    const random = seeded(2)
    const filler = (size: number, text: string) =>
      text.repeat(Math.ceil(size / text.length)).slice(0, size)
    const pieces = [
      ...Array<string>(30).fill('short\n'),
      ...Array<string>(10).fill('é€\r\n'),
      filler(300, 'long'),
      filler(5000, 'é'),
      filler(15_000, 'x'),
      'aab',
      '\n',
    ]
    for (const delimiter of ['\n', '\r\n', 'aab', 'é', new Uint8Array([0xa9])]) {
      for (const encoding of [null, 'utf8', 'latin1'] as const) {
        const stream = streamOf(random, 20_000, pieces)
        const rules = { delimiter, encoding, limit: pick(random, [10_000, 65536]) }
        const wanted = split(stream, rules)
        for (const [name, chunks] of chunkings(stream, random).filter(([name]) =>
          name === 'one byte at a time' ? encoding === 'utf8' : name !== 'small chunks',
        )) {
          t.equal(
            difference(readAll(rules, chunks), wanted),
            '',
            `${show(delimiter)} ${encoding} ${rules.limit} ${name}`,
          )
        }
      }
    }
  },
)

/**
 * The oracle goes byte by byte, which takes too long here. This one is as plain, but uses Buffer.
 */
function split(stream: Buffer, { delimiter, encoding, limit }: Rules): unknown[][] {
  const needle =
    typeof delimiter === 'string'
      ? Buffer.from(delimiter, encoding === 'latin1' || encoding === 'ascii' ? encoding : 'utf8')
      : Buffer.from(delimiter as Uint8Array)
  const reads: unknown[][] = []
  for (let at = 0; ;) {
    const found = stream.indexOf(needle, at)
    const size = (found === -1 ? stream.length : found) - at
    if (size > limit) return [...reads, ['too long']]
    if (found === -1) return reads
    const bytes = stream.subarray(at, found)
    reads.push([encoding === null ? bytes : bytes.toString(encoding)])
    at = found + needle.length
  }
}

t.test(
  'a long line is searched, copied and decoded a constant number of times, in any chunks',
  async t => {
    const MiB = 2 ** 20
    for (const [delimiter, encoding, chunk, size, filler] of [
      ['\n', 'utf8', 1, MiB / 16, 'x'],
      ['\r\n', null, 1024, MiB / 4, 'x'],
      ['\n', 'utf8', 1024, MiB / 4, 'é'],
      ['aab', 'latin1', 1024, MiB / 4, 'a'],
      ['\n', 'utf16le', 1024, MiB / 4, '\n'],
    ] as const) {
      const bytes = Buffer.concat([
        Buffer.alloc(size, filler),
        Buffer.from(delimiter, encoding ?? 'utf8'),
      ])
      const chunks = chunked(bytes, () => chunk)
      const reader = readerOf({ delimiter, encoding, limit: MiB })
      const buffer = new RecvBuffer()
      const spy = spyOnBuffers()
      let read: unknown
      for (const chunk of chunks) {
        buffer.append(chunk)
        do read = reader.next(buffer, MiB)
        while (read === NEED_MORE && buffer.more())
        buffer.trim()
      }
      spy.stop()
      reader.giveBack(buffer)
      t.equal(
        (read as string).length,
        bytes.toString(encoding ?? 'latin1').length - delimiter.length,
      )
      t.equal(buffer.length, 0)
      t.ok(
        spy.touched < 8 * size,
        `${JSON.stringify(delimiter)} ${encoding} in ${chunk}: ${spy.touched / size}`,
      )
    }
  },
)

t.test('so are short lines, even if the delimiter changes at every line', async t => {
  for (const [text, changes, most] of [
    ['a line of some length, and é', false, 6],
    // A change costs a window of 256 bytes for a line of 31.
    ['a line of some length, and é', true, 35],
    // ASCII has a window that is kept: it is decoded once.
    ['a line of some length, and e', true, 6],
  ] as const) {
    const lines = Buffer.from(`${text}\r\n`.repeat(20_000))
    const spy = spyOnBuffers()
    const buffer = new RecvBuffer()
    const reader = readerOf({ delimiter: '\r\n', encoding: 'utf8', limit: 65536 })
    let count = 0
    for (const chunk of chunked(lines, () => 65536)) {
      buffer.append(chunk)
      for (;;) {
        const read = reader.next(buffer, 65536)
        if (read !== NEED_MORE) count++
        else if (!buffer.more()) break
        if (changes) reader.giveBack(buffer)
      }
      buffer.trim()
    }
    spy.stop()
    t.equal(count, 20_000)
    t.ok(spy.touched < most * lines.length, `${spy.touched / lines.length}`)
  }
})

t.test('a window that was kept is used by the next reader only where it fits', async t => {
  const rules = { delimiter: '\n', encoding: 'latin1', limit: 100 } as const
  const rows: [
    what: string,
    between: (buffer: RecvBuffer) => void,
    next: string,
    limit?: number,
  ][] = [
    ['nothing in between', () => {}, 'second'],
    ['text in between', buffer => t.equal(buffer.takeText(3, 'latin1'), 'sec'), 'ond'],
    ['text in another encoding', buffer => t.equal(buffer.takeText(3, 'hex'), '736563'), 'ond'],
    ['bytes in between', buffer => t.same(buffer.take(7), Buffer.from('second\n')), 'third'],
    ['a lower limit', () => {}, 'second', 6],
    ['more than was decoded', buffer => void buffer.skip(294), 'y'],
  ]
  for (const [what, between, next, limit = 100] of rows) {
    const buffer = new RecvBuffer()
    buffer.append(Buffer.from(`first\nsecond\nthird\n${'x'.repeat(280)}\ny\n`))
    const reader = readerOf(rules)
    t.equal(reader.next(buffer, 100), 'first')
    reader.giveBack(buffer)
    between(buffer)
    t.equal(reader.next(buffer, limit), next, what)
  }
})
