/**
 * Layer 1. The timers of an engine: what is called when, and in which order. It reads no clock and
 * sets no timer; an Alarm asks `next` and calls `run`.
 *
 * It is a binary heap, ordered by due time and then by age. Adding, cancelling and running cost
 * log n, so 100 000 pending timers are no problem. (With one `setTimeout` each, timers that are due
 * together would run in the order of their durations instead of their due times, and an injected
 * clock could not drive them.)
 */

import type { Cancel, Milliseconds } from '../../types.ts'

interface Timer {
  due: Milliseconds
  /** Timers due at the same moment run in the order in which they were made. */
  readonly age: number
  /** The time between two runs; 0 means one run only. */
  readonly every: Milliseconds
  readonly callback: () => void
  /** Its index in the heap; -1 if it is not in it. */
  at: number
}

export class Timers {
  readonly #heap: Timer[] = []
  #age = 0
  /** When `run` was last called. */
  #now: Milliseconds = -Infinity

  get size(): number {
    return this.#heap.length
  }

  /** When the next timer is due; undefined if there is none. */
  get next(): Milliseconds | undefined {
    return this.#heap[0]?.due
  }

  /** Calls back at `due`, and then every `every` milliseconds (at least 1) unless that is 0. */
  add(due: Milliseconds, every: Milliseconds, callback: () => void): Cancel {
    // A timer that is due in the past would be first in the heap, and `run` stops at the first
    // timer that was added after it began.
    const timer: Timer = {
      due: Math.max(due, this.#now),
      age: this.#age++,
      every,
      callback,
      at: -1,
    }
    this.#insert(timer)
    // A cycle that cancels itself while it runs is in the heap already, for its next run.
    return () => this.#remove(timer)
  }

  /**
   * Runs what is due at `now`. A timer that is added meanwhile waits for the next call, even if it
   * is due at once.
   *
   * A cycle is set for its next run before it is called. That is counted from when it was due, not
   * from now, so it does not drift. Runs that were missed altogether are left out.
   */
  run(now: Milliseconds): void {
    this.#now = now
    const newest = this.#age
    for (
      let timer = this.#heap[0];
      timer !== undefined && timer.due <= now && timer.age < newest;
      timer = this.#heap[0]
    ) {
      this.#remove(timer)
      if (timer.every > 0) {
        timer.due += timer.every * (1 + Math.floor((now - timer.due) / timer.every))
        // The quotient of fractions may be a little too small, which would be this run again.
        if (timer.due <= now) timer.due += timer.every
        this.#insert(timer)
      }
      timer.callback()
    }
  }

  clear(): void {
    for (const timer of this.#heap) timer.at = -1
    this.#heap.length = 0
  }

  #insert(timer: Timer): void {
    this.#heap.push(timer)
    this.#rise(timer, this.#heap.length - 1)
  }

  #remove(timer: Timer): void {
    const { at } = timer
    if (at === -1) return
    timer.at = -1
    const last = this.#heap.pop() as Timer
    if (last === timer) return
    // The last timer takes its place, and moves down or up from there.
    this.#sink(last, at)
    this.#rise(last, last.at)
  }

  #rise(timer: Timer, at: number): void {
    while (at > 0) {
      const parent = this.#heap[(at - 1) >> 1] as Timer
      if (isBefore(parent, timer)) break
      this.#put(parent, at)
      at = (at - 1) >> 1
    }
    this.#put(timer, at)
  }

  #sink(timer: Timer, at: number): void {
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#heap.length) break
      if (
        child + 1 < this.#heap.length &&
        isBefore(this.#heap[child + 1] as Timer, this.#heap[child] as Timer)
      )
        child++
      if (isBefore(timer, this.#heap[child] as Timer)) break
      this.#put(this.#heap[child] as Timer, at)
      at = child
    }
    this.#put(timer, at)
  }

  #put(timer: Timer, at: number): void {
    this.#heap[at] = timer
    timer.at = at
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.age < b.age)
}
