import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  type Delimiter,
  type ReadDelimiter,
  readerFor,
  type ReadSettings,
} from '../../src/core/delimiters.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { type Hold, type ReadOwner, ReadPath, type ReadTarget } from '../../src/core/read-path.ts'
import type { AwaitedRead } from '../../src/core/reading/awaited.ts'
import { READER, type Reader } from '../../src/core/reading/readers.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import type { Encoding } from '../../src/types.ts'
import {
  chunkings,
  difference,
  ENCODINGS,
  oracle,
  pick,
  type Random,
  rounds,
  seeded,
  streamOf,
} from './oracle.ts'

const SETTINGS = new Map<Encoding | null, ReadSettings>(
  ENCODINGS.map(encoding => [encoding, { encoding, regex_search: true }]),
)
const settings = (encoding: Encoding | null = null): ReadSettings =>
  SETTINGS.get(encoding) as ReadSettings

interface Rules {
  readonly delimiter: ReadDelimiter
  readonly encoding: Encoding | null
  readonly limit: number
}

/** A channel as the read path sees it. It records everything that is reported to it. */
class Channel implements ReadTarget, ReadOwner {
  readonly path: ReadPath
  readonly log: unknown[][] = []
  /** What the hook does after it has recorded the call. */
  on: (...event: any[]) => unknown = () => undefined

  constructor(
    delimiter: ReadDelimiter = '\n',
    encoding: Encoding | null = 'latin1',
    limit = 65536,
  ) {
    this.path = new ReadPath(this, this, delimiter, settings(encoding), limit)
  }

  #note(...event: unknown[]): unknown {
    this.log.push(event)
    return this.on(...event) || undefined
  }

  on_read(...data: unknown[]): unknown {
    return this.#note('read', ...data)
  }
  hookReturned(result: unknown): void {
    this.#note('returned', result)
  }
  hookFailed(error: unknown): void {
    this.#note('failed', (error as Error).message)
  }
  overflowed(limit: number, size: number | undefined): void {
    this.#note('overflow', limit, ...(size === undefined ? [] : [size]))
  }
  broken(error: unknown): void {
    this.#note('broken', (error as Error).message)
  }
  delivered(): void {
    this.#note('ended')
  }
  pause(): void {
    this.#note('pause')
  }
  resume(): void {
    this.#note('resume')
  }

  feed(...chunks: string[]): this {
    for (const chunk of chunks) this.path.receive(Buffer.from(chunk))
    return this
  }

  use(delimiter: ReadDelimiter, encoding: Encoding | null = 'latin1', limit = 65536): void {
    this.path.use(delimiter, settings(encoding), limit)
  }

  /** What was reported since the last call of this, one short line each. */
  told(): string[] {
    return this.log
      .splice(0)
      .map(event =>
        event.map(each => (Buffer.isBuffer(each) ? `<${each}>` : String(each))).join(' '),
      )
  }
}

// ---- the property -------------------------------------------------------------------------------

/**
 * A delimiter of a program's own: two decimal digits are the length. It throws if they are not
 * digits.
 */
const decimal: Delimiter<[Buffer]> = {
  text: true,
  needs: 2,
  cut(bytes, start, end) {
    if (end - start < 2) return 2
    const digits = bytes.toString('latin1', start, start + 2)
    if (!/^\d\d$/.test(digits)) throw new Error(`no length: ${digits}`)
    const size = 2 + Number(digits)
    return end - start < size ? size : { size, data: [bytes.subarray(start + 2, start + size)] }
  },
}

// prettier-ignore
const PIECES = [
  'a', 'b', 'aab', 'aaab', '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', ';', ',', '1', '42', '999', '03',
  '00', 'é', 'ÿ', '€', '😀', '\0', '\x01', '\x03', '\x0c\0', Buffer.from([0xff]),
  Buffer.from([0xc3]), Buffer.from([0xe2, 0x82]), Buffer.from([0xf0, 0x9f, 0x98]),
  Buffer.from([0x80]), Buffer.from([0xac]), Buffer.from('a\n', 'utf16le'),
  Buffer.from([0x3d, 0xd8]), 'a fairly long piece of text', 'many words '.repeat(30),
]

/** Fixed objects, as a channel has them that switches between delimiters. */
// prettier-ignore
const DELIMITERS: readonly ReadDelimiter[] = [
  '\n', '\n', '\r\n', '\r\n\r\n', 'aab', 'ÿ', '€', 'a', new Uint8Array([0x80]),
  new Uint8Array([10, 0]), 1, 3, 50, 500, new Struct('!H2s'), new Struct('bx'),
  length_prefix({ size: 1 }), length_prefix({ size: 1, offset: 1, adjust: -1 }), decimal, /\r?\n/,
  /[;,]/, /\d{3}/,
]

/**
 * What is set for the n-th event: the same for the same n and seed, however the bytes come.
 */
function planned(seed: number, n: number): Rules {
  const random = seeded(seed * 100_003 + n)
  const delimiter = pick(random, DELIMITERS)
  return {
    delimiter,
    encoding: pick(random, ENCODINGS),
    limit: pick(random, [1, 4, 20, 300, 65536]),
  }
}

