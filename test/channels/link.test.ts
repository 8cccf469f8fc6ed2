/**
 * Link, on a transport whose reports the test makes itself: what comes in when, and what is done to
 * the transport then.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Test } from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import { Link } from '../../src/channels/link.ts'
import { Stream } from '../../src/channels/stream.ts'
import type { StreamOptions } from '../../src/channels/stream-options.ts'
import { length_prefix } from '../../src/core/length-prefix.ts'
import { SharedValues } from '../../src/channels/shared-values.ts'
import { STREAM_DEFAULTS } from '../../src/channels/stream-settings.ts'
import { parseAddress } from '../../src/core/address.ts'
import { DRIVE, Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import type { Network, Transport, TransportSink } from '../../src/transport.ts'
import type { Address, SocketAddress } from '../../src/types.ts'
import { fate, spy, thrown, turn } from '../kit.ts'
import { hooks, tlsScene, until } from '../tls-kit.ts'

/** Writes down what is called. Takes everything, unless `room` says how much. */
class FakeTransport implements Transport {
  sink: TransportSink | undefined
  readonly calls: string[] = []
  local_address: SocketAddress | undefined = ['here', 1]
  remote_address: SocketAddress | undefined = ['there', 2]
  fileno = 3
  bytes_read = 4
  bytes_written = 5
  bytes_queued = 0
  room = Infinity

  write(data: string | Uint8Array): boolean {
    this.calls.push(`write ${data.length > 20 ? `${data.length} bytes` : Buffer.from(data)}`)
    this.bytes_queued += Math.max(0, data.length - this.room)
    return this.bytes_queued === 0
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  end(): void {
    this.calls.push('end')
  }
  destroy(): void {
    this.calls.push('destroy')
  }
  set_no_delay(on: boolean): void {
    this.calls.push(`no_delay ${on}`)
  }
  set_keep_alive(after: number | false): void {
    this.calls.push(`keep_alive ${after}`)
  }

  /** What was called since the last time. */
  get news(): string {
    return this.calls.splice(0).join(', ')
  }
}

interface Kit<Of extends Stream> {
  stream: Of
  transport: FakeTransport
  /** Reports. */
  sink: TransportSink
  clock: ManualClock
  engine: Engine
  logged: string[]
  /** The hooks since the last time, without on_state. */
  news(): string[]
}

/** A stream that connects; `isOpen`: has connected. */
async function kit<Of extends Stream>(
  t: Test,
  StreamClass: new (options: StreamOptions) => Of,
  options: StreamOptions = {},
  isOpen = true,
): Promise<Kit<Of>> {
  const transports: FakeTransport[] = []
  const network = {
    connect: () => (transports.push(new FakeTransport()), transports.at(-1)!),
  } as unknown as Network
  const clock = new ManualClock()
  const logged: string[] = []
  const engine = new Engine({ network, clock, log: message => logged.push(message) })
  const log: string[] = []
  const stream = spy(new StreamClass({ engine, encoding: 'utf8', ...options }), '', log)
  stream.connect(1)
  await turn()
  const made: Kit<Of> = {
    stream,
    clock,
    engine,
    logged,
    get transport() {
      return transports.at(-1)!
    },
    get sink() {
      return transports.at(-1)!.sink!
    },
    news: () =>
      log
        .splice(0)
        .map(line => line.trim())
        .filter(line => !line.startsWith('state')),
  }
  if (isOpen) {
    made.sink.opened()
    t.equal(made.transport.news, 'resume')
    t.same(made.news(), ['connect'])
  }
  return made
}

const error = (code: string, syscall: string) =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall })

t.test('a link without a transport', async t => {
  const link = new Link(new Stream({ engine: new Engine() }), new SharedValues(STREAM_DEFAULTS))
  t.same(
    [
      link.local_address,
      link.remote_address,
      link.bytes_read,
      link.bytes_written,
      link.bytes_queued,
      link.fileno,
      link.wasAttached,
      link.address(),
    ],
    [undefined, undefined, 0, 0, 0, undefined, false, ''],
  )
  link.assign('no_delay', false)
  link.assign('keep_alive', 5000)
  link.assign('end_timeout', 5)
  link.pause()
  link.resume()
  link.destroy()
  link.flush()
  t.same([link.values.no_delay, link.values.keep_alive, link.values.end_timeout], [false, 5000, 5])
})

t.test('what is told while it is open, and after', async t => {
  const { stream, transport, sink } = await kit(t, Client)
  const told = () => [
    stream.local_address,
    stream.remote_address,
    stream.bytes_read,
    stream.bytes_written,
    stream.fileno,
  ]
  t.same(told(), [['here', 1], ['there', 2], 4, 5, 3])
  stream.close()
  t.equal(transport.news, 'destroy')
  t.equal(stream.fileno, 3)
  transport.local_address = ['here', 9]
  sink.closed()
  t.same(told(), [['here', 9], ['there', 2], 4, 5, undefined])
})

t.test('settings of the socket', async t => {
  const { stream, transport, sink } = await kit(
    t,
    Client,
    { no_delay: false, keep_alive: 5000 },
    false,
  )
  t.equal(transport.news, '')
  sink.opened()
  t.equal(transport.news, 'no_delay false, keep_alive 5000, resume')
  stream.no_delay = true
  stream.keep_alive = 9000
  stream.keep_alive = false
  t.equal(transport.news, 'no_delay true, keep_alive 9000, keep_alive false')
})

