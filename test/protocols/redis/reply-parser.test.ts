import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Cut } from '../../../src/core/delimiters.ts'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import { Push } from '../../../src/protocols/redis/reply.ts'
import {
  Replies,
  type ReplyBounds,
  REPLY_BOUNDS,
} from '../../../src/protocols/redis/reply-parser.ts'
import { read } from './read.ts'

const blob = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

const CASES: [text: string, values: unknown[]][] = [
  ['+OK\r\n', ['OK']],
  ['+OKAY\r\n+O\r\n', ['OKAY', 'O']],
  [`+${'x'.repeat(300)}\r\n`, ['x'.repeat(300)]],
  [':1\r\n:-2\r\n', [1, -2]],
  ['$5\r\nhello\r\n', ['hello']],
  ['$0\r\n\r\n', ['']],
  [blob('a\r\nb'), ['a\r\nb']],
  [blob('grün €😀'), ['grün €😀']],
  ['$-1\r\n*-1\r\n_\r\n', [null, null, null]],
  ['*0\r\n%0\r\n~0\r\n', [[], new Map(), new Set()]],
  ['*3\r\n:1\r\n*2\r\n+a\r\n$1\r\nb\r\n_\r\n', [[1, ['a', 'b'], null]]],
  ['%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n', [new Map(Object.entries({ a: 1, b: [2] }))]],
  ['~2\r\n+a\r\n+b\r\n', [new Set(['a', 'b'])]],
  ['#t\r\n#f\r\n,3.5\r\n(99999999999999999999\r\n', [true, false, 3.5, 99999999999999999999n]],
  ['=8\r\ntxt:INFO\r\n', ['INFO']],
  // Attributes are dropped, wherever they stand.
  ['|1\r\n+ttl\r\n:3600\r\n+OK\r\n', ['OK']],
  ['|0\r\n+OK\r\n', ['OK']],
  ['*2\r\n|1\r\n+ttl\r\n*1\r\n:1\r\n:7\r\n:8\r\n', [[7, 8]]],
]

t.test('replies of all types, however they are cut', async t => {
  const text = CASES.map(([text]) => text).join('')
  const values = CASES.flatMap(([, values]) => values)
  t.same(read(text), values)
  for (const [text, values] of CASES) t.same(read(text), values, JSON.stringify(text))
  const { length } = Buffer.from(text)
  t.same(
    read(
      text,
      Array.from({ length }, (_, i) => i + 1),
    ),
    values,
    'byte by byte',
  )
  for (let at = 1; at < length; at++) t.same(read(text, [at]), values, `cut at ${at}`)
})

t.test('errors are values', async t => {
  const [first, second, list] = read(
    '-ERR no\r\n!11\r\nWRONGTYPE x\r\n*2\r\n:1\r\n-MOVED 1 a:1\r\n',
  )
  t.match(first, { code: 'ERR', message: 'ERR no' })
  t.match(second, { code: 'WRONGTYPE' })
  t.match(list, [1, { code: 'MOVED' }])
  t.ok(first instanceof RedisError)
})

t.test('bytes instead of text', async t => {
  const delimiter = new Replies()
  delimiter.encoding = null
  const text = '*4\r\n$2\r\n\xff\xfe\r\n+OK\r\n=5\r\ntxt:a\r\n%1\r\n$1\r\na\r\n$1\r\nb\r\n'
  const [list] = read(Buffer.from(text, 'latin1'), [], delimiter) as [unknown[]]
  t.same(list[0], Buffer.from([255, 254]))
  t.equal(list[1], 'OK', 'what is no string stays as it is')
  t.same(list[2], Buffer.from('a'))
  t.same([...(list[3] as Map<unknown, unknown>)], [[Buffer.from('a'), Buffer.from('b')]])
})

t.test('bytes are copies, so that what they came in can be used again', async t => {
  const delimiter = new Replies()
  delimiter.encoding = null
  for (const length of [5, 20_000]) {
    const chunk = Buffer.from(blob('v'.repeat(length)))
    let value: unknown
    for (let at = 0; at < chunk.length;) {
      const cut = delimiter.cut(chunk, at, chunk.length) as Cut<[unknown]>
      at += cut.size
      value = cut.data[0]
    }
    chunk.fill('-')
    t.equal(String(value), 'v'.repeat(length))
  }
  t.equal(delimiter.copies, true)
})

t.test('long strings, collected piece by piece', async t => {
  const long = 'long €'.repeat(50_000)
  const text = `*3\r\n${blob(long)}=${Buffer.byteLength(long) + 4}\r\ntxt:${long}\r\n:1\r\n+OK\r\n`
  t.same(read(text), [[long, long, 1], 'OK'])
  const { length } = Buffer.from(text)
  const cuts = Array.from({ length: Math.floor(length / 999) }, (_, i) => (i + 1) * 999)
  t.same(read(text, cuts), [[long, long, 1], 'OK'])
  const delimiter = new Replies()
  delimiter.encoding = null
  const [[bytes, verbatim]] = read(text, cuts, delimiter) as [[Buffer, Buffer]]
  t.equal(String(bytes), long)
  t.equal(String(verbatim), long)
  // Around the line end of a long string.
  const short = blob('x'.repeat(20_000))
  for (const back of [1, 2, 3]) t.same(read(short, [short.length - back]), ['x'.repeat(20_000)])
  t.match(read(`!20004\r\nERR ${'x'.repeat(20_000)}\r\n`), [{ code: 'ERR' }])
})

/**
 * SUBSCRIBE inside MULTI: Redis 7.0 sends its confirmation between the head of EXEC's array and its
 * elements. A client that takes it for an element gives each reply to the wrong command from then
 * on.
 */
