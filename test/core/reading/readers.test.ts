/** The readers of null, and of an object with the delimiter contract; a long count. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Delimiter } from '../../../src/core/delimiters.ts'
import { length_prefix } from '../../../src/core/length/length-prefix.ts'
import { NEED_MORE } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { NetStruct } from '../../../src/core/struct/net-struct.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import {
  chunked,
  chunkings,
  difference,
  ENCODINGS,
  oracleAll,
  pick,
  seeded,
  streamOf,
} from '../oracle.ts'
import { PIECES, readAll, readerOf, readsAsTheOracle, spyOnBuffers } from './reader-kit.ts'

/**
 * The example of the contract's docstring. It looks at all bytes, so it must be right about `start`
 * and `end`.
 */
const netstring: Delimiter<[Buffer]> = {
  text: true,
  cut(bytes, start, end) {
    const colon = bytes.subarray(start, end).indexOf(':')
    if (colon === -1) return end - start + 1
    const size = colon + 1 + Number(bytes.toString('latin1', start, start + colon)) + 1
    return end - start < size
      ? size
      : { size, data: [bytes.subarray(start + colon + 1, start + size - 1)] }
  },
}

t.test(
  'PROPERTY: reads do not depend on chunks, for every delimiter, encoding and limit',
  async t => {
    readsAsTheOracle(t, 1, [
      1,
      2,
      3,
      7,
      100,
      5000,
      new Struct('!H2s'),
      new Struct('bx'),
      length_prefix({ size: 1 }),
      length_prefix({ size: 1, offset: 1, adjust: 2, endian: 'little' }),
    ])
  },
)

t.test('a long count is copied once, in any chunks', async t => {
  const MiB = 2 ** 20
  const reader = readerOf({ delimiter: MiB, encoding: null, limit: 1 })
  const buffer = new RecvBuffer()
  const chunks = chunked(Buffer.alloc(MiB, 'x'), () => 1024)
  const spy = spyOnBuffers()
  let read: unknown
  for (const chunk of chunks) {
    buffer.append(chunk)
    do read = reader.next(buffer, 1)
    while (read === NEED_MORE && buffer.more())
    buffer.trim()
  }
  spy.stop()
  reader.giveBack(buffer)
  t.equal((read as Buffer).length, MiB)
  t.equal(buffer.length, 0)
  t.ok(spy.touched < 8 * MiB, `${spy.touched / MiB}`)
})

t.test(
  'PROPERTY: null delivers everything; with an encoding never a part of a character',
  async t => {
    const random = seeded(6)
    const wrong = new Set<string>()
    for (const encoding of [...ENCODINGS, 'base64url'] as const) {
      for (let round = 0; round < 10; round++) {
        const stream = streamOf(
          random,
          random(200),
          round % 2 === 0 ? PIECES : ['a', 'é', '€', '😀'],
        )
        for (const [name, chunks] of chunkings(stream, random)) {
          const reads = readAll({ delimiter: null, encoding, limit: 1 }, chunks).flat() as (
            string | Buffer
          )[]
          const all =
            encoding === null ? Buffer.concat(reads as Buffer[]).toString('latin1') : reads.join('')
          if (all !== stream.toString(encoding ?? 'latin1')) wrong.add(`${encoding}, ${name}`)
          if (reads.some(read => read.length === 0))
            wrong.add(`${encoding}, ${name}: an empty read`)
          if (encoding === 'utf8' && round % 2 === 1 && reads.some(read => read.includes('\ufffd')))
            wrong.add(`${name}: half a character`)
        }
      }
    }
    t.same([...wrong], [])
  },
)

/** A single byte at the end of UTF-16 came as an empty read. */
t.test('REGRESSION: bytes that the encoding shows as nothing are not delivered', async t => {
  t.same(
    readAll({ delimiter: null, encoding: 'utf16le', limit: 1 }, [Buffer.from('610062', 'hex')]),
    [['a']],
  )
  t.same(
    readAll({ delimiter: null, encoding: 'utf16le', limit: 1 }, [Buffer.from('61', 'hex')]),
    [],
  )
})

