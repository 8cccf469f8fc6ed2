/**
 * Layer 4. Life: what happens to one channel between being made and being forgotten. Its state, its
 * place in the tree of suspensions and, in the class that it extends, its hooks and its log.
 *
 * The calls, in the order of a life:
 *   beginOpening → open → (fail, warn, halt →) beginClosing → finishClosing
 *
 * A program sees and subclasses the channel. Everything that other files of sluice may do with its
 * inner half is a method of its Life, which the channel keeps under the symbol LIFE.
 *
 * Rules:
 * 1. Every change of state passes #become, which knows only the table of core/life-cycle.ts.
 * 2. A hook is called through `call`. (The read path calls on_read itself, with the same care.)
 * 3. on_close is the last hook of an opening, and is called once. Whatever a hook or callback does
 *    meanwhile, also if it opens the channel again: hooks are told in the order of what happened.
 */

import { type Deferred, deferred } from '../core/deferred.ts'
import { DRIVE, type Drive, LIFE, type Owned } from '../core/drive.ts'
import { mayFollow } from '../core/life-cycle.ts'
import type { EventName, Gauge } from '../core/tally.ts'
import { ClosedError, InvalidStateError } from '../errors.ts'
import type { CloseReason, Milliseconds, State, StateSignal } from '../types.ts'
import { type Face, type Hook, Hooks } from './hooks.ts'
import { misspeltNames } from './misspelt-names.ts'
import { inTurn, noteResumed } from './resume-order.ts'

export { LIFE } from '../core/drive.ts'

/** What is needed of a channel to lead its life. */
export interface Living extends Face, Owned {
  readonly [LIFE]: Life
  resume(): void
  on_state(state: StateSignal, previous: State): void
  on_close(reason: CloseReason): void
}

/** What most channels have below them. */
const NONE: Set<Living> = new Set()

type Told = readonly [hook: Hook, ...args: unknown[]]

/** Of a channel that nothing drives yet. */
const NO_GAUGE: Gauge = { kind: 'stream', bytes_read: 0, bytes_written: 0, bytes_held: 0 }

export class Life extends Hooks<Living> {
  #state: State = 'closed'
  #reason: CloseReason | undefined
  /** Why it could not be opened. */
  #error: Error | undefined
  /** How far its opening has come: was on_state told of 'opening', has it been open? */
  #progress: 'untold' | 'told' | 'open' = 'told'
  /** In whole ms, because V8 keeps those without memory of their own; never too early. */
  #since: Milliseconds = 0
  /** Made when somebody asks: most connections are never waited for. */
  #opened: Deferred<unknown> | undefined
  #closed: Deferred<CloseReason> | undefined
  /** Is it suspended with a channel above it, or by itself, which only its own resume ends? */
  #suspension: 'none' | 'above' | 'own' = 'none'
  #parent: Living | undefined
  #children: Set<Living> = NONE
  /** What is still to be told; see rule 3. */
  #untold: Told[] | undefined

  get drive(): Drive {
    return this.engine[DRIVE]
  }

  get state(): State {
    return this.#state
  }

  /** Why the opening that is under way, or the last one, ended; undefined while it has not. */
  get reason(): CloseReason | undefined {
    return this.#reason
  }

  /** Why the opening that is under way, or the last one, has failed. */
  get error(): Error | undefined {
    return this.#progress === 'open' ? undefined : this.#error
  }

  /** Since when it is open; before that, since when it is opening. */
  get since(): Milliseconds {
    return this.#since
  }

