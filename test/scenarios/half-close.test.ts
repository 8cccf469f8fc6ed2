/**
 * Half-close over every network: our side ends, and reading goes on until the peer has ended, too.
 * A relay of two streams passes on everything, ends included, in both directions.
 */

import { Buffer } from 'node:buffer'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { Stream } from '../../src/channels/streams/stream.ts'
import { Engine } from '../../src/engine.ts'
import { FastNetwork } from '../../src/io/fast/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import type { Address } from '../../src/types.ts'
import { turn, until } from '../kit.ts'
import { allClosed, overEveryNetwork, type Place } from './networks.ts'

/** How much goes each way. `npm run relay`: 200 MB. */
const MUCH = Number(process.env.RELAY_MB ?? 6) * 1_000_000

/** Answers when its input has ended, and only then, as `sort` does. */
class Sort extends Connection {
  override encoding = 'utf8' as const
  text = ''
  override on_read(text: string) {
    this.text += text
  }
  override on_read_end() {
    this.write(this.text.split(' ').sort().join(' '))
    this.end()
  }
}

/** Keeps what it reads, and what was called. */
class Asking extends Client {
  override encoding = 'utf8' as const
  text = ''
  reasons: string[] = []
  override on_read(text: string) {
    this.text += text
  }
  override on_close(reason: string) {
    this.reasons.push(reason)
  }
}

/** The relay of the guide: two streams, each of which gets what the other one reads. */
function pass(one: Stream, other: Stream): void {
  one.on_read = data => {
    if (!other.write(data)) one.suspend()
  }
  other.on_write = () => one.resume()
  one.on_read_end = () => other.half_close()
  one.on_close = reason => (reason === 'remote' ? other.end() : other.close())
}

function relayTo(target: Address, engine: Engine): new (options: any) => Connection {
  return class Relay extends Connection {
    override backpressure = false
    override on_connect() {
      const far = new Client({ engine }).connect(target)
      pass(this, far)
      pass(far, this)
    }
  }
}

/** A relay to the server. */
function relay(place: Place, server: Server): Promise<Server> {
  return place.listen(relayTo(server.local_address as Address, place.engine))
}

/** Bytes that are never twice the same in a row, and their digest. */
function* bulk(size: number, hash: Hash): Generator<Buffer> {
  for (let sent = 0; sent < size;) {
    const piece = Buffer.alloc(Math.min(64_000, size - sent), `${sent} `)
    hash.update(piece)
    sent += piece.length
    yield piece
  }
}

/** Sends so much, then ends its side; what it reads until the peer ends, it digests. */
function exchange(stream: Stream, size: number) {
  const [sent, got] = [createHash('sha1'), createHash('sha1')]
  const pieces = bulk(size, sent)
  const ended = new Promise<void>(resolve => {
    stream.on_read_end = () => {
      if (stream.state === 'active') resolve()
    }
  })
  stream.on_read = data => void got.update(data)
  stream.on_write = () => {
    for (;;) {
      const { value, done } = pieces.next()
      if (done === true) return stream.half_close()
      if (!stream.write(value)) return
    }
  }
  stream.on_write()
  return { ended, digests: () => [sent.digest('hex'), got.digest('hex')] as const }
}

