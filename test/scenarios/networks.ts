/**
 * The networks that every scenario runs over, with the same expectations: memory, trickling memory,
 * tcp, trickling tcp, unix, the fast network over tcp and unix, the network of Bun over both, and
 * TLS over tcp, over the fast network, over that of Bun, over unix and over trickling memory.
 *
 * A scenario gets a `Place`: an engine on one of them, on the clock of the machine or on one whose
 * time passes only when the scenario says so. When it returns, the engine is stopped, and then
 * nothing may be left: no channel, no socket, no timer, no line in the log that the scenario has
 * not taken out itself.
 */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { ServerLink } from '../../src/channels/servers/server-link.ts'
import type { StreamServerOptions } from '../../src/channels/servers/server-options.ts'
import type { StreamServer } from '../../src/channels/servers/stream-server.ts'
import type { Stream } from '../../src/channels/streams/stream.ts'
import type { StreamLink } from '../../src/channels/streams/stream-link.ts'
import { parseAddress } from '../../src/core/address.ts'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { tlsContext } from '../../src/io/tls.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import type { Network, Transport } from '../../src/transport.ts'
import type { Address, SocketAddress } from '../../src/types.ts'
import { ifBun } from '../bun-network.ts'
import { testCertificates } from '../certificates.ts'
import { NO_DUPLEX_TLS } from '../duplex-tls.ts'
import { ifFast } from '../fast-network.ts'
import { turn, until } from '../kit.ts'
import { TlsNetwork } from './conformance/tls-network.ts'

/** How many ms a scenario may take. The longest takes a second if nobody else is busy. */
const TIMEOUT = Number(process.env.SCENARIO_MS ?? 120_000)

export type Scenario = (t: Test, place: Place) => Promise<void>

interface Made {
  readonly network: Network
  /** What bare peers connect through. Default: `network`. */
  readonly peers?: Network
  readonly address: () => Address
  /** What must hold when all scenarios are over. */
  end?(t: Test): void
}

type Make = (t: Test) => Made

/**
 * Made here, and not where it is used: making it opens sockets for a turn, and what is open is
 * counted there.
 */
const FAST = ifFast(fast => ({ fast })).fast
const BUN = ifBun(bun => ({ bun })).bun
await turn()
await turn()

const LOOPBACK: Address = ['127.0.0.1', 0]

const NETWORKS: Record<string, Make> = {
  memory: () => ({ network: new MemoryNetwork({ auto: true }), address: () => LOOPBACK }),
  'memory, trickling': () => ({
    network: new TrickleNetwork(new MemoryNetwork({ auto: true }), pieces()),
    address: () => LOOPBACK,
  }),
  tcp: () => ({ network: new NodeNetwork(), address: () => LOOPBACK }),
  'tcp, trickling': () => ({
    network: new TrickleNetwork(new NodeNetwork(), pieces()),
    address: () => LOOPBACK,
  }),
  unix: t => onPaths(t, new NodeNetwork()),
  ...(FAST && {
    'tcp, fast': () => ({ network: FAST, address: () => LOOPBACK }),
    'unix, fast': (t: Test) => onPaths(t, FAST),
  }),
  ...(BUN && {
    'tcp, bun': () => ({ network: BUN, address: () => LOOPBACK }),
    'unix, bun': (t: Test) => onPaths(t, BUN),
  }),
  tls: t => overTls(NETWORKS.tcp!(t)),
  ...(BUN && { 'tls, bun': (t: Test) => overTls(NETWORKS['tcp, bun']!(t)) }),
  ...(FAST && { 'tls, fast': (t: Test) => overTls(NETWORKS['tcp, fast']!(t)) }),
  'tls, unix': t => overTls(NETWORKS.unix!(t)),
  ...(!NO_DUPLEX_TLS && {
    'tls, trickling memory': (t: Test) => overTls(NETWORKS['memory, trickling']!(t)),
  }),
}

function onPaths(t: Test, network: Network): Made {
  // Not t.testdir(): a socket's path has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  let count = 0
  return {
    network,
    address: () => join(folder, `${++count}`),
    end: t => t.same(readdirSync(folder), [], 'no path is left'),
  }
}

/** Every stream on it speaks TLS from the first byte on, whatever the program says. */
function overTls({ network, ...made }: Made): Made {
  const { ca, server } = testCertificates()
  const near = { context: tlsContext('client', { ca: ca.cert }), host: 'localhost' }
  const far = tlsContext('server', { key: server.key, cert: server.cert })
  return {
    ...made,
    peers: new TlsNetwork(network, near.context, far),
    network: {
      packets: options => network.packets(options),
      connect(to, options) {
        const transport = network.connect(to, options)
        // The stream has attached its link before the turn ends.
        queueMicrotask(() => (transport.sink as StreamLink).demandTls(near))
        return transport
      },
      listen(at, options) {
        const listener = network.listen(at, options)
        // The engine sets the sink before the turn ends.
        queueMicrotask(() => ((listener.sink as ServerLink).tls = far))
        return listener
      },
    },
  }
}

/** Its turns are those of the loop; its time passes by hand. */
export class HandClock extends ManualClock {
  override soon(callback: () => void): void {
    setImmediate(callback)
  }
}

