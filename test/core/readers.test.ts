import { Buffer } from 'node:buffer'
import t from 'tap'
import { type Delimiter, readerFor, type ReadDelimiter } from '../../src/core/delimiters.ts'
import { length_prefix } from '../../src/core/length-prefix.ts'
import { NEED_MORE, type Reader, TOO_LONG } from '../../src/core/readers.ts'
import { RecvBuffer } from '../../src/core/recv-buffer.ts'
import { Struct } from '../../src/core/struct.ts'
import { show } from '../../src/errors.ts'
import { chunked, chunkings, difference, ENCODINGS, oracleAll, pick, type Rules, seeded, streamOf } from './oracle.ts'

/** What the contract's docstring shows; it looks at everything there is, so it must be right about `start` and `end`. */
const netstring: Delimiter<[Buffer]> = {
  text: true,
  cut(bytes, start, end) {
    const colon = bytes.subarray(start, end).indexOf(':')
    if (colon === -1) return end - start + 1
    const size = colon + 1 + Number(bytes.toString('latin1', start, start + colon)) + 1
    return end - start < size ? size : { size, data: [bytes.subarray(start + colon + 1, start + size - 1)] }
  },
}

const readerOf = ({ delimiter, encoding, regex_search = true }: Rules): Reader => readerFor(delimiter, { encoding, regex_search })

/** Feeds a reader as the read path does. */
function readAll(rules: Rules, chunks: readonly Buffer[]): unknown[][] {
  const reader = readerOf(rules)
  const buffer = new RecvBuffer()
  const reads: unknown[][] = []
  for (const chunk of chunks) {
    buffer.append(chunk)
    for (;;) {
      const message = reader.next(buffer, rules.limit)
      if (message === TOO_LONG) return [...reads, ['too long']]
      if (message !== NEED_MORE) reads.push(reader.spread ? message as unknown[] : [message])
      else if (!buffer.more()) break
    }
    buffer.keep()
  }
  const rest = reader.rest?.(buffer)
  return rest === undefined ? reads : [...reads, [rest]]
}

/** Delimiters and whatever looks like them, whole characters and broken ones, lengths and digits. */
const PIECES = [
  'a', 'b', 'aab', 'aaab', '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', ';', ',', '1', '42', '999', 'é', 'ÿ', '€', '😀', '\0', '\x01', '\x03', '\x0c\0',
  Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xe2, 0x82]), Buffer.from([0xf0, 0x9f, 0x98]), Buffer.from([0x80]), Buffer.from([0xac]),
  Buffer.from('a\n', 'utf16le'), Buffer.from('\r\n', 'utf16le'), Buffer.from([0x3d, 0xd8]), Buffer.from([0xed, 0xa0, 0x80]), 'a fairly long piece of text',
]

const DELIMITERS: readonly ReadDelimiter[] = [
  '\n', '\r\n', '\r\n\r\n', 'aab', 'aa', 'ÿ', '€', '😀', 'a', '\0', new Uint8Array([0xff]), new Uint8Array([0x80, 0xac]), new Uint8Array([10, 0]),
  1, 2, 3, 7, 100, 5000, new Struct('!H2s'), new Struct('bx'), length_prefix({ size: 1 }), length_prefix({ size: 1, offset: 1, adjust: 2, endian: 'little' }),
]

