/**
 * Layer 2. A clock for tests, which moves only when it is told to.
 *
 * `advance(ms)` runs, in this order: what `soon` collected; then, again and again, the earliest
 * timer that is due and what `soon` collected meanwhile, as a turn of the loop does. At the end the
 * time has moved on by `ms`.
 *
 * Rules:
 * 1. Timers run in the order of their due times. Timers that are due at the same time run in the
 *    order in which they were made.
 * 2. In a callback, `now()` is the time at which it was due, however far the clock is being moved.
 * 3. Timers run only in `advance`, and `advance` never runs inside itself. What `soon` collected
 *    needs no time: it also runs by itself, in the next turn of the event loop. Refused: only in
 *    `advance`. What a program wrote was never sent, and its test waited for ever.
 * 4. `advance` always ends: callbacks that ask for no delay again and again lead to an error. By
 *    themselves they do not run for ever either: a test must end.
 */

import { checkWait } from '../core/checks.ts'
import { InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { Clock } from '../transport.ts'
import type { Cancel, Milliseconds } from '../types.ts'

interface Timer {
  readonly due: Milliseconds
  readonly callback: () => void
  /** The length of the chain of timers without delay that led to it, each made by the last one. */
  readonly round: number
}

/**
 * How often in a row `advance` runs callbacks without time passing. No sensible program comes near.
 */
const MAX_ROUNDS = 10_000

/**
 * Time for a test: `new Engine({ clock })`, then `clock.advance(30_000)` instead of waiting half a
 * minute.
 */
// Source: trio.testing.MockClock.
export class ManualClock implements Clock {
  #now: Milliseconds
  #timers: Timer[] = []
  #soon: (() => void)[] = []
  #state: 'standing' | 'moving' = 'standing'
  #round = 0
  /** Does a turn of the event loop run what `soon` has collected? */
  #isAwaited = false
  /** How many turns in a row have left something for the next one. */
  #turns = 0

  /**
   * `now`: the time at which it starts, in milliseconds. Throws InvalidArgumentError
   * (ERR_INVALID_ARGUMENT) unless it is a finite number.
   *
   * @default 0
   */
  constructor(now: Milliseconds = 0) {
    if (!Number.isFinite(now))
      throw new InvalidArgumentError('now', 'a finite number of milliseconds', now)
    this.#now = now
  }

  /** How many callbacks are waiting, for a time or for `soon`. 0: nothing was left behind. */
  get pending(): number {
    return this.#timers.length + this.#soon.length
  }

  /** The time, in milliseconds. In a callback it is the time at which that was due. */
  now(): Milliseconds {
    return this.#now
  }

  /**
   * Calls once, `delay` milliseconds from now; with Infinity, never. Returns the function that
   * cancels it. Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) for a negative delay and NaN.
   */
  after(delay: Milliseconds, callback: () => void): Cancel {
    const due = this.#now + checkWait('delay', delay)
    const timer: Timer = { due, callback, round: due > this.#now ? 0 : this.#round + 1 }
    const before = this.#timers.findLastIndex(other => other.due <= due)
    this.#timers.splice(before + 1, 0, timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  /**
   * Calls once, in the next turn of the event loop, or when the next `advance` begins if that is
   * earlier; inside a callback, after that callback. No time passes.
   */
  soon(callback: () => void): void {
    this.#soon.push(callback)
    if (this.#state === 'moving') return
    this.#turns = 0
    this.#awaitTurn()
  }

  #awaitTurn(): void {
    if (this.#isAwaited) return
    this.#isAwaited = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isAwaited = false
    this.#state = 'moving'
    try {
      this.#runRound()
    } finally {
      this.#state = 'standing'
      if (this.#soon.length > 0 && ++this.#turns < MAX_ROUNDS) this.#awaitTurn()
    }
  }

  /**
   * Moves the time on by `ms` milliseconds, and runs what is due by then, including callbacks that
   * were added meanwhile. `advance(0)` runs what is due now.
   *
   * It throws what a callback throws. The clock then stands at the time of that callback, and the
   * next `advance` runs the rest. Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) if `ms` is
   * negative or not finite, InvalidStateError (ERR_INVALID_STATE) inside a callback, and if
   * callbacks that ask for no delay do not come to an end.
   */
  advance(ms: Milliseconds): void {
    if (checkWait('ms', ms) === Infinity)
      throw new InvalidArgumentError('ms', 'a finite number of milliseconds, 0 or more', ms)
    if (this.#state === 'moving')
      throw new InvalidStateError('advance', 'the clock is moving', 'call it outside of callbacks')
    this.#state = 'moving'
    try {
      this.#run(this.#now + ms)
    } finally {
      this.#state = 'standing'
    }
  }

  #run(until: Milliseconds): void {
    this.#round = 0
    this.#runSoon()
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#round = timer.round
      this.#checkRounds(this.#round)
      this.#now = timer.due
      timer.callback()
      this.#runSoon()
    }
    this.#now = until
  }

  #next(until: Milliseconds): Timer | undefined {
    return this.#timers[0] !== undefined && this.#timers[0].due <= until
      ? this.#timers.shift()
      : undefined
  }

  /** In rounds: what a callback adds runs after all that were there already. */
  #runSoon(): void {
    for (let rounds = 1; this.#soon.length > 0; rounds++) {
      this.#checkRounds(rounds)
      this.#runRound()
    }
  }

  #runRound(): void {
    const round = this.#soon
    this.#soon = []
    for (const callback of round) callback()
  }

  #checkRounds(rounds: number): void {
    if (rounds <= MAX_ROUNDS) return
    throw new InvalidStateError(
      'advance',
      `${MAX_ROUNDS} rounds of callbacks, and each asked for more without delay`,
      'look for a callback that calls soon() or after(0) every time',
    )
  }
}