t.test('reads', async t => {
  const { stream, sink, transport, clock, news } = await kit(t, Client, { read_delimiter: '\n' })
  sink.received(Buffer.from('one\ntwo\nthr'))
  sink.received(Buffer.from('ee\nfo'))
  t.same(news(), ['read one', 'read two', 'read three'])
  stream.read_delimiter = 'o'
  t.same(news(), [], 'assigned outside of a hook: in the next turn')
  clock.advance(0)
  t.same(news(), ['read f'])
  stream.on_read = (data: string) => {
    if (data === 'switch') stream.read_delimiter = 2
    transport.calls.push(data)
  }
  stream.read_delimiter = '\n'
  clock.advance(0)
  sink.received(Buffer.from('switch\nabcde'))
  t.equal(transport.news, 'switch, ab, cd', 'inside of one: with the next byte')
  stream.encoding = null
  stream.regex_search = false
  stream.buffer_size = 1
  clock.advance(0)
  t.equal(transport.news, '')
})

t.test('held reads', async t => {
  const { stream, sink, transport, news } = await kit(t, Client)
  stream.suspend()
  t.equal(transport.news, '', 'the transport is paused when something comes, not before')
  sink.received(Buffer.from('a'))
  t.equal(transport.news, 'pause')
  sink.received(Buffer.from('b'))
  t.same([transport.news, news()], ['', []])
  stream.resume()
  t.same([transport.news, news()], ['resume', ['read a', 'read b']])
})

t.test('suspended before it connects', async t => {
  const { stream, sink, transport, news } = await kit(
    t,
    class extends Client {
      constructor(options: object) {
        super(options)
        this.suspend()
      }
    },
  )
  sink.received(Buffer.from('a'))
  t.same([transport.news, news()], ['pause', []])
  stream.resume()
  t.same([transport.news, news()], ['resume', ['read a']])
})

t.test('a hook that returns a promise holds the reads', async t => {
  const { stream, sink, transport, logged } = await kit(t, Client, { read_delimiter: '\n' })
  const waiting: PromiseWithResolvers[] = []
  const reads: string[] = []
  stream.on_read = (line: string) => {
    reads.push(line)
    if (line === 'sync') return
    const one = withResolvers()
    waiting.push(one)
    return one.promise
  }
  sink.received(Buffer.from('a\nsync\nb\nc\n'))
  t.same([reads, transport.news], [['a'], 'pause'])
  waiting[0]!.resolve()
  await turn()
  t.same(reads, ['a', 'sync', 'b'])
  waiting[1]!.reject(new Error('no'))
  stream.on_error = e => void reads.push(e.message)
  await turn()
  t.same(
    [reads, transport.news],
    [['a', 'sync', 'b', 'no', 'c'], ''],
    'rejected: on_error, and the next',
  )
  waiting[2]!.resolve()
  await turn()
  t.equal(transport.news, 'resume')
  stream.on_read = () => 'no promise' as never
  sink.received(Buffer.from('d\ne\n'))
  t.equal(transport.news, '', 'what is no promise holds nothing')

  // Two hooks at once: the last to settle counts.
  const [one, two] = [withResolvers(), withResolvers()]
  stream.on_read = (line: string) => {
    reads.push(line)
    return one.promise
  }
  stream.on_write = () => two.promise
  sink.received(Buffer.from('f\n'))
  stream.write('x', true)
  ;(sink as Link).turn()
  one.resolve()
  await turn()
  sink.received(Buffer.from('g\n'))
  t.equal(reads.at(-1), 'f')
  two.resolve()
  await turn()
  t.equal(reads.at(-1), 'g')
  t.same(logged, [])
})

// A hook's result was asked with result.then(…): an object that only looks like a promise could
// throw in there, and the reads were held for ever, or settle twice, and a later promise no longer
// held them.
t.test('what only looks like a promise', async t => {
  const { stream, sink, logged } = await kit(t, Client, { read_delimiter: '\n' })
  const reads: string[] = []
  const results: Record<string, unknown> = {
    throws: {
      then() {
        throw new Error('then threw')
      },
    },
    twice: {
      then(resolve: () => void) {
        resolve()
        resolve()
      },
    },
    never: { then() {} },
    getter: {
      get then() {
        throw new Error('getter threw')
      },
    },
  }
  stream.on_error = e => void reads.push(e.message)
  stream.on_read = (line: string) => {
    reads.push(line)
    return results[line] as never
  }
  sink.received(Buffer.from('throws\ntwice\ngetter\nnever\nnothing\n'))
  await turn()
  t.same(reads, ['throws', 'then threw', 'twice', 'getter', 'getter threw', 'never'])
  t.same(logged, [])
})

