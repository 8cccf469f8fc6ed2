/**
 * Layer 8. Fullness: for which reasons a prefix takes no messages. It tells WriteFull with the
 * first reason, and WriteReady when none is left.
 *
 * It is about the prefix as a whole. What is full for one peer of a server only has an `addr`, and
 * is that peer's affair: a prefix passes it on and keeps nothing of it. So nothing is left of a
 * peer that has gone.
 */

import { Control } from '../message.ts'

export class Fullness<Reason extends string> {
  readonly #reasons = new Set<Reason>()
  readonly #tell: (msgid: number) => void

  /** `tell` is called with Control.WriteFull or Control.WriteReady. */
  constructor(tell: (msgid: number) => void) {
    this.#tell = tell
  }

  get isFull(): boolean {
    return this.#reasons.size > 0
  }

  has(reason: Reason): boolean {
    return this.#reasons.has(reason)
  }

  add(reason: Reason): void {
    const before = this.#reasons.size
    this.#reasons.add(reason)
    if (before === 0) this.#tell(Control.WriteFull)
  }

  delete(reason: Reason): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#tell(Control.WriteReady)
  }

  /** Forgets all reasons; tells nothing. */
  clear(): void {
    this.#reasons.clear()
  }
}
