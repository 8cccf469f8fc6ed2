/**
 * Layer 3. The engine: owns a network and a clock, the channels that are open, and the timers.
 *
 * A turn: what the network reports runs first (reads, accepted connections); then, once, every
 * channel that was written to or that asked for it takes its turn. Timers run when their time has
 * come, by one timer of the clock.
 *
 * Rules:
 * 1. Channels reach sockets and time only through the engine that owns them; two engines share
 *    nothing.
 * 2. Nothing that a callback throws ends the engine: it is logged, and everything else goes on.
 * 3. While nothing is due and nothing was written, nothing runs.
 */

import { type Deferred, deferred } from './core/deferred.ts'
import { DRIVE, Drive, type Owned } from './core/drive.ts'
import { onRejection } from './core/promises.ts'
import type { EngineStats } from './core/tally.ts'
import { InvalidArgumentError, show } from './errors.ts'
import { NodeClock } from './io/clock.ts'
import { publish } from './io/diagnostics.ts'
import { type FileSource, openFile } from './io/file.ts'
import { FileItem } from './io/file-item.ts'
import { FileSink, type FileSinkOwner } from './io/file-sink.ts'
import { heapLimit } from './io/heap.ts'
import { loadModule, loadText } from './io/load.ts'
import { NodeNetwork } from './io/node.ts'
import { tlsContext } from './io/tls.ts'
import type { Clock, Network } from './transport.ts'
import type { Bytes, Cancel, Milliseconds } from './types.ts'

export { DRIVE } from './core/drive.ts'

/** What an engine is made of; every part has a default. */
export interface EngineOptions {
  /** Makes the sockets. Default: Node's own. */
  readonly network?: Network
  /** Tells the time. Default: the machine's. */
  readonly clock?: Clock
  /** See `Engine.buffer_limit`. */
  readonly buffer_limit?: Bytes
  /** Gets what nobody else handles, one line each. Default: `console.error`. */
  readonly log?: Log
}

/**
 * Where an engine logs to. `error` is given where there is one; the message says what it says
 * already.
 */
export type Log = (message: string, error?: unknown) => void

/**
 * How long `stop` waits for channels that close politely. As long as Thousand Island's
 * `shutdown_timeout`.
 */
const STOP_TIMEOUT: Milliseconds = 15_000

/** While an engine is started something must keep the process alive; this wakes it once a day. */
const KEEP_ALIVE: Milliseconds = 86_400_000

/** The shortest delay, and the shortest time between two runs of a cycle: that of `setTimeout`. */
const SHORTEST: Milliseconds = 1

/** What `start` has begun. */
interface Started {
  readonly ended: Deferred<void>
  /** Lets the process end. */
  release: Cancel
}

let global: Engine | undefined

/**
 * Drives channels and timers. Most programs use the one that `Engine.instance()` returns, which is
 * every channel's default; `new Engine({ … })` makes another one, for example for a test on a
 * memory network.
 *
 * Source: Pants `engine.Engine`. `Differs:` there is no `poll`: the loop is Node's.
 */
export class Engine {
  /** What channels do with this engine. */
  readonly [DRIVE]: Drive
  #started: Started | undefined

  /**
   * The channels that are open or opening; a channel that has closed is not among them. Live: do
   * not change it. Source: Pants `Engine._channels`.
   */
  readonly channels: ReadonlySet<Owned>

  /**
   * Where errors go that nobody handles: `(message, error?)`. May be assigned at any time. What it
   * throws is dropped. Default: `console.error(message)`.
   */
  log: Log

  /** Throws InvalidArgumentError for a part that is not one. Starts nothing. */
  constructor(options: EngineOptions = {}) {
    checkParts(options)
    this[DRIVE] = new Drive({
      network: options.network ?? new NodeNetwork(),
      clock: options.clock ?? new NodeClock(),
      // Half: the program needs some, too.
      buffer_limit: checkLimit(options.buffer_limit ?? Math.floor(heapLimit() / 2)),
      publish,
    })
    this.channels = this[DRIVE].channels
    this.log = options.log ?? (message => console.error(message))
  }

  /**
   * The engine of the process: made at the first call, the same ever after. Source: Pants
   * `Engine.instance`.
   */
  static instance(): Engine {
    global ??= new Engine()
    return global
  }

  /**
   * The most bytes that all channels together may hold, received and not delivered, written and not
   * sent. Beyond it the one that holds most gets `on_overflow_error` (`error.buffer` is 'engine'),
   * which by default closes it, then the next. A channel that holds less than 16 KiB is not
   * counted. May be changed at any time. Default: half of V8's heap limit. Throws
   * InvalidArgumentError unless it is positive. Ours.
   */
  get buffer_limit(): Bytes {
    return this[DRIVE].weights.limit
  }

  set buffer_limit(limit: Bytes) {
    this[DRIVE].weights.limit = checkLimit(limit)
  }

  /** Milliseconds of the engine's clock: since an arbitrary moment, never going back. */
  get now(): Milliseconds {
    return this[DRIVE].now
  }

  /**
   * Numbers of what this engine has done, and holds now; see `EngineStats`. It looks at every open
   * channel: call it once a second, not once a message. Ours.
   */
  stats(): EngineStats {
    return this[DRIVE].stats()
  }

  // ---- start and stop ---------------------------------------------------------------------------

