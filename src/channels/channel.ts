/**
 * Layer 4. What every channel is: a life, hooks that are called safely, a place in the tree of
 * suspensions, a name.
 *
 * The life of a channel, as the functions below that the channels call:
 *   beginOpening → isOpen → (fail →) beginClosing → finishClosing
 *
 * Rules:
 * 1. Every change of state passes #become, which knows only the table of core/life-cycle.ts.
 * 2. A hook is called through callHook, never directly (on_read is, by the read path, with the same
 *    care): what it throws goes to on_error, what on_error throws goes to the log, and a promise it
 *    returns holds the reads.
 * 3. on_close is the last hook of an opening, and is called once.
 */

import { type Deferred, deferred } from '../core/deferred.ts'
import { mayFollow } from '../core/life-cycle.ts'
import type { EventName, Gauge } from '../core/tally.ts'
import {
  type Engine,
  Engine as EngineClass,
  forget,
  GAUGE,
  isStopping,
  logSafely,
  note,
  remember,
} from '../engine.ts'
import {
  ClosedError,
  codeOf,
  HookError,
  InvalidArgumentError,
  InvalidStateError,
  messageOf,
} from '../errors.ts'
import type { CloseReason, Milliseconds, State, StateSignal } from '../types.ts'
import { adoptFields } from './settings.ts'

/** What every channel can be given when it is made. */
export interface ChannelOptions {
  /** Which engine drives it. Default: `Engine.instance()`. */
  readonly engine?: Engine
  /** What messages call it. Default: the name of its class. */
  readonly name?: string
}

/** What a kind of channel does when its base asks. */
export interface ChannelDriver {
  /** By itself ('own'), or with a channel above it; 'own' may follow 'above'. */
  suspended(suspension: 'above' | 'own'): void
  resumed(): void
  /** A hook returned something that is not undefined. */
  hookReturned(result: unknown): void
  /** One of the channels below it has closed, its on_close has been called. */
  child_closed?(child: Channel): void
  /** Where it is connected or listening, for messages; '' when it is not. */
  address(): string
  /** For `engine.stats()` and the event 'close'; called when it has closed, too. */
  gauge(): Gauge
  /** It has this state now; before on_state, which a program may override. */
  state_changed?(state: StateSignal): void
  /**
   * Does it stay below its parent when it has closed, to be opened again? Then only `destroy` ends
   * it. Default: no.
   */
  readonly outlives_closing?: boolean
}

/** What most channels have below them. */
const NONE: Set<Channel> = new Set()

/** Of a channel that nothing drives yet. */
const NO_GAUGE: Gauge = { kind: 'stream', bytes_read: 0, bytes_written: 0, bytes_held: 0 }

/** The names of hooks. */
export type Hook = `on_${string}`

// What the channels in other files may do with the private parts of one; set in the static block
// below.
export let setDriver: (channel: Channel, driver: ChannelDriver) => void
/**
 * `fields`: is the object complete, so that its class fields can be adopted? If not, `adoptFields`
 * is still to be called.
 */
export let beginOpening: (channel: Channel, fields?: 'there' | 'later') => void
export let isOpen: (
  channel: Channel,
  event: EventName & ('open' | 'listen' | 'accept' | 'connect'),
) => void
/** Since when it is open; before, since when it is opening. */
export let sinceOf: (channel: Channel) => Milliseconds
/** Tells on_state of 'opening' now: for channels whose `open` may call hooks. */
export let announce: (channel: Channel) => void
export let fail: (channel: Channel, hook: Hook, error: Error, reason?: CloseReason) => void
export let warn: (channel: Channel, hook: Hook, error: Error, reason?: CloseReason) => void
/** As `fail`, but the channel stays in 'error' until the program closes it. */
export let halt: (channel: Channel, error: Error) => void
export let beginClosing: (channel: Channel, reason?: CloseReason) => void
export let finishClosing: (channel: Channel, reason?: CloseReason) => void
export let callHook: (channel: Channel, hook: Hook, ...args: unknown[]) => void
/** Likewise; what closes the channel in there closes it for that reason. */
export let callBlaming: (
  channel: Channel,
  reason: CloseReason,
  hook: Hook,
  ...args: unknown[]
) => void
export let hookFailed: (channel: Channel, error: unknown) => void
/**
 * Is the child of a suspended parent suspended too ('shared'), or only by a later suspend
 * ('apart')?
 */
