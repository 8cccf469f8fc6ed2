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
        const stream = streamOf(random, 40_000, pieces)
        const rules = { delimiter, encoding, limit: pick(random, [10_000, 65536]) }
        const wanted = split(stream, rules)
        for (const [name, chunks] of chunkings(stream, random).filter(
          ([name]) => name !== 'small chunks',
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
      ['\n', 'utf8', 1, MiB / 4, 'x'],
      ['\r\n', null, 1024, MiB, 'x'],
      ['\n', 'utf8', 1024, MiB, 'é'],
      ['aab', 'latin1', 1024, MiB, 'a'],
      ['\n', 'utf16le', 1024, MiB, '\n'],
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
  const lines = Buffer.from('a line of some length, and é\r\n'.repeat(20_000))
  for (const changes of [false, true]) {
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
    // A change costs a window of 256 bytes for a line of 31.
    t.ok(spy.touched < (changes ? 35 : 6) * lines.length, `${spy.touched / lines.length}`)
  }
})
