/**
 * Layer 1. Back-off: how long to wait before the next attempt to connect.
 *
 * The bound of the wait doubles with each attempt that fails, up to the longest. The wait itself is
 * any time from 0 to that bound, at random ("full jitter"). The random part comes after the bound:
 * otherwise all waits at the bound would be equal, and all clients of a server that was away would
 * come back at the same moment, again and again.
 *
 * Calls: `next` when a connection or an attempt has ended, `opened` when a connection stands.
 *
 * Rules:
 * 1. Only a connection that has lasted makes the waits short again. A server that accepts and
 *    closes at once is one that fails.
 * 2. No wait is 0: the first attempt after a loss is a wait as well. When a server of 10 000
 *    clients dies, all of them lose it at the same moment.
 * 3. It reads no clock and sets no timer.
 */
// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

import type { Milliseconds } from '../types.ts'

/** The settings of a Backoff. */
export interface BackoffOptions {
  /** The bound of the first wait. @default 1000 ms */
  readonly first?: Milliseconds | undefined
  /** The bound of every wait. @default 30 000 ms */
  readonly longest?: Milliseconds | undefined
  /** A connection that stood this long has lasted. @default 5000 ms */
  readonly lasting?: Milliseconds | undefined
  /** A number of at least 0 and at most 1, for tests. @default Math.random */
  readonly random?: (() => number) | undefined
}

/** As `setTimeout`, which makes 1 of 0. */
const SHORTEST: Milliseconds = 1

/** The waits of one client. */
export class Backoff {
  readonly #first: Milliseconds
  readonly #longest: Milliseconds
  readonly #lasting: Milliseconds
  readonly #random: () => number
  #since: Milliseconds | undefined

  /** How often `next` was called since the last connection that has lasted. */
  attempts = 0

  constructor({ first = 1000, longest = 30_000, lasting = 5000, random }: BackoffOptions = {}) {
    this.#first = first
    this.#longest = longest
    this.#lasting = lasting
    this.#random = random ?? (() => Math.random())
  }

  /** A connection stands since `now`. */
  opened(now: Milliseconds): void {
    this.#since = now
  }

  /** The connection or the attempt ended at `now`: how long to wait before the next attempt. */
  next(now: Milliseconds): Milliseconds {
    if (this.#since !== undefined && now - this.#since >= this.#lasting) this.attempts = 0
    this.#since = undefined
    // 2 ** 31 is beyond every bound.
    const bound = Math.min(this.#longest, this.#first * 2 ** Math.min(this.attempts, 31))
    this.attempts += 1
    return Math.max(SHORTEST, Math.round(bound * this.#random()))
  }

  /** Forgets what has failed: the program itself connects again. */
  reset(): void {
    this.attempts = 0
    this.#since = undefined
  }
}