t.test('which bytes null keeps back for an encoding, and no more than those', async t => {
  const rows: [encoding: 'utf8' | 'utf16le' | 'base64' | 'hex', bytes: string, whole: number][] = [
    ['utf8', '61', 1],
    ['utf8', 'c3', 0],
    ['utf8', 'c3a9', 2],
    ['utf8', 'e282', 0],
    ['utf8', '61e2', 1],
    ['utf8', 'e282ac', 3],
    ['utf8', '61f09f98', 1],
    ['utf8', 'f09f9880', 4],
    ['utf8', '808080', 3],
    ['utf8', '80', 1],
    ['utf8', 'c3a980', 3],
    ['utf8', '61ff', 1],
    ['utf16le', '61', 0],
    ['utf16le', '6100', 2],
    ['utf16le', '610061', 2],
    ['utf16le', '61003dd8', 2],
    ['utf16le', '3dd800', 0],
    ['utf16le', '3dd800de', 4],
    ['base64', '6161', 0],
    ['base64', '616161', 3],
    ['base64', '61616161', 3],
    ['hex', '61', 1],
  ]
  for (const [encoding, hex, whole] of rows) {
    const buffer = new RecvBuffer()
    const bytes = Buffer.from(hex, 'hex')
    buffer.append(bytes)
    const reader = readerOf({ delimiter: null, encoding, limit: 1 })
    t.equal(
      reader.next(buffer, 1),
      whole === 0 ? NEED_MORE : bytes.toString(encoding, 0, whole),
      `${encoding} ${hex}`,
    )
    t.equal(
      reader.rest?.(buffer),
      bytes.toString(encoding, whole) || NEED_MORE,
      `${encoding} ${hex}: the rest`,
    )
    reader.giveBack(buffer)
  }
})

// Of two lengths the first made the message too long, and the second was negative: with all bytes
// there the second was told, with the first ones only the first. Found by npm run fuzz.
t.test('REGRESSION: what stands beyond the limit makes no difference', async t => {
  for (const [format, first] of [
    ['B$b$', 100],
    ['B$b$2s', 18],
  ] as const) {
    const delimiter = new NetStruct(format)
    const bytes = Buffer.concat([Buffer.of(first), Buffer.alloc(first), Buffer.of(0xff, 0, 0)])
    for (const size of [1, 50, 200]) {
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      const rules = { delimiter, encoding: null, limit: 20 }
      t.same(readAll(rules, chunks), [['too long']], `${format}, by ${size}`)
    }
  }
})

// ---- objects with the delimiter contract --------------------------------------------------------

t.test('PROPERTY: the delimiter that the contract shows as an example', async t => {
  const random = seeded(5)
  for (const encoding of ENCODINGS) {
    const stream = streamOf(random, 2000, ['0:,', '3:abc,', '5:\n€ ,', `300:${'x'.repeat(300)},`])
    for (const [name, chunks] of chunkings(stream, random)) {
      const rules = { delimiter: netstring, encoding, limit: 65536 }
      t.equal(
        difference(readAll(rules, chunks), oracleAll(stream, rules)),
        '',
        `${encoding}, ${name}`,
      )
    }
  }
})

t.test(
  'it is asked again only when as many bytes are there as it wanted, or something changes',
  async t => {
    const asked: number[] = []
    const delimiter: Delimiter = {
      cut(_bytes, start, end) {
        asked.push(end - start)
        return end - start < 5 ? 5 : { size: 5, data: [] }
      },
    }
    const reader = readerOf({ delimiter, encoding: null, limit: 10 })
    const buffer = new RecvBuffer()
    const next = (text: string) => {
      buffer.append(Buffer.from(text))
      while (buffer.more());
      return reader.next(buffer, 10)
    }
    t.same([next('a'), next('b'), next('c')], [NEED_MORE, NEED_MORE, NEED_MORE])
    t.same(asked, [1])
    reader.giveBack(buffer)
    t.same([next('d'), next('ef')], [NEED_MORE, []])
    t.same(asked, [1, 4, 6])
  },
)

