/**
 * Closing always comes to an end, over every network: with peers that are dead, that stall, that
 * stopped in the middle, and with hooks whose promise never settles. One on_close each; that
 * nothing is left open, `Place.end` says. Time passes by hand.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Engine } from '../../src/engine.ts'
import type { ConnectError } from '../../src/errors.ts'
import { turn, until } from '../kit.ts'
import { overEveryNetwork, type Peer, type Place, type Scenario } from './networks.ts'

/** More than the system takes of a peer that does not read: memory and unix sockets take little. */
const much = ({ name }: Place): Buffer =>
  Buffer.alloc(/memory|unix/.test(name) ? 1_500_000 : 5_000_000)

const NEVER = new Promise<void>(() => {})

/** Counts, and never comes to an end by itself. */
class Stuck extends Connection {
  closes: string[] = []
  override on_state(): any {
    return NEVER
  }
  override on_connect() {
    return NEVER
  }
  override on_read() {
    return NEVER
  }
  override on_write() {
    return NEVER
  }
  override on_read_end() {
    return NEVER
  }
  override on_error(): any {
    return NEVER
  }
  override on_close(reason: string): any {
    this.closes.push(reason)
    return NEVER
  }
}

/** Takes nothing, though much is sent. */
const pressed = (data: Buffer) =>
  class Pressed extends Stuck {
    override on_connect() {
      this.write(data)
      return NEVER
    }
  }

/** What a peer does, or does not do. */
const PEERS: Record<string, (peer: Peer) => void> = {
  'is silent': () => {},
  'stopped in the middle of a message': peer => {
    peer.transport.resume()
    peer.write('half a mess')
  },
  'has ended its side': peer => {
    peer.transport.resume()
    peer.transport.end()
  },
  'has sent more than anybody reads': peer => void peer.write(Buffer.alloc(300_000)),
}

const WAYS: Record<
  string,
  (place: Place, server: Server, connections: Stuck[]) => Promise<unknown>
> = {
  'engine.stop': place => place.engine.stop({ timeout: 20 }),
  'server.end': (_place, server) => {
    server.end_timeout = 20
    server.end()
    return server.closed
  },
  'server.close': (_place, server) => {
    server.close()
    return server.closed
  },
  'connection.end': (_place, _server, connections) => {
    for (const connection of connections) {
      connection.end_timeout = 20
      connection.end()
    }
    return Promise.all(connections.map(connection => connection.closed))
  },
  'connection.close': (_place, _server, connections) => {
    for (const connection of connections) connection.close()
    return Promise.all(connections.map(connection => connection.closed))
  },
  'await using': (_place, server, connections) => {
    for (const connection of connections) connection.end_timeout = 20
    server.end_timeout = 30
    return server[Symbol.asyncDispose]()
  },
}

const scenarios: Record<string, Scenario> = {}

for (const [way, close] of Object.entries(WAYS)) {
  scenarios[`${way}, whatever the peers do`] = async (t, place) => {
    const server = await place.listen<Server>(new Server(Stuck, { engine: place.engine }))
    const peers: Peer[] = []
    const connections: Stuck[] = []
    for (const ConnectionClass of [Stuck, pressed(much(place))]) {
      server.ConnectionClass = ConnectionClass
      for (const act of Object.values(PEERS)) {
        const before = new Set(server.channels)
        const peer = await place.peer(server)
        peers.push(peer)
        act(peer)
        connections.push([...server.channels].find(channel => !before.has(channel)) as Stuck)
      }
    }
    // So that they are in the middle of it.
    for (let turns = 0; turns < 20; turns++) await turn()
    await place.pass(close(place, server, connections))
    t.same(
      connections.map(({ closes }) => closes.length),
      connections.map(() => 1),
      'one on_close each',
    )
    t.ok(connections.every(({ state }) => state === 'closed'))
    for (const peer of peers) peer.transport.destroy()
    await until(() => peers.every(peer => peer.log.at(-1) === 'closed'))
    server.close()
    await server.closed
    t.same([...new Set(peers.map(peer => peer.log.filter(line => line === 'closed').length))], [1])
  }
}

