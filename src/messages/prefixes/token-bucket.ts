/**
 * Layer 8. TokenBucket: allows a number of tokens per time, and at most `window` of them at once.
 * It has no clock: the caller gives the time.
 *
 * Tokens may be taken while there is at least one, even more than there are. So a large message
 * passes as a whole, and the next one waits until the debt is paid. Only whole tokens count: a part
 * of one comes in no time, and would let another message pass.
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

  /** Adds the tokens for the time since the last call. Returns false if there are fewer. */
  has(least: number, now: Milliseconds): boolean {
    this.#level = Math.min(this.#window, this.#level + (now - this.#time) * this.#speed)
    this.#time = now
    return this.#level >= least
  }

  /** Takes tokens; with a negative number they are given back. */
  take(tokens: number): void {
    this.#level -= tokens
  }

  /** The time until there are that many, since the last `has`. */
  wait(least: number): Milliseconds {
    return Math.max(0, (least - this.#level) / this.#speed)
  }
}
