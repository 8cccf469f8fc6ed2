/**
 * Layer 4. Channel: what a program sees of every channel. Its state, closing, suspending, and the
 * hooks that all have. What happens behind them is in life.ts.
 */

import { type Engine, Engine as EngineClass } from '../engine.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { CloseReason, State, StateSignal } from '../types.ts'
import { Life, LIFE } from './life.ts'

/** What every channel can be given when it is made. */
export interface ChannelOptions {
  /** Which engine drives it. Default: `Engine.instance()`. */
  readonly engine?: Engine
  /** What messages call it. Default: the name of its class. */
  readonly name?: string
}

/**
 * The base of every channel. Not made by itself: subclass Connection, Client, Server, Stream,
 * StreamServer or Datagram.
 *
 * Source: seed 001 (life cycle, suspend and resume), Pants `_channel._Channel` (hooks).
 */
export abstract class Channel {
  /** The engine that drives this channel. */
  readonly engine: Engine

  /**
   * What messages call this channel. May be changed at any time. Default: the name of its class.
   */
  name: string

  /** What other files of sluice may do with this channel. */
  readonly [LIFE]: Life = new Life(this)

  /** Throws InvalidArgumentError for an engine or a name that is none. */
  constructor(options: ChannelOptions = {}) {
    if (typeof options !== 'object' || options === null)
      throw new InvalidArgumentError(`${new.target.name} options`, 'an object', options)
    const { engine = EngineClass.instance(), name = new.target.name } = options
    if (!(engine instanceof EngineClass))
      throw new InvalidArgumentError('engine', 'an Engine', engine)
    if (typeof name !== 'string') throw new InvalidArgumentError('name', 'a string', name)
    this.engine = engine
    this.name = name
  }

  // ---- the life of a channel --------------------------------------------------------------------

  /**
   * Where it stands in its life: 'closed', 'opening', 'active', 'closing' or 'error'. Source: seed
   * 001.
   */
  get state(): State {
    return this[LIFE].state
  }

  /**
   * Resolves with the channel when it is active; rejects when this opening fails, with the error
   * that the hook got too, or with ERR_CLOSED when it is closed first. Before `connect` or `listen`
   * it is that of the next opening. Nobody has to look at it: it never becomes an unhandled
   * rejection. Ours.
   */
  get opened(): Promise<this> {
    return this[LIFE].opened as Promise<this>
  }

  /**
   * Resolves when the channel has closed, with the reason that `on_close` got, after that hook; at
   * once when it is not open. Never rejects, and settles in every case: `end_timeout` bounds the
   * longest one. Ours.
   */
  get closed(): Promise<CloseReason> {
    return this[LIFE].closed
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once; what was written and is not sent is dropped. `close(true)` sends it first, as
   * `end()` does. `state` is 'closing' until `on_close`, which comes in a later turn. A channel
   * that is not open: nothing happens. Source: Pants `_Channel.close`.
   */
  abstract close(flush?: boolean): void

  /** `close(true)`: sends what was written, then closes, within `end_timeout`. */
  end(): void {
    this.close(true)
  }

  /** `await using channel = …` ends it, and waits until it has closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    await this.closed
  }

  // ---- suspend and resume -----------------------------------------------------------------------

  /** Is it suspended, by itself or with a channel above it? */
  get suspended(): boolean {
    return this[LIFE].isSuspended
  }

  /**
   * Stops delivering reads (a server: accepting), of this channel and of all below it, until
   * `resume()`. The peer feels it. Writing goes on. It outlives closing. Suspended already: nothing
   * happens. Source: seed 001, "Suspend".
   */
  suspend(): void {
    this[LIFE].suspend()
  }

  /**
   * Ends `suspend()`, for this channel and all below it but those that were suspended by
   * themselves. Not suspended: nothing happens. What waited is delivered before it returns.
   */
  resume(): void {
    this[LIFE].resume()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called at every change of `state`, with the new one and the one before; also with 'destroy'
   * when the engine forgets the channel. Default: nothing.
   */
  on_state(_state: StateSignal, _previous: State): void {}

  /**
   * Called last, once for every opening, when the channel has closed. The addresses are still
   * known; it may be opened again in here. Default: nothing.
   */
  on_close(_reason: CloseReason): void {}

  /**
   * Called with every error for which there is no other hook, or whose own hook was not overridden,
   * and with what a hook threw or its promise rejected with. Default: logs one line and closes.
   * Overridden, the channel goes on if it can. Source: Pants.
   */
  on_error(error: Error): void {
    this[LIFE].log(error)
    this.close()
  }
}
