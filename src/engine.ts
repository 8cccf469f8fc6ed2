/**
 * Layer 3. The engine: owns a network and a clock, the channels that are open, and the timers.
 *
 * A turn: what the network reports runs first (reads, accepted connections); then, once, every
 * channel that was written to or that asked for it takes its turn. Timers run when their time has
 * come, by one timer of the clock.
 *
 * Rules:
 * 1. Channels reach sockets and time only through the engine that owns them. Two engines share
 *    nothing.
 * 2. An exception of a callback never ends the engine: it is logged, and everything else goes on.
 * 3. While nothing is due and nothing was written, nothing runs.
 */

import { checkFunction, checkWait } from './core/checks.ts'
import { type Deferred, deferred } from './core/deferred.ts'
import { DRIVE, Drive, type Owned } from './core/drive.ts'
import { noop } from './core/noop.ts'
import { checkOptions } from './core/options.ts'
import { attempt } from './core/promises.ts'
import type { EngineStats } from './core/tally.ts'
import {
  checkDelay,
  checkLimit,
  checkLog,
  checkParts,
  type EngineOptions,
  type Log,
} from './engine-options.ts'
import { show, stackOf } from './errors.ts'
import {
  duplexTransport,
  heapLimit,
  NodeClock,
  nodeFiles,
  NodeNetwork,
  nodeThreads,
  nodeTls,
  publish,
} from './io/node.ts'
import type { Bytes, Cancel, Milliseconds } from './types.ts'

export { DRIVE } from './core/drive.ts'

/** How long `stop` waits for channels that close politely: Thousand Island's `shutdown_timeout`. */
const STOP_TIMEOUT: Milliseconds = 15_000

/**
 * While an engine is started, a timer must keep the process alive. Once a day: rare, and far below
 * the longest delay that a timer of Node can have (24.8 days).
 */
const KEEP_ALIVE: Milliseconds = 86_400_000

/** The shortest delay, and the shortest time between two runs of a cycle: as with `setTimeout`. */
const SHORTEST: Milliseconds = 1

/** What `start` has begun. */
interface Started {
  readonly ended: Deferred<void>
  /** Lets the process end. */
  release: Cancel
}

let global: Engine | undefined

/**
 * Drives channels and timers.
 *
 * Most programs use the engine that `Engine.instance()` returns; it is the default of every
 * channel. `new Engine({ … })` makes another one, for example for a test on a network in memory.
 * Two engines share nothing.
 *
 * @example
 * new Server(Echo).listen(4040)
 * await Engine.instance().start()
 */
// Source: Pants `engine.Engine`. Differs: there is no `poll`, as the loop is Node's.
export class Engine {
  readonly #drive: Drive
  #started: Started | undefined
  #log: Log

  /**
   * The channels that are open, opening or closing. A channel leaves it when it has closed.
   *
   * The set is live: do not change it.
   */
  // Source: Pants `Engine._channels`.
  readonly channels: ReadonlySet<Owned>

  /**
   * Gets every error that nobody else handles, as `(message, error?)`. It may be assigned at any
   * time. What it throws, or its promise rejects with, is dropped.
   *
   * @default `console.error(message)`
   */
  get log(): Log {
    return this.#log
  }

  set log(log: Log) {
    this.#log = checkLog(log)
  }