// What a promise of the last opening rejected with went to on_error, whose default closed the next
// connection.
t.test('a promise of an opening that is over', async t => {
  const { stream, sink, logged, transport } = await kit(t, Client)
  const { promise, reject } = withResolvers()
  stream.on_read = () => promise
  sink.received(Buffer.from('a'))
  stream.close()
  sink.closed()
  stream.connect(1)
  reject('too late')
  await turn()
  t.equal(stream.state, 'opening')
  t.match(logged, [/^Client.*: a hook threw "too late": throw an Error instead \(ERR_HOOK\)$/])
  const resolved = withResolvers()
  stream.on_read = () => resolved.promise
  sink.opened()
  t.equal(transport.calls.at(-1), 'destroy', 'the old one')
  resolved.resolve()
  await turn()
})

t.test('what is gone puts write_timeout off, also before it counts as written', async t => {
  const { stream, transport, clock, news } = await kit(t, Client, { write_timeout: 1000 })
  transport.room = 0
  stream.write('abc', true)
  for (let gone = 1; gone <= 4; gone++) {
    ;(transport as { bytes_gone?: number }).bytes_gone = gone
    clock.advance(900)
  }
  t.same(news(), [])
  clock.advance(1200)
  t.match(news(), ['timeout write', /^error/])
})

// `async on_close() { await sleep(1000); this.connect(…) }`: its promise held the reads of the
// connection that had just been closed; the next one counted anew, so nobody let go of them, and it
// never read a byte.
t.test('a promise of on_close', async t => {
  const made = await kit(t, Client)
  const { stream, news } = made
  const { promise, resolve } = withResolvers()
  stream.on_close = () => promise as unknown as undefined
  stream.close()
  made.sink.closed()
  news()
  stream.connect(1)
  resolve()
  await turn()
  made.sink.opened()
  made.sink.received(Buffer.from('a'))
  t.same(news(), ['connect', 'read a'])
})

t.test('an overflow of what is received', async t => {
  const { stream, sink, news, clock, logged } = await kit(t, Client, {
    read_delimiter: '\n',
    buffer_size: 3,
  })
  stream.on_error = () => {}
  sink.received(Buffer.from('ab\nabcd'))
  t.same(news(), ['read ab', 'overflow_error ERR_OVERFLOW'])
  stream.buffer_size = 4
  sink.received(Buffer.from('\n'))
  t.same(news(), ['read abcd'])
  clock.advance(0)
  t.same([news(), logged], [[], []])
})

// A message that was too long left the reads held ('stuck'). If then another hold ended (a promise
// of the overflow hook, a suspension) after the peer had ended, nobody looked at the end any more:
// no on_read_end, and a connection that stayed half-open for ever.
t.test('the peer ends behind a message that is too long', async t => {
  for (const how of ['at once', 'promise', 'suspend'] as const) {
    const { stream, sink, news } = await kit(t, Client, { read_delimiter: '\n', buffer_size: 3 })
    const { promise, resolve } = withResolvers()
    stream.on_overflow_error = () => (how === 'promise' ? promise : undefined)
    sink.received(Buffer.from('abcd'))
    if (how === 'suspend') stream.suspend()
    sink.ended()
    if (how !== 'at once') t.same(news(), [], how)
    stream.resume()
    resolve()
    await turn()
    t.same(news(), ['read_end'], how)
    t.equal(stream.state, 'closing')
  }
})

t.test('a delimiter that throws', async t => {
  const { stream, sink, news, logged } = await kit(t, Client)
  const broken: unknown[] = [
    new TypeError('cut'),
    Object.create(null),
    Object.assign(new Error('coded'), { code: 'E_MINE' }),
  ]
  const errors: Error[] = []
  stream.on_read_error = e => void errors.push(e)
  for (const thing of broken) {
    stream.read_delimiter = {
      cut() {
        throw thing
      },
    }
    sink.received(Buffer.from('a'))
  }
  t.match(errors, [
    { name: 'ReadError', code: 'ERR_INVALID_DELIMITER', message: 'cut', cause: TypeError },
    // It was shown with String(), which throws for this: the process ended.
    { code: 'ERR_INVALID_DELIMITER', message: 'an object (without prototype)' },
    { code: 'E_MINE' },
  ])
  t.same([news(), logged], [[], []])
})

t.test('writes', async t => {
  const { stream, transport, clock, news } = await kit(t, Client)
  t.equal(stream.write('a'), true)
  t.equal(stream.write('b'), true)
  t.equal(stream.bytes_queued, 2)
  t.equal(transport.news, '')
  clock.advance(0)
  t.same([transport.news, news()], ['write ab', ['write']], 'once a turn')
  t.equal(stream.write('c', true), true)
  t.same([transport.news, news()], ['write c', []], 'no hook inside a call')
  stream.write('d')
  stream.flush()
  t.equal(transport.news, 'write d')
  clock.advance(0)
  t.same(news(), ['write'])
  stream.encoding = null
  stream.write('é', true)
  t.equal(transport.news, 'write é')
  stream.encoding = 'latin1'
  stream.write(Buffer.from('e'))
  stream.write('f')
  clock.advance(0)
  t.equal(transport.news, 'write ef')
})