/** After a read some plans change nothing, some only one thing, as programs do. */
function following(seed: number, n: number, current: Rules, isStuck: boolean): Rules {
  const random = seeded(seed * 7 + n)
  if (isStuck) return { ...current, delimiter: 1 + random(40) }
  const next = planned(seed, n)
  switch (random(5)) {
    case 0:
      return next
    case 1:
      return { ...current, delimiter: next.delimiter }
    case 2:
      return { ...current, limit: next.limit }
    case 3:
      return { ...current, delimiter: pick(random, ['\n', 3, '\r\n']) }
    default:
      return current
  }
}

/** What an overflow tells: the limit, and the size that an object says the message has. */
function excess(stream: Buffer, at: number, { delimiter, limit }: Rules): number[] {
  if (delimiter === null || typeof delimiter !== 'object' || !('cut' in delimiter)) return [limit]
  const most = Math.max(limit, delimiter.needs ?? 0)
  // The first size that is too much, as more and more bytes come.
  for (let end = at + 1; ; end++) {
    const cut = delimiter.cut(stream, at, end)
    const size = typeof cut === 'number' ? cut : cut.size
    if (size > most) return [most, size]
  }
}

function expected(stream: Buffer, seed: number): unknown[][] {
  const log: unknown[][] = []
  let rules = planned(seed, 0)
  for (let at = 0; ;) {
    let isStuck = false
    try {
      const outcome = oracle(stream, at, rules)
      if (outcome === 'more') return [...log, ['ended']]
      isStuck = outcome === 'too long'
      if (outcome === 'too long') log.push(['overflow', ...excess(stream, at, rules)])
      else {
        log.push(['read', ...outcome.data])
        at += outcome.size
      }
    } catch (error) {
      isStuck = true
      log.push(['broken', (error as Error).message])
    }
    rules = following(seed, log.length, rules, isStuck)
  }
}

/**
 * The same through a ReadPath. With `holds`, reads are held and released at random. Chunks that are
 * lent are overwritten after each call.
 */
function observed(
  chunks: Buffer[],
  seed: number,
  holds: Random | undefined,
  areLent: boolean,
): unknown[][] {
  let rules = planned(seed, 0)
  const channel = new Channel(rules.delimiter, rules.encoding, rules.limit)
  const { path } = channel
  path.serve(channel, channel, areLent)
  const log: unknown[][] = []
  const held = new Set<Hold>()
  let isPaused = false
  channel.on = (...event) => {
    if (event[0] === 'pause' || event[0] === 'resume') {
      if (isPaused === (event[0] === 'pause')) log.push(['out of order', event[0]])
      isPaused = event[0] === 'pause'
      return
    }
    if (held.size > 0) log.push(['told while held'])
    log.push(event)
    if (event[0] === 'ended') return
    const next = following(seed, log.length, rules, event[0] !== 'read')
    if (next !== rules || holds?.(3) === 0)
      path.use(next.delimiter, settings(next.encoding), next.limit)
    rules = next
    if (holds === undefined) return
    if (holds(4) === 0) {
      const why = pick<Hold>(holds, ['suspended', 'promise', 'backpressure'])
      path.hold(why)
      held.add(why)
    }
    if (holds(10) === 0) path.drain()
  }
  const letGo = () => {
    for (const why of held) {
      held.delete(why)
      path.release(why)
      if (holds?.(3) === 0) return
    }
  }
  for (const chunk of chunks) {
    path.receive(chunk)
    if (areLent) chunk.fill('!')
    if (held.size > 0 && !isPaused) log.push(['not paused'])
    while (holds?.(2) === 0 && held.size > 0) letGo()
  }
  path.receiveEnd()
  while (held.size > 0) letGo()
  return log
}

t.test(
  'PROPERTY: reports depend neither on chunks nor on holds, while all changes at every message',
  async t => {
    const wrong: string[] = []
    let events = 0
    for (let seed = 0; seed < rounds(20); seed++) {
      const random = seeded(seed)
      const stream = streamOf(random, pick(random, [20, 300, 2000]), PIECES)
      const wanted = expected(stream, seed)
      events += wanted.length
      for (const [name, chunks] of chunkings(stream, random)) {
        for (const [how, holds, areLent] of [
          ['', undefined, false],
          ['held', random, false],
          ['lent', undefined, true],
          ['held and lent', random, true],
        ] as const) {
          const found = difference(
            observed(
              chunks.map(chunk => Buffer.from(chunk)),
              seed,
              holds,
              areLent,
            ),
            wanted,
          )
          if (found !== '') wrong.push(`seed ${seed}, ${name} ${how}: ${found}`)
        }
      }
    }
    t.same(wrong.slice(0, 10), [])
    t.ok(events > 300, `${events} events`)
  },
)

