/**
 * The types to the end: an application without a cast. What must not compile is marked; the rest is
 * run.
 */

import t from 'tap'
import {
  type ChannelError,
  Client,
  Connection,
  type Cut,
  Datagram,
  type DatagramError,
  type Encoding,
  type OverflowError,
  type ReadDelimiter,
  type ReadError,
  Requests,
  Server,
  Stream,
  StreamServer,
  type StreamServerOptions,
} from '../../src/index.ts'
import { WebSocketConnection, WebSocketServer } from '../../src/protocols/websocket/index.ts'
import { pair } from '../../src/testing.ts'

/** Is it exactly this type? */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const isTrue = <Is extends true>(is: Is) => is

class Room extends Server<Chat> {
  override ConnectionClass = Chat
  readonly topic: string
  constructor(topic: string, options?: StreamServerOptions) {
    super(options)
    this.topic = topic
  }
  say(line: string) {
    for (const peer of this.channels) peer.say(line)
    return this.channels.size
  }
}

class Chat extends Connection<string, Room> {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  nick = ''
  override on_connect() {
    return this.write(`${this.server.topic}\n`)
  }
  override on_read(line: string) {
    if (this.nick === '') return (this.nick = line)
    return this.server.say(`${this.nick}: ${line}`)
  }
  override on_error(error: Parameters<Connection['on_error']>[0]) {
    return error.code === 'ECONNRESET' ? this.close() : super.on_error(error)
  }
  override on_overflow_error(error: OverflowError) {
    if (error.buffer === 'send') return this.close()
    return super.on_overflow_error(error)
  }
  override on_close() {
    return this.server.say(`${this.nick} has gone`)
  }
  say(line: string) {
    return this.write(`${line}\n`)
  }
}

t.test('server.channels and this.server are typed', async t => {
  const { client, connection, server, pump } = await pair({
    connection: Chat,
    server: options => new Room('tea', options),
  })
  client.write('ann\nhello\n')
  await pump()
  t.equal(client.reads.map(String).join(''), 'tea\nann: hello\n')
  const nicks: string[] = [...server.channels].map(each => each.nick)
  t.same(nicks, ['ann'])
  t.equal(connection.server.topic, 'tea')
})

t.test('a server of a class has its connections', async t => {
  const server = new Server(Chat)
  isTrue<Same<typeof server.channels, ReadonlySet<Chat>>>(true)
  isTrue<Same<Chat['server'], Room>>(true)
  const plain = new Server()
  for (const peer of plain.channels) peer.write('x')
  // @ts-expect-error: a Stream has no nick
  for (const peer of plain.channels) peer.nick
  const raw: StreamServer<Stream<string>> = new StreamServer<Stream<string>>()
  t.equal(raw.channels.size, 0)
  const any: StreamServer = server
  t.equal(any, server)
})

// The chapter of WebSocket promised this of its server, too, and its channels were plain Streams.
t.test('a server of WebSocket has its connections, and they have their server', async t => {
  class Board extends WebSocketServer<Player> {
    override ConnectionClass = Player
    readonly topic = 'chess'
  }
  class Player extends WebSocketConnection<Board> {
    nick = ''
    override on_message() {
      return [this.server.topic, ...[...this.server.channels].map(each => each.nick)]
    }
  }
  const server = new WebSocketServer(Player, { path: '/play' })
  isTrue<Same<typeof server.channels, ReadonlySet<Player>>>(true)
  isTrue<Same<Player['server'], Board>>(true)
  const plain: WebSocketServer = server
  for (const peer of plain.channels) peer.send('x')
  // @ts-expect-error: it does not speak WebSocket
  t.ok(new WebSocketServer(Connection))
})

