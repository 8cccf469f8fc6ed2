/**
 * Layer 8. Outlet: delivers the messages of one channel, first to its hook, then to its callbacks.
 * It also counts and logs them, and keeps the promises that hold the next message.
 */

import { noop } from '../core/noop.ts'
import { isPromiseLike, Promises } from '../core/promises.ts'
import { type Engine, logSafely } from '../engine.ts'
import type { State } from '../types.ts'
import { bitOf, Callbacks, type Slot } from './callbacks.ts'
import type { Addr, Message } from './message.ts'
import type { Params } from './params.ts'
import { DUMPS, type Dump, formatMessage } from './tools/dump.ts'
import { countReceived, countSent, Stat } from './tools/stat.ts'

/** The part of a channel that is used here. */
interface Owner {
  readonly engine: Engine
  readonly name: string
  readonly state: State
  on_message(message: Message): unknown
  on_control(message: Message): unknown
}

export class Outlet {
  readonly callbacks = new Callbacks()
  readonly stat: Stat | undefined
  /** Are messages counted or logged? Otherwise `posted` need not be called. */
  readonly isWatched: boolean
  readonly #owner: Owner
  readonly #dump: Dump
  readonly #failed: (error: unknown, isLate: boolean) => void
  readonly #released: () => void
  /** Made when a hook or callback returns one. */
  #promises: Promises | undefined

  /**
   * `failed` gets each error that a hook or callback throws, or rejects with. `isLate`: the opening
   * that it is from is over. `released` is called when the last promise has settled.
   */
  constructor(
    owner: Owner,
    params: Params,
    failed: (error: unknown, isLate: boolean) => void,
    released: () => void,
  ) {
    this.#owner = owner
    this.#failed = failed
    this.#released = released
    this.stat = params.boolean('stat', false) ? new Stat() : undefined
    this.#dump = params.choice('dump', DUMPS, 'no')
    this.isWatched = this.stat !== undefined || this.#dump !== 'no'
  }

  /** A new opening begins: what is left of the last one does not hold it. */
  begin(): void {
    this.#promises?.abandon()
    this.#promises = undefined
  }

  /** Must the next message wait for a promise? */
  get isHeld(): boolean {
    return this.#promises?.areAny === true
  }

  /** Called for each message that was posted. */
  posted(message: Message, isTaken: boolean): void {
    if (this.#dump !== 'no') this.#log(isTaken ? 'post' : 'not posted', message)
    if (isTaken && this.stat !== undefined) countSent(this.stat, message)
  }

  /** Delivers a message. Returns a promise if a hook or callback returned one. */
  emit(message: Message): Promise<void> | undefined {
    if (this.isWatched) this.#received(message)
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
      this.#failed(error, false)
    }
    return this.callbacks.has(message.type) ? both(waits, this.tell(message)) : waits
  }

  #received(message: Message): void {
    if (this.#dump !== 'no') this.#log('recv', message)
    if (this.stat !== undefined) countReceived(this.stat, message)
  }

  /** Delivers a text to the only callback. Returns false if it must be a message, see texts.ts. */
  emitText(text: string, addr: Addr | undefined): Promise<void> | undefined | false {
    const { onText } = this.callbacks
    if (onText === undefined || this.isWatched) return false
    try {
      const result = onText(text, addr)
      return result === undefined ? undefined : this.hold(result)
    } catch (error) {
      this.#failed(error, false)
      return undefined
    }
  }

  /** Delivers a message to the callbacks only. */
  tell(message: Message): Promise<void> | undefined {
    const bit = bitOf(message.type)
    const { slots } = this.callbacks
    let waits: Promise<void> | undefined
    // No closures: this is done for every message, once for each prefix.
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] as Slot
      if ((slot.mask & bit) === 0) continue
      try {
        const result = slot.callback(message)
        if (result !== undefined) waits = both(waits, this.hold(result))
      } catch (error) {
        this.#failed(error, false)
      }
    }
    return waits
  }

  /** If the result is a promise, the next message waits until it has settled. */
  hold(result: unknown): Promise<void> | undefined {
    if (!isPromiseLike(result)) return undefined
    this.#promises ??= new Promises(
      {
        promiseRejected: (error, isLate) =>
          this.#failed(error, isLate || this.#owner.state === 'closed'),
      },
      this.#released,
    )
    return this.#promises.add(result)
  }

  #log(what: string, message: Message): void {
    logSafely(
      this.#owner.engine,
      `${this.#owner.name}: ${formatMessage(what, message, this.#dump)}`,
    )
  }
}

/** A promise of both, if there are two. */
function both(
  one: Promise<void> | undefined,
  other: Promise<void> | undefined,
): Promise<void> | undefined {
  if (one === undefined) return other
  return other === undefined ? one : Promise.all([one, other]).then(noop)
}