// An own delimiter that delivered an array, an object or a DataView got views that went stale. On
// the fast network they showed what another connection had sent; on the default network the bytes
// moved when reads were held halfway.
t.test('REGRESSION: views stay as they are, wherever the delimiter hides them', async t => {
  class Pair {
    readonly #of: Buffer
    constructor(of: Buffer) {
      this.#of = of
    }
    get text(): string {
      return this.#of.toString('latin1')
    }
  }
  const forms: [what: string, hide: (view: Buffer) => unknown, text: (hidden: any) => string][] = [
    ['a Buffer', view => view, hidden => hidden.toString('latin1')],
    ['an array', view => [[view]], ([[view]]) => view.toString('latin1')],
    ['an object', view => ({ deep: { view } }), ({ deep }) => deep.view.toString('latin1')],
    ['a Map', view => new Map([[1, view]]), map => map.get(1).toString('latin1')],
    ['an object of a class', view => new Pair(view), pair => pair.text],
    ['a function', view => () => view.toString('latin1'), lazy => lazy()],
    [
      'a DataView',
      view => new DataView(view.buffer, view.byteOffset, view.length),
      view => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1'),
    ],
    [
      'another array of numbers',
      view => new Int8Array(view.buffer, view.byteOffset, view.length),
      array => String.fromCharCode(...array),
    ],
  ]
  for (const [what, hide, text] of forms) {
    for (const areLent of [true, false]) {
      const delimiter: Delimiter = {
        cut: (bytes, start, end) =>
          end - start < 4 ? 4 : { size: 4, data: [hide(bytes.subarray(start, start + 4))] },
      }
      const random = seeded(3)
      const reader = readerOf({ delimiter, encoding: null, limit: 100 })
      const buffer = new RecvBuffer()
      const kept: [hidden: unknown, was: string][] = []
      const shared = Buffer.alloc(2000)
      for (let count = 0; count < 100; count++) {
        const size = 1 + random(pick(random, [3, 30, 2000]))
        const chunk = areLent ? shared.subarray(0, size) : Buffer.alloc(size)
        for (let i = 0; i < size; i++) chunk[i] = random(128)
        buffer.append(chunk, areLent)
        // Now and then a hook holds the reads: what has come waits.
        for (let left = pick(random, [0, 1, 3, 1000]); left > 0; left--) {
          const message = reader.next(buffer, 100)
          if (message === NEED_MORE && !buffer.more()) break
          if (!Array.isArray(message)) continue
          kept.push([message[0], text(message[0])])
        }
        reader.giveBack(buffer)
        buffer.trim()
        shared.fill('-')
      }
      t.ok(kept.length > 50, `${what}, ${kept.length} messages`)
      t.same(kept.filter(([hidden, was]) => text(hidden) !== was).length, 0, what)
    }
  }
})

t.test('a delimiter that copies is shown the chunk itself', async t => {
  for (const copies of [true, false]) {
    const shown = new Set<unknown>()
    const delimiter: Delimiter = {
      copies,
      cut(bytes, start) {
        shown.add(bytes.buffer)
        return { size: 1, data: [bytes[start]] }
      },
    }
    const reader = readerOf({ delimiter, encoding: null, limit: 100 })
    const buffer = new RecvBuffer()
    const shared = Buffer.alloc(3)
    for (let count = 0; count < 3; count++) {
      buffer.append(shared.fill(count), true)
      for (let n = 0; n < 3; n++) t.same(reader.next(buffer, 100), [count])
      buffer.trim()
    }
    t.equal(shown.has(shared.buffer), copies)
  }
})

t.test('an invalid answer is an error that says what is valid', async t => {
  const of = (answer: unknown): Delimiter => ({ cut: () => answer as number })
  const data: unknown[] = []
  for (const answer of [
    0,
    -1,
    2,
    3,
    NaN,
    Infinity,
    3.5,
    4.5,
    { size: 0, data },
    { size: -1, data },
    { size: 4, data },
    { size: NaN, data },
    { size: 1.5, data },
    undefined,
    null,
    'abc',
    { size: 2 },
    { size: 2, data: 5 },
  ]) {
    const rules = { delimiter: of(answer), encoding: null, limit: 100 }
    t.throws(() => readAll(rules, [Buffer.from('abc')]), {
      code: 'ERR_INVALID_DELIMITER',
      message: RegExp(
        '^read_delimiter: cut\\(\\) must return { size: 1 to 3, data: an array }, ' +
          'or a number over 3; it returned',
      ),
    })
  }
  // Without `data` the message was dropped, and nothing said. Of a `return` that was forgotten the
  // error said that it cannot read a property of undefined.
  for (const [answer, said] of [
    [undefined, /; it returned undefined; /],
    [{ size: 2 }, /; it returned { size: 2, data: undefined }; /],
  ] as const) {
    const rules = { delimiter: of(answer), encoding: null, limit: 100 }
    t.throws(() => readAll(rules, [Buffer.from('abc')]), { message: said })
  }
})