  /** Makes an engine and starts nothing. Throws InvalidArgumentError if an option is invalid. */
  constructor(options: EngineOptions = {}) {
    checkParts(options)
    const { network = new NodeNetwork(), clock = new NodeClock() } = options
    const { tls = nodeTls, files = nodeFiles } = network
    this.#drive = new Drive({
      network,
      tls,
      files,
      threads: nodeThreads,
      adopt: duplexTransport,
      clock,
      // Half of the heap: the program needs memory, too.
      buffer_limit: checkLimit(options.buffer_limit ?? Math.floor(heapLimit() / 2)),
      publish,
    })
    this.channels = this.#drive.channels
    this.#log = options.log ?? (message => console.error(message))
  }

  /** What channels do with this engine. Not a field: `console.log` would show it. @hidden */
  get [DRIVE](): Drive {
    return this.#drive
  }

  /** The engine of the process. The first call makes it; every call returns the same one. */
  // Source: Pants `Engine.instance`.
  static instance(): Engine {
    global ??= new Engine()
    return global
  }

  /**
   * The most bytes that all channels together may hold: received and not delivered, or written and
   * not sent.
   *
   * Beyond it, the channel that holds most gets `on_overflow_error` (`error.buffer` is 'engine'),
   * which closes it by default; then the next one, until the rest fits.
   *
   * - Unit: bytes. `Infinity` means no limit. The count is coarse: a channel counts in steps of
   *   16 KiB, and data written in the current turn counts only above 64 KiB.
   * - Takes effect: at once.
   * - Throws InvalidArgumentError unless it is a positive number.
   *
   * @default half of V8's heap limit
   */
  get buffer_limit(): Bytes {
    return this[DRIVE].weights.limit
  }

  set buffer_limit(limit: Bytes) {
    this[DRIVE].weights.limit = checkLimit(limit)
  }

  /** The time of the engine's clock, in ms. It starts at any moment and never goes back. */
  get now(): Milliseconds {
    return this[DRIVE].now
  }

  /**
   * Counts of what this engine has done, and of what it holds now; see `EngineStats`.
   *
   * It looks at every open channel, so call it once a second, not once a message.
   */
  stats(): EngineStats {
    return this[DRIVE].stats()
  }

  // ---- start and stop ---------------------------------------------------------------------------

  /**
   * Keeps the process alive until `stop()`. The promise resolves when the engine has stopped. If it
   * was started already, the same promise is returned.
   *
   * Channels and timers work without it, as long as they keep the process alive by themselves.
   */
  // Source: Pants `Engine.start`.
  start(): Promise<void> {
    if (this.#started === undefined) {
      const keepAlive = (): Cancel =>
        this[DRIVE].clock.after(KEEP_ALIVE, () => {
          started.release = keepAlive()
        })
      const started: Started = { ended: deferred(), release: keepAlive() }
      this.#started = started
    }
    return this.#started.ended.promise
  }

  /**
   * Cancels all timers and closes every channel politely, with the reason 'drain'. Channels that
   * are still open after `timeout` ms are closed at once. Then the promise of `start` resolves, and
   * the one that is returned here; it never rejects.
   *
   * While the engine stops, no channel can be opened. Afterwards `start` may be called again.
   * Calling `stop` again, or without `start`, is harmless.
   *
   * Throws InvalidArgumentError if `timeout` is negative or not a number, or if another option is
   * given. Its default is 15 000 ms.
   */
  // Source: Pants `Engine.stop`.
  stop(options: { readonly timeout?: Milliseconds | undefined } = {}): Promise<void> {
    checkOptions('stop', options ?? {}, ['timeout'])
    return this.#stop(checkWait('stop: timeout', options?.timeout ?? STOP_TIMEOUT))
  }

  /** `await using engine = new Engine()` stops it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(timeout: Milliseconds): Promise<void> {
    const started = this.#started
    this.#started = undefined
    this.#dropTimers()
    this[DRIVE].isStopping = true
    await this.#closeAll(timeout)
    this[DRIVE].isStopping = false
    this.#dropTimers()
    started?.release()
    started?.ended.resolve()
  }

  async #closeAll(timeout: Milliseconds): Promise<void> {
    const closing = [...this.channels]
    const all = Promise.all(closing.map(channel => channel.closed))
    for (const channel of closing) this.#close(channel, true)
    const cancel = this[DRIVE].after(timeout, () => {
      for (const channel of closing) this.#close(channel)
    })
    await all
    cancel()
  }

  /**
   * An overridden `end` may throw, for example because it writes a last word before the channel is
   * connected. The other channels must close all the same.
   */
  #close(channel: Owned, isPolite = false): void {
    try {
      if (isPolite) channel.end()
      else if (channel.abort === undefined) channel.close()
      else channel.abort()
    } catch (error) {
      this.#report('stop', error)
      if (isPolite) this.#close(channel)
    }
  }

  #dropTimers(): void {
    const { timers, turns, alarm } = this[DRIVE]
    timers.clear()
    turns.clear()
    alarm.set()
  }

  // ---- callbacks and timers ---------------------------------------------------------------------

  /**
   * Calls `callback(...args)` once, in the next turn of the loop. Returns its cancel function.
   *
   * What the callback throws, or its promise rejects with, is logged.
   */
  // Source: Pants `Engine.callback`.
  callback<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): Cancel {
    return this[DRIVE].turns.add(this.#guarded(callback, args))
  }

  /**
   * Calls `callback(...args)` in every turn of the loop: for work that must be done piece by piece.
   * The loop never rests meanwhile. Returns its cancel function, which works inside the callback,
   * too.
   *
   * What the callback throws, or its promise rejects with, is logged, and the loop goes on.
   */
  // Source: Pants `Engine.loop`.
  loop<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): Cancel {
    return this[DRIVE].turns.addLoop(this.#guarded(callback, args))
  }

  /**
   * Calls `callback(...args)` once, after `delay` ms. Less than 1 counts as 1. Returns its cancel
   * function.
   *
   * What the callback throws, or its promise rejects with, is logged. Throws InvalidArgumentError
   * unless `delay` is positive and finite.
   */
  // Source: Pants `Engine.defer`. Differs: milliseconds, not seconds.
  defer<Args extends unknown[]>(
    delay: Milliseconds,
    callback: (...args: Args) => void,
    ...args: Args
  ): Cancel {
    checkDelay('defer: delay', delay)
    return this.#addTimer(delay, 0, this.#guarded(callback, args))
  }

  /**
   * Calls `callback(...args)` every `interval` ms, counted from now. Less than 1 counts as 1. The
   * times do not drift; a run that came too late for its time is left out. Returns its cancel
   * function, which works inside the callback, too.
   *
   * What the callback throws, or its promise rejects with, is logged, and the cycle goes on. Throws
   * InvalidArgumentError unless `interval` is positive and finite.
   */
  // Source: Pants `Engine.cycle`. Differs: milliseconds, not seconds; and the original drifts.
  cycle<Args extends unknown[]>(
    interval: Milliseconds,
    callback: (...args: Args) => void,
    ...args: Args
  ): Cancel {
    checkDelay('cycle: interval', interval)
    return this.#addTimer(interval, Math.max(interval, SHORTEST), this.#guarded(callback, args))
  }

  #addTimer(delay: Milliseconds, every: Milliseconds, callback: () => void): Cancel {
    return this[DRIVE].alarm.setFor(
      this[DRIVE].timers.add(this.now + Math.max(delay, SHORTEST), every, callback),
    )
  }

  /** A function that calls back and never throws: what goes wrong in the callback is logged. */
  #guarded<Args extends unknown[]>(callback: (...args: Args) => unknown, args: Args): () => void {
    checkFunction('callback', callback)
    const failed = (error: unknown): void => this.#report('timer', error)
    return () => attempt(() => callback(...args), failed)
  }

  #report(where: string, error: unknown): void {
    logSafely(this, `${where}: ${stackOf(error) || show(error)}`, error)
  }
}

/**
 * Logs. What the log itself throws, or its promise rejects with, is dropped: there is nowhere left
 * to report it.
 */
export function logSafely(engine: Pick<Engine, 'log'>, message: string, error?: unknown): void {
  attempt(() => engine.log(message, error), noop)
}
