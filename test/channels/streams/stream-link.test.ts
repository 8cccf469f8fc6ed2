/** The life of one connection: opening, TLS, timeouts, ending, closing. */

import { Buffer } from 'node:buffer'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { Client, Connection } from '../../../src/channels/basic.ts'
import { LIFE } from '../../../src/channels/life.ts'
import { SharedValues } from '../../../src/channels/shared-values.ts'
import { Stream } from '../../../src/channels/streams/stream.ts'
import { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import type { StreamProtocol } from '../../../src/channels/streams/stream-protocol.ts'
import { STREAM_DEFAULTS } from '../../../src/channels/streams/stream-settings.ts'
import { parseAddress } from '../../../src/core/address.ts'
import type { ReadDelimiter } from '../../../src/core/delimiters.ts'
import { DRIVE, Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import type { Address, Encoding } from '../../../src/types.ts'
import { fate, spy, thrown, turn, until } from '../../kit.ts'
import { tlsScene } from '../../tls-kit.ts'
import { error, FakeTransport, kit } from '../link-kit.ts'

t.test('a link without a transport', async t => {
  const link = new StreamLink(
    new Stream({ engine: new Engine() })[LIFE],
    new SharedValues(STREAM_DEFAULTS),
  )
  t.same(
    [
      link.told.local_address,
      link.told.remote_address,
      link.bytes_read,
      link.told.bytes_written,
      link.writing.size,
      link.transport?.fileno,
      link.wasAttached,
      link.address(),
    ],
    [undefined, undefined, 0, 0, 0, undefined, false, ''],
  )
  link.assign('no_delay', false)
  link.assign('keep_alive', 5000)
  link.assign('end_timeout', 5)
  link.reading.pause()
  link.reading.resume()
  link.destroy()
  link.writing.flush()
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
    // Who looks at `opened` is told by it; no line is logged as well.
    t.equal(logged.length, state === 'opening' ? 0 : 1)
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

// A client whose connection broke in the middle of a body still had the count of that body as its
// delimiter when it connected again: the greeting was cut as a body.
t.test('a life begins as the first', async t => {
  class Counted extends Client {
    declare encoding: Encoding
    override read_delimiter: ReadDelimiter = '\n'
    override buffer_size = 100
    override on_connect() {
      this.read_timeout = 5000
    }
    override on_read(data: string) {
      this.read_delimiter = typeof this.read_delimiter === 'number' ? '\n' : Number(data)
      this.encoding = 'latin1'
      this.buffer_size = 200
    }
  }
  const made = await kit(t, Counted, { encoding: 'utf8' })
  const { stream, news, clock } = made
  made.sink.received(Buffer.from('10\nhalf'))
  t.same([stream.read_delimiter, stream.encoding, stream.buffer_size], [10, 'latin1', 200])
  stream.tls = { servername: 'other' }
  stream.connect_timeout = 4000
  const seen: unknown[] = []
  stream.on_close = () => {
    seen.push(stream.read_delimiter, stream.encoding, stream.buffer_size, stream.read_timeout)
    stream.buffer_size = 50
    stream.tls = undefined
    stream.connect(1)
    stream.regex_search = false
  }
  stream.close()
  made.sink.closed()
  t.same(seen, ['\n', 'utf8', 100, Infinity], 'in on_close already')
  t.equal(stream.connect_timeout, 4000, 'what takes effect with the next opening lasts')
  news()
  clock.advance(0)
  made.sink.opened()
  made.sink.received(Buffer.from('3\nabc'))
  t.same(news(), ['connect', 'read 3', 'read abc'])
  stream.on_close = () => {}
  stream.close()
  made.sink.closed()
  t.same(
    [stream.read_delimiter, stream.buffer_size, stream.regex_search],
    ['\n', 50, false],
    'what was assigned while it was closed, or opening, lasts',
  )
})

t.test(
  'a read path that it kept, because it is suspended, reads as the next opening does',
  async t => {
    const made = await kit(t, Client, { read_delimiter: '\n' })
    const { stream, news } = made
    stream.read_delimiter = 3
    stream.suspend()
    stream.close()
    made.sink.closed()
    news()
    stream.connect(1)
    made.sink.opened()
    made.sink.received(Buffer.from('a line\n'))
    stream.resume()
    t.same(news(), ['connect', 'read a line'])
  },
)

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

t.test('what is asked of it, and a setting that lets reads go on', async t => {
  const { stream, sink, clock, transport, news } = await kit(t, Client, {
    send_high_water: 1,
    backpressure: true,
  })
  const link = sink as StreamLink
  transport.room = 0
  stream.write('ab', true)
  t.same([link.bytes_queued, link.weight, link.isDeaf, link.isBlocked], [2, 2, true, true])
  sink.received(Buffer.from('c'))
  t.equal(link.weight, 3)
  stream.backpressure = false
  stream.backpressure = false
  clock.advance(0)
  t.same([news(), link.isDeaf], [['read c'], false])
  stream.end()
  t.equal(link.isSending, true)
})

// The first bytes of the client's handshake were read in clear, and TLS was refused: over sockets
// they came a turn later.
await tlsScene(t, 'TLS: started by both in on_connect', async (t, { CLIENT, SERVER, ...scene }) => {
  const server = await scene.listen(
    class extends Connection {
      override on_connect() {
        this.start_tls(SERVER)
      }
      override on_read(data: Buffer) {
        this.write(data)
      }
    },
  )
  class Early extends Client {
    override on_connect() {
      this.start_tls(CLIENT)
      this.write('hello')
    }
  }
  const client = await scene.connect(server, {}, Early).opened
  t.equal(await client.read(5), 'hello')
})

await tlsScene(t, 'TLS: a connection demands it by a field of its own', async (t, scene) => {
  const server = await scene.listen(
    class extends Connection {
      override tls = scene.SERVER
    },
  )
  const client = scene.connect(server, { tls: scene.CLIENT })
  await client.opened
  t.equal(client.tls?.protocol, 'TLSv1.3')
})

/** A protocol that writes its goodbye and says whether it waits for an answer. */
class Polite implements StreamProtocol {
  readonly calls: string[] = []
  waits = true
  hasParted = false

  constructor(link: StreamLink) {
    link.protocol = this
    this.farewell = () => {
      this.calls.push('farewell')
      link.writable().write('bye', false)
      return this.waits
    }
  }

  farewell: () => boolean

  begin(): boolean {
    this.calls.push('begin')
    return this.calls.length > 1
  }
  emptied(): void {
    this.calls.push('emptied')
  }
  over(): void {
    this.calls.push('over')
  }

  get news(): string {
    return this.calls.splice(0).join(', ')
  }
}

t.test('a protocol has the transport before the stream is open', async t => {
  const { stream, sink, transport, news } = await kit(t, Client, {}, false)
  const protocol = new Polite(sink as StreamLink)
  sink.opened()
  t.same([stream.state, protocol.calls, transport.news, news()], ['opening', ['begin'], '', []])
  sink.opened()
  t.same([stream.state, transport.news, news()], ['active', 'resume', ['connect']])
})

t.test('a protocol is heard out before the stream ends', async t => {
  const { stream, sink, transport, clock, news } = await kit(t, Client, { end_timeout: 100 })
  const link = sink as StreamLink
  const protocol = new Polite(link)
  stream.suspend()
  sink.received(Buffer.from('a'))
  t.same([transport.news, news()], ['pause', []])
  stream.end()
  t.same([stream.state, link.isSending, news()], ['closing', true, ['read a']])
  clock.advance(0)
  t.equal(transport.news, 'resume, resume, write bye')
  t.equal(protocol.news, 'farewell, emptied')
  sink.received(Buffer.from('b'))
  t.same(news(), ['write', 'read b'], 'the answer is read')
  link.parted()
  t.equal(transport.news, 'end')
  sink.received(Buffer.from('c'))
  link.parted()
  t.same([transport.news, news()], ['', []])
  sink.closed()
  t.equal(protocol.news, 'over')
  t.equal(await stream.closed, 'local')
})

t.test('the peer may have no answer: it ends, or end_timeout runs out', async t => {
  const ended = await kit(t, Client)
  new Polite(ended.sink as StreamLink)
  ended.stream.end()
  ended.clock.advance(0)
  ended.sink.ended()
  t.equal(ended.transport.news, 'resume, write bye, end')
  const silent = await kit(t, Client, { end_timeout: 100 })
  new Polite(silent.sink as StreamLink)
  silent.stream.end()
  silent.clock.advance(100)
  t.equal(silent.transport.news, 'resume, write bye, destroy')
  silent.sink.closed()
  t.equal(await silent.stream.closed, 'timeout')
})

t.test('a peer that has said goodbye may go away as it likes', async t => {
  for (const hasParted of [false, true]) {
    const { stream, sink, clock, news } = await kit(t, Client)
    new Polite(sink as StreamLink).hasParted = hasParted
    stream.end()
    clock.advance(0)
    news()
    sink.failed(error('EPIPE', 'write'))
    t.match(news(), hasParted ? [] : ['write_error EPIPE', /^error/])
  }
})

t.test('the goodbye waits in the queue: our side ends when it has gone', async t => {
  const { stream, sink, transport, clock } = await kit(t, Client)
  const protocol = new Polite(sink as StreamLink)
  protocol.waits = false
  transport.room = 0
  stream.end()
  clock.advance(0)
  t.equal(transport.news, 'resume, write bye')
  transport.bytes_queued = 0
  sink.drained()
  t.equal(transport.news, 'end')
  const other = await kit(t, Client)
  new Polite(other.sink as StreamLink)
  other.transport.room = 0
  other.stream.end()
  other.clock.advance(0)
  ;(other.sink as StreamLink).parted()
  t.equal(other.transport.news, 'resume, write bye')
  other.transport.bytes_queued = 0
  other.sink.drained()
  t.equal(other.transport.news, 'end')
})

t.test('half-close: our side ends when what is queued has gone; reading goes on', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client)
  transport.room = 0
  stream.write('last')
  stream.half_close()
  t.equal(stream.write('too late'), false)
  t.equal(
    thrown(() => stream.start_tls({})),
    'ERR_INVALID_STATE',
  )
  clock.advance(0)
  t.equal(transport.news, 'write last')
  transport.bytes_queued = 0
  sink.drained()
  stream.half_close()
  t.same([transport.news, news()], ['end', ['write']])
  sink.received(Buffer.from('answer'))
  t.same([news(), stream.state], [['read answer'], 'active'])
  sink.ended()
  t.same(news(), ['read_end'])
  sink.closed()
  t.same(news(), ['close remote'])
  stream.half_close()
  t.equal(transport.news, 'resume, end, destroy', 'the second end does nothing')
})

t.test('half-close: what a failure or an end() does in the middle', async t => {
  const failing = await kit(t, Client)
  failing.stream.half_close()
  failing.sink.failed(error('ECONNRESET', 'read'))
  t.match(failing.news(), ['read_error ECONNRESET', 'error ECONNRESET'])
  const ending = await kit(t, Client)
  ending.transport.room = 0
  ending.stream.write('last', true)
  ending.stream.half_close()
  ending.stream.end()
  ending.sink.received(Buffer.from('dropped'))
  ending.transport.bytes_queued = 0
  ending.sink.drained()
  t.equal(ending.transport.news, 'write last, resume, end')
  ending.sink.closed()
  t.same(ending.news(), ['write', 'close local'])
})

// The transport closes by itself when both sides have ended. What was held then was lost.
t.test('half-close: what is held when both sides have ended is still read', async t => {
  for (const way of ['resume', 'on_read_end does nothing', 'close', 'end']) {
    const { stream, sink, clock, news } = await kit(t, Client)
    if (way.startsWith('on_read_end')) stream.on_read_end = () => {}
    stream.half_close()
    stream.suspend()
    sink.received(Buffer.from('answer'))
    sink.ended()
    sink.closed()
    t.same([news(), stream.state], [[], 'active'])
    if (way === 'close' || way === 'end') stream[way]()
    else stream.resume()
    t.equal(stream.state, 'closing', 'on_close comes in a later turn')
    stream.close()
    clock.advance(0)
    const reads = { resume: ['read answer', 'read_end'] }[way]
    t.same(news(), [...(reads ?? (way.startsWith('on') ? ['read answer'] : [])), 'close remote'])
    t.equal(stream.state, 'closed')
  }
})

t.test('a value that is assigned again changes nothing, but each count of 0 is a read', async t => {
  const { stream, clock, news } = await kit(t, Client, { read_delimiter: 5 })
  stream.read_delimiter = 5
  for (const _ of [1, 2]) {
    stream.read_delimiter = 0
    clock.advance(0)
    t.same(news(), ['read'])
  }
})

// write() and end() right after connect(), as one does with a socket of Node's: the data was
// dropped in silence, because a stream that is not open yet was closed at once.
t.test('ended while it connects: what was written is sent first', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {}, false)
  stream.write('all')
  stream.end()
  t.equal(stream.state, 'closing')
  t.equal(stream.write('late'), false)
  stream.half_close()
  sink.opened()
  t.equal(transport.news, 'resume')
  clock.advance(0)
  t.same([transport.news, news()], ['write all, end', ['write']])
  sink.received(Buffer.from('nobody reads it'))
  sink.ended()
  sink.closed()
  t.same(news(), ['close local'])
  await t.rejects(stream.opened, { code: 'ERR_CLOSED' })
})