t.test('PROPERTY: between other delimiters, null delivers whatever came', async t => {
  const wrong: string[] = []
  for (let seed = 0; seed < rounds(15); seed++) {
    const random = seeded(seed)
    const stream = streamOf(random, pick(random, [20, 300, 3000]), PIECES)
    for (const [name, chunks] of chunkings(stream, random)) {
      let rules: Rules = { delimiter: null, encoding: null, limit: 65536 }
      let at = 0
      const channel = new Channel(null, null)
      channel.on = (event, data) => {
        if (event !== 'read') return
        const outcome =
          rules.delimiter === null
            ? {
                size: data.length,
                data: [stream.toString(rules.encoding ?? 'latin1', at, at + data.length)],
              }
            : oracle(stream, at, rules)
        const got = Buffer.isBuffer(data) ? data.toString('latin1') : data
        const wanted = typeof outcome === 'string' ? outcome : outcome.data[0]
        if (got !== (Buffer.isBuffer(wanted) ? wanted.toString('latin1') : wanted))
          wrong.push(`seed ${seed}, ${name}, byte ${at}`)
        at += typeof outcome === 'string' ? 0 : outcome.size
        if (random(2) === 0) return
        rules = {
          delimiter: pick<ReadDelimiter>(random, [null, null, '\n', '\r\n', 3, 'a']),
          encoding: pick(random, [null, 'latin1'] as const),
          limit: 65536,
        }
        channel.use(rules.delimiter, rules.encoding)
      }
      for (const chunk of chunks) channel.path.receive(chunk)
      if (oracle(stream, at, rules) !== 'more')
        wrong.push(`seed ${seed}, ${name}: byte ${at} on was not delivered`)
      if (channel.path.bytes !== stream.length - at)
        wrong.push(`seed ${seed}, ${name}: ${channel.path.bytes} bytes are left`)
    }
  }
  t.same(wrong.slice(0, 10), [])
})

t.test(
  'PROPERTY: null with an encoding delivers the whole text, and never a part of a character',
  async t => {
    const wrong: string[] = []
    for (const encoding of ENCODINGS) {
      for (let seed = 0; seed < rounds(6); seed++) {
        const random = seeded(seed)
        const isValid = seed % 2 === 0
        const stream =
          isValid && encoding === 'utf16le'
            ? Buffer.from(streamOf(random, 500, ['a', 'é', '€', '😀', '\n']).toString(), 'utf16le')
            : streamOf(random, 500, isValid ? ['a', 'é', '€', '😀', '\n'] : PIECES)
        for (const [name, chunks] of chunkings(stream, random)) {
          const channel = new Channel(null, encoding)
          for (const chunk of chunks) channel.path.receive(chunk)
          channel.path.receiveEnd()
          const reads = channel.log
            .filter(event => event[0] === 'read')
            .map(event => event[1] as string | Buffer)
          const all =
            encoding === null ? Buffer.concat(reads as Buffer[]).toString('latin1') : reads.join('')
          if (all !== stream.toString(encoding ?? 'latin1'))
            wrong.push(`${encoding}, seed ${seed}, ${name}`)
          const isHalf = encoding === 'utf8' ? /\ufffd/ : /[\ud800-\udbff]$|^[\udc00-\udfff]/
          if (
            isValid &&
            (encoding === 'utf8' || encoding === 'utf16le') &&
            reads.some(read => isHalf.test(read as string))
          )
            wrong.push(`${encoding}, seed ${seed}, ${name}: half`)
          if (channel.log.at(-1)?.[0] !== 'ended')
            wrong.push(`${encoding}, seed ${seed}, ${name}: not ended`)
        }
      }
    }
    t.same(wrong.slice(0, 10), [])
  },
)

// ---- one thing at a time ------------------------------------------------------------------------

t.test(
  'reads as they come; a new delimiter counts from the next undelivered byte, as in Pants',
  async t => {
    const channel = new Channel()
    t.same(channel.feed('one\ntw').told(), ['read one'])
    t.equal(channel.path.bytes, 2)
    t.same(channel.feed('o', '\n\n').told(), ['read two', 'read '])
    t.equal(channel.path.bytes, 0)
    channel.on = (_event, data: string) =>
      channel.path.isDraining && /^\d+$/.test(data) ? channel.use(Number(data)) : channel.use('\n')
    t.same(channel.feed('3\nabc5\nhello').told(), ['read 3', 'read abc', 'read 5', 'read hello'])
    t.equal(channel.path.isDraining, false)
    t.same(channel.feed('2\nab\ncd\n').told(), ['read 2', 'read ab', 'read ', 'read cd'])
  },
)

t.test('unread is exact, although a reader looks ahead', async t => {
  const channel = new Channel('\n')
  const counts: number[] = []
  channel.on = () => void counts.push(channel.path.unread())
  t.same(channel.feed('one\ntwo\nthr').told(), ['read one', 'read two'])
  t.same(counts, [7, 3])
  t.same(channel.feed('ee\n').told(), ['read three'])
  t.equal(channel.path.unread(), 0)
})