t.test('a queue that is full', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {
    send_high_water: 10,
    send_buffer_size: 15,
  })
  transport.room = 0
  t.equal(stream.write('123456789'), true, 'below the mark')
  t.equal(stream.write('0'), false, 'at it')
  clock.advance(0)
  t.same([transport.news, news()], ['write 1234567890', []])
  t.equal(stream.write('12345'), false)
  t.equal(stream.bytes_queued, 15)
  t.equal(stream.write('6'), false, 'one more than there should be')
  t.same(news(), [])
  const errors: Error[] = []
  stream.on_overflow_error = e => {
    errors.push(e)
    stream.write('last word')
    stream.end()
  }
  t.equal(stream.write('7'), false)
  t.match(errors, [
    {
      name: 'OverflowError',
      code: 'ERR_OVERFLOW',
      buffer: 'send',
      limit: 15,
      message: /^16 bytes wait to be sent, more than send_buffer_size \(15\)/,
    },
  ])
  transport.room = Infinity
  transport.bytes_queued = 0
  sink.drained()
  t.equal(transport.news, 'resume, write 123456last word, end')
  t.same(news(), ['write'])
  sink.closed()
  t.equal(await stream.closed, 'overflow')
})

t.test('a bound below the mark', async t => {
  const { stream, transport, news } = await kit(t, Client, {
    send_high_water: 100,
    send_buffer_size: 5,
  })
  transport.room = 0
  t.equal(stream.write('123456'), true)
  t.equal(stream.write('7'), false)
  t.same(news(), ['overflow_error ERR_OVERFLOW', 'error ERR_OVERFLOW'])
})

t.test('packed values are bounded alike', async t => {
  const { stream, transport, news } = await kit(t, Client, {
    send_high_water: 8,
    send_buffer_size: 10,
    read_delimiter: length_prefix({ size: 1 }),
  })
  transport.room = 0
  t.same(
    [stream.write_packed('abc'), stream.write_packed('abc'), stream.write_packed('abc')],
    [true, false, false],
  )
  t.equal(stream.bytes_queued, 12)
  t.same(news(), [])
  t.equal(stream.write_packed('abc'), false)
  t.same(news(), ['overflow_error ERR_OVERFLOW', 'error ERR_OVERFLOW'])
})

// Small writes of every kind behind each other take the short way; the settings that bound them
// hold all the same.
t.test('small writes go out in their order, and up to the mark', async t => {
  const { stream, transport } = await kit(t, Client, {
    send_high_water: 16,
    read_delimiter: length_prefix({ size: 1 }),
  })
  const written = [
    stream.write(Buffer.from('ab')),
    stream.write('\r\n'),
    stream.write_packed('cd'),
    stream.write(new Uint8Array([101])),
    stream.write_packed('fg'),
  ]
  t.same([written, stream.bytes_queued], [[true, true, true, true, true], 11])
  t.same([stream.write('hijk'), stream.write('l'), stream.bytes_queued], [true, false, 16])
  stream.send_high_water = 18
  t.same([stream.write(Buffer.from('m')), stream.write(Buffer.from('n'))], [true, false])
  stream.flush()
  t.equal(transport.news, 'write ab\r\n\x02cde\x02fghijklmn')
})

// The hook's own write was one too many as well, so the hook was called for it, and wrote …: until
// the stack was used up.
t.test('an overflow hook that writes is not called for that', async t => {
  const { stream, transport } = await kit(t, Client, { send_high_water: 1, send_buffer_size: 1 })
  transport.room = 0
  let count = 0
  stream.on_overflow_error = () => {
    count++
    stream.write('x')
  }
  stream.write('123')
  for (let n = 1; n < 4; n++) {
    stream.write('4')
    t.equal(count, n)
  }
})

t.test('backpressure', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {
    send_high_water: 4,
    backpressure: true,
  })
  transport.room = 0
  stream.on_read = (data: string) => void stream.write(data)
  sink.received(Buffer.from('abcd'))
  t.equal(transport.news, 'pause, write abcd', 'who waits for the queue need not wait for the turn')
  sink.received(Buffer.from('e'))
  t.equal(transport.news, '')
  transport.bytes_queued = 0
  transport.room = Infinity
  sink.drained()
  t.equal(transport.news, 'resume')
  clock.advance(0)
  t.equal(transport.news, 'write e')
  t.same(news(), ['write', 'write'])

  stream.send_high_water = 100
  transport.room = 0
  stream.write('a'.repeat(99))
  sink.received(Buffer.from('b'))
  t.equal(transport.news, 'pause, write 100 bytes')
})

// Assigned while reads waited for the queue, it took effect only when the queue had emptied: with a
// peer that reads nothing, never.
t.test('backpressure turned off while it holds', async t => {
  const { stream, transport, sink, clock } = await kit(t, Client, {
    send_high_water: 1,
    backpressure: true,
  })
  transport.room = 0
  const reads: string[] = []
  stream.on_read = (data: string) => void reads.push(data)
  stream.write('a')
  sink.received(Buffer.from('b'))
  stream.backpressure = true
  clock.advance(0)
  t.same(reads, [])
  stream.backpressure = false
  t.same(reads, [], 'no hook inside an assignment')
  clock.advance(0)
  t.same(reads, ['b'])
  t.equal(transport.calls.at(-1), 'resume')
})

