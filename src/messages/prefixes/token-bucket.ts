/**
 * Layer 8. TokenBucket: allows a number of tokens per time, and at most `window` of them at once.
 * It has no clock: the caller gives the time.
 *
 * Tokens may be taken while the bucket is not empty, even more than it has. So a large message
 * passes as a whole, and the next one waits until the debt is paid.
 */

import type { Milliseconds } from '../../types.ts'

export class TokenBucket {
  readonly #speed: number
  readonly #window: number
  #level: number
  #time: Milliseconds

  /** `speed`: tokens per ms. `window`: the most tokens. `level`: the tokens at the time `now`. */
  constructor(speed: number, window: number, level: number, now: Milliseconds) {
    this.#speed = speed
    this.#window = window
    this.#level = level
    this.#time = now
  }

  /** Adds the tokens for the time since the last call. Returns false if the bucket is empty. */
  has(now: Milliseconds): boolean {
    this.#level = Math.min(this.#window, this.#level + (now - this.#time) * this.#speed)
    this.#time = now
    return this.#level > 0
  }

  take(tokens: number): void {
    this.#level -= tokens
  }

  /** The time until the bucket has `least` tokens. */
  wait(least: number): Milliseconds {
    return Math.max(0, (least - this.#level) / this.#speed)
  }
}
