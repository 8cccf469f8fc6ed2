// Layer 11.

/**
 * For the tests of programs: `import … from 'sluice/testing'`.
 *
 * A network in memory, a clock that a test moves by hand, and `pair()`: both of them, with a client
 * and a connection that are connected. There is no socket, no port and no waiting, so every run is
 * the same.
 *
 * @module sluice/testing
 */

import { Client, Connection, Server } from './channels/basic.ts'
import { Channel } from './channels/channel.ts'
import type { StreamServer } from './channels/servers/stream-server.ts'
import type { Stream } from './channels/streams/stream.ts'
import type { TextChecked, TextCheckedClass } from './channels/streams/text-reads.ts'
import { checkOptions } from './core/options.ts'
import { DRIVE, Engine } from './engine.ts'
import type { EngineOptions } from './engine-options.ts'
import { InvalidArgumentError, InvalidStateError } from './errors.ts'
import { ManualClock } from './io/manual-clock.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from './io/memory/network.ts'
import type { Bytes, Milliseconds } from './types.ts'

export { ManualClock } from './io/manual-clock.ts'
export { MemoryNetwork, type MemoryNetworkOptions } from './io/memory/network.ts'
export { TrickleNetwork } from './io/trickle.ts'

/**
 * A class whose constructor takes options, or a function that makes an object with them:
 * `options => new Caller('me', options)`.
 */
export type Made<Kind> = (new (options: any) => Kind) | ((options: any) => Kind)

/** The options of `pair`. */
export interface PairOptions<
  Near extends Client<any>,
  Far extends Connection<any>,
  Home extends StreamServer = Server,
> {
  /**
   * The client's end: its class, or a function that makes it.
   *
   * @default Recorder, which keeps what it reads
   */
  readonly client?: (Made<Near> & Made<TextChecked>) | undefined
  /**
   * The class of the server's end, usually the one under test.
   *
   * @default that of the server
   */
  readonly connection?: ((new (options: any) => Far) & TextCheckedClass) | undefined
  /**
   * The server: its class, or a function that makes it. The options have `engine`, and
   * `ConnectionClass` if `connection` is given.
   *
   * @default Server
   */
  readonly server?: Made<Home> | undefined
  /** How many bytes arrive at a time; see MemoryNetwork. */
  readonly chunk?: MemoryNetworkOptions['chunk'] | undefined
  /**
   * Where the engine logs to.
   *
   * @default `console.error`, as for every engine
   */
  readonly log?: EngineOptions['log'] | undefined
}

/** Two ends that are connected, and what they run on. */
export interface Pair<
  Near extends Stream<any>,
  Far extends Stream<any>,
  Home extends StreamServer = Server,
> extends AsyncDisposable {
  /** The client's end. */
  readonly client: Near
  /** The server's end. */
  readonly connection: Far
  /** The server that accepted the connection. It listens on port 1. */
  readonly server: Home
  /** The engine of all of them. */
  readonly engine: Engine
  /** The network between them. */
  readonly network: MemoryNetwork
  /** The clock of the engine, which stands still. */
  readonly clock: ManualClock
  /**
   * Lets bytes and hooks run until nothing is left to do. With `bytes`, moves at most that many
   * bytes each way and then stops.
   *
   * No time passes. To let time pass, call `clock.advance(ms)`, then `pump` again.
   */
  pump(bytes?: Bytes): Promise<void>
}

/** A client that keeps what it reads: Buffers, or text if it has an `encoding`. */
export class Recorder extends Client {
  /** Every read so far, in order. A read of several values (of a Struct) is an array. */
  readonly reads: any[] = []

  override on_read(...data: unknown[]): void {
    this.reads.push(data.length === 1 ? data[0] : data)
  }
}

/**
 * Makes a client and a connection of your class, connected over memory. `await using` stops their
 * engine at the end of the block.
 *
 * Rejects if the two cannot connect, for example because a hook of `connection` throws, or with
 * InvalidArgumentError for an option that does not exist, or has no class or function.
 *
 * @example
 * const { client, pump } = await pair({ connection: Echo })
 * client.write('hello\r\n')
 * await pump()
 * client.reads // [<Buffer …>]
 */