t.test('an item in the queue', async t => {
  const { stream, transport, clock, sink, news } = await kit(t, Client)
  const link = sink as Link
  const dropped: string[] = []
  const item = (name: string, send: () => 'sent') => ({
    size: 0,
    isLong: true,
    send,
    drop: () => void dropped.push(name),
  })
  t.equal(
    link.writeItem(
      item('fine', () => 'sent'),
      false,
    ),
    false,
    'long: it has to be waited for',
  )
  clock.advance(0)
  t.same(news(), ['write'])
  t.equal(
    link.writeItem(
      item('flushed', () => 'sent'),
      true,
    ),
    true,
  )
  const errors: Error[] = []
  stream.on_write_error = e => void errors.push(e)
  for (const thing of [
    Object.assign(new Error('gone'), { code: 'ENOENT' }),
    new Error('plain'),
    undefined,
  ]) {
    link.writeItem(
      item('broken', () => {
        throw thing
      }),
      true,
    )
  }
  t.match(errors, [
    { name: 'WriteError', code: 'ENOENT', message: 'gone' },
    { code: 'ERR_WRITE', message: 'plain' },
    { code: 'ERR_WRITE', message: 'undefined' },
  ])
  t.same(dropped, ['broken', 'broken', 'broken'])
  stream.send_high_water = 1
  stream.send_buffer_size = 1
  t.equal(
    link.writeItem(
      item('other mark', () => 'sent'),
      true,
    ),
    true,
  )
  t.equal(transport.news, '')
})

t.test('ends politely', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, { end_timeout: 100 })
  stream.write('bye')
  stream.end()
  t.equal(stream.write('too late'), false)
  t.equal(transport.news, 'resume')
  clock.advance(0)
  t.same([transport.news, news()], ['write bye, end', ['write']])
  sink.received(Buffer.from('dropped'))
  sink.ended()
  t.same(news(), [])
  stream.end()
  sink.failed(error('ECONNRESET', 'read'))
  t.same(news(), [], 'all was sent: how the peer goes away is its own affair')
  sink.closed()
  t.same([news(), await stream.closed], [['close local'], 'local'])
  t.equal(clock.pending, 0)
})

// After the read in which it ended, the reads were held, so the transport was paused, as for any
// other hold. Then the peer's end was never seen: every connection that called end() in on_read
// closed after end_timeout, half a minute later.
t.test('ends politely in on_read', async t => {
  const { stream, transport, sink, news } = await kit(t, Client)
  stream.on_read = () => stream.end()
  sink.received(Buffer.from('quit'))
  t.equal(transport.news, 'resume, end')
  sink.ended()
  sink.closed()
  t.same(news(), ['close local'])
})

t.test('ends politely with nothing to send, and in on_write', async t => {
  const first = await kit(t, Client, { end_timeout: Infinity })
  first.stream.end()
  t.equal(first.transport.news, 'resume, end')
  t.equal(first.clock.pending, 0)
  first.stream.close()
  t.equal(first.transport.news, 'destroy', 'close() cuts it short')
  const second = await kit(t, Client)
  second.stream.on_write = () => second.stream.end()
  second.stream.write('x')
  second.clock.advance(0)
  t.equal(second.transport.news, 'write x, resume, end', 'once')
})

t.test('writes more in on_write while it ends', async t => {
  const { stream, transport, clock } = await kit(t, Client)
  stream.on_write = () => {
    transport.calls.push(`more: ${stream.write('more')}`)
  }
  stream.write('x')
  stream.end()
  clock.advance(0)
  t.equal(transport.news, 'resume, write x, more: false, end')
})

// A small write after another one takes a short way, which did not look at the state: in
// on_state('closing') it said true, and the bytes were sent or dropped depending on what had been
// written before.
t.test('writes nothing when told that it is closing', async t => {
  for (const call of ['end', 'close'] as const) {
    const { stream, transport, clock } = await kit(t, Client)
    stream.on_state = state => {
      if (state === 'closing') transport.calls.push(`told: ${stream.write('late')}`)
    }
    stream.write('a')
    stream.write('b')
    stream[call]()
    clock.advance(0)
    t.equal(
      transport.news,
      call === 'end' ? 'told: false, resume, write ab, end' : 'told: false, destroy',
      call,
    )
  }
})

t.test('the polite way is bounded', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, { end_timeout: 100 })
  transport.room = 0
  stream.write('never read')
  stream.end()
  clock.advance(99)
  t.equal(transport.news, 'resume, write never read')
  clock.advance(1)
  t.equal(transport.news, 'destroy')
  sink.closed()
  t.same(news(), ['close timeout'])
})

t.test('closed at once by on_state while it ends', async t => {
  const { stream, transport, sink, clock } = await kit(t, Client)
  stream.on_state = state => {
    if (state !== 'closing') return
    stream.close()
    // A network of the user's own, or a pump in here, may report at once.
    sink.closed()
  }
  stream.end()
  t.equal(stream.state, 'closed')
  t.equal(transport.news, 'destroy, destroy')
  t.equal(clock.pending, 0, 'nothing waits')
})

t.test('the peer ends', async t => {
  const { stream, sink, transport, clock, news } = await kit(t, Client, { read_delimiter: '\n' })
  sink.received(Buffer.from('a\nb'))
  stream.on_read_end = function () {
    stream.write('answer')
    Stream.prototype.on_read_end.call(stream)
  }
  sink.ended()
  t.same(news(), ['read a'])
  clock.advance(0)
  t.equal(transport.news, 'resume, write answer, end')
  sink.closed()
  t.same(news(), ['write', 'close remote'])
})

