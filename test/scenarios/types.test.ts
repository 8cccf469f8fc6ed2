/**
 * The types to the end: an application without a cast. What must not compile is marked; the rest is
 * run.
 */

import t from 'tap'
import {
  type ChannelError,
  Client,
  Connection,
  Datagram,
  type DatagramError,
  type OverflowError,
  type ReadError,
  Server,
  Stream,
  StreamServer,
  type StreamServerOptions,
} from '../../src/index.ts'
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