t.test('PROPERTY: reads do not depend on chunks, for every delimiter, encoding and limit', async t => {
  const random = seeded(1)
  for (const delimiter of DELIMITERS) {
    const wrong = new Set<string>()
    for (const encoding of ENCODINGS) {
      for (const limit of [1, 5, 30, 65536]) {
        const stream = streamOf(random, pick(random, [0, 30, 300, 800]), PIECES)
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
})

t.test('PROPERTY: the same in long streams, with lines that are longer than a window and lines that are short', async t => {
  const random = seeded(2)
  const filler = (size: number, text: string) => text.repeat(Math.ceil(size / text.length)).slice(0, size)
  const pieces = [...Array<string>(30).fill('short\n'), ...Array<string>(10).fill('é€\r\n'), filler(300, 'long'), filler(5000, 'é'), filler(15_000, 'x'), 'aab', '\n']
  for (const delimiter of ['\n', '\r\n', 'aab', 'é', new Uint8Array([0xa9])]) {
    for (const encoding of [null, 'utf8', 'latin1'] as const) {
      const stream = streamOf(random, 40_000, pieces)
      const rules = { delimiter, encoding, limit: pick(random, [10_000, 65536]) }
      const wanted = split(stream, rules)
      for (const [name, chunks] of chunkings(stream, random).filter(([name]) => name !== 'small chunks')) {
        t.equal(difference(readAll(rules, chunks), wanted), '', `${show(delimiter)} ${encoding} ${rules.limit} ${name}`)
      }
    }
  }
})

/** The oracle of a byte-wise loop takes too long here; this one is as plain, but asks Buffer. */
function split(stream: Buffer, { delimiter, encoding, limit }: Rules): unknown[][] {
  const needle = typeof delimiter === 'string' ? Buffer.from(delimiter, encoding === 'latin1' || encoding === 'ascii' ? encoding : 'utf8') : Buffer.from(delimiter as Uint8Array)
  const reads: unknown[][] = []
  for (let at = 0;;) {
    const found = stream.indexOf(needle, at)
    const size = (found === -1 ? stream.length : found) - at
    if (size > limit) return [...reads, ['too long']]
    if (found === -1) return reads
    const bytes = stream.subarray(at, found)
    reads.push([encoding === null ? bytes : bytes.toString(encoding)])
    at = found + needle.length
  }
}

t.test('PROPERTY: null delivers all there is, and with an encoding never half of what belongs together', async t => {
  const random = seeded(6)
  const wrong = new Set<string>()
  for (const encoding of [...ENCODINGS, 'base64url'] as const) {
    for (let round = 0; round < 30; round++) {
      const stream = streamOf(random, random(200), round % 2 === 0 ? PIECES : ['a', 'é', '€', '😀'])
      for (const [name, chunks] of chunkings(stream, random)) {
        const reads = readAll({ delimiter: null, encoding, limit: 1 }, chunks).flat() as (string | Buffer)[]
        const all = encoding === null ? Buffer.concat(reads as Buffer[]).toString('latin1') : reads.join('')
        if (all !== stream.toString(encoding ?? 'latin1')) wrong.add(`${encoding}, ${name}`)
        if (reads.some(read => read.length === 0)) wrong.add(`${encoding}, ${name}: an empty read`)
        if (encoding === 'utf8' && round % 2 === 1 && reads.some(read => read.includes('\ufffd'))) wrong.add(`${name}: half a character`)
      }
    }
  }
  t.same([...wrong], [])
})

/** The odd byte that a peer left at the end of UTF-16 came as a read of nothing. */
t.test('REGRESSION: what its encoding shows as nothing is not delivered', async t => {
  t.same(readAll({ delimiter: null, encoding: 'utf16le', limit: 1 }, [Buffer.from('610062', 'hex')]), [['a']])
  t.same(readAll({ delimiter: null, encoding: 'utf16le', limit: 1 }, [Buffer.from('61', 'hex')]), [])
})

t.test('which bytes null holds back for an encoding, and no more than those', async t => {
  const rows: [encoding: 'utf8' | 'utf16le' | 'base64' | 'hex', bytes: string, whole: number][] = [
    ['utf8', '61', 1], ['utf8', 'c3', 0], ['utf8', 'c3a9', 2], ['utf8', 'e282', 0], ['utf8', '61e2', 1], ['utf8', 'e282ac', 3], ['utf8', '61f09f98', 1],
    ['utf8', 'f09f9880', 4], ['utf8', '808080', 3], ['utf8', '80', 1], ['utf8', 'c3a980', 3], ['utf8', '61ff', 1],
    ['utf16le', '61', 0], ['utf16le', '6100', 2], ['utf16le', '610061', 2], ['utf16le', '61003dd8', 2], ['utf16le', '3dd800', 0], ['utf16le', '3dd800de', 4],
    ['base64', '6161', 0], ['base64', '616161', 3], ['base64', '61616161', 3], ['hex', '61', 1],
  ]
  for (const [encoding, hex, whole] of rows) {
    const buffer = new RecvBuffer()
    const bytes = Buffer.from(hex, 'hex')
    buffer.append(bytes)
    const reader = readerOf({ delimiter: null, encoding, limit: 1 })
    t.equal(reader.next(buffer, 1), whole === 0 ? NEED_MORE : bytes.toString(encoding, 0, whole), `${encoding} ${hex}`)
    t.equal(reader.rest?.(buffer), bytes.toString(encoding, whole) || NEED_MORE, `${encoding} ${hex}: the rest`)
    reader.release(buffer)
  }
})

t.test('PROPERTY: a RegExp that never wants to see what comes behind its match', async t => {
  const random = seeded(3)
  for (const delimiter of [/\r?\n/, /[;,]/, /\d{3}/, /a{2}b/, /\n|;/gy, /\xff|\x80/, /(?<=a)b/i, /^.*?\n/s]) {
    const wrong = new Set<string>()
    for (const regex_search of [true, false]) {
      // Without search, what cannot match at the start waits for good: only lines, then.
      for (const encoding of ENCODINGS) {
        for (const limit of [1, 5, 40, 65536]) {
          const stream = streamOf(random, pick(random, [0, 30, 600]), random(2) === 0 ? PIECES : ['\n', ';', '123', 'aab', 'b', '\r\n'])
          const rules = { delimiter, encoding, limit, regex_search }
          const wanted = oracleAll(stream, rules)
          for (const [name, chunks] of chunkings(stream, random)) {
            const reads = readAll(rules, chunks).map(data => data.map(each => (Array.isArray(each) ? [...each] : each)))
            const found = difference(reads, wanted)
            if (found !== '') wrong.add(`${encoding}, limit ${limit}, search ${regex_search}, ${name}: ${found}`)
          }
        }
      }
    }
    t.same([...wrong], [], show(delimiter))
  }
})

t.test('a RegExp that could match more takes what is there: its reads depend on chunks, as its docstring says', async t => {
  const read = (...chunks: string[]) => readAll({ delimiter: /\n+/, encoding: 'latin1', limit: 100 }, chunks.map(chunk => Buffer.from(chunk))).flat()
  t.same(read('a\n\nb\n'), ['a', 'b'])
  t.same(read('a\n', '\nb\n'), ['a', '', 'b'])
})

t.test('a RegExp: its match with groups and names, decoded; its flags g and y and its lastIndex do not matter', async t => {
  const delimiter = /(?<key>\w+)(?<none>!)?=(?<value>[^;]*);/g
  delimiter.lastIndex = 5
  const first = (encoding: 'utf8' | 'latin1' | null) => readAll({ delimiter, encoding, limit: 100, regex_search: false }, [Buffer.from('a=é;b=2;  c=3;')])
  const [match] = first('utf8')[0] as [RegExpExecArray]
  t.same([...match], ['a=é;', 'a', undefined, 'é'])
  t.same({ ...match.groups }, { key: 'a', none: undefined, value: 'é' })
  t.equal(first('utf8').length, 2, 'what does not match at the start waits')
  t.equal((first('latin1')[0]?.[0] as RegExpExecArray).groups?.['value'], 'Ã©')
  t.equal((first(null)[0]?.[0] as RegExpExecArray)[3], 'Ã©')
  t.equal(delimiter.lastIndex, 5)
  const [plain] = readAll({ delimiter: /(a);/, encoding: 'hex', limit: 100, regex_search: false }, [Buffer.from('a;')])[0] as [RegExpExecArray]
  t.same([...plain], ['613b', '61'])
})

t.test('a RegExp that matches nothing at all is an error, not an endless loop', async t => {
  const reader = readerOf({ delimiter: /(?=b)/, encoding: null, limit: 10 })
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('ab'))
  t.throws(() => reader.next(buffer, 10), { code: 'ERR_INVALID_DELIMITER', message: /matched nothing at all/ })
})

// ---- Delimiters of a program's own -----------------------------------------------------------------------------------

t.test('PROPERTY: the delimiter that the contract shows as an example', async t => {
  const random = seeded(5)
  for (const encoding of ENCODINGS) {
    const stream = streamOf(random, 2000, ['0:,', '3:abc,', '5:\n€ ,', `300:${'x'.repeat(300)},`])
    for (const [name, chunks] of chunkings(stream, random)) {
      const rules = { delimiter: netstring, encoding, limit: 65536 }
      t.equal(difference(readAll(rules, chunks), oracleAll(stream, rules)), '', `${encoding}, ${name}`)
    }
  }
})

t.test('it is asked again only when as much is there as it wanted, or something changes', async t => {
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
  reader.release(buffer)
  t.same([next('d'), next('ef')], [NEED_MORE, []])
  t.same(asked, [1, 4, 6])
})

t.test('what is no answer is an error that says what the answer must be', async t => {
  const of = (answer: unknown): Delimiter => ({ cut: () => answer as number })
  const data: unknown[] = []
  for (const answer of [0, -1, 2, 3, NaN, Infinity, 3.5, 4.5, { size: 0, data }, { size: -1, data }, { size: 4, data }, { size: NaN, data }, { size: 1.5, data }]) {
    const rules = { delimiter: of(answer), encoding: null, limit: 100 }
    t.throws(() => readAll(rules, [Buffer.from('abc')]), { code: 'ERR_INVALID_DELIMITER', message: /^read_delimiter: cut\(\) must return a cut of 1 to 3 bytes, or a number over 3; it returned/ })
  }
})

t.test('too long: at once when it says so, but never shorter than it needs', async t => {
  const read = (needs: number | undefined, limit: number, text: string) =>
    readAll({ delimiter: { ...(needs !== undefined && { needs }), cut: (_bytes, start, end) => (end - start < 8 ? 8 : { size: 8, data: ['8'] }) }, encoding: null, limit }, [Buffer.from(text)])
  t.same(read(undefined, 7, 'a'), [['too long']])
  t.same(read(undefined, 7, 'abcdefgh'), [['too long']])
  t.same(read(undefined, 8, 'abcdefgh'), [['8']])
  t.same(read(8, 1, 'abcdefghabcdefgha'), [['8'], ['8']])
})

t.test('its Buffers are decoded where they are text, and copied where they would go stale', async t => {
  const of = (text: boolean): Delimiter => ({ text, cut: (bytes, start, end) => (end - start < 2 ? 2 : { size: 2, data: [bytes.subarray(start, start + 2), new Uint8Array([1]), 7] }) })
  const chunks = [Buffer.from('a'), Buffer.from('bcd')]
  t.same(readAll({ delimiter: of(true), encoding: 'hex', limit: 10 }, chunks), [['6162', new Uint8Array([1]), 7], ['6364', new Uint8Array([1]), 7]])
  t.same(readAll({ delimiter: of(true), encoding: null, limit: 10 }, chunks), [[Buffer.from('ab'), Buffer.from([1]), 7], [Buffer.from('cd'), Buffer.from([1]), 7]])
  t.same(readAll({ delimiter: of(false), encoding: 'hex', limit: 10 }, chunks), [[Buffer.from('ab'), Buffer.from([1]), 7], [Buffer.from('cd'), Buffer.from([1]), 7]])
})

// ---- Cost --------------------------------------------------------------------------------------------------------------

t.test('a long line is looked at, copied and decoded a constant number of times, however it comes', async t => {
  const MiB = 2 ** 20
  for (const [delimiter, encoding, chunk, size, filler] of [
    ['\n', 'utf8', 1, MiB / 4, 'x'], ['\r\n', null, 1024, MiB, 'x'], ['\n', 'utf8', 1024, MiB, 'é'], ['aab', 'latin1', 1024, MiB, 'a'],
    ['\n', 'utf16le', 1024, MiB, '\n'], [MiB, null, 1024, MiB, 'x'],
  ] as const) {
    const end = typeof delimiter === 'number' ? '' : delimiter
    const bytes = Buffer.concat([Buffer.alloc(size, filler), Buffer.from(end, encoding ?? 'utf8')])
    const chunks = chunked(bytes, () => chunk)
    const reader = readerOf({ delimiter, encoding, limit: MiB })
    const buffer = new RecvBuffer()
    const spy = spyOnBuffers()
    let read: unknown
    for (const chunk of chunks) {
      buffer.append(chunk)
      do read = reader.next(buffer, MiB)
      while (read === NEED_MORE && buffer.more())
      buffer.keep()
    }
    spy.stop()
    reader.release(buffer)
    t.equal((read as string).length, bytes.toString(encoding ?? 'latin1').length - end.length)
    t.equal(buffer.length, 0)
    t.ok(spy.touched < 8 * size, `${JSON.stringify(delimiter)} ${encoding} in ${chunk}: ${spy.touched / size}`)
  }
})

t.test('short lines too, though the delimiter changes at every line', async t => {
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
        if (changes) reader.release(buffer)
      }
      buffer.keep()
    }
    spy.stop()
    t.equal(count, 20_000)
    // A window of 256 bytes for a line of 31 is what changing costs.
    t.ok(spy.touched < (changes ? 35 : 6) * lines.length, `${spy.touched / lines.length}`)
  }
})

/** Counts the bytes that Buffers search, copy and decode, whoever asks them to. */
function spyOnBuffers() {
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
    indexOf: wrap(indexOf, (self, [, from = 0], found) => (found === -1 ? self.length : found) - from),
    lastIndexOf: wrap(lastIndexOf, (self, _args, found) => self.length - Math.max(0, found)),
    toString: wrap(toString, (self, [, from = 0, to = self.length]) => to - from),
    copy: wrap(copy, (_self, _args, size) => size),
    copyWithin: wrap(copyWithin, (_self, [, from, to]) => to - from),
    set: wrap(set, (_self, [from]) => from.length),
  })
  return spy
}