t.test('too long: at once when it asks for too much, but never below what it needs', async t => {
  const read = (needs: number | undefined, limit: number, text: string) =>
    readAll(
      {
        delimiter: {
          ...(needs !== undefined && { needs }),
          cut: (_bytes, start, end) => (end - start < 8 ? 8 : { size: 8, data: ['8'] }),
        },
        encoding: null,
        limit,
      },
      [Buffer.from(text)],
    )
  t.same(read(undefined, 7, 'a'), [['too long']])
  t.same(read(undefined, 7, 'abcdefgh'), [['too long']])
  t.same(read(undefined, 8, 'abcdefgh'), [['8']])
  t.same(read(8, 1, 'abcdefghabcdefgha'), [['8'], ['8']])
})

t.test(
  'its Buffers are decoded if they are text, and copied if their memory is used again',
  async t => {
    const of = (text: boolean): Delimiter => ({
      text,
      cut: (bytes, start, end) =>
        end - start < 2
          ? 2
          : { size: 2, data: [bytes.subarray(start, start + 2), new Uint8Array([1]), 7] },
    })
    const chunks = [Buffer.from('a'), Buffer.from('bcd')]
    t.same(readAll({ delimiter: of(true), encoding: 'hex', limit: 10 }, chunks), [
      ['6162', new Uint8Array([1]), 7],
      ['6364', new Uint8Array([1]), 7],
    ])
    t.same(readAll({ delimiter: of(true), encoding: null, limit: 10 }, chunks), [
      [Buffer.from('ab'), Buffer.from([1]), 7],
      [Buffer.from('cd'), Buffer.from([1]), 7],
    ])
    t.same(readAll({ delimiter: of(false), encoding: 'hex', limit: 10 }, chunks), [
      [Buffer.from('ab'), Buffer.from([1]), 7],
      [Buffer.from('cd'), Buffer.from([1]), 7],
    ])
  },
)

/** JSON objects without anything between them: it counts brackets, and remembers how many. */
class Objects implements Delimiter<[Buffer]> {
  looked = 0
  #depth = 0

  cut(bytes: Buffer, start: number, end: number, from = start) {
    if (from === start) this.#depth = 0
    for (let at = from; at < end; at++) {
      this.looked++
      if (bytes[at] === 0x7b) this.#depth++
      else if (bytes[at] === 0x7d && --this.#depth <= 0)
        return { size: at + 1 - start, data: [bytes.subarray(start, at + 1)] as [Buffer] }
    }
    return end - start + 1
  }
}

// A delimiter that scans was asked from the first byte of the message for every chunk: a message of
// 170 KB in pieces of 4 bytes took 23 s.
t.test('a delimiter is told how far it has looked', async t => {
  const stream = Buffer.from(`{${'x'.repeat(20_000)}{}}{{}}`)
  const objects = new Objects()
  const rules = { delimiter: objects, encoding: null, limit: 65536 }
  const reads = readAll(
    rules,
    chunked(stream, () => 4),
  )
  t.same(reads.map(String), [stream.subarray(0, -4).toString(), '{{}}'])
  t.equal(objects.looked, stream.length)

  const random = seeded(11)
  const pieces = ['{', '}', '{}', 'a', '{{a}{}}']
  for (const limit of [3, 20, 65536]) {
    const many = Buffer.concat([streamOf(random, 3000, pieces)])
    const wanted = oracleAll(many, { delimiter: new Objects(), encoding: null, limit })
    for (const [name, chunks] of chunkings(many, random))
      t.equal(
        difference(readAll({ delimiter: new Objects(), encoding: null, limit }, chunks), wanted),
        '',
        `${name}, limit ${limit}`,
      )
  }
})

t.test('a delimiter begins anew after every change of a setting', async t => {
  const froms: number[] = []
  const delimiter: Delimiter<[]> = {
    cut(_bytes, start, end, from) {
      froms.push(from! - start)
      return end - start < 3 ? end - start + 1 : { size: 3, data: [] }
    },
  }
  const reader = readerOf({ delimiter, encoding: null, limit: 10 })
  const buffer = new RecvBuffer()
  const feed = (text: string) => {
    buffer.append(Buffer.from(text))
    reader.next(buffer, 10)
    while (buffer.more()) reader.next(buffer, 10)
  }
  feed('a')
  feed('b')
  reader.giveBack(buffer)
  reader.next(buffer, 10)
  feed('c')
  feed('d')
  t.same(froms, [0, 1, 0, 2, 0])
})
