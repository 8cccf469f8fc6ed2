/**
 * Layer 8. The outlet: where the messages of one channel come out, to its hook and then to its
 * callbacks; what counts and shows them; and the promises that hold the next one.
 */

import { noop } from '../core/noop.ts'
import { type Engine, logSafely } from '../engine.ts'
import { DUMPS, type Dump, formatMessage } from './tools/dump.ts'
import { Listeners } from './listeners.ts'
import type { Message } from './message.ts'
import type { Params } from './params.ts'
import { countReceived, countSent, Stat } from './tools/stat.ts'

/** The channel. */
export interface Owner {
  readonly engine: Engine
  readonly name: string
  on_message(message: Message): unknown
  on_control(message: Message): unknown
}

export class Outlet {
  readonly listeners = new Listeners()
  readonly stat: Stat | undefined
  readonly #owner: Owner
  readonly #dump: Dump
  readonly #failed: (error: unknown) => void
  readonly #released: () => void
  /** Promises that have not settled. */
  #held = 0

  /**
   * `failed` gets what hooks and callbacks throw; `released` is called when nothing is held any
   * more.
   */
  constructor(
    owner: Owner,
    params: Params,
    failed: (error: unknown) => void,
    released: () => void,
  ) {
    this.#owner = owner
    this.#failed = failed
    this.#released = released
    this.stat = params.boolean('stat', false) ? new Stat() : undefined
    this.#dump = params.choice('dump', DUMPS, 'no')
  }

  /** Must the next message wait? */
  get isHeld(): boolean {
    return this.#held > 0
  }

  /** A message was given to the channel to be sent. */
  posted(message: Message, isTaken: boolean): void {
    if (this.#dump !== 'no') this.#log(isTaken ? 'post' : 'not posted', message)
    if (isTaken && this.stat !== undefined) countSent(this.stat, message)
  }

  /** A message was received. Returns a promise where a hook or callback did. */
  emit(message: Message): Promise<void> | undefined {
    if (this.#dump !== 'no') this.#log('recv', message)
    if (this.stat !== undefined) countReceived(this.stat, message)
    const owner = this.#owner
    let waits: Promise<void> | undefined
    try {
      const { type } = message
      const result =
        type === 'data'
          ? owner.on_message(message)
          : type === 'control'
            ? owner.on_control(message)
            : undefined
      if (result !== undefined) waits = this.hold(result)
    } catch (error) {
      this.#failed(error)
    }
    const more = this.tell(message)
    return waits === undefined || more === undefined
      ? (waits ?? more)
      : Promise.all([waits, more]).then(noop)
  }

  /** Tells the callbacks alone. */
  tell(message: Message): Promise<void> | undefined {
    if (!this.listeners.has(message.type)) return undefined
    let waits: Promise<void> | undefined
    this.listeners.call(
      message,
      result => {
        const held = this.hold(result)
        waits =
          waits === undefined || held === undefined
            ? (waits ?? held)
            : Promise.all([waits, held]).then(noop)
      },
      this.#failed,
    )
    return waits
  }

  /** The next message waits for it, if it is a promise. */
  hold(result: unknown): Promise<void> | undefined {
    if (typeof (result as PromiseLike<unknown> | null)?.then !== 'function') return undefined
    this.#held++
    return Promise.resolve(result)
      .then(noop, this.#failed)
      .then(() => {
        if (--this.#held === 0) this.#released()
      })
  }

  #log(what: string, message: Message): void {
    logSafely(
      this.#owner.engine,
      `${this.#owner.name}: ${formatMessage(what, message, this.#dump)}`,
    )
  }
}