export let addChild: (parent: Channel, child: Channel, suspension?: 'shared' | 'apart') => void
/**
 * The end of a channel that outlives its closing: it leaves its parent, and 'destroy' is signalled.
 */
export let destroy: (channel: Channel) => void
/** Why the opening that is under way, or the last one, ended; undefined while it has not. */
export let reasonOf: (channel: Channel) => CloseReason | undefined
export let parentOf: (channel: Channel) => Channel | undefined
export let childrenOf: (channel: Channel) => ReadonlySet<Channel>
export let closeChild: (child: Channel, flush: boolean) => void
export let describe: (channel: Channel) => string

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

  #state: State = 'closed'
  #driver: ChannelDriver | undefined
  /** Why the opening that is under way, or the last one, ended. */
  #reason: CloseReason | undefined
  /** What a close from within an error hook will give as its reason. */
  #fault: CloseReason | undefined
  /** Why it could not be opened. */
  #error: Error | undefined
  #wasOpen = false
  /** See `sinceOf`. In whole ms, as V8 keeps those without memory of their own; never too early. */
  #since: Milliseconds = 0
  /** Has on_state been told of 'opening'? */
  #isAnnounced = true
  /** Made when somebody asks: most connections are never waited for. */
  #opened: Deferred<unknown> | undefined
  #closed: Deferred<CloseReason> | undefined
  /**
   * Not suspended, suspended with a channel above it, or by itself (which only its own resume
   * ends).
   */
  #suspension: 'none' | 'above' | 'own' = 'none'
  #parent: Channel | undefined
  #children: Set<Channel> = NONE

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

  static {
    setDriver = (channel, driver) => {
      channel.#driver = driver
    }
    beginOpening = (channel, fields = 'there') => {
      if (fields === 'there') adoptFields(channel)
      channel.#beginOpening()
      // Not at once: no hook runs inside connect or listen.
      if (fields === 'there') queueMicrotask(() => channel.#announce())
    }
    isOpen = (channel, event) => channel.#isOpen(event)
    sinceOf = channel => channel.#since
    announce = channel => channel.#announce()
    fail = (channel, hook, error, reason = 'error') => channel.#fail(hook, error, reason, true)
    warn = (channel, hook, error, reason = 'error') => channel.#fail(hook, error, reason, false)
    halt = (channel, error) => channel.#halt(error)
    beginClosing = (channel, reason) => channel.#beginClosing(reason)
    finishClosing = (channel, reason) => channel.#finishClosing(reason)
    callHook = (channel, hook, ...args) => channel.#call(hook, args)
    callBlaming = (channel, reason, hook, ...args) => channel.#callBlaming(reason, hook, args)
    hookFailed = (channel, error) => channel.#hookFailed(error)
    addChild = (parent, child, suspension = 'shared') => {
      if (parent.#children === NONE) parent.#children = new Set()
      parent.#children.add(child)
      child.#parent = parent
      if (suspension === 'shared' && parent.#suspension !== 'none') child.#suspend('above')
    }
    destroy = channel => {
      const parent = channel.#parent
      if (parent !== undefined) parent.#children.delete(channel)
      channel.#signal('destroy', 'closed')
    }
    reasonOf = channel => channel.#reason
    parentOf = channel => channel.#parent
    childrenOf = channel => channel.#children
    closeChild = (child, flush) => {
      child.#fault ??= 'drain'
      try {
        child.close(flush)
      } catch (error) {
        // A `close` of the program's own. The other channels have no part in it.
        logError(child, asError(error))
      }
    }
    describe = channel => {
      const address = channel.#driver?.address() ?? ''
      return address === '' ? channel.name : `${channel.name} ${address}`
    }
  }

  // ---- the life of a channel --------------------------------------------------------------------

  /**
   * Where it stands in its life: 'closed', 'opening', 'active', 'closing' or 'error'. Source: seed
   * 001.
   */
  get state(): State {
    return this.#state
  }

  /**
   * Resolves with the channel when it is active; rejects when this opening fails, with the error
   * that the hook got too, or with ERR_CLOSED when it is closed first. Before `connect` or `listen`
   * it is that of the next opening. Nobody has to look at it: it never becomes an unhandled
   * rejection. Ours.
   */
  get opened(): Promise<this> {
    if (this.#opened === undefined) {
      this.#opened = deferred()
      this.#opened.promise.catch(() => {})
      if (this.#wasOpen) this.#opened.resolve(this)
      else if (this.#error !== undefined) this.#opened.reject(this.#error)
    }
    return this.#opened.promise as Promise<this>
  }

  /**
   * Resolves when the channel has closed, with the reason that `on_close` got, after that hook; at
   * once when it is not open. Never rejects, and settles in every case: `end_timeout` bounds the
   * longest one. Ours.
   */
  get closed(): Promise<CloseReason> {
    if (this.#state === 'closed') return Promise.resolve(this.#reason ?? 'local')
    this.#closed ??= deferred()
    return this.#closed.promise
  }

  #beginOpening(): void {
    if (isStopping(this.engine))
      throw new InvalidStateError(
        'connect() or listen()',
        'the engine is stopping',
        "in on_close, look for the reason 'drain'",
      )
    // A promise that somebody took before this opening is the one for this opening; one that is
    // settled is not.
    if (this.#wasOpen || this.#error !== undefined) this.#opened = undefined
    this.#wasOpen = false
    this.#error = undefined
    this.#reason = undefined
    remember(this.engine, this)
    this.#since = Math.ceil(this.engine.now)
    this.#state = 'opening'
    this.#isAnnounced = false
  }

  #announce(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#signal('opening', 'closed')
  }

  #isOpen(event: 'open' | 'listen' | 'accept' | 'connect'): void {
    this.#announce()
    // The hook may have closed it.
    if (this.#state !== 'opening') return
    this.#wasOpen = true
    const duration = this.#age()
    this.#since += duration
    note(this.engine, event, this, { duration })
    this.#become('active')
    this.#opened?.resolve(this)
  }

  /**
   * Something in the world went wrong: exactly one hook is told. A fatal error leaves nothing to
   * work with, so whatever the hook does, the channel closes; otherwise the hook decides (its
   * default closes).
   */
  #fail(hook: string, error: Error, reason: CloseReason, isFatal: boolean): void {
    if (this.#state === 'closed' || this.#state === 'error') return
    if (!this.#wasOpen) this.#error = error
    if (hook === 'on_overflow_error') note(this.engine, 'overflow', this, { error })
    if (isFatal) this.#become('error')
    this.#callBlaming(reason, hook, [error], isFatal)
  }

  #callBlaming(reason: CloseReason, hook: string, args: unknown[], isFatal = false): void {
    const before = this.#fault
    this.#fault = reason
    this.#call(hook, args)
    if (isFatal) this.close()
    this.#fault = before
  }

  #halt(error: Error): void {
    if (this.#state === 'closed' || this.#state === 'error') return
    if (!this.#wasOpen) {
      this.#error = error
      this.#opened?.reject(error)
    }
    this.#become('error')
    this.#call('on_error', [error])
  }

  #beginClosing(reason: CloseReason | undefined): void {
    this.#announce()
    // The hook may have closed it.
    if (this.#state === 'closing') return
    this.#reason =
      this.#fault ??
      (this.#state === 'error' ? 'error' : reason) ??
      (isStopping(this.engine) ? 'drain' : 'local')
    this.#become('closing')
  }

  #finishClosing(reason: CloseReason = this.#reason as CloseReason): void {
    this.#reason = reason
    const closed = this.#closed
    this.#closed = undefined
    if (!this.#wasOpen) {
      this.#error ??= new ClosedError(`${describe(this)} was closed before it was open`)
      this.#opened?.reject(this.#error)
    }
    forget(this.engine, this)
    const { bytes_read, bytes_written } = this[GAUGE]()
    note(this.engine, 'close', this, { reason, duration: this.#age(), bytes_read, bytes_written })
    const isGone = this.#driver?.outlives_closing !== true
    const parent = isGone ? this.#parent : undefined
    if (parent !== undefined) parent.#children.delete(this)
    // Hooks from here on: in each of them it may be opened again.
    this.#become('closed')
    if (isGone) this.#signal('destroy', 'closed')
    this.#call('on_close', [reason])
    closed?.resolve(reason)
    if (parent !== undefined) parent.#driver?.child_closed?.(this)
  }

  #become(state: State): void {
    this.#announce()
    const previous = this.#state
    if (!mayFollow(previous, state))
      throw new Error(
        `sluice: a channel cannot go from ${previous} to ${state}; this is a bug in sluice`,
      )
    this.#state = state
    this.#signal(state, previous)
  }

  #signal(state: StateSignal, previous: State): void {
    this.#driver?.state_changed?.(state)
    this.#call('on_state', [state, previous])
  }

  #age(): Milliseconds {
    return Math.max(0, Math.ceil(this.engine.now) - this.#since)
  }

  [GAUGE](): Gauge {
    return this.#driver?.gauge() ?? NO_GAUGE
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
    return this.#suspension !== 'none'
  }

  /**
   * Stops delivering reads (a server: accepting), of this channel and of all below it, until
   * `resume()`. The peer feels it. Writing goes on. It outlives closing. Suspended already: nothing
   * happens. Source: seed 001, "Suspend".
   */
  suspend(): void {
    this.#suspend('own')
  }

  /**
   * Ends `suspend()`, for this channel and all below it but those that were suspended by
   * themselves. Not suspended: nothing happens. What waited is delivered before it returns.
   */
  resume(): void {
    if (this.#suspension === 'none') return
    this.#suspension = 'none'
    this.#driver?.resumed()
    for (const child of this.#children) {
      // A hook may have suspended this channel again.
      if (this.#suspension !== 'none') return
      if (child.#suspension === 'above') child.resume()
    }
  }

  #suspend(suspension: 'above' | 'own'): void {
    const before = this.#suspension
    if (before === 'own' || before === suspension) return
    this.#suspension = suspension
    this.#driver?.suspended(suspension)
    if (before !== 'none') return
    for (const child of this.#children) child.#suspend('above')
  }

  // ---- hooks ------------------------------------------------------------------------------------

  #call(hook: string, args: unknown[]): void {
    try {
      const result: unknown = (this as unknown as Record<string, (...args: unknown[]) => unknown>)[
        hook
      ]!(...args)
      if (result !== undefined) this.#driver?.hookReturned(result)
    } catch (error) {
      this.#hookFailed(error)
    }
  }

  #hookFailed(thrown: unknown): void {
    const error = asError(thrown)
    const before = this.#fault
    this.#fault = 'error'
    try {
      if (error instanceof OnErrorFailed) throw error
      const result: unknown = this.on_error(error)
      // Told of what it rejects with itself, it would reject again, for ever.
      if (isPromiseLike(result))
        this.#driver?.hookReturned(
          Promise.resolve(result).catch(second => {
            throw new OnErrorFailed(second, error)
          }),
        )
    } catch (second) {
      const { message, cause } =
        second instanceof OnErrorFailed ? second : new OnErrorFailed(second, error)
      logSafely(this.engine, `${describe(this)}: ${message}`, cause)
      this.close()
    }
    this.#fault = before
  }

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
    logError(this, error)
    this.close()
  }
}

/** What nobody is left to be told of. */
class OnErrorFailed extends Error {
  constructor(second: unknown, first: Error) {
    super(`on_error itself threw ${messageOf(second)}, on ${first.message}`, { cause: second })
  }
}

/**
 * What a hook returned that is not done yet. Whatever merely looks like a promise is taken for one.
 */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new HookError(thrown)
}

/**
 * One line: channel, what happened, code. What a hook threw is a bug in the program, so it comes
 * with its stack.
 */
export function logError(channel: Channel, error: Error): void {
  const code = codeOf(error)
  const text =
    code === ''
      ? (error.stack ?? String(error))
      : error.message.includes(code)
        ? error.message
        : `${error.message} (${code})`
  logSafely(channel.engine, `${describe(channel)}: ${text}`, error)
}
