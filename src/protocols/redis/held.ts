/**
 * Layer 7. Held: what the server says by itself, one after the other. If the program returns a
 * promise, the next one waits for it, and so, in the end, does the server.
 *
 * Replies must come through all the same: the program may await one before it goes on. So while one
 * is to come, reading goes on, and what else the server says waits here.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { Deque } from '../../core/deque.ts'
import type { Push } from './reply.ts'

export class Held {
  readonly #deliver: (push: Push) => PromiseLike<unknown> | undefined
  readonly #isReplyAwaited: () => boolean
  /** Is there a promise that has not settled? What comes meanwhile waits. */
  #isHeld = false
  readonly #waiting = new Deque<Push>()
  /** Resolved when reading may go on. */
  #hold: Deferred<void> | undefined

  /** `deliver` gives it to the program. The promise that it returns must not reject. */
  constructor(
    deliver: (push: Push) => PromiseLike<unknown> | undefined,
    isReplyAwaited: () => boolean,
  ) {
    this.#deliver = deliver
    this.#isReplyAwaited = isReplyAwaited
  }

  /** The promise that it returns holds what comes next. */
  pushed(push: Push): Promise<void> | undefined {
    if (this.#isHeld) this.#waiting.push(push)
    else this.#begin(push)
    if (!this.#isHeld || this.#isReplyAwaited()) return undefined
    this.#hold ??= deferred<void>()
    return this.#hold.promise
  }

  #begin(push: Push): void {
    const promise = this.#deliver(push)
    if (promise === undefined) return
    this.#isHeld = true
    void promise.then(() => this.#goOn())
  }

  #goOn(): void {
    this.#isHeld = false
    for (let push; !this.#isHeld && (push = this.#waiting.shift()) !== undefined;) this.#begin(push)
    if (!this.#isHeld) this.release()
  }

  /** Something is asked: its reply must be read. */
  release(): void {
    this.#hold?.resolve()
    this.#hold = undefined
  }

  /** What waits is of no use any more. */
  clear(): void {
    this.#waiting.clear()
  }
}
