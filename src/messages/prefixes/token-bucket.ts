/**
 * Layer 8. A token bucket: so much an interval, and no more at once than its window. It tells no
 * time.
 *
 * Something may be taken while there is anything in it, and may take more than that: what is large
 * passes whole, and is waited for afterwards.
 */

import type { Milliseconds } from '../../types.ts'

export class TokenBucket {
  readonly #speed: number
  readonly #window: number
  #level: number
  #time: Milliseconds

  /** `speed`: tokens per ms. `window`: the most it holds. `level`: what it holds at `now`. */
  constructor(speed: number, window: number, level: number, now: Milliseconds) {
    this.#speed = speed
    this.#window = window
    this.#level = level
    this.#time = now
  }

  /** Is there anything? */
  has(now: Milliseconds): boolean {
    this.#level = Math.min(this.#window, this.#level + (now - this.#time) * this.#speed)
    this.#time = now
    return this.#level > 0
  }

  take(tokens: number): void {
    this.#level -= tokens
  }

  /** In how many ms there is more than `least` in it. */
  wait(least: number): Milliseconds {
    return Math.max(0, (least - this.#level) / this.#speed)
  }
}