t.test('the peer ends while reads are held, and in the meantime it closes', async t => {
  const { stream, sink, news } = await kit(t, Client)
  stream.suspend()
  sink.received(Buffer.from('a'))
  sink.ended()
  t.same(news(), [])
  stream.resume()
  t.same(news(), ['read a', 'read_end'])
  const other = await kit(t, Client)
  other.stream.on_read = () => other.stream.close()
  other.stream.suspend()
  other.sink.received(Buffer.from('a'))
  other.sink.ended()
  other.stream.resume()
  t.same(other.news(), [], 'no on_read_end after close()')
  other.sink.closed()
  t.same(other.news(), ['close remote'])
})

t.test('closed in its last read', async t => {
  // Bytes that no reader took are delivered at the end, and the hook may close there too.
  const { stream, sink } = await kit(t, Client)
  const log: unknown[] = []
  stream.on_read = (data: string) => {
    log.push(data)
    stream.close()
  }
  stream.on_read_end = () => void log.push('end')
  sink.received(Buffer.from([0xc3]))
  sink.ended()
  t.same(log, ['\ufffd'])
})

t.test('failures', async t => {
  const cases: [state: 'opening' | 'active' | 'sending', failure: Error, hook: string][] = [
    ['opening', error('ECONNREFUSED', 'connect'), 'connect_error ECONNREFUSED'],
    ['opening', new Error('no code'), 'connect_error ERR_UNKNOWN'],
    ['active', error('ECONNRESET', 'read'), 'read_error ECONNRESET'],
    ['active', error('EPIPE', 'write'), 'write_error EPIPE'],
    ['active', error('ENOTCONN', 'shutdown'), 'write_error ENOTCONN'],
    ['sending', error('ECONNRESET', 'read'), 'write_error ECONNRESET'],
  ]
  for (const [state, failure, hook] of cases) {
    const { stream, sink, transport, news, logged } = await kit(t, Client, {}, state !== 'opening')
    const { opened } = stream
    if (state === 'sending') {
      transport.room = 0
      stream.write('x')
      stream.end()
    }
    sink.failed(failure)
    t.equal(stream.state, 'closing')
    sink.closed()
    t.same(news(), [hook, `error ${hook.split(' ')[1]}`, 'close error'], `${state}: ${hook}`)
    t.equal(logged.length, 1)
    if (state === 'opening') t.match(await fate(opened), /^rejected E/)
  }
})

t.test('closed without a word', async t => {
  const { stream, sink, news } = await kit(t, Client)
  sink.closed()
  t.same([news(), stream.state], [['close error'], 'closed'])
  const ended = await kit(t, Client)
  ended.stream.on_read_end = () => {}
  ended.sink.ended()
  ended.sink.closed()
  t.same(ended.news(), ['close remote'])
})

t.test('on_connect that closes, ends or fails', async t => {
  for (const [call, calls] of [
    ['close', 'destroy, resume'],
    ['end', 'resume, end, resume'],
  ] as const) {
    const { stream, sink, transport } = await kit(t, Client, {}, false)
    stream.on_connect = () => stream[call]()
    sink.opened()
    t.equal(transport.news, calls)
  }
  const { stream, sink, transport } = await kit(t, Client, {}, false)
  stream.on_connect = () => {
    stream.close()
    sink.closed()
  }
  sink.opened()
  t.equal(transport.news, 'destroy, destroy', 'gone already')
  const failing = await kit(t, Client, {}, false)
  failing.stream.on_connect = () => failing.sink.failed(error('EPIPE', 'write'))
  failing.stream.close = () => {}
  failing.sink.opened()
  t.equal(failing.transport.news, '', 'after a failure nothing is read')
  const told = await kit(t, Client, {}, false)
  told.stream.on_state = state => state === 'active' && told.stream.close()
  told.sink.opened()
  t.same(told.news(), [], 'no on_connect when on_state has closed it')
})

t.test('what a hook throws', async t => {
  const { stream, sink, news, logged } = await kit(t, Client, { read_delimiter: '\n' })
  stream.on_read = () => {
    throw new Error('bad line')
  }
  sink.received(Buffer.from('a\nb\n'))
  t.same(news(), ['error bad line'], 'the default closes, and b is not delivered')
  t.equal(stream.state, 'closing')
  t.match(logged, [/^Client there:2: Error: bad line\n/])
  sink.closed()
  t.equal(await stream.closed, 'error')
})

t.test('connects again with a clean buffer', async t => {
  const { stream, sink, news, transport, clock } = await kit(t, Client, { read_delimiter: '\n' })
  sink.received(Buffer.from('half of a li'))
  stream.write('lost')
  stream.on_close = () => void stream.connect(1)
  stream.close()
  sink.closed()
  t.equal(stream.state, 'opening')
  stream.on_close = () => {}
  await turn()
  clock.advance(0)
  t.equal(transport.news.includes('lost'), false)
  t.same(news(), [])
})

