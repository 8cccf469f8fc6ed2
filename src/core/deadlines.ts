/**
 * Layer 1. Deadlines: the timeouts of all channels of an engine. It tells no time and arms nothing;
 * the engine asks `next` and calls `run`.
 *
 * What has a timeout waits in a bucket, together with everything that is to be looked at in the
 * same moment. Activity touches nothing here: when the moment has come, what has a timeout compares
 * what has happened with what it saw the last time, and says when to look again. So 100 000
 * connections are some dozens of buckets, and one timer of the clock.
 *
 * Rules:
 * 1. Never too early: a moment is rounded up to that of a bucket, by at most an eighth of the wait,
 *    and at most by a second.
 * 2. What is in here belongs to a channel that is open. It takes itself out when it closes, so
 *    nothing in here keeps a process alive that has nothing else to do.
 */

import type { Cancel, Milliseconds } from '../types.ts'
import { Timers } from './timers.ts'

/** What has a timeout. */
export interface Deadline {
  /** Where it waits; kept by Deadlines alone. */
  bucket: Bucket | undefined
  /**
   * Its moment has come, or is near: does what is due, and returns when to look again, later than
   * `now`; Infinity: never. Throws nothing.
   */
  look(now: Milliseconds): Milliseconds
}

interface Bucket {
  readonly at: Milliseconds
  readonly members: Set<Deadline>
  readonly cancel: Cancel
}

/**
 * The widest bucket is 1024 ms: nobody waits for a timeout with a stop-watch. Powers of two, so
 * that they fall together.
 */
const WIDEST: Milliseconds = 1024

/** A bucket is at most this part of the wait. */
const PART = 8

export class Deadlines {
  readonly #timers = new Timers()
  readonly #buckets = new Map<Milliseconds, Bucket>()
  /** When `run` was last called. */
  #now: Milliseconds = 0

  /** When something is due next; undefined when nothing is. */
  get next(): Milliseconds | undefined {
    return this.#timers.next
  }

  /** How many moments there are at which something is due. */
  get size(): number {
    return this.#timers.size
  }

  /** Calls back once, at `due` exactly. */
  add(due: Milliseconds, callback: () => void): Cancel {
    return this.#timers.add(due, 0, callback)
  }

  /**
   * Looks at the deadline at `due` or a little later, and no more at the moment that it waited for
   * until now.
   */
  put(deadline: Deadline, due: Milliseconds, now: Milliseconds): void {
    this.remove(deadline)
    if (due === Infinity) return
    const width = 2 ** Math.floor(Math.log2(Math.min(Math.max(1, due - now) / PART, WIDEST)))
    const at = Math.ceil(due / width) * width
    const bucket = this.#buckets.get(at) ?? this.#open(at)
    bucket.members.add(deadline)
    deadline.bucket = bucket
  }

  #open(at: Milliseconds): Bucket {
    const bucket: Bucket = {
      at,
      members: new Set(),
      cancel: this.#timers.add(at, 0, () => this.#look(bucket)),
    }
    this.#buckets.set(at, bucket)
    return bucket
  }

  remove(deadline: Deadline): void {
    const { bucket } = deadline
    if (bucket === undefined) return
    deadline.bucket = undefined
    bucket.members.delete(deadline)
    if (bucket.members.size === 0) this.#close(bucket)
  }

  #close(bucket: Bucket): void {
    bucket.cancel()
    if (this.#buckets.get(bucket.at) === bucket) this.#buckets.delete(bucket.at)
  }

  /** Does what is due at `now`. */
  run(now: Milliseconds): void {
    this.#now = now
    this.#timers.run(now)
  }

  #look(bucket: Bucket): void {
    this.#close(bucket)
    for (const deadline of bucket.members) {
      deadline.bucket = undefined
      bucket.members.delete(deadline)
      this.put(deadline, deadline.look(this.#now), this.#now)
    }
  }
}