/** Runs the scenarios over every network; `clock`: what each of them has its time from. */
export async function overEveryNetwork(
  t: Test,
  scenarios: Record<string, Scenario>,
  clock: 'of the machine' | 'by hand' = 'of the machine',
): Promise<void> {
  for (const [name, make] of Object.entries(NETWORKS)) {
    await t.test(name, async t => {
      const made = make(t)
      for (const [title, scenario] of Object.entries(scenarios)) {
        await t.test(title, { timeout: TIMEOUT }, async t => {
          const place = new Place(name, made, clock === 'by hand' ? new HandClock() : undefined)
          await scenario(t, place)
          await place.end(t)
        })
      }
      made.end?.(t)
    })
  }
}

export class Place {
  readonly name: string
  readonly network: Network
  readonly engine: Engine
  /** What was logged. */
  readonly logged: string[] = []
  readonly #peers: Network
  readonly #address: () => Address
  readonly #clock: HandClock | undefined
  readonly #before = resources()

  constructor(name: string, { network, address, peers = network }: Made, clock?: HandClock) {
    this.name = name
    this.network = network
    this.#clock = clock
    this.engine = new Engine({
      network,
      ...(clock && { clock }),
      log: message => this.logged.push(message),
    })
    this.#peers = peers
    this.#address = address
  }

  get isTrickling(): boolean {
    return this.name.includes('trickling')
  }

  get isTls(): boolean {
    return this.name.includes('tls')
  }

  /** Where nobody listens yet. */
  address(): Address {
    return this.#address()
  }

  /** Listens, and waits until it does. */
  async listen<Of extends StreamServer = Server>(
    server: Of | (new (options: any) => Connection) = Connection,
    options: StreamServerOptions = {},
  ): Promise<Of> {
    const listening =
      typeof server === 'function'
        ? new Server(server, { engine: this.engine, ...options })
        : server
    await listening.listen(this.address()).opened
    return listening as unknown as Of
  }

  /** A client of that class, connected to the server, and its other end. */
  async connect<Near extends Client>(
    server: StreamServer,
    ClientClass: new (options: any) => Near,
    options: object = {},
  ): Promise<[client: Near, connection: Connection]> {
    const before = new Set(server.channels)
    const client = new ClientClass({ engine: this.engine, ...options })
    client.connect(server.local_address as SocketAddress)
    await client.opened
    const find = (): Connection | undefined =>
      [...server.channels].find(channel => !before.has(channel)) as Connection | undefined
    await until(() => find()?.connected)
    return [client, find() as Connection]
  }

  /** A peer that knows nothing of channels: it reads and does only what it is told to. */
  async peer(server: StreamServer): Promise<Peer> {
    const before = server.channels.size
    const peer = new Peer(this.#peers.connect(parseAddress(server.local_address as Address), {}))
    let isAccepted = false
    await until(() => {
      // It may have closed again before the peer has opened.
      isAccepted ||= server.channels.size > before
      const isReady = [...server.channels].every(channel => !channel.connecting)
      return isAccepted && isReady && peer.log.length > 0
    })
    return peer
  }

  /** Lets time pass by hand, a millisecond in each turn of the loop, until that is so. */
  async passUntil(isSo: () => unknown): Promise<void> {
    while (!isSo()) {
      this.#clock!.advance(1)
      await turn()
    }
  }

  /** Lets time pass by hand until that has settled. */
  async pass<Of>(promise: Promise<Of>): Promise<Of> {
    let isSettled = false
    const settled = promise.finally(() => (isSettled = true))
    await this.passUntil(() => isSettled)
    return settled
  }

  /** Stops the engine, and looks for what is left. */
  async end(t: Test): Promise<void> {
    const stopped = this.engine.stop({ timeout: 2000 })
    await (this.#clock === undefined ? stopped : this.pass(stopped))
    const channels = [...this.engine.channels]
    for (let turns = 0; turns < 100 && resources() !== this.#before; turns++) await turn()
    t.strictSame(
      { channels, resources: resources(), logged: this.logged },
      { channels: [], resources: this.#before, logged: [] },
      'no channel, no socket, no timer is left, and nothing is logged that was not expected',
    )
  }
}

/** A bare transport, and what it reported. */
export class Peer {
  readonly transport: Transport
  readonly log: string[] = []
  text = ''

  constructor(transport: Transport) {
    this.transport = transport
    transport.sink = {
      opened: () => this.log.push('opened'),
      received: chunk => void (this.text += chunk.toString('latin1')),
      drained: () => this.log.push('drained'),
      ended: () => this.log.push('ended'),
      failed: error => this.log.push(`failed ${error.code}`),
      closed: () => this.log.push('closed'),
    }
  }

  write(data: string | Uint8Array): boolean {
    return this.transport.write(data, 'latin1')
  }
}

/** All that is to be closed has closed. */
export function allClosed(...channels: Stream[]): Promise<unknown> {
  return Promise.all(channels.map(channel => channel.closed))
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Sizes of pieces: mostly tiny ones, and some large enough to come to an end. */
function pieces(): () => number {
  const random = seeded(7)
  return () => 1 + Math.floor(random() * (random() < 0.6 ? 3 : 6000))
}

/** Sockets and timers of this process; tap has some of its own, so they are compared. */
function resources(): string {
  return process
    .getActiveResourcesInfo()
    .filter(name => /TCP|Pipe|Timeout|Addr/.test(name))
    .sort()
    .join(' ')
}