t.test('what its timeouts see', async t => {
  const { stream, transport, sink, clock, news, logged } = await kit(t, Client, {
    read_timeout: 8000,
  })
  clock.advance(7999)
  transport.bytes_read++
  sink.received(Buffer.from('x'))
  clock.advance(7999)
  t.same(news(), ['read x'])
  stream.suspend()
  clock.advance(20_000)
  stream.resume()
  clock.advance(7999)
  t.same(news(), [], 'while it is suspended nobody is silent')
  clock.advance(1400)
  t.same([news(), stream.state], [['timeout read', 'error ERR_TIMEOUT'], 'closing'])
  t.equal(clock.pending, 0)
  sink.closed()
  t.same([news(), logged.length], [['close timeout'], 1])
})

t.test('what it waits for, and for how long', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {}, true)
  stream.on_timeout = kind => void told.push(kind)
  const told: string[] = []
  transport.room = 0
  stream.write('one', true)
  t.equal(clock.pending, 1, 'the turn alone: there is no timeout')
  stream.write_timeout = 8000
  clock.advance(9000)
  t.same(told.splice(0), ['write'])
  // A byte is enough.
  transport.bytes_written++
  clock.advance(8000)
  t.same(told, [])
  transport.bytes_queued = 0
  transport.bytes_written += 2
  sink.drained()
  stream.write('two', true)
  clock.advance(9300)
  t.same(told.splice(0), ['write'])
  sink.ended()
  stream.close()
  t.equal(clock.pending, 0)
  sink.closed()
  t.same(news(), ['write', 'read_end', 'close remote'])
})

t.test('what it holds counts for the engine', async t => {
  const { stream, transport, sink, engine, news } = await kit(t, Client, { read_delimiter: '\n' })
  engine.buffer_limit = 100_000
  let error: unknown
  stream.on_overflow_error = given => void (error = given)
  sink.received(Buffer.alloc(60_000))
  transport.room = 0
  t.equal(stream.write('x'.repeat(30_000), true), true)
  t.equal(engine.stats().bytes_held, 90_000)
  t.equal(error, undefined)
  // While the transport takes nothing each write is looked at, far below send_high_water.
  t.equal(stream.write('x'.repeat(20_000)), true)
  t.match(error, {
    name: 'OverflowError',
    code: 'ERR_OVERFLOW',
    buffer: 'engine',
    limit: 100_000,
    message: /hold more than 100000 bytes \(buffer_limit\), and this one most: 110000/,
  })
  t.equal(stream.state, 'active', 'the hook decides')
  stream.close()
  t.equal(engine.stats().bytes_held, 60_000)
  sink.closed()
  t.equal(engine.stats().bytes_held, 0)
  t.same(news(), ['close local'])
})

t.test('it is told in the middle of its own writing, and closes', async t => {
  for (const write of [
    (stream: Client) => stream.write('x'.repeat(200_000)),
    (stream: Client) => stream.write('x'.repeat(200_000), true),
    (stream: Client) => {
      stream.write('x'.repeat(50_000), true)
      stream.write(Buffer.alloc(20_000))
      return stream.write(Buffer.alloc(50_000))
    },
  ]) {
    const { stream, transport, sink, engine, news, logged } = await kit(t, Client, {
      send_high_water: Infinity,
    })
    engine.buffer_limit = 100_000
    transport.room = 0
    t.equal(write(stream), false)
    t.same(news(), ['overflow_error ERR_OVERFLOW', 'error ERR_OVERFLOW'])
    t.equal(stream.state, 'closing')
    sink.closed()
    t.same([news(), logged.length], [['close overflow'], 1])
  }
})

t.test('an accepted stream', async t => {
  const engine = new Engine({ clock: new ManualClock(), log: () => {} })
  const transport = new FakeTransport()
  class Accepted extends Stream {
    override read_delimiter = '\n'
    override encoding = 'utf8' as const
  }
  const log: string[] = []
  const stream = spy(new Accepted({ engine, socket: transport }), '', log)
  t.equal(stream.backpressure, true)
  await turn()
  t.equal(transport.news, 'resume')
  transport.sink!.received(Buffer.from('a\n'))
  t.same(log, [' state opening closed', ' state active opening', ' connect', ' read a'])
})

interface PromiseWithResolvers {
  promise: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions))
  return { promise, resolve, reject }
}

await tlsScene(
  t,
  'TLS: twice is a mistake, whenever',
  async (t, { SERVER, CLIENT, listen, connect, accepted }) => {
    const server = await listen()
    const opening = connect(server, { tls: CLIENT })
    t.equal(
      thrown(() => opening.start_tls(CLIENT)),
      'ERR_INVALID_STATE',
      'it is demanded',
    )
    opening.close()

    const other = connect(server).start_tls(CLIENT)
    t.equal(
      thrown(() => other.start_tls(CLIENT)),
      'ERR_INVALID_STATE',
      'asked for while connecting',
    )
    const connection = await accepted(server)
    await until(() => [...server.channels].every(channel => channel.connected))
    for (const channel of server.channels) channel.start_tls(SERVER)
    await other.opened
    t.equal(
      thrown(() => other.start_tls(CLIENT)),
      'ERR_INVALID_STATE',
      'it is spoken',
    )
    await until(() => connection.tls !== undefined || connection.state === 'closed')

    const third = connect(server)
    await third.opened
    third.start_tls(CLIENT)
    t.equal(
      thrown(() => third.start_tls(CLIENT)),
      'ERR_INVALID_STATE',
      'it is to begin',
    )
    third.close()
    await third.closed
  },
)

