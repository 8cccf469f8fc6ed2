/**
 * Layer 8. MessageLife: what happens inside one message channel. A program calls MessageChannel,
 * and the class of a protocol extends ChannelImplementation; what both of them need is here. The
 * channel keeps it under the symbol MESSAGE_LIFE.
 *
 * It is the driver of the channel's Life, which has the state, the promises and the tree of
 * suspensions.
 *
 * Rules:
 * 1. It calls the public methods of the channel (`update_dcaps` …), not its own: a class may
 *    override them.
 * 2. The channel is in the loop only while it is 'pending', not suspended, and not held by a
 *    promise.
 */

import type { Driver } from '../channels/hooks.ts'
import { type Life, LIFE, type Living } from '../channels/life.ts'
import { onRejection } from '../core/promises.ts'
import type { Gauge } from '../core/tally.ts'
import type { Engine } from '../engine.ts'
import type { StateSignal } from '../types.ts'
import { type Dcap, NO_DCAPS } from './caps.ts'
import { type Pending, request } from './loop.ts'
import { ChannelEvent, Message, STATES } from './message.ts'
import { Outlet } from './outlet.ts'
import type { Params } from './params.ts'

export const MESSAGE_LIFE: unique symbol = Symbol('sluice.message_life')

/** The part of a message channel that is used here. */
interface Performer extends Living {
  readonly engine: Engine
  readonly params: Params
  readonly dcaps: ReadonlySet<Dcap>
  update_dcaps(added: readonly Dcap[], removed?: readonly Dcap[]): void
  process(): boolean
  fail(error: unknown): void
  do_suspend(): unknown
  do_resume(): unknown
  on_message(message: Message): unknown
  on_control(message: Message): unknown
}

/** The bytes of a message channel are counted by the stream or the socket below it. */
const GAUGE: Gauge = { kind: 'message', bytes_read: 0, bytes_written: 0, bytes_held: 0 }

export class MessageLife implements Driver, Pending {
  /** A message channel keeps its place below its parent when it has closed. */
  readonly outlivesClosing = true
  readonly outlet: Outlet
  /** The Life of the channel: from here it is found faster than through the channel. */
  readonly life: Life
  /** The parameters of this opening, as text. */
  opening = ''
  /** Was `do_open` called in this opening? */
  isBegun = false
  /** Was `do_close` called, since the channel is closing? */
  isEnding = false
  /** Was the channel active in this opening? */
  wasActive = false
  /** The error that the channel failed with, in this opening. */
  error: Error | undefined
  /** Is the channel being closed by force? Then a failure is only logged. */
  isForced = false
  isDestroyed = false
  /** From the dcaps: has it work that can be done at once? A set is slow to ask, each time. */
  isPending = false
  /** From the dcaps: may it be processed? */
  mayProcess = false
  isInLoop = false
  /** Gets the errors that on_error would log: set by a prefix for its child. */
  errorsTo: ((error: Error) => void) | undefined
  readonly #channel: Performer
  /** The number of openings so far. */
  #openings = 0

  /** Throws UrlError if `stat` or `dump` is invalid. */
  constructor(channel: Performer) {
    this.#channel = channel
    const life = (this.life = channel[LIFE])
    this.outlet = new Outlet(
      channel,
      channel.params,
      // No hook follows on_close, so what a promise left behind is logged.
      (error, isLate) => (isLate ? life.log(error) : life.hookFailed(error)),
      () => this.goOn(),
    )
    life.driver = this
  }

  /** A new opening begins. `opening`: its parameters. */
  begin(opening: string): void {
    this.#openings++
    this.opening = opening
    this.isBegun = this.wasActive = false
    this.error = undefined
    this.isForced = false
    this.outlet.begin()
  }

  /** Has it never been opened, and may it be? */
  get isNew(): boolean {
    return this.#openings === 0 && !this.isDestroyed
  }

  // ---- methods of a class that return promises --------------------------------------------------

  /**
   * Calls `done` with what a do_open or do_close resolves with. If it rejects, the channel fails.
   * Neither happens if the state is another one by then.
   */
  later(result: PromiseLike<unknown>, done: (value: unknown) => void): void {
    const channel = this.#channel
    const { state } = channel
    const opening = this.#openings
    const isStill = (): boolean => channel.state === state && this.#openings === opening
    Promise.resolve(result).then(
      value => {
        if (isStill()) done(value)
      },
      (error: unknown) => {
        if (isStill()) channel.fail(error)
        else channel[LIFE].log(error)
      },
    )
  }

  /** If the promise of a do_post, do_suspend or do_resume rejects, on_error is called. */
  watch(result: unknown): void {
    const { state } = this.#channel
    onRejection(result, error => {
      if (this.#channel.state === state) this.#channel[LIFE].hookFailed(error)
      else this.#channel[LIFE].log(error)
    })
  }

  /** A do_process goes on: the next one waits. If it rejects, the channel fails. */
  holdFor(result: PromiseLike<unknown>): void {
    const opening = this.#openings
    void this.outlet.hold(
      Promise.resolve(result).catch((error: unknown) => {
        if (this.#openings === opening) this.#channel.fail(error)
        else this.#channel[LIFE].log(error)
      }),
    )
  }

  // ---- the dcaps, and the loop ------------------------------------------------------------------

  updateDcaps(added: readonly Dcap[], removed: readonly Dcap[]): void {
    const dcaps = this.#channel.dcaps as Set<Dcap>
    if (added.some(each => !dcaps.has(each)) || removed.some(each => dcaps.has(each))) {
      const before = this.outlet.callbacks.has('channel') ? new Set(dcaps) : undefined
      for (const each of added) dcaps.add(each)
      for (const each of removed) dcaps.delete(each)
      this.isPending = dcaps.has('pending')
      this.mayProcess = dcaps.has('process') && !dcaps.has('suspend')
      if (before !== undefined) this.tell(ChannelEvent.Update, before)
    }
    if (added.includes('pending')) this.goOn()
  }

  /** Has the channel processed in the next turn, if it has something to do and need not wait. */
  goOn(): void {
    const { dcaps, engine } = this.#channel
    if (this.isPending && !this.outlet.isHeld && !dcaps.has('suspend')) request(engine, this)
  }

  /** From the loop. */
  process(): boolean {
    return this.#channel.process()
  }

  /** Tells the callbacks about a change of the channel, see `ChannelEvent`. */
  tell(msgid: number, value: unknown): void {
    if (this.outlet.callbacks.has('channel'))
      void this.outlet.tell(new Message({ type: 'channel', msgid, value }))
  }

  // ---- the driver -------------------------------------------------------------------------------

  address(): string {
    return String(this.#channel.params.url)
  }

  gauge(): Gauge {
    return GAUGE
  }

  hookReturned(result: unknown): void {
    void this.outlet.hold(result)
  }

  stateChanged(state: StateSignal): void {
    if (this.outlet.callbacks.has('state'))
      void this.outlet.tell(new Message({ type: 'state', msgid: STATES.indexOf(state) }))
  }

  suspended(suspension: 'above' | 'own'): void {
    const channel = this.#channel
    channel.update_dcaps(suspension === 'own' ? ['suspend', 'suspend_permanent'] : ['suspend'])
    this.watch(channel.do_suspend())
  }

  resumed(): void {
    const channel = this.#channel
    channel.update_dcaps(NO_DCAPS, ['suspend', 'suspend_permanent'])
    this.watch(channel.do_resume())
    this.goOn()
  }
}