export async function pair<
  Near extends Client<any> = Recorder,
  Far extends Connection<any> = Connection,
  Home extends StreamServer = Server,
>(options: PairOptions<Near, Far, Home> = {}): Promise<Pair<Near, Far, Home>> {
  checkOptions('pair', options, ['client', 'connection', 'server', 'chunk', 'log'])
  const { connection: ConnectionClass, chunk, log } = options
  const network = new MemoryNetwork({ chunk })
  const clock = new ManualClock()
  const engine = new Engine({ network, clock, log })
  const server = make<Home>('server', options.server ?? (Server as never), {
    engine,
    ...(ConnectionClass !== undefined && { ConnectionClass }),
  }).listen(1)
  const pump = (bytes?: Bytes): Promise<void> => pumpAll(network, clock, bytes)
  await pump()
  const client = make<Near>('client', options.client ?? (Recorder as never), { engine }).connect(1)
  await pump()
  const connection = [...server.channels][0] as Far | undefined
  if (!client.connected || connection === undefined)
    throw new InvalidStateError(
      'pair()',
      `the two are not connected: the client is ${client.state}`,
      'the log says why',
    )
  const stop = (): Promise<void> => stopAll(engine, clock, pump)
  return { client, connection, server, engine, network, clock, pump, [Symbol.asyncDispose]: stop }
}

/** More than the deadlines by which an engine stops: what does not end politely is closed then. */
const STOP_TIME: Milliseconds = 60_000

async function stopAll(
  engine: Engine,
  clock: ManualClock,
  pump: () => Promise<void>,
): Promise<void> {
  const stopped = engine.stop()
  await pump()
  clock.advance(STOP_TIME)
  await pump()
  await stopped
}

/** An arrow function has no prototype, and a class has one. */
function make<Kind>(name: string, what: Made<Kind>, options: object): Kind {
  if (typeof what !== 'function')
    throw new InvalidArgumentError(`pair: ${name}`, 'a class, or a function that makes one', what)
  const made: unknown =
    what.prototype === undefined
      ? (what as (options: object) => Kind)(options)
      : new (what as new (options: object) => Kind)(options)
  if (made instanceof Channel) return made as Channel & Kind
  throw new InvalidArgumentError(`pair: what ${name} makes`, `a ${name}`, made)
}

async function pumpAll(network: MemoryNetwork, clock: ManualClock, bytes?: Bytes): Promise<void> {
  let moved: number
  do {
    // First the promises of hooks, then what the hooks wrote.
    await new Promise(setImmediate)
    clock.advance(0)
    moved = network.pump(bytes)
  } while (moved > 0 && bytes === undefined)
}

/** With `auto` what was written in a turn is moved in the next one, and read in the one after. */
const QUIET_TURNS = 3

/**
 * Lets the bytes and hooks of an engine run until nothing is left to do: `pump` for an engine of
 * your own, on a MemoryNetwork (with or without `auto`). No time passes on a ManualClock.
 *
 * Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) unless the network of the engine is a
 * MemoryNetwork: nobody knows when a socket has nothing left to do.
 *
 * @example
 * const engine = new Engine({ network: new MemoryNetwork(), clock: new ManualClock() })
 * const server = new Server(Echo, { engine }).listen(4040)
 * const client = new Client({ engine }).connect(4040)
 * await settle(engine)
 */
export async function settle(engine: Engine): Promise<void> {
  const network = engine?.[DRIVE]?.network
  if (!(network instanceof MemoryNetwork))
    throw new InvalidArgumentError('settle: engine', 'an engine on a MemoryNetwork', engine)
  const { clock } = engine[DRIVE]
  for (let quiet = 0; quiet < QUIET_TURNS;) {
    await new Promise(setImmediate)
    if (clock instanceof ManualClock) clock.advance(0)
    quiet = network.pump() > 0 ? 0 : quiet + 1
  }
}