t.test(
  'set from outside, a delimiter does not scan what is there before drain is called',
  async t => {
    const channel = new Channel('\n')
    t.same(channel.feed('a;b;c').told(), [])
    channel.use(';')
    t.same(channel.told(), [])
    channel.path.drain()
    t.same(channel.told(), ['read a', 'read b'])
    channel.use(';', 'utf8')
    channel.use(';', 'hex')
    channel.use('\n', 'hex')
    t.same(channel.feed('d\n').told(), ['read 6364'], 'and so does the encoding')
    channel.use(new Struct('!BB'), null)
    t.same(
      channel.feed('\x01\x02\x03').told(),
      ['read 1 2'],
      'the fields of a Struct are arguments',
    )
  },
)

t.test('what a hook throws or returns is reported, and the next read follows', async t => {
  const channel = new Channel()
  channel.on = (event, data) => {
    if (event === 'read' && data === 'throw') throw new Error('oops')
    return event === 'read' && data !== 'nothing' ? data : undefined
  }
  t.same(channel.feed('throw\nnothing\nvalue\nthrow\n').told(), [
    'read throw',
    'failed oops',
    'read nothing',
    'read value',
    'returned value',
    'read throw',
    'failed oops',
  ])
})

t.test(
  'a hold stops the next read; after one more chunk the transport is paused, once',
  async t => {
    const channel = new Channel()
    channel.on = event => event === 'read' && channel.path.hold('suspended')
    t.same(channel.feed('1\n2\n').told(), ['read 1', 'pause'])
    t.same(channel.feed('3\n').told(), [], 'what was on its way is kept')
    channel.path.hold('promise')
    channel.path.release('suspended')
    channel.path.drain()
    t.same(channel.told(), [], 'another one holds it')
    channel.path.release('promise')
    t.same(channel.told(), ['read 2'])
    channel.on = () => undefined
    channel.path.release('suspended')
    t.same(channel.told(), ['read 3', 'resume'])
    channel.path.hold('backpressure')
    channel.path.release('backpressure')
    t.same(channel.told(), [], 'a hold that nothing ran into costs nothing')
    channel.path.hold('closed')
    t.same(
      channel.feed('4\n').told(),
      [],
      'a channel that closes is not paused: it has to see the end of its peer',
    )
  },
)

t.test('it never runs inside itself', async t => {
  const channel = new Channel()
  let depth = 0
  channel.on = (event, data) => {
    if (event !== 'read') return
    t.equal(depth++, 0)
    if (data === '1') channel.feed('2\n', '3\n')
    channel.path.hold('promise')
    channel.path.release('promise')
    channel.path.drain()
    depth--
  }
  t.same(channel.feed('1\n').told(), ['read 1', 'read 2', 'read 3'])
})

t.test(
  'strictly more than the limit is an overflow, as in Pants; the program may deal with it',
  async t => {
    const channel = new Channel('\n', 'latin1', 10)
    t.same(channel.feed('0123456789', '\n0123456789').told(), ['read 0123456789'])
    t.same(channel.feed('a').told(), ['overflow 10', 'pause'])
    t.same(channel.feed('b\nc\n').told(), [], 'stuck, nothing is lost')
    channel.path.drain()
    channel.use('\n', 'latin1', 12)
    channel.path.drain()
    t.same(channel.told(), ['read 0123456789ab', 'read c', 'resume'])
    channel.on = event => event === 'overflow' && channel.use(4, 'latin1', 1)
    t.same(
      channel.feed('0123456789012\n34').told(),
      ['overflow 12', 'read 0123', 'read 4567', 'read 8901', 'read 2\n34'],
      'in the hook itself too',
    )
  },
)

/**
 * The loop took the error for the end of what could be read: the rest was not delivered before the
 * next chunk came, if one came.
 */
t.test(
  'REGRESSION: on_read_error may choose another delimiter, and reading goes on at once',
  async t => {
    const channel = new Channel(decimal, 'latin1')
    channel.on = event => event === 'broken' && channel.use('\n')
    t.same(channel.feed('02abxyz\nline\n').told(), [
      'read ab',
      'broken no length: xy',
      'read xyz',
      'read line',
    ])
  },
)

t.test('a delimiter that throws is stuck until something is changed', async t => {
  const channel = new Channel(decimal, 'latin1')
  t.same(channel.feed('xyz').told(), ['broken no length: xy', 'pause'])
  t.same(channel.feed('\n').told(), [])
  channel.path.receiveEnd()
  t.same(channel.told(), ['ended'], 'the end is told all the same')
})