await overEveryNetwork(t, {
  async 'a peer that answers only after our end'(t, place) {
    const server = await place.listen(Sort)
    const [client] = await place.connect(server, Asking)
    client.write('c b')
    client.write(' a')
    client.half_close()
    client.half_close()
    t.equal(client.write('too late'), false)
    t.equal(client.state, 'active')
    await client.closed
    t.equal(client.text, 'a b c')
    t.same(client.reasons, ['remote'])
  },

  async 'nothing was written, and the peer answers slowly'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override async on_read_end() {
          for (const word of ['one ', 'two ', 'three']) {
            this.write(word)
            await turn()
          }
          this.end()
        }
      },
    )
    const [client] = await place.connect(server, Asking)
    client.half_close()
    await client.closed
    t.equal(client.text, 'one two three')
  },

  // The transport closes by itself when both sides have ended. What was held then was lost.
  async 'both have ended, and reads are held'(t, place) {
    const server = await place.listen(Sort)
    const [client] = await place.connect(server, Asking)
    const [other] = await place.connect(server, Asking)
    client.suspend()
    for (const one of [client, other]) one.write('b a')
    let release!: () => void
    other.on_read = text => {
      other.text += text
      return new Promise<void>(resolve => (release = resolve))
    }
    for (const one of [client, other]) one.half_close()
    if (!place.isTrickling) await until(() => server.channels.size === 0)
    for (let turns = 0; turns < 30; turns++) await turn()
    t.equal(client.state, 'active')
    t.equal(client.text, '')
    client.resume()
    const answered = other.closed
    while (other.state !== 'closed') {
      release?.()
      await turn()
    }
    await Promise.all([client.closed, answered])
    t.same([client.text, other.text], ['a b', 'a b'])
    t.same([client.reasons, other.reasons], [['remote'], ['remote']])
  },

  async 'end() and close() after half_close()'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override on_read_end() {}
      },
    )
    const [client, far] = await place.connect(server, Asking)
    const [other, further] = await place.connect(server, Asking)
    client.half_close()
    other.half_close()
    client.end()
    other.close()
    await other.closed
    far.close()
    further.close()
    await allClosed(client, far, further)
    t.same([client.reasons, other.reasons], [['local'], ['local']])
  },

  async 'a relay passes on both ends'(t, place) {
    const sort = await place.listen(Sort)
    const door = await relay(place, sort)
    const [client] = await place.connect(door, Asking)
    client.write('z y x')
    client.half_close()
    await client.closed
    t.equal(client.text, 'x y z')
    await until(() => place.engine.channels.size === 2)
  },

  async 'a relay passes on much, both ways at once'(t, place) {
    const size = place.isTrickling ? 60_000 : MUCH
    const farEnds: ReturnType<typeof exchange>[] = []
    const server = await place.listen(
      class extends Connection {
        override backpressure = false
        override on_connect() {
          farEnds.push(exchange(this, size))
        }
      },
    )
    const door = await relay(place, server)
    const [client] = await place.connect(door, Client)
    const near = exchange(client, size)
    await client.closed
    await until(() => place.engine.channels.size === 2)
    const [[sent, got], [farSent, farGot]] = [near.digests(), farEnds[0]!.digests()]
    t.same([got, farGot], [farSent, sent])
  },

  async 'a relay passes on what a slow reader takes, and holds no more than its bound'(t, place) {
    const size = place.isTrickling ? 60_000 : 3_000_000
    const far: Connection[] = []
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          far.push(this)
          this.suspend()
        }
      },
    )
    const door = await relay(place, server)
    const [client] = await place.connect(door, Client)
    const near = exchange(client, size)
    await until(() => far.length === 1)
    const slow = far[0] as Connection
    const got = createHash('sha1')
    let most = 0
    slow.on_read = data => {
      got.update(data)
      for (const { bytes_queued } of place.engine.channels as Set<Stream>)
        most = Math.max(most, bytes_queued ?? 0)
      slow.suspend()
      setImmediate(() => slow.resume())
    }
    slow.resume()
    await allClosed(client, slow)
    await until(() => place.engine.channels.size === 2)
    t.equal(got.digest('hex'), near.digests()[0])
    // The mark, and what one turn of the loop brings above it.
    t.ok(most < 1_000_000, `${most} bytes were queued`)
  },

  async 'a relay closes one side when the other has gone'(t, place) {
    const far: Connection[] = []
    const server = await place.listen(
      class extends Connection {
        override on_read() {
          far.push(this)
        }
        override on_error() {
          this.close()
        }
      },
    )
    const door = await relay(place, server)
    for (const side of ['near', 'far']) {
      const peer = await place.peer(door)
      peer.transport.resume()
      peer.write('!')
      await until(() => far.length === 1)
      if (side === 'near') peer.transport.destroy()
      else far[0]!.close()
      if (side === 'far') await until(() => peer.log.includes('ended'))
      peer.transport.end()
      await until(() => server.channels.size === 0 && door.channels.size === 0)
      peer.transport.destroy()
      await until(() => peer.log.at(-1) === 'closed')
      far.pop()
    }
    t.equal(place.engine.channels.size, 2)
    // TLS has a goodbye of its own, which was not read: that is a reset.
    if (place.isTls) place.logged.length = 0
  },
})

const isHere = process.env.CI === 'true' || spawnSync('nc', ['-h']).error === undefined

/** A server that sorts, and a relay to it, both where `at` says. */
async function sortBehindRelay(engine: Engine, at: () => Address): Promise<Server> {
  const sort = await new Server(Sort, { engine }).listen(at()).opened
  const Relay = relayTo(sort.local_address as Address, engine)
  return new Server(Relay, { engine }).listen(at()).opened
}

// `nc -N` ends its side at the end of its input, and prints what it reads until the peer ends.
t.test('nc -N, through a relay', { skip: !isHere && 'nc is not installed' }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  let count = 0
  for (const at of [(): Address => ['127.0.0.1', 0], (): Address => join(folder, `${++count}`)]) {
    const engine = new Engine({ log: message => t.fail(message) })
    const { local_address } = await sortBehindRelay(engine, at)
    const where = typeof local_address === 'string' ? ['-U', local_address] : local_address!
    const nc = spawn('nc', ['-N', ...where.map(String)])
    let text = ''
    nc.stdout.on('data', data => (text += data))
    nc.stdin.end('three two one')
    t.same(await once(nc, 'exit'), [0, null])
    t.equal(text, 'one three two')
    await engine.stop()
  }
})

// A reset is no end: the other side must not take what came before it for all there is.
for (const [name, network] of Object.entries({ tcp: new NodeNetwork(), fast: new FastNetwork() })) {
  t.test(`resets on either side of a relay, ${name}`, async t => {
    const logged: string[] = []
    const engine = new Engine({ network, log: message => logged.push(message) })
    const target = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(target, 'listening')
    const { port } = target.address() as AddressInfo
    const Relay = relayTo(['127.0.0.1', port], engine)
    const door = await new Server(Relay, { engine }).listen(['127.0.0.1', 0]).opened
    const [, at] = door.local_address as [string, number]
    for (const side of ['near', 'far'] as const) {
      const near = connect({ port: at, host: '127.0.0.1', allowHalfOpen: true })
      const [far] = (await once(target, 'connection')) as [Socket]
      const [first, other] = side === 'near' ? [near, far] : [far, near]
      first.write('some of it')
      const [data] = (await once(other, 'data')) as [Buffer]
      t.equal(String(data), 'some of it')
      const closed = once(other, 'close')
      const failed = new Promise(resolve => other.once('error', resolve).once('close', resolve))
      first.resetAndDestroy()
      other.write('more')
      other.end()
      await Promise.all([closed, failed])
      await until(() => door.channels.size === 0 && engine.channels.size === 1)
      t.match(logged.splice(0).join(), /ECONNRESET/, `reset on the ${side} side`)
    }
    target.close()
    await engine.stop()
  })
}