Object.assign(scenarios, {
  async 'a server that could not end in time says so'(t, place) {
    const server = await place.listen(Stuck, { end_timeout: 20 })
    const peer = await place.peer(server)
    const [connection] = [...server.channels] as Stuck[]
    server.end()
    t.equal(await place.pass(server.closed), 'timeout')
    t.same(connection!.closes, ['drain'])
    peer.transport.destroy()
    // And the next time it begins anew.
    await server.listen(place.address()).opened
    server.end()
    t.equal(await server.closed, 'local')
  },

  async 'on_accept that never decides'(t, place) {
    const server = await place.listen()
    server.on_accept = () => NEVER
    const client = new Client({ engine: place.engine }).connect(server.local_address!)
    client.on_error = () => {}
    // Over TLS there is nobody yet to shake hands with.
    if (!place.isTls) await client.opened
    for (let turns = 0; turns < 20; turns++) await turn()
    server.end()
    t.equal(await server.closed, 'local')
    await client.closed
  },

  // It threw InvalidStateError, which came out of stop: that never settled, and nothing else was
  // closed.
  async 'an end of the program that throws disturbs nobody'(t, place) {
    class Polite extends Client {
      override end() {
        throw new Error('QUIT cannot be written')
      }
    }
    const server = await place.listen()
    const [polite] = await place.connect(server, Polite)
    const [other] = await place.connect(server, Client)
    await place.pass(place.engine.stop({ timeout: 1000 }))
    t.same([polite.state, other.state, server.state], ['closed', 'closed', 'closed'])
    t.match(place.logged.splice(0), [/^stop: Error: QUIT cannot be written/])
  },

  async 'nor does a close that throws, while the server closes'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override close(flush = false) {
          if (flush) throw new Error('not politely')
          super.close()
        }
      },
      { end_timeout: 20 },
    )
    const [first] = await place.connect(server, Client)
    const [second] = await place.connect(server, Client)
    server.end()
    t.equal(await place.pass(server.closed), 'timeout')
    await Promise.all([first.closed, second.closed])
    t.match(place.logged.splice(0), [/not politely/, /not politely/])
  },

  // What had begun to end before stop lost its deadline to it: stop cancels all timers of the
  // program, and these were among them.
  async 'what was ending already still ends in time'(t, place) {
    const server = await place.listen(Stuck)
    const peer = await place.peer(server)
    const [connection] = [...server.channels] as Stuck[]
    connection!.end_timeout = 40
    connection!.end()
    await place.pass(place.engine.stop({ timeout: Infinity }))
    t.same(connection!.closes, ['timeout'])
    peer.transport.destroy()
    await until(() => peer.log.at(-1) === 'closed')
  },

  // write() and end() right after connect(): what was written was dropped in silence.
  async 'what was written while connecting is sent by end()'(t, place) {
    const read: string[] = []
    class Keeping extends Connection {
      override encoding = 'utf8' as const
      override on_read(text: string) {
        read.push(text)
      }
      override on_close() {
        read.push('end')
      }
    }
    const server = await place.listen(Keeping)
    const [client, halved] = [1, 2].map(() =>
      new Client({ engine: place.engine }).connect(server.local_address!),
    ) as [Client, Client]
    client.write('hello ')
    client.write('you')
    client.end()
    t.equal(await place.pass(client.closed), 'local')
    await place.passUntil(() => read.includes('end'))
    t.equal(read.splice(0).join(''), 'hello youend')
    halved.write('half')
    halved.half_close()
    halved.end()
    await place.pass(halved.closed)
    await place.passUntil(() => read.includes('end'))
    t.equal(read.join(''), 'halfend')
  },

  async 'ended while connecting to nobody: the loss is told'(t, place) {
    const server = await place.listen()
    const address = server.local_address!
    server.close()
    await place.pass(server.closed)
    const told: (string | undefined)[] = []
    class Told extends Client {
      override on_connect_error(error: ConnectError) {
        told.push(error.code)
      }
    }
    const client = new Told({ engine: place.engine }).connect(address)
    client.write('lost')
    client.end()
    t.equal(await place.pass(client.closed), 'error')
    t.match(told, [/ECONNREFUSED|ENOENT/])
  },
} satisfies Record<string, Scenario>)

await overEveryNetwork(t, scenarios, 'by hand')

// Only the machine's own network takes its time to connect.
t.test('stopping while it connects', async t => {
  const logged: string[] = []
  const engine = new Engine({ log: message => logged.push(message) })
  const reasons: string[] = []
  class Waiting extends Client {
    override on_close(reason: string) {
      reasons.push(reason)
    }
  }
  const clients = [
    new Waiting({ engine }).connect(['silent.invalid', 80], { lookup: () => {} }),
    // Its own way to end has a bug.
    new (class extends Waiting {
      override end() {
        throw new TypeError('a bug')
      }
    })({ engine }).connect(['silent.invalid', 80], { lookup: () => {} }),
  ]
  await engine.stop({ timeout: 20_000 })
  t.same(
    clients.map(client => client.state),
    ['closed', 'closed'],
  )
  t.same(reasons, ['drain', 'drain'])
  t.match(logged, [/^stop: TypeError: a bug/])
})