/** Everything that a hook may change about how the bytes are cut, made anew each time. */
const ANEW: Readonly<Record<string, (channel: Channel, n: number) => void>> = {
  'an equal string': channel => channel.use('\n', 'latin1', 8),
  'an equal RegExp': channel => channel.use(/\r?\n/, 'latin1', 8),
  'equal bytes': channel => channel.use(Uint8Array.of(10), 'latin1', 8),
  'an object that scans': channel =>
    channel.use({ cut: (_bytes, start, end) => end - start + 1 }, 'latin1', 8),
  'an object that throws': channel => channel.use(thrower(), 'latin1', 8),
  'a NetStruct whose message is too long': channel => channel.use(new NetStruct('B$'), 'latin1', 8),
  'a NetStruct that throws': channel => channel.use(new NetStruct('b$'), 'latin1', 8),
  'a length that is negative': channel =>
    channel.use(length_prefix({ size: 1, adjust: -255 }), 'latin1', 8),
  'the encoding': (channel, n) => channel.use('\n', n % 2 === 0 ? 'utf8' : 'latin1', 8),
  'the limit, down and up': (channel, n) => channel.use('\n', 'latin1', 8 - (n % 2)),
  'now one that throws, now one that is too long': (channel, n) =>
    channel.use(n % 2 === 0 ? thrower() : /;/, 'latin1', 8),
  'what holds reads': channel => {
    channel.path.hold('suspended')
    channel.use(/\n/, 'latin1', 8)
    channel.path.release('suspended')
    channel.path.drain()
  },
  'the same after its promise': channel => {
    channel.path.hold('promise')
    queueMicrotask(() => {
      channel.use(/\n/, 'latin1', 8)
      channel.path.release('promise')
    })
  },
}

function thrower(): Delimiter {
  return {
    cut() {
      throw new Error('oops')
    },
  }
}

/**
 * One line that was too long hung the process: a hook that put the delimiter back, a new RegExp
 * each time, was called again at once for the same bytes, for ever. So it was with everything that
 * a hook may change and that does not help, in on_read_error as well.
 */
t.test('REGRESSION: what a hook changes in vain does not call it again', async t => {
  for (const [name, change] of Object.entries(ANEW)) {
    for (const first of ['\n', thrower()]) {
      const channel = new Channel(first, 'latin1', 8)
      let calls = 0
      channel.on = event => {
        if (event !== 'overflow' && event !== 'broken') return
        if (++calls > 100) throw new Error('it is called for ever')
        change(channel, calls)
      }
      channel.feed('\xff'.repeat(10), 'x'.repeat(10), 'x')
      await new Promise(setImmediate)
      channel.path.drain()
      const told = channel.told()
      t.ok(calls >= 1 && calls <= 3, `${name}: ${calls} calls`)
      t.same(
        told.filter(line => !/^(overflow|broken)/.test(line)),
        ['pause'],
        name,
      )
      t.equal(channel.path.isStuck, true, name)
      channel.on = () => undefined
      channel.use(4, 'latin1', 8)
      channel.path.drain()
      t.equal(channel.told().at(-1), 'resume', `${name}: nothing is lost, and reading goes on`)
    }
  }
})

/** It would be silent if only the first limit were told, or if chunks decided about it. */
t.test('each limit that is raised in vain is told, however the bytes come', async t => {
  for (const chunks of [['x'.repeat(50)], [...'x'.repeat(50)]]) {
    const channel = new Channel('\n', 'latin1', 10)
    channel.on = (event, limit: number) =>
      event === 'overflow' && channel.use(/\n/, 'latin1', limit + 10)
    channel.feed(...chunks)
    t.same(channel.told(), ['overflow 10', 'overflow 20', 'overflow 30', 'overflow 40'])
    channel.feed('\n')
    t.same(channel.told(), [`read ${'x'.repeat(50)}`])
  }
})

t.test('what is changed from outside in vain is told again', async t => {
  const channel = new Channel('\n', 'latin1', 4)
  channel.feed('122345678')
  channel.use('\n', 'latin1', 6)
  channel.path.drain()
  channel.use(decimal, 'latin1', 6)
  channel.path.drain()
  channel.use('\n', 'latin1', 6)
  channel.path.drain()
  channel.path.reset()
  channel.feed('012345678')
  t.same(channel.told(), [
    'overflow 4',
    'pause',
    'overflow 6',
    'overflow 6 14',
    'overflow 6',
    'overflow 6',
    'pause',
  ])
})

t.test(
  'a message that says how long it is: the size is told, and the limit it is over',
  async t => {
    const frames = length_prefix({ size: 2 })
    const channel = new Channel(frames, null, 100)
    channel.feed('\x03\x68')
    t.same(channel.told(), ['overflow 100 874', 'pause'])
    const other = new Channel(new NetStruct('150sH$'), null, 100)
    other.path.receive(Buffer.concat([Buffer.alloc(150), Buffer.of(0, 1)]))
    t.same(other.told(), ['overflow 152 153', 'pause'], 'what the delimiter needs is allowed')
  },
)

t.test(
  'the end: after the last complete message; a part of one is dropped, as in Pants',
  async t => {
    const channel = new Channel()
    channel.on = (_event, data) => data === 'a' && channel.path.hold('suspended')
    channel.feed('a\nb\nhalf')
    channel.path.receiveEnd()
    t.same(channel.told(), ['read a', 'pause'])
    channel.path.release('suspended')
    t.same(channel.told(), ['read b', 'ended'])
    channel.path.drain()
    t.notOk(channel.told().includes('ended'), 'once')
  },
)

/**
 * There were two holds, the peer ended, and 'suspended' was released: nothing looked at the end
 * again, and the channel stayed open for ever.
 */