  /**
   * Keeps the process alive until `stop()`; the promise settles then. Started already: returns the
   * same promise. Channels and timers work without it, as long as they keep the process alive by
   * themselves. Source: Pants `Engine.start`.
   */
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
   * Closes every channel politely, after `timeout` ms (default 15 000) at once; cancels all timers;
   * then the promise of `start` settles, and its own. Calling it again, or when not started, is
   * harmless; afterwards `start` may be called again. Channels close with the reason 'drain';
   * meanwhile none can be opened. Never rejects. Throws InvalidArgumentError for a timeout that is
   * negative or no number.
   */
  stop(options: { readonly timeout?: Milliseconds } = {}): Promise<void> {
    const timeout = options?.timeout ?? STOP_TIMEOUT
    if (typeof timeout !== 'number' || !(timeout >= 0))
      throw new InvalidArgumentError(
        'stop: timeout',
        'a number of milliseconds, at least 0',
        timeout,
      )
    return this.#stop(timeout)
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
    const cancel = this[DRIVE].clock.after(timeout, () => {
      for (const channel of closing) this.#close(channel)
    })
    await all
    cancel()
  }

  /**
   * An `end` of the program's own may throw, for example because it writes a last word before the
   * channel is connected. The others have no part in it.
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
   * What it throws is logged. Source: Pants `Engine.callback`.
   */
  callback<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): Cancel {
    return this[DRIVE].turns.add(this.#guarded(callback, args))
  }

  /**
   * Calls `callback(...args)` in every turn of the loop, which then never rests: for work that has
   * to be done piece by piece. Returns its cancel function, which works inside the callback too.
   * What it throws is logged, and it goes on. Source: Pants `Engine.loop`.
   */
  loop<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): Cancel {
    return this[DRIVE].turns.addLoop(this.#guarded(callback, args))
  }

  /**
   * Calls `callback(...args)` once, after `delay` ms (below 1 counts as 1). Returns its cancel
   * function. What it throws is logged. Throws InvalidArgumentError unless `delay` is positive and
   * finite. Source: Pants `Engine.defer`; `Differs:` not seconds.
   */
  defer<Args extends unknown[]>(
    delay: Milliseconds,
    callback: (...args: Args) => void,
    ...args: Args
  ): Cancel {
    checkDelay('defer: delay', delay)
    return this.#addTimer(delay, 0, this.#guarded(callback, args))
  }

  /**
   * Calls `callback(...args)` every `interval` ms (below 1 counts as 1), counted from now and never
   * drifting; a run that could not take place in time is left out, not made up for. Returns its
   * cancel function, which works inside the callback too. What it throws is logged, and it goes on.
   * Throws InvalidArgumentError unless `interval` is positive and finite. Source: Pants
   * `Engine.cycle`; `Differs:` milliseconds, and the original drifts.
   */
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

  /** What throws nothing: it calls back, and what goes wrong there is logged. */
  #guarded<Args extends unknown[]>(callback: (...args: Args) => unknown, args: Args): () => void {
    if (typeof callback !== 'function')
      throw new InvalidArgumentError('callback', 'a function', callback)
    return () => {
      try {
        onRejection(callback(...args), error => this.#report('timer', error))
      } catch (error) {
        this.#report('timer', error)
      }
    }
  }

  #report(where: string, error: unknown): void {
    logSafely(this, `${where}: ${(error as Partial<Error> | null)?.stack ?? show(error)}`, error)
  }
}

/**
 * For channels only: a file as a thing to send. Throws InvalidArgumentError for what cannot be one.
 */
export function fileItem(...args: ConstructorParameters<typeof FileItem>): FileItem {
  return new FileItem(...args)
}

/**
 * For channels only: the bytes of a file from `offset` on, chunk by chunk. Throws
 * InvalidArgumentError for what cannot be a file.
 */
export function fileSource(path: string, offset: Bytes): FileSource {
  return openFile(path, offset, 0)
}

/** For channels only: writes to a file from `offset` on, and cuts off what is there. */
export function fileSink(path: string, offset: Bytes, owner: FileSinkOwner): FileSink {
  return new FileSink(path, offset, owner)
}

/** For channels only: what a module exports; a path is one from the current directory on. */
export function moduleOf(specifier: string): Promise<Readonly<Record<string, unknown>>> {
  return loadModule(specifier)
}

/** For channels only: a small file as text. Throws the error of the system. */
export function textOf(path: string): string {
  return loadText(path)
}

/** For channels only: TLS, over the transports of any network. */
export { tlsContext }

/** Logs; a log that throws ends nothing. */
export function logSafely(engine: Engine, message: string, error?: unknown): void {
  try {
    engine.log(message, error)
  } catch {
    // There is nowhere left to say it.
  }
}

function checkParts(options: EngineOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('engine options', 'an object', options)
  const { network, clock, log } = options
  if (network !== undefined && typeof network?.connect !== 'function')
    throw new InvalidArgumentError('engine: network', 'a Network', network)
  if (clock !== undefined && typeof clock?.now !== 'function')
    throw new InvalidArgumentError('engine: clock', 'a Clock', clock)
  if (log !== undefined && typeof log !== 'function')
    throw new InvalidArgumentError('engine: log', 'a function (message, error)', log)
}

function checkLimit(limit: unknown): Bytes {
  if (typeof limit !== 'number' || !(limit > 0))
    throw new InvalidArgumentError('buffer_limit', 'a positive number of bytes, or Infinity', limit)
  return limit
}

function checkDelay(name: string, delay: unknown): void {
  if (typeof delay !== 'number' || !(delay > 0) || delay === Infinity) {
    throw new InvalidArgumentError(name, 'a positive, finite number of milliseconds', delay)
  }
}
