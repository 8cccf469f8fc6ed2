/**
 * Layer 1. Drive: the inner half of an engine, which channels work with. The engine itself is what
 * programs see of it (start, stop, callbacks and timers).
 *
 * A channel's calls, in the order of its life: `remember` when it opens; `wake`, `weigh`,
 * `watch` and `after` while it is open; `letGo` and `forget` when it closes; `note`
 * whenever something happens that is counted.
 *
 * Rules:
 * 1. Time comes from the clock that is handed in, and what happens is told to `publish`, which is
 *    handed in too: nothing in here touches the machine.
 * 2. Two drives share nothing.
 */

import type { Threads } from '../threads.ts'
import type { Clock, Files, Network, Tls, Transport } from '../transport.ts'
import type { Bytes, Cancel, Milliseconds, State } from '../types.ts'
import { type EngineStats, type EventDetails, type EventName, type Gauge, Tally } from './tally.ts'
import { Alarm } from './time/alarm.ts'
import { type Deadline, Deadlines } from './time/deadlines.ts'
import { Timers } from './time/timers.ts'
import { type Turn, Turns } from './time/turns.ts'
import { type Weighed, Weights } from './weights.ts'
import { FlushPolicy } from './writing/flush-policy.ts'

/**
 * Where an engine keeps its drive. A symbol, because programs subclass Engine: a name could be
 * overridden by accident.
 */
export const DRIVE: unique symbol = Symbol('sluice drive')

/** Where a channel keeps its life (channels/life.ts); a symbol for the same reason. */
export const LIFE: unique symbol = Symbol('sluice life')

/** What an engine owns: every channel is one. */
export interface Owned {
  close(flush?: boolean): void
  end(): void
  /** Closes at once, if `close` is polite. */
  abort?(): void
  readonly closed: Promise<unknown>
  readonly state: State
  /** No gauge: it is none of the channels that are counted. */
  readonly [LIFE]: { gauge(): Gauge | undefined }
}

/** Tells the outside what has happened to a channel. */
export type Publish = (event: EventName, channel: Owned, details: object) => void

/** Throws for what is no open Duplex of bytes. `open` has it report `opened`, later. */
type Adopt = (duplex: any, head?: Uint8Array) => Transport & { open(): void }

/** What a drive is made of. */
interface DriveParts {
  readonly network: Network
  /** TLS over the network. */
  readonly tls: Tls
  /** The files that channels read and write. */
  readonly files: Files
  /** The worker threads of jobs. */
  readonly threads: Threads
  /** Makes a transport of a stream of Node's that the program has. */
  readonly adopt: Adopt
  readonly clock: Clock
  /** The most bytes that all channels together may hold. */
  readonly buffer_limit: Bytes
  readonly publish: Publish
}

export class Drive {
  readonly network: Network
  readonly tls: Tls
  readonly files: Files
  readonly threads: Threads
  readonly adopt: Adopt
  readonly clock: Clock
  readonly turns: Turns
  /** When written data goes out. */
  readonly flushing: FlushPolicy
  /** The timers of the program: `stop` cancels them. */
  readonly timers = new Timers()
  /** What channels wait for: `stop` leaves it alone. */
  readonly #deadlines = new Deadlines()
  /** Rings for both. */
  readonly alarm: Alarm
  readonly weights: Weights
  readonly #tally = new Tally()
  readonly #publish: Publish
  /** The channels that are open, opening or closing. */
  readonly channels: Set<Owned> = new Set()
  /** Is the engine stopping? What closes meanwhile closes for that reason. */
  isStopping = false

  constructor({ network, tls, files, threads, adopt, clock, buffer_limit, publish }: DriveParts) {
    this.network = network
    this.tls = tls
    this.files = files
    this.threads = threads
    this.adopt = adopt
    this.clock = clock
    this.turns = new Turns(clock)
    this.flushing = new FlushPolicy(this.turns)
    this.alarm = new Alarm(clock, this.timers, this.#deadlines)
    this.weights = new Weights(buffer_limit)
    this.#publish = publish
  }

  get now(): Milliseconds {
    return this.clock.now()
  }

  // ---- channels ---------------------------------------------------------------------------------

  /** The channel begins to open. */
  remember(channel: Owned): void {
    this.channels.add(channel)
  }

  /** The channel has closed. */
  forget(channel: Owned): void {
    this.channels.delete(channel)
  }

  /** Something has happened to the channel that is counted, and told outside. */
  note<Name extends EventName>(event: Name, channel: Owned, details: EventDetails[Name]): void {
    this.#tally.count(event, details)
    this.#publish(event, channel, details)
  }

  /** What was counted, together with what the open channels say now. */
  stats(): EngineStats {
    const open = Array.from(
      this.channels,
      channel => [channel.state, channel[LIFE].gauge()] as const,
    )
    return this.#tally.sum(open, this.timers.size + this.turns.size)
  }

  // ---- turns ------------------------------------------------------------------------------------

  /** Calls `object.turn()` once, after the reads of this turn of the loop. */
  wake(object: Turn): void {
    this.turns.wake(object)
  }

  // ---- memory -----------------------------------------------------------------------------------

  /** It may hold more bytes than before. */
  weigh(one: Weighed): void {
    this.weights.weigh(one)
  }

  /** It holds nothing any more. */
  letGo(one: Weighed): void {
    this.weights.remove(one)
  }

  // ---- time -------------------------------------------------------------------------------------

  /**
   * Calls back once, after `delay` ms in which the process did not stand still. Unlike a timer of
   * the program it is not cancelled by `stop`: waiting for a peer must end, then above all.
   */
  after(delay: Milliseconds, callback: () => void): Cancel {
    const { now } = this
    return this.alarm.setFor(this.#deadlines.add(now + delay, now, callback))
  }

  /** Looks at the deadline at `due` or a little later, then when it says. Infinity: never again. */
  watch(deadline: Deadline, due: Milliseconds): void {
    this.#deadlines.put(deadline, due, this.now)
    this.alarm.set()
  }
}