t.test(
  'REGRESSION: the end is reported although reads are stuck, also after another hold',
  async t => {
    const channel = new Channel('\n', 'latin1', 2)
    channel.on = event => event === 'overflow' && channel.path.hold('suspended')
    channel.feed('long')
    channel.path.receiveEnd()
    t.same(channel.told(), ['overflow 2', 'pause'])
    channel.path.release('suspended')
    t.same(channel.told(), ['ended'])
  },
)

t.test('the end, with a part of a character: it is delivered as its encoding shows it', async t => {
  const channel = new Channel(null, 'utf8')
  channel.path.receive(Buffer.from([0x61, 0xe2, 0x82]))
  t.same(channel.told(), ['read a'])
  channel.on = event => {
    if (event === 'read') throw new Error('oops')
  }
  channel.path.receiveEnd()
  t.same(channel.told(), ['read \ufffd', 'failed oops', 'ended'])

  const other = new Channel(null, 'utf8')
  other.path.receive(Buffer.from([0xc3]))
  other.on = event => event === 'read' && (other.path.hold('promise'), 'a promise')
  other.path.receiveEnd()
  t.same(other.told(), ['read \ufffd', 'returned a promise'])
  other.path.release('promise')
  t.same(other.told(), ['ended'], 'not before its promise has settled')
})

/**
 * The hook that got the last part of a character was not known to run: a suspend and resume in it
 * reported the end inside it.
 */
t.test('REGRESSION: the end is never reported inside a hook', async t => {
  const channel = new Channel(null, 'utf8')
  const order: string[] = []
  channel.on = event => {
    order.push(`in ${event}`)
    if (event === 'read') {
      channel.path.hold('suspended')
      channel.path.release('suspended')
    }
    order.push(`out ${event}`)
  }
  channel.path.receive(Buffer.from([0xe2, 0x82]))
  channel.path.receiveEnd()
  t.same(order, ['in read', 'out read', 'in ended', 'out ended'])
})

t.test(
  'reset: nothing of the last connection is left, except the hold of the channel itself',
  async t => {
    const channel = new Channel()
    channel.feed('a\nb\n', 'half')
    channel.path.receiveEnd()
    for (const why of ['suspended', 'promise', 'backpressure', 'stuck', 'closed'] as const)
      channel.path.hold(why)
    channel.told()
    channel.path.reset()
    t.equal(channel.path.bytes, 0)
    t.same(channel.feed('x\n').told(), ['pause'])
    channel.path.release('suspended')
    t.same(channel.told(), ['read x', 'resume'])

    channel.on = (_event, data) => data === 'close' && channel.path.reset()
    t.same(
      channel.feed('1\nclose\n2\n').told(),
      ['read 1', 'read close'],
      'also from inside a hook',
    )
    t.same(channel.feed('3\n').told(), ['read 3'])
  },
)

t.test(
  'two delimiters that alternate keep their readers; other settings make new ones',
  async t => {
    let made = 0
    const counted = (size: number): Delimiter<[string]> => ({
      get text() {
        made++
        return false
      },
      cut: (bytes, start, end) =>
        end - start < size ? size : { size, data: [bytes.toString('latin1', start, start + size)] },
    })
    const [one, two] = [counted(1), counted(2)]
    const channel = new Channel(one, null)
    let turn = 0
    channel.on = () => channel.use(turn++ % 2 === 0 ? two : one, null)
    t.same(
      channel.feed('abbabbabb').told(),
      ['a', 'bb', 'a', 'bb', 'a', 'bb'].map(each => `read ${each}`),
    )
    t.equal(made, 2)
    channel.on = () => undefined
    channel.use(two, 'utf8')
    channel.use(one, 'utf8')
    channel.use(two, 'utf8')
    t.equal(made, 4)
  },
)

t.test('what was delivered is never written to again', async t => {
  const random = seeded(9)
  const stream = streamOf(random, 20_000, ['a\n', 'some text\n', 'x'.repeat(700), '\n'])
  for (const [name, chunks] of chunkings(stream, random)) {
    for (const delimiter of ['\n', 5, length_prefix({ size: 1, adjust: -9 }), /\n/] as const) {
      const kept: [view: Buffer, copy: Buffer][] = []
      const channel = new Channel(delimiter, null)
      channel.on = (event, data) => event === 'read' && void kept.push([data, Buffer.from(data)])
      for (const chunk of chunks) channel.path.receive(chunk)
      t.ok(
        kept.length > 0 && kept.every(([view, copy]) => view.equals(copy)),
        `${name} ${String(delimiter)}`,
      )
    }
  }
})

t.test('a read path works for one channel after the other', async t => {
  const [first, second] = [new Channel('\n', 'utf8', 100), new Channel('\n', 'utf8', 100)]
  const log: unknown[] = []
  first.on = (...event) => void log.push(['first', ...event])
  second.on = (...event) => void log.push(['second', ...event])
  const { path } = first
  t.equal(path.isIdle, true)
  path.receive(Buffer.from('a\nb'))
  t.equal(path.isIdle, false, 'half a message')
  path.receive(Buffer.from('\n'))
  t.equal(path.isIdle, true)
  path.hold('suspended')
  t.same([path.isIdle, path.isHeld], [false, true])
  path.release('suspended')
  t.equal(path.isHeld, false)
  path.leave()
  path.serve(second, second, false)
  path.receive(Buffer.from('c\n'))
  path.receiveEnd()
  t.equal(path.isIdle, false, 'the end was not forgotten')
  t.same(log, [
    ['first', 'read', 'a'],
    ['first', 'read', 'b'],
    ['second', 'read', 'c'],
    ['second', 'ended'],
  ])
})

