/**
 * Any call in any hook: servers, clients and datagrams on one engine, whose hooks make random
 * calls, throw, and return promises that reject late. Whatever they do: the hooks keep their order,
 * only documented errors are thrown, nothing is an unhandled rejection, the engine stops in time,
 * and nothing is left.
 */

import { BlockList } from 'node:net'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Datagram } from '../../src/channels/datagrams/datagram.ts'
import { Engine } from '../../src/engine.ts'
import { FastNetwork } from '../../src/io/fast/network.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import type { Network } from '../../src/transport.ts'
import { CALLS, TLS_CALLS, tlsOptions } from './random-calls.ts'
import { garbage, pick, type Random, type Target } from './target.ts'
import { World } from './world.ts'

/** How many calls the hooks of one round may make. */
const MOST_CALLS = 400

/** How many turns engine.stop may take with nothing else to do. Its timeout is 50 ms. */
const MOST_TURNS = 400

/** What a network needs so that things happen on it. */
interface Place {
  readonly network: Network
  readonly clock?: ManualClock
  /** One step: a turn of the loop, and whatever the network does in it. */
  step(random: Random): Promise<void>
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Everything on it happens when it is told to, so that a seed shows the same again. */
function memory(random: Random): Place {
  const network = new MemoryNetwork({ chunk: () => 1 + random(2 ** random(17)) })
  const clock = new ManualClock()
  return {
    network,
    clock,
    async step(random) {
      await turn()
      clock.advance(random(3))
      network.pump(random(3) === 0 ? 1 + random(1000) : undefined)
    },
  }
}

let fast: FastNetwork | undefined

function sockets(random: Random): Place {
  const network = random(2) === 0 ? new NodeNetwork() : (fast ??= new FastNetwork())
  return { network, step: turn }
}

function makeChannels(world: World, isTls: boolean): void {
  const { random, engine } = world
  class Watched extends Connection {
    constructor(options: ConstructorParameters<typeof Connection>[0]) {
      super(options)
      world.add(this)
    }
  }
  const trusted = new BlockList()
  trusted.addSubnet('127.0.0.0', 8)
  const isProxied = random(4) === 0
  const server = world.add(
    new Server(Watched, {
      engine,
      ...(isTls && random(2) === 0 && { tls: tlsOptions(new Server(Watched, { engine })) }),
      ...(isProxied && {
        proxy_protocol: pick(random, ['require', 'optional'] as const),
        proxy_trusted: trusted,
        proxy_timeout: 20,
      }),
    }),
  )
  server.listen(['127.0.0.1', 0])
  for (let n = 1 + random(3); n > 0; n--) {
    const client = world.add(new Client({ engine, read_delimiter: pick(random, [null, '\n', 3]) }))
    if (isTls && random(2) === 0) client.tls = tlsOptions(client)
    const connected = client.on_connect
    client.on_connect = () => {
      if (isProxied) client.write(hello(random))
      // The write may have been too much, which closes it.
      if (client.state === 'active') return connected.call(client)
    }
  }
  for (let n = random(3); n > 0; n--) {
    const datagram = world.add(new Datagram({ engine }))
    if (random(2) === 0) datagram.listen(['127.0.0.1', 0])
  }
}

/** What a proxy says first, or somebody who is none. */
function hello(random: Random): string | Buffer {
  const header = 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'
  return pick(random, [header, 'PROXY UNKNOWN\r\n', header.slice(0, 9), garbage(random, 20)])
}

/** Lets the engine stop, and what is late come. Returns false if it takes too long. */
async function stop(world: World, place: Place): Promise<boolean> {
  let isStopped = false
  void world.engine.stop({ timeout: 50 }).then(() => (isStopped = true))
  const until = performance.now() + 5000
  for (let n = 0; !isStopped || world.isWaiting; n++) {
    if (place.clock === undefined ? performance.now() > until : n > MOST_TURNS) return false
    await place.step(world.random)
  }
  for (let n = 0; n < 10; n++) await place.step(world.random)
  return true
}

async function round(random: Random, place: Place, isTls: boolean): Promise<string[]> {
  const log = (message: string, error?: unknown): void => world.log(message, error)
  const { network, clock } = place
  const engine = new Engine({ network, log, ...(clock && { clock }) })
  const calls = isTls ? [...CALLS, ...TLS_CALLS] : CALLS
  const world: World = new World(random, engine, calls, MOST_CALLS)
  const unhandled = (error: unknown): void =>
    world.complain(`unhandled: ${(error as Error)?.stack ?? String(error)}`)
  process.on('unhandledRejection', unhandled)
  makeChannels(world, isTls)
  for (let n = 20 + random(60); n > 0; n--) {
    if (random(2) === 0) world.act()
    await place.step(random)
  }
  world.calm()
  if (!(await stop(world, place))) world.complain('engine.stop takes too long')
  await turn()
  process.off('unhandledRejection', unhandled)
  world.end()
  if (network instanceof MemoryNetwork && network.transports.length > 0)
    world.complain(`${network.transports.length} transports are left`)
  if (clock !== undefined && clock.pending > 0) world.complain(`${clock.pending} timers are left`)
  return world.wrong
}

export const callsInMemory: Target = {
  name: 'calls, in memory',
  round: random => round(random, memory(random), false),
}

export const callsOverTls: Target = {
  name: 'calls, TLS in memory',
  round: random => round(random, memory(random), true),
}

export const callsOverSockets: Target = {
  name: 'calls, sockets',
  round: random => round(random, sockets(random), random(4) === 0),
}