t.test('errors have what their hooks say', async t => {
  type Error<Name extends keyof Client> = Client[Name] extends (error: infer E) => unknown
    ? E
    : never
  isTrue<Error<'on_read_error'> extends ReadError ? true : false>(true)
  isTrue<Error<'on_connect_error'>['code'] extends string ? true : false>(true)
  isTrue<Error<'on_overflow_error'>['buffer'] extends OverflowError['buffer'] ? true : false>(true)
  isTrue<Same<Error<'on_error'>['code'], string | undefined>>(true)
  isTrue<Error<'on_tls_error'> extends ChannelError ? true : false>(true)
  type OfDatagram = Parameters<Datagram['on_read_error']>[0]
  isTrue<OfDatagram extends DatagramError ? true : false>(true)
  // A hook may take less than it is given.
  class Old extends Client {
    override on_error(error: Error<'on_error'> | globalThis.Error) {
      return void error
    }
    override async on_read_error(error: globalThis.Error & { code?: string }) {
      return error.code
    }
  }
  t.ok(new Old())
})

// Without an encoding a read is a Buffer. A class whose on_read takes text all the same compiled,
// and `line.trim` was undefined when the first line came.
t.test('an on_read that takes text needs an encoding', async t => {
  class Line extends Connection {
    override read_delimiter = '\n'
    override on_read(line: string) {
      return this.write(line)
    }
  }
  class Later extends Client<string> {
    override async on_read(line: string) {
      return line
    }
  }
  // @ts-expect-error: its reads are Buffers
  t.ok(new Server(Line))
  // @ts-expect-error: likewise
  t.ok(new Server({ ConnectionClass: Line }))
  class Lines extends Server {
    // @ts-expect-error: likewise
    override ConnectionClass = Line
  }
  // @ts-expect-error: likewise
  const typed = (lines: Server<Line>) => lines
  t.ok(typed(new Lines() as never))
  // @ts-expect-error: likewise
  t.ok(await pair({ client: Later, connection: Line }))
  const later = new Later()
  // @ts-expect-error: likewise
  t.throws(() => later.adopt(null as never))
  // @ts-expect-error: likewise
  await t.rejects(later.connect({ path: '/nobody/is/here' }).opened)
})

t.test('every other on_read compiles', async t => {
  class Text extends Connection {
    override encoding = 'utf8' as const
    override on_read(line: string): any {
      return this.write(line)
    }
  }
  class Inherited extends Text {
    override async on_read(line: string) {
      return line
    }
  }
  class Told extends Client {
    declare encoding: Encoding
    override on_read = (line: string) => this.write(line)
    override on_close() {
      return this.connect(1)
    }
  }
  class Bytes extends Connection {
    override on_read(data: Buffer | string) {
      return this.write(data)
    }
  }
  class Nothing extends Connection {
    override on_read() {}
  }
  class States extends Client {
    override on_connect() {
      this.become('\n', this.got_line, { encoding: 'utf8' })
    }
    got_line(line: string) {
      this.become(Number(line), this.got_body, { encoding: null })
    }
    got_body(_body: Buffer) {}
  }
  class Match extends Connection<RegExp> {
    override read_delimiter = /(a)b/
    override regex_search = false
    override on_read([, a]: RegExpExecArray) {
      return a
    }
  }
  const words = { cut: (): Cut<[string]> => ({ size: 1, data: ['word'] }) }
  class Own extends Connection {
    override read_delimiter = words
    override on_read(word: string) {
      return word
    }
  }
  abstract class Base<By extends ReadDelimiter> extends Client<By> {
    abstract override on_read(...data: any[]): unknown
    readonly requests = new Requests<string>(this)
    again() {
      return this.connect(1)
    }
  }
  class Derived extends Base<string> {
    override encoding = 'latin1' as const
    override on_read(line: string) {
      return this.requests.answer(line)
    }
  }
  t.ok([new Server(Text), new Server(Inherited), new Server(Bytes), new Server(Nothing)])
  t.ok([new Server(Match), new Server(Own), new Server({ ConnectionClass: Text })])
  t.ok([
    (told: Told) => told.connect(1).on_read('x'),
    (states: States) => states.connect(1),
    (derived: Derived) => derived.connect(1),
    <Any extends Client>(any: Any): Any => any.connect(1),
  ])
  const plain = new Client({ encoding: 'utf8' })
  plain.on_read = (line: string) => line
  plain.on_read = (data: Buffer) => data
  await t.rejects(plain.connect({ path: '/nobody/is/here' }).opened)
})