t.test('a reader that keeps a part of a message itself: it counts, and is dropped', async t => {
  let held = 0
  const reader: Reader = {
    spread: false,
    get held() {
      return held
    },
    next(buffer) {
      if (buffer.start === buffer.end) return undefined
      held += buffer.end - buffer.start
      buffer.skip(buffer.end - buffer.start)
      if (held < 4) return undefined
      held = 0
      return 'four'
    },
    giveBack: () => {},
    forget: () => void (held = 0),
  }
  const channel = new Channel({ [READER]: () => reader })
  const { path } = channel
  path.receive(Buffer.from('ab'))
  t.same([path.bytes, path.isIdle], [2, false])
  path.receive(Buffer.from('cd'))
  t.same([path.bytes, path.isIdle], [0, true])
  t.same(channel.log, [['read', 'four']])
  path.receive(Buffer.from('e'))
  path.reset()
  t.same([held, path.isIdle], [0, true])
})

t.test('what is urgent does not wait for a promise, and more may come up to the limit', async t => {
  let looked = 0
  const reader: Reader = {
    spread: false,
    next: buffer => (buffer.length > 0 ? buffer.take(1).toString() : undefined),
    giveBack: () => {},
    urgent: (_buffer, received) => {
      const news = Array.from({ length: received - looked }, (_, i) => `urgent ${looked + i}`)
      looked = received
      return news
    },
  }
  const channel = new Channel({ [READER]: () => reader }, null, 5)
  const { path, log } = channel
  channel.on = (event, data) => void (event === 'read' && data === 'a' && path.hold('promise'))
  path.receive(Buffer.from('ab'))
  path.receive(Buffer.from('cd'))
  t.same(log.splice(0), [
    ['read', 'a'],
    ['read', 'urgent 0'],
    ['read', 'urgent 1'],
    ['read', 'urgent 2'],
    ['read', 'urgent 3'],
  ])
  path.hold('suspended')
  path.receive(Buffer.from('e'))
  t.same(log.splice(0), [['pause']], 'a program that wants nothing gets nothing')
  path.release('suspended')
  path.release('promise')
  t.same(log.splice(0), [['read', 'b'], ['read', 'c'], ['read', 'd'], ['read', 'e'], ['resume']])
  channel.on = event => void (event === 'read' && path.hold('promise'))
  path.receive(Buffer.from('123456'))
  t.equal(log.at(-1)?.[0], 'pause', 'it is full')
})

t.test('the end of the peer is awaited while reads are held', async t => {
  const { path, log } = new Channel()
  path.hold('suspended')
  path.receive(Buffer.from('a\n'))
  t.equal(path.isEndAwaited, false)
  path.receiveEnd()
  t.equal(path.isEndAwaited, true)
  path.release('suspended')
  t.equal(path.isEndAwaited, false)
  t.same(log, [['pause'], ['read', 'a'], ['ended']])
})

t.test('a count of 0 is one empty read for each time that it is assigned', async t => {
  const channel = new Channel(0)
  const { path, log } = channel
  t.equal(path.isIdle, false)
  path.drain()
  t.same(log, [['read', '']])
  t.equal(path.isIdle, true)
  channel.on = (what, data) => {
    if (what !== 'read') return
    const size = data === '' ? 2 : 0
    path.use(size, settings('latin1'), 10)
    path.assigned()
  }
  path.assigned()
  path.receive(Buffer.from('abcd'))
  t.same(log, [
    ['read', ''],
    ['read', ''],
    ['read', 'ab'],
    ['read', ''],
    ['read', 'cd'],
    ['read', ''],
  ])
})

t.test('a hook that goes round in a circle gets an error', async t => {
  for (const round of ['assigned', 'giveBack'] as const) {
    const channel = new Channel(round === 'assigned' ? 0 : 1)
    const { path, log } = channel
    channel.on = what => {
      if (what === 'read') round === 'assigned' ? path.assigned() : path.giveBack(Buffer.from('x'))
    }
    path.receive(Buffer.from('x'))
    t.equal(log.length, 1002, round)
    t.equal(log.at(-1)![0], 'failed')
    // Of another connection.
    path.reset()
    path.assigned()
    path.receive(Buffer.from('x'))
    t.equal(log.length, round === 'assigned' ? 2003 : 2004)
  }
})

t.test('another target gets the very next read', async t => {
  const channel = new Channel(1)
  const { path, log } = channel
  const other = { on_read: (data: string) => void log.push(['other', data]) }
  channel.on = () => path.serve(other, channel, false)
  path.receive(Buffer.from('abc'))
  t.same(log, [
    ['read', 'a'],
    ['other', 'b'],
    ['other', 'c'],
  ])
})