await tlsScene(
  t,
  'TLS: a hook may close at its end, and ending waits for it',
  async (t, { SERVER, CLIENT, listen, connect, near, logged }) => {
    const server = await listen(
      class extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter = '\n'
        override on_read(line: string) {
          if (line !== 'S') return void (this.server.name += line)
          this.write('go\n')
          this.start_tls(SERVER)
        }
      },
    )
    const asks = async (): Promise<Client> => {
      const client = connect(server)
      await client.opened
      client.write('S\n')
      await until(() => client.bytes_read === 3)
      return client.start_tls(CLIENT)
    }
    const client = await asks()
    client.write(' heard\n')
    client.end()
    t.equal(await client.closed, 'local')
    t.match(hooks(near).slice(-3), ['tls_handshake', 'write', 'close local'])
    await until(() => server.channels.size === 0)
    t.equal(server.name, 'Server heard', 'also what was written before the end')
    t.match([client.tls?.protocol, client.bytes_written], ['TLSv1.3', 9], 'still known')

    const hasty = await asks()
    hasty.on_tls_handshake = () => hasty.close()
    t.equal(await hasty.closed, 'local')
    logged.length = 0
  },
)

await tlsScene(
  t,
  'TLS: a broadcast reaches who is done, and is no mistake for who is not',
  async (t, { SERVER, CLIENT, engine, listen, connect }) => {
    const server = await listen(Connection, { tls: SERVER })
    const mute = engine[DRIVE].network.connect(parseAddress(server.local_address as Address), {})
    const client = connect(server, { tls: CLIENT })
    await client.opened
    await until(
      () => server.channels.size === 2 && [...server.channels].some(channel => channel.connected),
    )
    t.same([...server.channels].map(channel => channel.write('to all')).sort(), [false, true])
    // Both ends counted as connected, none as accepted.
    const { accepted, connected } = engine.stats()
    t.same([accepted, connected], [1, 1])
    mute.destroy()
  },
)

await tlsScene(
  t,
  'TLS: what was not asked for is refused',
  async (t, { SERVER, listen, connect, logged, accepted }) => {
    const behind = await listen(
      class extends Connection {
        override read_delimiter = '\n'
        override on_read() {
          this.start_tls(SERVER)
        }
      },
    )
    const client = connect(behind)
    await client.opened
    client.write('S\nin clear')
    t.equal(await (await accepted(behind)).closed, 'error')
    const ended = await listen(
      class extends Connection {
        override on_read_end() {
          this.start_tls(SERVER)
        }
      },
    )
    const other = connect(ended)
    await other.opened
    other.end()
    t.equal(await (await accepted(ended)).closed, 'error')
    t.match(logged.splice(0), [/8 bytes came in clear/, /the peer has ended its side/])
  },
)

t.test(
  'with nobody else to wait for, what is read is answered at once; with somebody, in the turn',
  async t => {
    class Echo extends Client {
      override read_delimiter = '\n'
      override on_read(line: string): void {
        this.write(`${line};`)
      }
    }
    const made = await kit(t, Echo)
    const { stream, transport, sink, engine, clock, news } = made
    sink.received(Buffer.from('a\nb\n'))
    t.equal(transport.news, '', 'nobody knows yet who else will have something to send')
    clock.advance(0)
    t.equal(transport.news, 'write a;b;')
    sink.received(Buffer.from('c\nd\n'))
    t.equal(transport.news, 'write c;d;', 'one write, before the turn')
    t.same(news(), ['read a', 'read b', 'write', 'read c', 'read d', 'write'])
    stream.write('e')
    t.equal(transport.news, '', 'what is written elsewhere waits for what may come behind it')
    clock.advance(0)
    t.equal(transport.news, 'write e')
    const other = new Echo({ engine, encoding: 'utf8' }).connect(1)
    made.sink.opened()
    clock.advance(0)
    await turn()
    t.equal(made.transport.news, 'resume')
    for (let round = 0; round < 2; round++) {
      made.sink.received(Buffer.from('f\n'))
      sink.received(Buffer.from('g\n'))
      t.same(
        [transport.news, made.transport.news],
        ['', ''],
        'two at a time: neither goes before the other has read',
      )
      clock.advance(0)
      t.same([transport.news, made.transport.news], ['write g;', 'write f;'])
    }
    stream.close()
    other.close()
  },
)

t.test('end_timeout waits for somebody only', async t => {
  const done = await kit(t, Client)
  done.sink.ended()
  t.equal(done.transport.news, 'resume, end')
  t.equal(done.clock.pending, 0, 'both have said all')
  done.sink.closed()
  const full = await kit(t, Client)
  full.transport.room = 0
  full.stream.write('x', true)
  full.transport.calls.length = 0
  full.sink.ended()
  t.equal(full.transport.news, 'resume', 'the peer has ended, and takes nothing')
  full.clock.advance(STREAM_DEFAULTS.end_timeout)
  t.equal(full.transport.news, 'destroy')
  full.sink.closed()
  t.equal(await full.stream.closed, 'timeout')
})
