/**
 * Servers and engines: many connections, closing with busy and stalled ones, bounds, suspending.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import type { StreamServer } from '../../src/channels/servers/stream-server.ts'
import { turn, until } from '../kit.ts'
import { overEveryNetwork, type Place, type Scenario } from './networks.ts'

/** So many clients, connected, and their other ends. */
async function connectAll(place: Place, server: StreamServer, count: number): Promise<Client[]> {
  const clients = Array.from({ length: count }, () => {
    const client = new Client({ engine: place.engine, encoding: 'latin1' })
    client.on_error = () => client.close()
    return client.connect(server.local_address!)
  })
  await Promise.all(clients.map(client => client.opened))
  await until(
    () =>
      server.channels.size === count && [...server.channels].every(channel => channel.connected),
  )
  return clients
}

const scenarios: Record<string, Scenario> = {
  async 'many connections close at once'(t, place) {
    // A handshake takes 2 ms of processor time, and closing is the same after it.
    const count = place.isTls ? 50 : 200
    const left: number[] = []
    const server = await place.listen(
      class extends Connection {
        // A client that closes before it has read the session tickets of TLS 1.3 resets the
        // connection.
        override on_error() {
          this.close()
        }
        override on_close() {
          left.push(this.server.channels.size)
        }
      },
    )
    const clients = await connectAll(place, server, count)
    for (const client of clients) client.close()
    await Promise.all(clients.map(client => client.closed))
    await until(() => left.length === count)
    t.same(
      left,
      Array.from({ length: count }, (_, n) => count - 1 - n),
      'each is gone when its on_close is called',
    )

    const others = await connectAll(place, server, count)
    server.close()
    t.equal(await server.closed, 'local')
    t.equal(server.channels.size, 0)
    await Promise.all(others.map(client => client.closed))
    t.ok(others.every(client => client.state === 'closed'))
  },

  async 'a server closes with busy connections'(t, place) {
    const reasons: string[] = []
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          this.write(Buffer.alloc(100_000))
        }
        override on_write() {
          this.write(Buffer.alloc(1000))
        }
        override on_close(reason: string) {
          reasons.push(reason)
        }
      },
    )
    const clients = await connectAll(place, server, 5)
    await until(() => clients.every(client => client.bytes_read > 0))
    const { closed } = server
    server.close()
    server.close()
    t.equal(await closed, 'local')
    t.same(reasons, Array(5).fill('drain'))
    await Promise.all(clients.map(client => client.closed))
  },

  async 'a server ends with busy connections'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          this.write('x'.repeat(50_000))
        }
      },
    )
    const clients = await connectAll(place, server, 5)
    const sizes = clients.map(() => 0)
    for (const [n, client] of clients.entries())
      client.on_read = (data: string) => void (sizes[n]! += data.length)
    // None of them has read all when the server ends, and none loses anything.
    for (const connection of server.channels) connection.write('y')
    server.end()
    t.equal(await server.closed, 'local')
    await Promise.all(clients.map(client => client.closed))
    t.same(
      clients.map(client => client.bytes_read),
      Array(5).fill(50_001),
    )
  },

  async 'ending is bounded, whoever stalls'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override end_timeout = Infinity
        override on_connect() {
          this.write(Buffer.alloc(500_000))
        }
      },
      { end_timeout: 20 },
    )
    const peer = await place.peer(server)
    const [connection] = server.channels
    server.end()
    await server.closed
    t.equal(await connection!.closed, 'drain')
    peer.transport.destroy()
  },

  async 'engine.stop with stalled peers'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          this.write(Buffer.alloc(500_000))
        }
      },
    )
    const peers = await Promise.all([1, 2, 3].map(() => place.peer(server)))
    await until(() => server.channels.size === 3)
    const connections = [...server.channels]
    const started = place.engine.start()
    await place.engine.stop({ timeout: 20 })
    await started
    t.same(
      connections.map(connection => connection.state),
      ['closed', 'closed', 'closed'],
    )
    t.same(await Promise.all(connections.map(connection => connection.closed)), [
      'drain',
      'drain',
      'drain',
    ])
    t.equal(await server.closed, 'drain')
    for (const peer of peers) peer.transport.destroy()
    await turn()
  },

  async 'max_connections is exact'(t, place) {
    // What is refused is refused before any handshake, which its client takes for a failed one.
    if (place.isTls) return
    const drops: string[] = []
    let most = 0
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          most = Math.max(most, this.server.channels.size)
        }
      },
      { max_connections: 10 },
    )
    server.on_drop = reason => void drops.push(reason)
    const clients = Array.from({ length: 30 }, () => {
      const client = new Client({ engine: place.engine })
      client.on_error = () => client.close()
      return client.connect(server.local_address!)
    })
    await until(
      () =>
        drops.length === 20 && clients.filter(client => client.state === 'closed').length === 20,
    )
    t.same([server.channels.size, most], [10, 10])
    t.same(drops, Array(20).fill('max_connections'))
    // As many as leave may come.
    const open = clients.filter(client => client.connected)
    for (const client of open.slice(0, 3)) client.close()
    await until(() => server.channels.size === 7)
    const next = await Promise.all(
      [1, 2, 3].map(
        () => new Client({ engine: place.engine }).connect(server.local_address!).opened,
      ),
    )
    await until(() => server.channels.size === 10)
    t.equal(drops.length, 20)
    t.ok(next.every(client => client.connected))
  },

  async 'suspending a server stops its connections, and what was suspended by itself stays so'(
    t,
    place,
  ) {
    // A client's handshake waits for the server to be resumed.
    if (place.isTls) return
    const reads: string[] = []
    const server = await place.listen(
      class extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter = '\n'
        override on_read(line: string) {
          reads.push(line)
        }
      },
    )
    const [first, firstEnd] = await place.connect(server, Client)
    const [second, secondEnd] = await place.connect(server, Client)
    secondEnd.suspend()
    server.suspend()
    first.write('from first\n')
    second.write('from second\n')
    const third = await new Client({ engine: place.engine }).connect(server.local_address!).opened
    third.write('from third\n')
    for (let n = 0; n < 50; n++) await turn()
    t.same(reads, [])
    t.equal(server.channels.size, 2, 'nobody is accepted')
    t.same([firstEnd.suspended, secondEnd.suspended], [true, true])
    firstEnd.write('writing goes on')
    await until(() => first.bytes_read > 0)
    server.resume()
    await until(() => reads.length === 2)
    t.same(reads.sort(), ['from first', 'from third'])
    t.equal(server.channels.size, 3)
    secondEnd.resume()
    await until(() => reads.length === 3)
    t.equal(reads[2], 'from second')
  },

  async 'a suspended peer is felt'(t, place) {
    if (place.isTrickling) return
    const server = await place.listen()
    const [client, connection] = await place.connect(server, Client)
    connection.suspend()
    let size = 0
    while (client.bytes_queued < 200_000 && size < 60_000_000) {
      client.write(Buffer.alloc(100_000))
      size += 100_000
      await turn()
    }
    t.ok(size < 60_000_000)
    connection.resume()
    await until(() => connection.bytes_read === size)
    client.end()
    await connection.closed
  },

  async 'two engines share nothing'(t, place) {
    const server = await place.listen()
    const other = new (class extends Client {})({ engine: place.engine })
    await other.connect(server.local_address!).opened
    await until(() => server.channels.size === 1)
    t.equal(place.engine.channels.size, 3)
    t.notOk(new Client().engine.channels.has(other))
    await place.engine.stop()
    t.equal(place.engine.channels.size, 0)
    const again = await place.listen()
    t.ok(again.listening, 'and goes on after a stop')
  },
}

await overEveryNetwork(t, scenarios)
