/**
 * Layer 1. Told: what was reported of the message that cannot be read.
 *
 * A message is reported as too long once for each limit that is higher than the last one, and as
 * broken once. So a hook may change whatever it likes: if that does not help, it is not called
 * again, and nothing goes round in a circle. It is not a matter of chunks.
 */

import type { Bytes } from '../../types.ts'

export class Told {
  /** The number of the first byte of the message. */
  #of: Bytes = 0
  #limit: Bytes = 0
  #isBroken = false

  /**
   * Is it news that the message which begins at this byte is over this limit? It is none if asked
   * again.
   */
  isTooLong(first: Bytes, limit: Bytes): boolean {
    this.#turnTo(first)
    const isNews = limit > this.#limit
    if (isNews) this.#limit = limit
    return isNews
  }

  /** Likewise: is it news that it is broken? */
  isBroken(first: Bytes): boolean {
    this.#turnTo(first)
    const isNews = !this.#isBroken
    this.#isBroken = true
    return isNews
  }

  /** From now on everything is news. */
  forget(): void {
    this.#of = this.#limit = 0
    this.#isBroken = false
  }

  #turnTo(first: Bytes): void {
    if (first !== this.#of) this.forget()
    this.#of = first
  }
}
