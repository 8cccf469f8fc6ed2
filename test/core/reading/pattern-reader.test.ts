/** The reader of a RegExp. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { show } from '../../../src/errors.ts'
import { chunkings, difference, ENCODINGS, oracleAll, pick, seeded, streamOf } from '../oracle.ts'
import { PIECES, readAll, readerOf, spyOnBuffers } from './reader-kit.ts'

t.test('PROPERTY: a RegExp whose match does not depend on the bytes after it', async t => {
  const random = seeded(3)
  // prettier-ignore
  for (const delimiter of [
    /\r?\n/, /[;,]/, /\d{3}/, /a{2}b/, /\n|;/gy, /\xff|\x80/, /(?<=a)b/i, /^.*?\n/s,
    /(?:aab|a{3}b|\r\n){1,2};/, /[ab]{2,4};|\xe2?\x82/, /a(?=b)b/,
  ]) {
    const wrong = new Set<string>()
    for (const regex_search of [true, false]) {
      // Without search, bytes that do not match at the start are never delivered: lines only.
      for (const encoding of ENCODINGS) {
        for (const limit of [1, 5, 40, 65536]) {
          const stream = streamOf(
            random,
            pick(random, [0, 30, 600]),
            random(2) === 0 ? PIECES : ['\n', ';', '123', 'aab', 'b', '\r\n'],
          )
          const rules = { delimiter, encoding, limit, regex_search }
          const wanted = oracleAll(stream, rules)
          for (const [name, chunks] of chunkings(stream, random)) {
            const reads = readAll(rules, chunks).map(data =>
              data.map(each => (Array.isArray(each) ? [...each] : each)),
            )
            const found = difference(reads, wanted)
            if (found !== '')
              wrong.add(`${encoding}, limit ${limit}, search ${regex_search}, ${name}: ${found}`)
          }
        }
      }
    }
    t.same([...wrong], [], show(delimiter))
  }
})

// A line of 12 MB cost seconds: for each chunk all of it was decoded and searched again. (With an
// expression of which neither the longest match nor the last character is known it still is, up to
// the limit.)
t.test('REGRESSION: a RegExp of known length or end looks at no byte twice', async t => {
  const size = 10_000
  for (const [delimiter, regex_search, text] of [
    [/\r?\n/, true, 'x'.repeat(size)],
    [/\r?\n/, true, '\r'.repeat(size)],
    [/[^\n]{4}\n/, false, 'x'.repeat(size)],
    [/\s*\n/, true, 'x'.repeat(size)],
    [/\r*\n/, true, '\r'.repeat(size)],
    [/^x*\n/, true, 'x'.repeat(size)],
  ] as const) {
    for (const length of [1, 7, 1000]) {
      const chunks: Buffer[] = []
      for (let at = 0; at < size; at += length)
        chunks.push(Buffer.from(text.slice(at, at + length), 'latin1'))
      const rules = { delimiter, encoding: null, limit: Infinity, regex_search }
      const spy = spyOnBuffers()
      const reads = readAll(rules, [...chunks, Buffer.from('\n')])
      spy.stop()
      t.equal(reads.length, regex_search ? 1 : 0)
      t.ok(spy.touched < 8 * size, `${delimiter}, by ${length}: ${spy.touched} for ${size} bytes`)
    }
  }
})

t.test(
  'a RegExp whose match could be longer takes what is there: its reads depend on chunks',
  async t => {
    const read = (...chunks: string[]) =>
      readAll(
        { delimiter: /\n+/, encoding: 'latin1', limit: 100 },
        chunks.map(chunk => Buffer.from(chunk)),
      ).flat()
    t.same(read('a\n\nb\n'), ['a', 'b'])
    t.same(read('a\n', '\nb\n'), ['a', '', 'b'])
  },
)

t.test(
  'a RegExp: its match with decoded groups; its flags g and y and its lastIndex do not matter',
  async t => {
    const delimiter = /(?<key>\w+)(?<none>!)?=(?<value>[^;]*);/g
    delimiter.lastIndex = 5
    const first = (encoding: 'utf8' | 'latin1' | null) =>
      readAll({ delimiter, encoding, limit: 100, regex_search: false }, [
        Buffer.from('a=é;b=2;  c=3;'),
      ])
    const [match] = first('utf8')[0] as [RegExpExecArray]
    t.same([...match], ['a=é;', 'a', undefined, 'é'])
    t.same({ ...match.groups }, { key: 'a', none: undefined, value: 'é' })
    t.equal(first('utf8').length, 2, 'what does not match at the start waits')
    t.equal((first('latin1')[0]?.[0] as RegExpExecArray).groups?.['value'], 'Ã©')
    t.equal((first(null)[0]?.[0] as RegExpExecArray)[3], 'Ã©')
    t.equal(delimiter.lastIndex, 5)
    const [plain] = readAll(
      { delimiter: /(a);/, encoding: 'hex', limit: 100, regex_search: false },
      [Buffer.from('a;')],
    )[0] as [RegExpExecArray]
    t.same([...plain], ['613b', '61'])
  },
)

t.test('a RegExp that matches the empty string is an error, not an endless loop', async t => {
  const reader = readerOf({ delimiter: /(?=b)/, encoding: null, limit: 10 })
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('ab'))
  t.throws(() => reader.next(buffer, 10), {
    code: 'ERR_INVALID_DELIMITER',
    message: /matched the empty string/,
  })
})
