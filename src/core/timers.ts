/**
 * Layer 1. The timers of an engine: what is to be called when, in which order. It tells no time and
 * arms nothing; the engine asks `next` and calls `run`.
 *
 * A binary heap by due time, then by age: adding, cancelling and running cost log n, so 100 000
 * pending timers are nothing special. (One `setTimeout` each would run timers that are due together
 * in the order of their durations, not of their due times, and could not be driven by an injected
 * clock.)
 */

import type { Cancel, Milliseconds } from '../types.ts'

interface Timer {
  due: Milliseconds
  /** Timers due at the same moment run in the order in which they were made. */
  readonly age: number
  /** Milliseconds between two runs; 0 runs once. */
  readonly every: Milliseconds
  readonly callback: () => void
  /** Where it stands in the heap; -1 when it does not. */
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

  /** When the next timer is due; undefined when there is none. */
  get next(): Milliseconds | undefined {
    return this.#heap[0]?.due
  }

  /** Calls back at `due`, and if `every` is not 0 (milliseconds, at least 1) again and again. */
  add(due: Milliseconds, every: Milliseconds, callback: () => void): Cancel {
    // Due before now would stand before what is due now, and `run` stops at the first one that is
    // too new for it.
    const timer: Timer = {
      due: Math.max(due, this.#now),
      age: this.#age++,
      every,
      callback,
      at: -1,
    }
    this.#insert(timer)
    // A cycle that cancels itself from inside stands in the heap already, for its next run.
    return () => this.#remove(timer)
  }

  /**
   * Runs what is due at `now`. What it starts meanwhile waits for the next call, even if it is due
   * at once. A cycle is set for its next run before it is called, counted from when it was due and
   * not from now, so it does not drift; runs that were missed altogether are left out.
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
        // The quotient of fractions may come out a little too small: that run would be this one
        // again.
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
    // The last one takes the place, and goes down or up from there to where it belongs.
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
