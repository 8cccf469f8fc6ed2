/**
 * Layer 1. Alarm: sees to it that a clock calls when the first of several things is due, with one
 * timer of the clock for all of them, and with none when nothing is: one that waits would keep the
 * process alive.
 */

import type { Clock } from '../transport.ts'
import type { Cancel, Milliseconds } from '../types.ts'

/** What has something due at some moment: Timers, Deadlines. */
export interface Due {
  readonly next: Milliseconds | undefined
  /** Does what is due. Throws nothing. */
  run(now: Milliseconds): void
}

export class Alarm {
  readonly #clock: Clock
  readonly #all: readonly Due[]
  /** Ends the wait, and until when that is. */
  #disarm: Cancel | undefined
  #armedFor: Milliseconds = Infinity

  constructor(clock: Clock, ...all: readonly Due[]) {
    this.#clock = clock
    this.#all = all
  }

  /** To be called when something is due sooner than before, or not any more. */
  set(): void {
    let next = Infinity
    for (const due of this.#all) next = Math.min(next, due.next ?? Infinity)
    // Too early does no harm.
    if (next >= this.#armedFor && next !== Infinity) return
    this.#disarm?.()
    this.#armedFor = next
    this.#disarm =
      next === Infinity
        ? undefined
        : this.#clock.after(Math.max(0, next - this.#clock.now()), () => this.#ring())
  }

  /** For something that was just added: makes of what cancels it what also sees to the alarm. */
  setFor(cancel: Cancel): Cancel {
    this.set()
    return () => {
      cancel()
      this.set()
    }
  }

  #ring(): void {
    this.#disarm = undefined
    this.#armedFor = Infinity
    for (const due of this.#all) due.run(this.#clock.now())
    this.set()
  }
}
