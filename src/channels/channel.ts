/**
 * Layer 4. Channel: what a program sees of every channel. Its state, closing, suspending, and the
 * hooks that all have. What they do inside is in life.ts.
 */

import { checkText, isRecord } from '../core/checks.ts'
import { type Engine, Engine as EngineClass } from '../engine.ts'
import { InvalidArgumentError, type ReportedError } from '../errors.ts'
import type { CloseReason, State, StateSignal } from '../types.ts'
import { type Inspect, INSPECT, inspectChannel, type InspectOptions } from './inspect.ts'
import { Life, LIFE } from './life.ts'

/** The options that every channel has. */
export interface ChannelOptions {
  /**
   * The engine that drives the channel.
   *
   * @default `Engine.instance()`
   */
  readonly engine?: Engine | undefined
  /**
   * The name of the channel in log lines and error messages.
   *
   * @default the name of its class
   */
  readonly name?: string | undefined
}

/**
 * The base of every channel. To make one, subclass Connection, Client, Server, Stream, StreamServer
 * or Datagram.
 */
// Source: TLL's channels (life cycle, suspend and resume), Pants `_channel._Channel` (hooks).
export abstract class Channel {
  // Both are accessors that keep their values in the inner half. V8 (since Node 22) makes an object
  // of which a class field was taken over (settings.ts) a table of all its properties, and what a
  // channel does not have itself is not in there: 500 bytes less for each connection. They are
  // declared only, so that a field of a subclass (`name = 'chat'`) is no error of TypeScript.

  /** The engine that drives this channel. */
  declare readonly engine: Engine

  /**
   * The name of the channel in log lines and error messages. It may be changed at any time.
   *
   * @default the name of its class
   */
  declare name: string

  /** What other files of sluice may do with this channel. @hidden */
  readonly [LIFE]: Life

  /** Throws InvalidArgumentError if an option is invalid. */
  constructor(options: ChannelOptions = {}) {
    if (!isRecord(options))
      throw new InvalidArgumentError(`${new.target.name} options`, 'an object', options)
    const { engine = EngineClass.instance(), name = new.target.name } = options
    if (!(engine instanceof EngineClass))
      throw new InvalidArgumentError('engine', 'an Engine', engine)
    this[LIFE] = new Life(this, engine, checkText('name', name))
  }

  static {
    Object.defineProperty(Channel.prototype, 'engine', {
      get(this: Channel) {
        return this[LIFE].engine
      },
    })
    Object.defineProperty(Channel.prototype, 'name', {
      get(this: Channel) {
        return this[LIFE].name
      },
      set(this: Channel, name: string) {
        this[LIFE].name = checkText('name', name)
      },
    })
  }

  /** What `console.log` shows. @hidden */
  [INSPECT](depth: number, options: InspectOptions, inspect: Inspect): string {
    return inspectChannel(this, this[LIFE].driver !== undefined, depth, options, inspect)
  }

  // ---- the life of a channel --------------------------------------------------------------------

  /** Where the channel is in its life: 'closed', 'opening', 'active', 'closing' or 'error'. */
  get state(): State {
    return this[LIFE].state
  }

  /**
   * Resolves with the channel when it is active. Rejects if this opening fails, with the same error
   * that its hook gets, or if the channel is closed before it is open (code ERR_CLOSED).
   *
   * Before `connect` or `listen` it is the promise of the next opening. You need not look at it: it
   * never becomes an unhandled rejection. If you do, the default of `on_error` does not log that
   * error as well.
   */
  get opened(): Promise<this> {
    return this[LIFE].opened as Promise<this>
  }

  /**
   * Resolves when the channel has closed, after `on_close`, with the reason that this hook got. If
   * the channel is not open, it resolves at once.
   *
   * It never rejects, and it always settles: closing politely takes `end_timeout` at the longest.
   */
  get closed(): Promise<CloseReason> {
    return this[LIFE].closed
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: what was written and is not sent is dropped. `close(true)` sends it first, as
   * `end()` does. If the channel is not open, nothing happens.
   *
   * `state` is 'closing' until `on_close`, which is called in a later turn.
   */
  // Source: Pants `_Channel.close`.
  abstract close(flush?: boolean): void

  /**
   * Closes politely, within `end_timeout`: sends what was written, then closes.
   *
   * Throws InvalidArgumentError if it is given data: write it first.
   */
  end(): void {
    // As `end(data)` of a socket of Node: the data would be lost without a word.
    if (arguments[0] !== undefined)
      throw new InvalidArgumentError(
        'end: its argument',
        'left out: write() the data first',
        arguments[0],
      )
    this.close(true)
  }

  /** `await using channel = …` ends the channel at the end of the block, and waits for that. */
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
   * Stops delivering reads until `resume()`, for this channel and all channels below it. A server
   * stops accepting. If it is suspended already, nothing happens.
   *
   * The peer feels it as backpressure. Writing goes on. A channel that closes stays suspended.
   */
  // Source: TLL, suspend of its channels.
  suspend(): void {
    this[LIFE].suspend()
  }

  /**
   * Ends `suspend()` for this channel and all channels below it, except those that were suspended
   * by themselves. What waited is delivered before it returns. If it is not suspended, nothing
   * happens.
   */
  resume(): void {
    this[LIFE].resume()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called at every change of `state`, with the new and the previous state, and with 'destroy' when
   * the engine forgets the channel.
   *
   * By default it does nothing.
   */
  on_state(_state: StateSignal, _previous: State): any {}

  /**
   * Called once for each opening, as its last hook, when the channel has closed. The addresses are
   * still known. The channel may be opened again in here.
   *
   * By default it does nothing.
   */
  on_close(_reason: CloseReason): any {}

  /**
   * Called with every error whose own hook is not overridden, and with what a hook threw or its
   * promise rejected with.
   *
   * By default it logs one line and closes the channel. What a hook threw comes with its stack, and
   * an error that `opened` rejects with is not logged if somebody looks at `opened`. If you
   * override it, the channel goes on if it can.
   *
   * A stream closes politely then, within 5 s or `end_timeout`: what was written before the error
   * is sent. So it makes no difference to the peer whether its requests came together. If nothing
   * was written, or if sending is what failed, it closes at once.
   */
  // Source: Pants `Stream.on_error`. Differs: there it closes at once.
  on_error(error: ReportedError): any {
    this[LIFE].log(error)
    this[LIFE].closeAfter(error)
  }
}