  /** See `Channel.opened`. */
  get opened(): Promise<unknown> {
    if (this.#opened === undefined) {
      this.#opened = deferred()
      this.#opened.promise.catch(() => {})
      if (this.#progress === 'open') this.#opened.resolve(this.channel)
      // While it is opening, a hook was told of an error and lets it go on.
      else if (this.#error !== undefined && this.#state !== 'opening')
        this.#opened.reject(this.#error)
    }
    return this.#opened.promise
  }

  /** See `Channel.closed`. */
  get closed(): Promise<CloseReason> {
    if (this.#state === 'closed') return Promise.resolve(this.#reason ?? 'local')
    this.#closed ??= deferred()
    return this.#closed.promise
  }

  gauge(): Gauge {
    return this.driver?.gauge() ?? NO_GAUGE
  }

  // ---- opening ----------------------------------------------------------------------------------

  /**
   * To 'opening'. No hook runs in here: on_state is told by `announce`, or else by the next change
   * of state. Throws InvalidStateError while the engine stops.
   */
  beginOpening(): void {
    const { drive } = this
    if (drive.isStopping)
      throw new InvalidStateError(
        'connect() or listen()',
        'the engine is stopping',
        "in on_close, look for the reason 'drain'",
      )
    // A promise that somebody took before this opening is the one for this opening; one that is
    // settled is not.
    if (this.#progress === 'open' || this.#error !== undefined) this.#opened = undefined
    this.#progress = 'untold'
    this.#error = undefined
    this.#reason = undefined
    drive.remember(this.channel)
    this.#since = Math.ceil(drive.now)
    this.#state = 'opening'
  }

  /** Tells on_state of 'opening' now, unless it has been told. */
  announce(): void {
    if (this.#progress !== 'untold') return
    this.#progress = 'told'
    // Fields of subclasses are there by now, also those of an accepted connection.
    for (const text of misspeltNames(this.channel)) this.say(text)
    this.#signal('opening', 'closed')
  }

  /** Likewise in a microtask, because no hook may run inside `connect` or `listen`. */
  announceSoon(): void {
    queueMicrotask(() => this.announce())
  }

  /** To 'active', unless a hook, or a subscriber of the event, has closed it meanwhile. */
  open(event: EventName & ('open' | 'listen' | 'accept' | 'connect')): void {
    this.announce()
    if (this.#state !== 'opening') return
    const duration = this.#age()
    this.drive.note(event, this.channel, { duration })
    if (this.#state !== 'opening') return
    this.#progress = 'open'
    this.#since += duration
    this.#become('active')
    this.#opened?.resolve(this.channel)
  }

  // ---- errors -----------------------------------------------------------------------------------

  /**
   * Something in the world went wrong, and nothing is left to work with: exactly one hook is told,
   * then the channel closes, whatever the hook does.
   */
  fail(hook: Hook, error: Error, reason: CloseReason = 'error'): void {
    if (!this.#hears(hook, error)) return
    const before = this.blame(reason)
    this.#become('error', [hook, error])
    // A hook may have closed it, and opened it again.
    if (this.#state === 'error') this.channel.close()
    this.fault = before
  }

  /** As `fail`, but the hook decides whether the channel goes on (its default closes). */
  warn(hook: Hook, error: Error, reason: CloseReason = 'error'): void {
    if (this.#hears(hook, error)) this.callBlaming(reason, hook, error)
  }

  /** As `fail`, but it stays in 'error' until it is closed. */
  halt(error: Error): void {
    if (this.#progress !== 'open') {
      this.#error = error
      this.#opened?.reject(error)
    }
    this.#become('error', ['on_error', error])
  }

  /**
   * Why it could not be opened needs no line if somebody looks at `opened`, which rejects with it.
   */
  override log(thrown: unknown): void {
    if (this.#opened === undefined || thrown !== this.#error) super.log(thrown)
  }

  /** False: the channel is closed or has failed, and no hook is told. */
  #hears(hook: Hook, error: Error): boolean {
    if (this.#state === 'closed' || this.#state === 'error') return false
    if (this.#progress !== 'open') this.#error = error
    if (hook === 'on_overflow_error') this.drive.note('overflow', this.channel, { error })
    return true
  }

  // ---- closing ----------------------------------------------------------------------------------

  /** To 'closing'. The reason counts unless an error hook is running, or the channel has failed. */
  beginClosing(reason?: CloseReason): void {
    this.announce()
    // The hook may have closed it.
    if (this.#state === 'closing') return
    this.#reason =
      this.fault ??
      (this.#state === 'error' ? 'error' : reason) ??
      (this.drive.isStopping ? 'drain' : 'local')
    this.#become('closing')
  }

  /** To 'closed', and tells everybody. A reason wins over that of `beginClosing`. */
  finishClosing(reason: CloseReason = this.#reason as CloseReason): void {
    const { drive } = this
    const channel = this.channel
    this.#reason = reason
    const closed = this.#closed
    this.#closed = undefined
    if (this.#progress !== 'open') {
      this.#error ??= new ClosedError(`${this.describe()} was closed before it was open`, reason)
      this.#opened?.reject(this.#error)
    }
    drive.forget(channel)
    const { bytes_read, bytes_written } = this.gauge()
    drive.note('close', channel, { reason, duration: this.#age(), bytes_read, bytes_written })
    const isGone = this.driver?.outlivesClosing !== true
    const parent = isGone ? this.#leave() : undefined
    // Hooks from here on: in each of them it may be opened again.
    const gone: Told[] = isGone ? [['on_state', 'destroy', 'closed']] : []
    this.#become('closed', ...gone, ['on_close', reason])
    closed?.resolve(reason)
    parent?.[LIFE].driver?.childClosed?.(channel)
  }

  /**
   * The end of a channel that outlives its closing: it leaves its parent; 'destroy' is signalled.
   */
  destroy(): void {
    this.#leave()
    this.#signal('destroy', 'closed')
  }

  /** Closes it because the channel above it ends. */
  drain(flush: boolean): void {
    this.fault ??= 'drain'
    try {
      this.channel.close(flush)
    } catch (error) {
      // A `close` of the program's own. The other channels have no part in it.
      this.logFault(error)
    }
  }

  // ---- state ------------------------------------------------------------------------------------

  /** `then` are the hooks that are told after on_state. */
  #become(state: State, ...then: Told[]): void {
    this.announce()
    const previous = this.#state
    if (!mayFollow(previous, state))
      throw new Error(
        `sluice: a channel cannot go from ${previous} to ${state}; this is a bug in sluice`,
      )
    this.#state = state
    this.#signal(state, previous, ...then)
  }

  #signal(state: StateSignal, previous: State, ...then: Told[]): void {
    const untold = (this.#untold ??= [])
    untold.push(['on_state', state, previous], ...then)
    this.driver?.stateChanged?.(state)
    for (let next; (next = untold.shift()) !== undefined;) this.call(...next)
    this.#untold = undefined
  }

  #age(): Milliseconds {
    return Math.max(0, Math.ceil(this.drive.now) - this.#since)
  }

  // ---- the tree ---------------------------------------------------------------------------------

  get parent(): Living | undefined {
    return this.#parent
  }

  /** The channels below it. Live. */
  get children(): ReadonlySet<Living> {
    return this.#children
  }

  /**
   * Takes a channel below this one. Is it suspended now if this one is ('shared'), or only by a
   * later suspend ('apart')?
   */
  addChild(child: Living, suspension: 'shared' | 'apart' = 'shared'): void {
    if (this.#children === NONE) this.#children = new Set()
    this.#children.add(child)
    child[LIFE].#parent = this.channel
    if (suspension === 'shared' && this.#suspension !== 'none') child[LIFE].#suspend('above')
  }

  /** Leaves its parent, if there is one, and returns it. */
  #leave(): Living | undefined {
    const parent = this.#parent
    if (parent !== undefined) parent[LIFE].#children.delete(this.channel)
    return parent
  }

  get isSuspended(): boolean {
    return this.#suspension !== 'none'
  }

  /** See `Channel.suspend`. */
  suspend(): void {
    this.#suspend('own')
  }

  /** See `Channel.resume`. */
  resume(): void {
    if (this.#suspension === 'none') return
    this.#suspension = 'none'
    this.driver?.resumed()
    for (const child of inTurn(this, this.#children)) {
      // A hook may have suspended this channel again.
      if (this.#suspension !== 'none') return
      if (child[LIFE].#suspension !== 'above') continue
      noteResumed(this, child)
      child.resume()
    }
  }

  #suspend(suspension: 'above' | 'own'): void {
    const before = this.#suspension
    if (before === 'own' || before === suspension) return
    this.#suspension = suspension
    this.driver?.suspended(suspension)
    if (before !== 'none') return
    for (const child of this.#children) child[LIFE].#suspend('above')
  }
}