t.test('a push inside an array is no element of it', async t => {
  const push = '>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n'
  const text = `*2\r\n${push}+OK\r\n${push}:7\r\n+OK\r\n`
  const expected = [
    new Push(['subscribe', 'a', 1]),
    new Push(['subscribe', 'a', 1]),
    ['OK', 7],
    'OK',
  ]
  t.same(read(text), expected)
  for (let at = 1; at < text.length; at++) t.same(read(text, [at]), expected, `cut at ${at}`)
  const deep = `*1\r\n%1\r\n+a\r\n${push}*1\r\n${push}:1\r\n`
  t.same(read(deep).slice(-1), [[new Map([['a', [1]]])]])
})

t.test('is it in the middle of something?', async t => {
  const delimiter = new Replies()
  t.notOk(delimiter.isAmid)
  for (const text of ['*2\r\n:1\r\n', ':2', '$5\r\nhe']) {
    read(text, [], delimiter)
    t.ok(delimiter.isAmid, text)
  }
  const long = new Replies()
  read('$20000\r\nxx', [], long)
  t.ok(long.isAmid)
  const whole = new Replies()
  read('*1\r\n:1\r\n', [], whole)
  t.notOk(whole.isAmid)
})

t.test('what is no RESP', async t => {
  const faults = [
    'HTTP/1.1 400 Bad Request\r\n',
    'x',
    '\0',
    '\r\n',
    '$x\r\n',
    '$\r\n',
    '$1x\r\n',
    '$1\rx',
    '$-2\r\n',
    '$-12\r\n',
    '$-1x',
    '$-1\rx',
    '*-2\r\n',
    '~-1\r\n',
    '=-1\r\n',
    '=3\r\ntxt\r\n',
    '$99999999999999999999\r\n',
    '$?\r\n',
    '*?\r\n',
    '$3\r\nabcd\r\n',
    '$3\r\nabc\rx',
    '>0\r\n',
    ':1\rx\r\n',
    ':abc\r\n',
    `+${'x'.repeat(70_000)}`,
    `$20000\r\n${'x'.repeat(20_002)}`,
  ]
  for (const text of faults)
    t.throws(() => read(text), { code: 'ERR_PROTOCOL' }, JSON.stringify(text.slice(0, 40)))
})

t.test('the bounds of a reply', async t => {
  const bounds = (some: Partial<ReplyBounds>): Replies => new Replies({ ...REPLY_BOUNDS, ...some })
  const over = (text: string, some: Partial<ReplyBounds>): void =>
    void t.throws(() => read(text, [], bounds(some)), { code: 'ERR_OVERFLOW' }, text.slice(0, 30))
  over('*1\r\n'.repeat(10_000), {})
  over('*1000000000\r\n', {})
  over('%9000000\r\n', {})
  over('$600000000\r\n', {})
  over('*2\r\n*2\r\n:1\r\n:1\r\n:1\r\n', { count: 3 })
  over('*1\r\n*1\r\n*1\r\n', { depth: 2 })
  over('*3\r\n$4\r\naaaa\r\n$40\r\n', { size: 40 })
  over(`*3\r\n${'*1000\r\n'}${':1\r\n'.repeat(500)}`, { size: 1000 })
  // Each reply has these bounds, not all of them together.
  t.equal(read('*2\r\n:1\r\n:1\r\n'.repeat(10), [], bounds({ count: 2, depth: 1 })).length, 10)
  t.equal(read(blob('x'.repeat(20)).repeat(10), [], bounds({ size: 20 })).length, 10)
})

/**
 * The bytes of a reply were counted at the end of each piece, and anew after an attribute: whether
 * a reply was too large depended on how it was cut.
 */
t.test('the bounds of a reply, however it is cut', async t => {
  for (const text of [
    `*3\r\n${blob('x'.repeat(30))}${blob('x'.repeat(30))}:1\r\n`,
    `|1\r\n+a\r\n${blob('x'.repeat(30))}*1\r\n${blob('x'.repeat(20))}`,
  ])
    for (let at = 1; at < text.length; at++)
      t.throws(
        () => read(text, [at], new Replies({ ...REPLY_BOUNDS, size: 60 })),
        { code: 'ERR_OVERFLOW' },
        `${text.slice(0, 4)} cut at ${at}`,
      )
  // Fuzzing has found this one: a long string up to the bound, whose end is wrong.
  const wrong = `$20000\r\n${'x'.repeat(20_000)}no`
  for (let at = wrong.length - 12; at < wrong.length; at++)
    t.throws(
      () => read(wrong, [at], new Replies({ ...REPLY_BOUNDS, size: 20_001 })),
      { code: 'ERR_PROTOCOL' },
      `cut ${wrong.length - at} before its end`,
    )
})

t.test('an array that is only announced takes no memory', async t => {
  const before = process.memoryUsage()
  const delimiter = new Replies()
  read('*16000000\r\n:1\r\n', [], delimiter)
  t.ok(process.memoryUsage().heapUsed - before.heapUsed < 2 ** 20)
})

t.test('no byte of a long string is looked at twice', async t => {
  const bytes = Buffer.from(blob('x'.repeat(300_000)))
  const delimiter = new Replies()
  let start = 0
  let shown = 0
  while (start < bytes.length) {
    const end = Math.min(bytes.length, start + 10_000)
    const cut = delimiter.cut(bytes, start, end)
    shown += end - start
    start += (cut as { size: number }).size
  }
  t.ok(shown <= bytes.length + 10, `${shown} of ${bytes.length}`)
})

t.test('it packs commands as well', async t => {
  const delimiter = new Replies()
  t.equal(String(delimiter.pack('GET', 'a')), '*2\r\n$3\r\nGET\r\n$1\r\na\r\n')
  t.equal(delimiter.pack_into(Buffer.alloc(100), 0, 'GET', 'a'), 20)
})
