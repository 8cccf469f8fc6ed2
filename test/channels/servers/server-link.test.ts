/**
 * What happens between a StreamServer and its listeners: accepting, refusing, closing with all that
 * was accepted; over a network in memory.
 */

import { Buffer } from 'node:buffer'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { Client, Connection, Server } from '../../../src/channels/basic.ts'
import { LIFE } from '../../../src/channels/life.ts'
import { type ServerLink, takeOver } from '../../../src/channels/servers/server-link.ts'
import { StreamServer } from '../../../src/channels/servers/stream-server.ts'
import { Stream } from '../../../src/channels/streams/stream.ts'
import { Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import type {
  Listener,
  ListenerSink,
  ListenOptions,
  Network,
  Transport,
} from '../../../src/transport.ts'
import type { SocketAddress } from '../../../src/types.ts'
import { fate, scene, spy, turn, until, type World } from '../../kit.ts'
import { tlsScene } from '../../tls-kit.ts'

/** A number of clients that connect to port 1. */
async function connect({ engine, pump }: World, count = 1): Promise<Client[]> {
  const clients = Array.from({ length: count }, () => {
    const client = new Client({ engine })
    client.on_error = () => client.close()
    return client.connect(1)
  })
  await pump()
  return clients
}

await scene(t, 'refuses more than max_connections', async (t, world) => {
  const { engine, pump } = world
  const log: string[] = []
  const server = spy(new StreamServer({ engine, max_connections: 2 }), '', log).listen(1)
  await pump()
  const clients = await connect(world, 5)
  t.equal(server.channels.size, 2)
  t.same(
    log.filter(line => line.startsWith(' drop')),
    [2, 3, 4].map(n => ` drop max_connections ${clients[n]!.local_address}`),
  )
  t.same(
    clients.map(client => client.state),
    ['active', 'active', 'closed', 'closed', 'closed'],
  )
  clients[0]!.close()
  await pump()
  await connect(world, 2)
  t.equal(server.channels.size, 2)
  server.max_connections = 0
  const [refused] = await connect(world)
  t.equal(refused!.state, 'closed')
  server.max_connections = Infinity
  const [taken] = await connect(world)
  t.equal(taken!.state, 'active')
})

await scene(t, 'suspended, it accepts later, and its connections with it', async (t, world) => {
  const { engine, pump } = world
  const reads: string[] = []
  const log: string[] = []
  const server = spy(
    new Server(
      class extends Connection {
        override encoding = 'utf8' as const
        override on_read(data: string) {
          reads.push(data)
        }
      },
      { engine, backlog: 2 },
    ),
    '',
    log,
  ).listen(1)
  await pump()
  const [first] = await connect(world)
  server.suspend()
  const late = await connect(world, 3)
  first!.write('a')
  await pump()
  t.same([server.channels.size, reads], [1, []])
  t.same(
    log.filter(line => line.startsWith(' drop')),
    [` drop overload ${late[2]!.local_address}`],
  )
  const [own] = server.channels
  own!.suspend()
  server.resume()
  await pump()
  t.equal(server.channels.size, 3)
  t.same(reads, [], 'suspended by itself, it stays')
  own!.resume()
  t.same(reads, ['a'])

  // One of those that waited has gone; another one's hook suspends the server again.
  server.suspend()
  const waiting = await connect(world, 2)
  server.on_accept = function (socket, address) {
    StreamServer.prototype.on_accept.call(server, socket, address)
    server.suspend()
  }
  server.resume()
  await pump()
  t.equal(server.channels.size, 4)
  t.ok([...server.channels].at(-1)!.suspended)
  server.close()
  await pump()
  t.same(
    waiting.map(client => client.state),
    ['closed', 'closed'],
  )
})

await scene(
  t,
  'a connection that waits and is gone when the server is resumed',
  async (t, world) => {
    const { engine, pump, network } = world
    const server = new StreamServer({ engine }).listen(1)
    await pump()
    server.suspend()
    await connect(world, 2)
    network.transports.at(-1)!.destroy()
    await pump()
    let accepted = 0
    server.on_accept = socket => {
      accepted++
      socket.destroy()
    }
    server.resume()
    t.equal(accepted, 1)
  },
)

await scene(t, "on_accept of one's own", async (t, world) => {
  const { engine, pump } = world
  const kept: Transport[] = []
  const server = new Server({ engine, max_connections: 2 }).listen(1)
  server.on_accept = socket => void kept.push(socket)
  await pump()
  const clients = await connect(world, 3)
  t.equal(kept.length, 2, 'what nobody took over counts')
  kept[0]!.destroy()
  await pump()
  t.equal(clients[0]!.state, 'closed')
  await connect(world, 1)
  t.equal(kept.length, 3, 'until it is gone')
  const connection = new Connection({ server, socket: kept[2]! })
  await pump()
  t.same([connection.state, server.channels.size], ['active', 1], 'taken over later')
  server.close()
  await pump()
  t.same(
    [connection.state, clients[1]!.state, server.state],
    ['closed', 'closed', 'closed'],
    'closed with the server, taken over or not',
  )
})

// A Stream without the server took the socket, and with it the report of its end: the server
// counted that connection for ever.
await scene(t, 'a connection that somebody else takes over is not counted', async (t, world) => {
  const { engine, pump } = world
  const streams: Stream[] = []
  const server = new StreamServer({ engine, max_connections: 1 }).listen(1)
  server.on_accept = socket => void streams.push(new Stream({ engine, socket }))
  await pump()
  await connect(world)
  await connect(world)
  t.same(
    streams.map(stream => stream.state),
    ['active', 'active'],
  )
  server.close()
  await pump()
  t.same([server.state, ...streams.map(stream => stream.state)], ['closed', 'active', 'active'])
})

// It was told 'closed' while nobody listened: a channel that took it over afterwards waited for
// ever, and with it server and engine.
await scene(t, 'taken over when it is gone already', async (t, world) => {
  const { engine, pump } = world
  const kept: Transport[] = []
  const server = new Server({ engine }).listen(1)
  server.on_accept = socket => void kept.push(socket)
  await pump()
  await connect(world)
  kept[0]!.destroy()
  await pump()
  const log: string[] = []
  const connection = spy(new Connection({ server, socket: kept[0]! }), '', log)
  await pump()
  t.same(log, [
    ' state opening closed',
    ' state closing opening',
    ' state closed closing',
    ' state destroy closed',
    ' close error',
  ])
  t.equal(await connection.closed, 'error')
  t.equal(server.channels.size, 0)
})

await scene(t, 'on_accept that throws or rejects', async (t, world) => {
  const { engine, pump, logged } = world
  const server = new Server({ engine }).listen(1)
  await pump()
  server.on_accept = () => {
    throw new Error('thrown')
  }
  const [first] = await connect(world)
  server.on_accept = async () => {
    throw new Error('rejected')
  }
  const [second] = await connect(world)
  server.on_accept = StreamServer.prototype.on_accept
  const [third] = await connect(world)
  t.same(
    [first!.state, second!.state, third!.state, server.state],
    ['closed', 'closed', 'active', 'active'],
    'nobody else is disturbed',
  )
  t.match(logged, [
    /^Server 127\.0\.0\.1:1: Error: thrown\n/,
    /^Server 127\.0\.0\.1:1: Error: rejected\n/,
  ])
  t.equal(server.channels.size, 1)
  server.on_drop = async () => {
    throw new Error('in on_drop')
  }
  server.max_connections = 0
  await connect(world)
  t.match(logged[2], /Error: in on_drop\n/)
  server.on_drop = () => 'no promise' as never
  await connect(world)
  t.equal(logged.length, 3)
})

// Only real promises were looked at: what a thenable rejected with was lost without a word.
await scene(t, 'hooks that return a thenable, which rejects', async (t, world) => {
  const { engine, pump, logged } = world
  const rejected = (why: string): Promise<void> =>
    ({
      then: (_: unknown, reject: (error: Error) => void) => reject(new Error(why)),
    }) as unknown as Promise<void>
  const server = new Server({ engine })
  server.on_listen = () => rejected('in on_listen')
  server.listen(1)
  await pump()
  t.match(logged.splice(0), [/^Server 127\.0\.0\.1:1: Error: in on_listen\n/])
  t.equal(server.state, 'active')
  server.on_accept = () => rejected('in on_accept')
  const [client] = await connect(world)
  t.match(logged.splice(0), [/^Server 127\.0\.0\.1:1: Error: in on_accept\n/])
  t.same([client!.state, server.state], ['closed', 'active'], 'the connection is closed')
})

// The connection had taken the socket over before its own constructor threw: it was not closed, and
// hooks were called on an object that was never finished.
await scene(t, 'a connection whose constructor throws', async (t, world) => {
  const { engine, pump, logged } = world
  const log: string[] = []
  const server = new Server(
    class extends Connection {
      constructor(options: ConstructorParameters<typeof Connection>[0]) {
        super(options)
        spy(this, '', log)
        throw new Error('half made')
      }
    },
    { engine },
  ).listen(1)
  await pump()
  const [client] = await connect(world)
  t.equal(client!.state, 'closed')
  t.equal(server.channels.size, 0)
  t.notOk(log.includes(' connect'))
  t.equal(log.at(-1), ' close error')
  t.match(logged, [/Error: half made\n/])
})

await scene(t, 'closes with its connections', async (t, world) => {
  const { engine, pump, clock } = world
  const log: string[] = []
  const server = spy(
    new Server(
      class extends Connection {
        override on_close(reason: string) {
          log.push(
            `connection ${reason}, ${this.server.channels.size} left, server ${this.server.state}`,
          )
        }
      },
      { engine },
    ),
    'server',
    log,
  ).listen(1)
  await pump()
  const clients = await connect(world, 2)
  server.close()
  t.equal(server.state, 'closing')
  const [late] = await connect(world)
  t.equal(late!.state, 'closed', 'refused')
  t.same(log.slice(-5), [
    'connection drain, 1 left, server closing',
    'connection drain, 0 left, server closing',
    'server state closed closing',
    'server state destroy closed',
    'server close local',
  ])
  t.same(
    clients.map(client => client.state),
    ['closed', 'closed'],
  )
  t.equal(clock.pending, 0)
})

await scene(t, 'ends with its connections', async (t, world) => {
  const { engine, pump, clock } = world
  const server = new Server(Connection, { engine, end_timeout: 100 }).listen(1)
  await pump()
  const [reader, stalled] = await connect(world, 2)
  stalled!.suspend()
  const reads: string[] = []
  reader!.on_read = (data: Buffer) => void reads.push(String(data))
  const [first, second] = server.channels as Set<Connection>
  first!.write('bye')
  second!.write(Buffer.alloc(1_000_000))
  server.end()
  await pump()
  t.same(reads, ['bye'])
  t.same([first!.state, second!.state, server.state], ['closed', 'closing', 'closing'])
  clock.advance(99)
  await pump()
  t.equal(server.state, 'closing')
  clock.advance(1)
  await pump()
  t.equal(server.state, 'closed')
  t.same([await server.closed, await second!.closed], ['timeout', 'drain'])
  stalled!.close()

  const patient = new Server(Connection, { engine, end_timeout: Infinity }).listen(1)
  await pump()
  const [other] = await connect(world)
  const [connection] = patient.channels as Set<Connection>
  connection!.end_timeout = Infinity
  other!.suspend()
  connection!.write(Buffer.alloc(1_000_000))
  patient.end()
  await pump()
  t.equal(clock.pending, 0)
  patient.end()
  t.equal(patient.state, 'closing')
  patient.close()
  await pump()
  t.equal(patient.state, 'closed', 'close() cuts end() short')
})

// Its end_timeout was set twice, or after it had closed, and one of the timers stayed. Found by npm
// run fuzz.
await scene(t, 'REGRESSION: ended or closed in on_state because it is ended', async (t, world) => {
  const { engine, pump, clock } = world
  for (const [state, isPolite] of [
    ['opening', true],
    ['opening', false],
    ['closing', false],
  ] as const) {
    const server = new Server({ engine })
    server.on_state = now => void (now === state && server.close(isPolite))
    server.listen(1).end()
    await pump()
    t.same([server.state, clock.pending], ['closed', 0], `${state}, ${isPolite}`)
  }
})

// Its rejection went to on_error, after on_close. Found by npm run fuzz.
await scene(t, 'REGRESSION: a promise that rejects after on_close', async (t, world) => {
  const { engine, pump, logged } = world
  const log: string[] = []
  const server = new Server({ engine })
  let reject: (error: Error) => void
  server.on_listen = () => new Promise((_resolve, fail) => (reject = fail)) as unknown as undefined
  spy(server, '', log).listen(1)
  await pump()
  server.close()
  await pump()
  reject!(new Error('too late'))
  await pump()
  t.equal(log.at(-1), ' close local')
  t.match(logged.splice(0), [/too late/])
})

t.test("on a listener of the test's own", async t => {
  const asked: [unknown, ListenOptions][] = []
  const listeners: Listener[] = []
  const network = {
    connect() {},
    listen(at: unknown, options: ListenOptions) {
      asked.push([at, options])
      listeners.push({
        sink: undefined,
        local_address: ['here', 5] as SocketAddress,
        fileno: 7,
        close() {},
      })
      return listeners.at(-1)
    },
  } as unknown as Network
  const logged: string[] = []
  const engine = new Engine({
    network,
    clock: new ManualClock(),
    log: message => logged.push(message),
  })
  class Fields extends StreamServer {
    override backlog = 5
  }
  const server = new Fields({ engine }).listen(['', 0])
  new Fields({ engine, backlog: Infinity }).listen(0)
  t.same(asked, [
    [{ kind: 'ip', host: '', port: 0 }, { backlog: 5 }],
    [{ kind: 'ip', host: '', port: 0 }, { backlog: 2 ** 31 - 1 }],
  ])
  const sink = listeners[0]!.sink!
  await turn()
  const destroyed: string[] = []
  const transport = { destroy: () => destroyed.push('early') } as unknown as Transport
  sink.accepted(transport)
  t.same(destroyed, ['early'], 'not listening yet')
  sink.listening()
  t.same([server.fileno, server.local_address], [7, ['here', 5]])
  sink.failed(new Error('no code'))
  t.match(await fate(server.opened), server)
  t.equal(server.state, 'closing')
  sink.closed()
  t.same(
    [server.state, server.fileno, server.local_address, await server.closed],
    ['closed', undefined, ['here', 5], 'error'],
  )
  t.match(logged, [/^Fields here:5: no code \(ERR_UNKNOWN\)|^Fields here:5: .*ERR_UNKNOWN/])

  new StreamServer({ engine }).on_error(new Error('nowhere yet'))
  t.match(logged[1], /^StreamServer: Error: nowhere yet/)

  const gone = new StreamServer({ engine }).listen(1)
  listeners.at(-1)!.sink!.listening()
  listeners.at(-1)!.sink!.closed()
  t.equal(gone.state, 'closed', 'a listener that ends by itself')

  const parent = new StreamServer({ engine })
  const stream = new Stream({ engine })
  takeOver(parent, transport, stream)
  t.ok(
    parent.channels.has(stream),
    'also a socket that the server does not know: one around it, for example',
  )
})

await scene(t, 'limits of who comes in', async (t, world) => {
  const { engine, pump, logged } = world
  const drops: string[] = []
  const server = new Server(Connection, {
    engine,
    max_connections_per_address: 2,
    block_list: { check: () => false },
  })
  server.on_drop = reason => void drops.push(reason)
  server.listen(1)
  await pump()
  await connect(world, 3)
  t.same([server.channels.size, drops.splice(0)], [2, ['per_address']])
  server.max_connections_per_address = 3
  const [third] = await connect(world)
  t.equal(server.channels.size, 3)
  third!.close()
  await pump()
  await connect(world, 2)
  t.same([server.channels.size, drops.splice(0)], [3, ['per_address']])
  server.max_connections_per_address = Infinity
  server.block_list = { check: (host, family) => host === '127.0.0.1' && family === 'ipv4' }
  await connect(world)
  t.same([server.channels.size, drops.splice(0)], [3, ['blocked']])
  server.block_list = {
    check: () => {
      throw new Error('a list that is broken')
    },
  }
  await connect(world)
  t.same([server.channels.size, drops.splice(0), logged.splice(0).length], [3, ['blocked'], 1])
})

t.test('near the limit of descriptors', async t => {
  const listener = {
    sink: undefined as ListenerSink | undefined,
    local_address: ['127.0.0.1', 1] as SocketAddress,
    fileno: 1,
    close() {},
  }
  const network = {
    connect() {},
    listen: () => listener,
    packets() {},
    file_limit: 256,
  } as unknown as Network
  const log: string[] = []
  const server = new StreamServer({ engine: new Engine({ network }) })
  server.on_overload = () => void log.push('overload')
  server.on_drop = reason => void log.push(`drop ${reason}`)
  server.on_accept = () => void log.push('accept')
  server.listen(1)
  await turn()
  listener.sink!.listening()
  for (const fileno of [223, 224, 225, 100]) {
    listener.sink!.accepted({
      fileno,
      remote_address: ['127.0.0.1', 2],
      sink: undefined,
      destroy() {},
    } as unknown as Transport)
  }
  t.same(log, ['accept', 'overload', 'drop overload', 'drop overload', 'accept'])
})

await scene(t, 'ends in batches', async (t, world) => {
  const { engine, pump, advance } = world
  const server = new Server(Connection, { engine }).listen(1)
  await pump()
  await connect(world, 5)
  server.end({ batch: 2, interval: 100 })
  await pump()
  t.same([server.state, server.channels.size], ['closing', 3])
  await advance(99)
  t.equal(server.channels.size, 3)
  await advance(1)
  t.equal(server.channels.size, 1)
  await advance(100)
  t.equal(await server.closed, 'local')
})

await scene(t, 'ends in batches, cut short', async (t, world) => {
  const { engine, pump, advance } = world
  for (const cut of ['end', 'end in batches', 'close', 'time'] as const) {
    const server = new Server(Connection, { engine, end_timeout: 1000 }).listen(1)
    await pump()
    await connect(world, 4)
    server.end({ batch: 1, interval: 400 })
    await pump()
    t.equal(server.channels.size, 3)
    if (cut === 'end') server.end()
    if (cut === 'end in batches') server.end({ batch: 1, interval: 400 })
    if (cut === 'close') server.close()
    if (cut === 'time') await advance(1000)
    await pump()
    t.equal(await server.closed, cut === 'time' ? 'timeout' : 'local', cut)
    await advance(2000)
  }
})

// The wait for the next batch went on when nobody was left: it kept the process alive, and ended
// the wait of the next opening's batches.
await scene(t, 'ends in batches, and the peers are sooner', async (t, world) => {
  const { engine, pump, clock } = world
  const server = new Server(Connection, { engine }).listen(1)
  await pump()
  const clients = await connect(world, 3)
  server.end({ batch: 1, interval: 1000 })
  for (const client of clients) client.close()
  await pump()
  t.same([server.state, clock.pending], ['closed', 0])
})

// A connection that came with an on_accept which closed the server was left: open for ever, and
// with it the server, or open without a server.
await scene(t, 'on_accept closes the server', async (t, world) => {
  const { engine, pump } = world
  for (const call of ['close', 'end'] as const)
    for (const isTaken of [true, false]) {
      const reasons: string[] = []
      class Told extends Connection {
        override on_close(reason: string): void {
          reasons.push(reason)
        }
      }
      const server = new Server(Told, { engine })
      server.on_accept = (socket, address) => {
        server[call]()
        if (isTaken) StreamServer.prototype.on_accept.call(server, socket, address)
      }
      server.listen(1)
      await pump()
      const [client] = await connect(world, 1)
      await pump()
      t.same([server.state, client!.state], ['closed', 'closed'], `${call} ${isTaken}`)
      t.same(reasons, isTaken ? ['drain'] : [])
    }
})

await scene(t, 'behind a proxy', async (t, world) => {
  const { engine, pump, advance } = world
  const log: string[] = []
  class Greeter extends Connection {
    override encoding = 'utf8' as const
    override on_connect(): void {
      log.push(`connect ${this.remote_address} ${this.local_address}`)
    }
    override on_read(text: string): void {
      log.push(`read ${text}`)
    }
  }
  const server = new Server(Greeter, { engine, proxy_protocol: 'require', proxy_timeout: 500 })
  server.on_accept = (socket, address) => {
    log.push(`accept ${address}`)
    StreamServer.prototype.on_accept.call(server, socket, address)
  }
  server.on_drop = (reason, address) => void log.push(`drop ${reason} ${(address as string[])[0]}`)
  server.proxy_trusted = { check: host => host === '127.0.0.1' }
  server.listen(1)
  await pump()
  const [client, silent] = await connect(world, 2)
  client!.write('PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nhello')
  await pump()
  t.same(log.splice(0), ['accept 1.2.3.4,9', 'connect 1.2.3.4,9 5.6.7.8,10', 'read hello'])
  client!.write(' again')
  await pump()
  await advance(500)
  t.same(log.splice(0), ['read  again', 'drop proxy_header 127.0.0.1'])
  t.equal(silent!.state, 'closed')
})

await tlsScene(
  t,
  'TLS, whoever takes the connection over',
  async (t, { SERVER, CLIENT, engine, connect }) => {
    const taken: Stream[] = []
    const server = new StreamServer({ engine, tls: SERVER })
    server.on_accept = socket => void taken.push(new Stream({ engine, socket }))
    await server.listen(['127.0.0.1', 0]).opened
    await connect(server, { tls: CLIENT }).opened
    await until(() => taken[0]?.connected)
    t.ok(taken[0]?.tls, 'not in clear, though it does not know of the server')
    taken[0]?.close()
  },
)

t.test('adopts only while it listens', async t => {
  const server = new StreamServer({ engine: new Engine() })
  const link = server[LIFE].driver as ServerLink
  t.throws(() => link.adopt(undefined as never, undefined), { code: 'ERR_INVALID_STATE' })
  await server.listen(['127.0.0.1', 0]).opened
  t.throws(() => link.adopt(undefined as never, undefined), { code: 'ERR_INVALID_ARGUMENT' })
  server.on_accept = socket => socket.destroy()
  link.adopt(new PassThrough(), undefined)
  server.close()
  await server.closed
})
