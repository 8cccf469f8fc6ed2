/**
 * Timeouts, over every network: peers that are silent, that take nothing, that are slow. Time
 * passes by hand, when what must come before it has come: a busy machine changes nothing.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Engine } from '../../src/engine.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import type { Network } from '../../src/transport.ts'
import { ifFast } from '../fast-network.ts'
import { fate, turn, until } from '../kit.ts'
import { HandClock, overEveryNetwork, type Peer, type Place, type Scenario } from './networks.ts'

const scenarios: Record<string, Scenario> = {
  async 'a peer that says nothing, though we write all the time'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override read_timeout = 40
      },
    )
    const peer = await place.peer(server)
    const [connection] = server.channels
    const stop = place.engine.cycle(2, () => connection!.write('ping'))
    await place.passUntil(() => connection!.state === 'closed')
    t.equal(await connection!.closed, 'timeout')
    stop()
    t.match(place.logged.splice(0), [/nothing was received for longer than read_timeout, 40 ms/])
    peer.transport.destroy()
  },

  async 'a peer that takes nothing'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override write_timeout = 40
        override on_connect() {
          this.write(Buffer.alloc(8_000_000))
        }
      },
    )
    const peer = await place.peer(server)
    const [connection] = server.channels
    const stop = place.engine.cycle(2, () => connection!.write('more'))
    await place.passUntil(() => connection!.state === 'closed')
    t.equal(await connection!.closed, 'timeout')
    stop()
    t.match(place.logged.splice(0), [
      /the peer took nothing of what was sent for longer than write_timeout, 40 ms/,
    ])
    peer.transport.destroy()
  },

  async 'nothing moves'(t, place) {
    const server = await place.listen()
    const [client, connection] = await place.connect(server, Client, { idle_timeout: 40 })
    await place.passUntil(() => client.state === 'closed')
    t.equal(await client.closed, 'timeout')
    t.equal(await connection.closed, 'remote')
    t.match(place.logged.splice(0), [
      /nothing was received or sent for longer than idle_timeout, 40 ms/,
    ])
  },

  async 'a long life'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override on_read(data: Buffer) {
          this.write(data)
        }
        // An answer may be on its way when the client closes.
        override on_error() {
          this.close()
        }
      },
    )
    const [client] = await place.connect(
      server,
      class extends Client {
        override max_lifetime = 40
        override on_read(data: Buffer) {
          this.write(data)
        }
      },
    )
    client.write('ping')
    await until(() => client.bytes_read > 0)
    await place.passUntil(() => client.state === 'closed')
    t.equal(await client.closed, 'timeout')
    t.match(place.logged.splice(0), [/it was open for longer than max_lifetime, 40 ms/])
    t.ok(client.bytes_read > 0)
  },

  async 'a timeout that is let pass'(t, place) {
    const server = await place.listen()
    const kinds: string[] = []
    const [client] = await place.connect(
      server,
      class extends Client {
        override read_timeout = 10
        override on_timeout(kind: string) {
          if (kinds.push(kind) === 3) this.end()
        }
      },
    )
    await place.passUntil(() => client.state === 'closed')
    t.equal(await client.closed, 'timeout')
    t.same(kinds, ['read', 'read', 'read'])
  },
}

/**
 * The bug: the timers of a process that had stood still rang before it read what the peers had
 * sent meanwhile, and every one of them was closed. On Bun and Deno so were those that waited for
 * what comes `soon`.
 */
async function standsStill(t: Test, place: Place): Promise<void> {
  // It hands on what it has read in later turns.
  if (place.isTrickling) return
  const live: Peer[] = []
  const send = (): void => live.forEach(peer => peer.write('alive'))
  const server = await place.listen(
    class extends Connection {
      override read_timeout = 200
      override idle_timeout = 200
      override on_read(data: Buffer) {
        if (!data.includes('compute')) return
        send()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
      }
    },
  )
  // Each time the timers ring, those of the program come first: what it sends is there to be read.
  const stop = place.engine.cycle(20, send)
  for (let count = 0; count < 20; count++) live.push(await place.peer(server))
  const silent = await place.peer(server)
  const dead = [...server.channels].at(-1)!
  live[0]!.write('compute')
  t.equal(await dead.closed, 'timeout')
  t.equal(server.channels.size, live.length)
  stop()
  t.match(place.logged.splice(0), [/nothing was received for longer than read_timeout, 200 ms/])
  for (const peer of [...live, silent]) peer.transport.destroy()
}

await overEveryNetwork(t, scenarios, 'by hand')
await overEveryNetwork(t, { 'a process that stands still, among peers that send': standsStill })

// A write of 32 MB is one to Node, which says that it has gone when all of it has: a peer that
// reads slowly took nothing, then.
async function slowPeer(t: Test, network: Network): Promise<void> {
  const clock = new HandClock()
  const engine = new Engine({ network, clock, log: message => logged.push(message) })
  const logged: string[] = []
  const server = new Server(
    class extends Connection {
      override write_timeout = 8000
    },
    { engine },
  ).listen(['127.0.0.1', 0])
  await until(() => server.listening)
  const client = new Client({ engine }).connect(server.local_address!)
  await until(() => server.channels.size === 1 && client.connected)
  const connection = [...server.channels][0]!
  const size = 32_000_000
  connection.write(Buffer.alloc(size), true)
  client.suspend()
  while (client.bytes_read < size / 2) {
    const before = connection.bytes_written
    client.resume()
    await until(() => connection.bytes_written > before)
    client.suspend()
    clock.advance(7000)
    t.equal(connection.state, 'active')
  }
  t.ok(connection.bytes_queued > 0)
  t.ok(clock.now() > 16_000, `slow for ${clock.now()} ms`)
  // Some of it may be on its way still, and put the end off.
  while (connection.state !== 'closed') {
    clock.advance(1000)
    await turn()
  }
  t.equal(await fate(connection.closed), 'timeout')
  t.equal(logged.length, 1)
  client.close()
  server.close()
  await until(() => engine.channels.size === 0)
}

for (const [name, network] of Object.entries({
  tcp: new NodeNetwork(),
  ...ifFast(network => ({ 'tcp, fast': network })),
})) {
  t.test(`over ${name} a peer that is slow is never closed`, { timeout: 120_000 }, t =>
    slowPeer(t, network),
  )
}
