/** Bounds, over every network: what is held for peers that stall, over all of them. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import type { OverflowError } from '../../src/errors.ts'
import { until } from '../kit.ts'
import { overEveryNetwork, type Peer, type Place, type Scenario } from './networks.ts'

function peers(place: Place, server: Parameters<Place['peer']>[0], count: number): Promise<Peer[]> {
  return Array.from({ length: count }).reduce<Promise<Peer[]>>(
    async all => [...(await all), await place.peer(server)],
    Promise.resolve([]),
  )
}

const scenarios: Record<string, Scenario> = {
  // Ten peers that stalled in the middle of a message held 400 MB of a server whose bound was one
  // for each.
  async 'peers that stall in the middle of a message'(t, place) {
    const LIMIT = 1_000_000
    place.engine.buffer_limit = LIMIT
    const reasons: string[] = []
    const errors: OverflowError[] = []
    const server = await place.listen(
      class extends Connection {
        override read_delimiter = '\n'
        override buffer_size = 1_000_000
        override on_overflow_error(error: Error) {
          errors.push(error as OverflowError)
          this.close()
        }
        override on_close(reason: string) {
          reasons.push(reason)
        }
      },
    )
    const all = await peers(place, server, 10)
    let most = 0
    for (const [n, peer] of all.entries()) {
      peer.transport.resume()
      // The first sends most, so it is told; without it there is room for the others.
      peer.write(Buffer.alloc(n === 0 ? 300_000 : 100_000, 'x'))
    }
    await until(() => {
      most = Math.max(most, place.engine.stats().bytes_held)
      return (
        reasons.length === 1 &&
        [...server.channels].every(channel => channel.bytes_read === 100_000)
      )
    })
    t.same([reasons, server.channels.size], [['overflow'], 9])
    t.match(errors, [{ buffer: 'engine', limit: LIMIT }])
    t.ok(most <= LIMIT + 10 * 16_384 + 65_536, `${most} bytes at most`)
    // The others are served, all the same.
    for (const peer of all) if (!peer.log.includes('closed')) peer.write('\n')
    await until(() => place.engine.stats().bytes_held === 0)
    for (const peer of all) peer.transport.destroy()
  },

  async 'peers that take nothing'(t, place) {
    const LIMIT = 2_000_000
    place.engine.buffer_limit = LIMIT
    const reasons: string[] = []
    const server = await place.listen(
      class extends Connection {
        override on_error() {
          this.close()
        }
        override on_close(reason: string) {
          reasons.push(reason)
        }
      },
    )
    const all = await peers(place, server, 5)
    let most = 0
    // Small writes, so that none of them alone is much; a system takes some MB before a peer is
    // felt.
    for (let n = 0; n < 4000 && reasons.length === 0; n++) {
      for (const channel of server.channels) channel.write('x'.repeat(4000))
      most = Math.max(most, place.engine.stats().bytes_held)
      if (n % 20 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    t.ok(reasons.includes('overflow'))
    t.ok(most <= LIMIT + 5 * (65_536 + 16_384), `${most} bytes at most`)
    for (const peer of all) peer.transport.destroy()
    server.close()
  },

  async 'a client that reads nothing holds its own, and disturbs no other'(t, place) {
    place.engine.buffer_limit = 3_000_000
    const server = await place.listen(
      class extends Connection {
        override on_read(data: Buffer) {
          this.write(data)
        }
        override on_error() {
          this.close()
        }
      },
    )
    const [lazy, held] = await place.connect(server, Client)
    lazy.suspend()
    const [busy] = await place.connect(server, Client)
    let size = 0
    busy.on_read = (data: Buffer) => void (size += data.length)
    held.write(Buffer.alloc(20_000_000))
    t.equal(await held.closed, 'overflow')
    busy.write(Buffer.alloc(100_000))
    await until(() => size === 100_000)
    lazy.close()
    busy.close()
  },
}

await overEveryNetwork(t, scenarios)
