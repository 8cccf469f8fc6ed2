/**
 * Layer 1. Alarm: has a clock call when the first of several things is due. It uses one timer of
 * the clock for all of them, and none if nothing is due: a pending timer would keep the process
 * alive.
 *
 * A process may stand still: a hook computes, a collection takes long, the machine pauses. Then a
 * timer rings late, and before the loop has read what came meanwhile. Judged at once, peers that
 * have sent all the while would be silent ones. So what finds itself late (`isLate`) runs only
 * after the next poll of the loop.
 */

import type { Clock } from '../../transport.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { noop } from '../noop.ts'

/** A thing that is due at some moment: Timers, Deadlines. */
interface Due {
  /** When; undefined if nothing is due. */
  readonly next: Milliseconds | undefined
  /** Does what is due at `now`. Must not throw. */
  run(now: Milliseconds): void
  /** Must the sockets be read first? Not asked of what does not judge anybody. */
  isLate?(now: Milliseconds): boolean
}

/**
 * What is late rests for so many steps. Each waits for what comes `soon`, and then so long. Node
 * polls before `soon`; Bun after it, and before timers; Deno when it has nothing else to do, and
 * after a poll it runs the timers first. So one step is too little: if the system lets the process
 * wait for its time, its timer is due at once. In all of them Deno has read a thousand sockets.
 */
const STEPS = 4
const STEP: Milliseconds = 5

/** How often it begins anew: a pause of the machine seldom comes in more than a few pieces. */
const RESTS = 10

export class Alarm {
  readonly #clock: Clock
  readonly #all: readonly Due[]
  /** Cancels the clock's timer. */
  #disarm: Cancel | undefined
  /** When that timer fires; Infinity if there is none. */
  #armedFor: Milliseconds = Infinity
  /** What runs after the next poll, with what cancels that; the timer does not ring for it. */
  readonly #polling = new Map<Due, Cancel>()

  constructor(clock: Clock, ...all: readonly Due[]) {
    this.#clock = clock
    this.#all = all
  }

  /** Call this when something has become due sooner than before, or is no longer due. */
  set(): void {
    if (this.#polling.size > 0) this.#dropDone()
    let next = Infinity
    for (const due of this.#all)
      if (!this.#polling.has(due)) next = Math.min(next, due.next ?? Infinity)
    // A timer that fires too early does no harm: it runs nothing and is set again.
    if (next >= this.#armedFor && next !== Infinity) return
    this.#disarm?.()
    this.#armedFor = next
    this.#disarm =
      next === Infinity
        ? undefined
        : this.#clock.after(Math.max(0, next - this.#clock.now()), () => this.#ring())
  }

  /**
   * Call this when something was added that `cancel` removes. Returns a function that cancels it
   * and sets the alarm anew.
   */
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
    for (const due of this.#all) {
      if (this.#polling.has(due)) continue
      // Each asks for the time itself: what the one before it did may have taken long.
      const now = this.#clock.now()
      if (due.isLate?.(now)) this.#runAfterPoll(due)
      else due.run(now)
    }
    this.set()
  }

  /**
   * If the process stands still again meanwhile, it rests anew, but not for ever: a process that
   * is always late judges all the same. Not timers alone: Node may run one before the next poll.
   */
  #runAfterPoll(due: Due, steps = STEPS, rests = RESTS): void {
    const from = this.#clock.now()
    const rested = (): void => {
      const isLate = this.#clock.now() - from > 2 * STEP
      if (isLate && rests > 1) this.#runAfterPoll(due, STEPS, rests - 1)
      else if (steps > 1) this.#runAfterPoll(due, steps - 1, rests)
      else this.#run(due)
    }
    this.#polling.set(due, noop)
    this.#clock.soon(() => {
      if (this.#polling.has(due)) this.#polling.set(due, this.#clock.after(STEP, rested))
    })
  }

  /** What nobody waits for any more must not keep the process alive. */
  #dropDone(): void {
    for (const [due, cancel] of this.#polling) {
      if (due.next !== undefined) continue
      cancel()
      this.#polling.delete(due)
    }
  }

  #run(due: Due): void {
    this.#polling.delete(due)
    due.run(this.#clock.now())
    this.set()
  }
}