/** Asks a path for a read, and writes down what becomes of it. */
function ask({ path, log }: Channel, delimiter?: ReadDelimiter): AwaitedRead {
  const read: AwaitedRead = {
    reader: delimiter === undefined ? undefined : readerFor(delimiter, settings('latin1')),
    taken: data => log.push(['taken', data]),
    overflowed: (limit, size) => log.push(['over', limit, size]),
    broken: error => log.push(['broke', (error as Error).message]),
    ended: () => log.push(['no more']),
  }
  path.ask(read)
  return read
}

t.test('what is awaited comes before on_read, whatever holds the reads', async t => {
  for (const why of ['suspended', 'backpressure', 'promise', 'stuck'] as const) {
    const channel = new Channel()
    const { path, log } = channel
    path.hold(why)
    path.receive(Buffer.from('one\ntwo\nthr'))
    ask(channel)
    ask(channel, 2)
    t.same(log.splice(0), [['pause'], ['taken', 'one'], ['taken', 'tw']], why)
    ask(channel)
    ask(channel)
    t.same(log.splice(0), [['taken', 'o'], ['resume']])
    t.same([path.isAwaited, path.isHeld], [true, false])
    path.receive(Buffer.from('ee\nfour\n'))
    t.same(
      [log.splice(0), path.isAwaited, path.isHeld],
      [[['taken', 'three'], ['pause']], false, true],
    )
    path.release('awaited')
    t.same(log.splice(0), [])
    path.release(why)
    t.same(log.splice(0), [['read', 'four'], ['resume']])
  }
})

t.test(
  'what is awaited in on_read is the next one; the rest waits until that is released',
  async t => {
    const channel = new Channel()
    const { path, log } = channel
    channel.on = (event, data) => void (event === 'read' && data === 'one' && ask(channel, 3))
    path.receive(Buffer.from('one\ntwothree\n'))
    t.same(log.splice(0), [['read', 'one'], ['taken', 'two'], ['pause']])
    path.release('awaited')
    t.same(log, [['read', 'three'], ['resume']])
  },
)

t.test('a peer that is asked line by line is not paused', async t => {
  const channel = new Channel()
  ask(channel)
  channel.path.receive(Buffer.from('one\n'))
  ask(channel)
  channel.path.receive(Buffer.from('two\n'))
  t.same(channel.log.splice(0), [
    ['taken', 'one'],
    ['taken', 'two'],
  ])
  channel.path.receive(Buffer.from('three\nfour\n'))
  t.same(channel.log.splice(0), [['pause']], 'nobody has asked for it')
  // It stayed paused when all was read, and the end of the peer was never seen.
  ask(channel)
  t.same(channel.log.splice(0), [['taken', 'three']])
  ask(channel)
  t.same(channel.log.splice(0), [['taken', 'four'], ['resume']])
})

t.test('TLS that begins, and closing, hold what is awaited, too', async t => {
  const channel = new Channel()
  const { path, log } = channel
  path.hold('tls')
  path.receive(Buffer.from('one\n'))
  const read = ask(channel)
  t.same(log.splice(0), [['pause']])
  path.release('tls')
  t.same(log.splice(0), [['taken', 'one'], ['resume']])
  path.hold('closed')
  ask(channel)
  path.receive(Buffer.from('two\n'))
  t.same(log, [])
  path.awaited?.remove(read)
  t.equal(path.awaited?.removeAll().length, 1)
  path.reset()
  t.equal(path.isAwaited, false)
})

t.test('what is awaited when the peer ends', async t => {
  const channel = new Channel()
  const { path, log } = channel
  ask(channel)
  ask(channel)
  path.receive(Buffer.from('one\ntw'))
  path.receiveEnd()
  t.same(log.splice(0), [['taken', 'one'], ['no more']])
  t.equal(path.unread(), 2)
  path.release('awaited')
  t.same(log, [['ended']])
})

t.test('bytes that are given back are read again', async t => {
  const channel = new Channel()
  const { path, log } = channel
  path.receive(Buffer.from('one\ntw'))
  path.giveBack(Buffer.from('half\nof '))
  path.drain()
  path.receive(Buffer.from('o\n'))
  t.same(log, [
    ['read', 'one'],
    ['read', 'half'],
    ['read', 'of two'],
  ])
})

t.test('a message that is too long is skipped, unless another reader takes over', async t => {
  const skip: ReadSettings = { encoding: 'latin1', regex_search: true, overflow: 'skip' }
  const channel = new Channel()
  const { path, log } = channel
  path.use('\n', skip, 3)
  path.receive(Buffer.from('abcdef'))
  path.receive(Buffer.from('gh\nab\n1234'))
  path.use(2, skip, 3)
  path.receive(Buffer.from('56'))
  path.use('\n', skip, 3)
  path.receive(Buffer.from('a\n'))
  const told = log.map(each => each.join(' '))
  t.same(told, ['overflow 3', 'read ab', 'overflow 3', 'read 56', 'read a'])
})
