/** Client, Connection, Server: what they add to Stream and StreamServer. */

import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { StreamServer } from '../../src/channels/servers/stream-server.ts'
import { Stream } from '../../src/channels/streams/stream.ts'
import { Engine } from '../../src/engine.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { scene, thrown } from '../kit.ts'
import { FakeTransport } from './link-kit.ts'

t.test('Client', async t => {
  const client = new Client()
  t.ok(client instanceof Stream)
  t.equal(client.name, 'Client')
  t.equal(new Client({ name: 'caller', encoding: 'utf8' }).encoding, 'utf8')
  for (const options of [
    null,
    5,
    { socket: {} },
    { socket: null },
    { unknown: 1 },
    { server: new Server() },
  ]) {
    t.equal(
      thrown(() => new Client(options as never)),
      'ERR_INVALID_ARGUMENT',
      Object.keys(options ?? {}).join(),
    )
  }
  t.throws(() => new Client({ socket: {} } as never), {
    message: /^Client option "socket" must be left out: a Connection takes over/,
  })
  // It was taken without a word.
  t.throws(() => new Client({ server: new Server() } as never), {
    message: /^Client: there is no option "server"; /,
  })
})

// `new Server(Echo, 4040)` was taken without a word.
t.test('a Server with options that are none', async t => {
  for (const options of [4040, null, 'x', [], () => {}])
    t.throws(() => new Server(Connection, options as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^Server options must be an object; got /,
    })
})

t.test('Connection, by hand', async t => {
  const server = new Server()
  const socket = { resume() {}, destroy() {}, sink: undefined }
  for (const options of [
    undefined,
    null,
    {},
    { server },
    { socket },
    { server: {}, socket },
    { server, socket: null },
    { server, socket: 5 },
  ]) {
    t.equal(
      thrown(() => new Connection(options as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  }
  t.equal(server.channels.size, 0)
})

t.test('what a proxy has told', async t => {
  const extensions = new Map([[2, Buffer.from('a.example')]])
  const engine = new Engine({ network: new MemoryNetwork({ auto: true }) })
  const server = new Server({ engine })
  const direct = new FakeTransport()
  const proxied = Object.assign(new FakeTransport(), { proxy_extensions: extensions })
  t.equal(new Connection({ server, socket: proxied }).proxy_extensions, extensions)
  t.equal(new Connection({ server, socket: direct }).proxy_extensions, undefined)
  for (const transport of [direct, proxied]) transport.sink?.closed()
})

t.test('Server', async t => {
  class Mine extends Connection {}
  t.equal(new Server().ConnectionClass, Connection)
  t.ok(new Server() instanceof StreamServer)
  t.equal(new Server(Mine).ConnectionClass, Mine)
  t.equal(new Server(Mine).name, 'Server')
  t.equal(new Server({ ConnectionClass: Mine }).ConnectionClass, Mine)
  t.equal(new Server(undefined, { ConnectionClass: Mine }).ConnectionClass, Mine)
  t.equal(new Server(Mine, { name: 'door', backlog: 5 }).backlog, 5)
  t.equal(new Server({ backlog: 6 }).ConnectionClass, Connection)
  t.equal(new Server(Stream).ConnectionClass, Stream)
  const engine = new Engine()
  t.equal(new Server(Mine, { engine }).engine, engine)
  t.equal(new Server({ engine }).engine, engine)
  for (const first of [
    null,
    5,
    'Echo',
    class {},
    () => {},
    Server,
    { backlog: 0 },
    { ConnectionClass: class {} },
    { Connection: Mine },
    // Each connection was refused, in words about an option that nobody had given.
    Client,
    class extends Client {},
    { ConnectionClass: Client },
  ]) {
    t.equal(
      thrown(() => new Server(first as never)),
      'ERR_INVALID_ARGUMENT',
      String(first),
    )
  }
  t.equal(
    thrown(() => new Server(Mine, { unknown: 1 } as never)),
    'ERR_INVALID_ARGUMENT',
  )
  // The option was dropped.
  t.throws(() => new Server(Mine, { ConnectionClass: Stream }), {
    message: /^Server: ConnectionClass must be given once: .*; got function Stream$/,
  })
  t.equal(new Server(Mine, { ConnectionClass: Mine }).ConnectionClass, Mine)
  // The second one was dropped: this server listened in the engine of all others.
  t.throws(() => new Server({ backlog: 5 } as never, { engine }), {
    message: /^Server: ConnectionClass must be a class; got /,
  })
})

await scene(t, 'the class of the connections', async (t, { engine, pump }) => {
  const made: string[] = []
  class One extends Connection {
    override on_connect() {
      made.push(`one ${this.server.name}`)
    }
  }
  class Two extends Connection {
    override on_connect() {
      made.push(`two ${this.server.name}`)
    }
  }
  class ByField extends Server {
    override ConnectionClass = One
  }
  const byField = new ByField({ engine }).listen(1)
  const byArgument = new ByField(Two, { engine }).listen(2)
  const byAssignment = new Server(One, { engine }).listen(3)
  byAssignment.ConnectionClass = Two
  t.equal(
    thrown(() => {
      byAssignment.ConnectionClass = Client.name as never
    }),
    'ERR_INVALID_ARGUMENT',
  )
  await pump()
  for (const port of [1, 2, 3]) new Client({ engine }).connect(port)
  await pump()
  t.same(made, ['one ByField', 'two ByField', 'two Server'])
  for (const server of [byField, byArgument, byAssignment]) {
    for (const connection of server.channels) {
      t.equal((connection as Connection).server, server)
      t.equal(connection.engine, engine)
    }
  }
})

// With `engine: undefined` among its options, a connection was driven by the engine of the process
// and not by that of its server.
await scene(t, 'a connection belongs to the engine of its server', async (t, { engine, pump }) => {
  const server = new (class extends Server {
    override on_accept(socket: ConstructorParameters<typeof Connection>[0]['socket']) {
      new Connection({ engine: undefined as never, server: this, socket })
    }
  })({ engine }).listen(1)
  await pump()
  new Client({ engine }).connect(1)
  await pump()
  t.same(
    [...server.channels].map(connection => connection.engine === engine),
    [true],
  )
})