// A subscriber of 'sluice:connect' that ended it: what was written stayed, and the stream was
// 'closing' for ever, without a timeout.
t.test('ended by a subscriber that is told that it has connected', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {}, false)
  const end = (message: unknown): void => (message as { channel: Client }).channel.end()
  subscribe('sluice:connect', end)
  stream.write('bye')
  sink.opened()
  unsubscribe('sluice:connect', end)
  clock.advance(0)
  t.equal(transport.news, 'resume, write bye, end')
  sink.ended()
  sink.closed()
  t.same(news(), ['write', 'close local'])
  await t.rejects(stream.opened, { code: 'ERR_CLOSED' })
})

t.test('ended while it connects, and then it never does', async t => {
  const refused = await kit(t, Client, {}, false)
  refused.stream.write('all')
  refused.stream.end()
  refused.sink.failed(error('ECONNREFUSED', 'connect'))
  refused.sink.closed()
  t.same(refused.news(), ['connect_error ECONNREFUSED', 'error ECONNREFUSED', 'close error'])
  t.match(refused.logged, [/ECONNREFUSED/])

  const late = await kit(t, Client, { connect_timeout: 50 }, false)
  late.stream.write('all')
  late.stream.end()
  late.clock.advance(50)
  late.sink.closed()
  t.same(late.news(), [
    'timeout connect',
    'connect_error ERR_TIMEOUT',
    'error ERR_TIMEOUT',
    'close timeout',
  ])

  const closed = await kit(t, Client, {}, false)
  closed.stream.write('all')
  closed.stream.end()
  closed.stream.close()
  t.equal(closed.transport.news, 'destroy')
  closed.sink.closed()
  t.same(closed.news(), ['close local'])

  const empty = await kit(t, Client, {}, false)
  empty.stream.end()
  t.equal(empty.transport.news, 'destroy', 'nothing is to be sent')
  empty.sink.closed()
  t.same(empty.news(), ['close local'])
})

t.test('half-close while it connects, and what was written before', async t => {
  const { stream, transport, sink, clock, news } = await kit(t, Client, {}, false)
  stream.write('all')
  stream.half_close()
  sink.opened()
  t.same([transport.news, news()], ['resume', ['connect']])
  clock.advance(0)
  t.equal(transport.news, 'write all, end')
  const silent = await kit(t, Client, {}, false)
  silent.stream.half_close()
  silent.sink.opened()
  t.equal(silent.transport.news, 'end, resume')
  ;(silent.sink as StreamLink).protocol = { over: () => {} } as StreamProtocol
  t.equal(
    thrown(() => silent.stream.half_close()),
    'ERR_INVALID_STATE',
  )
})
