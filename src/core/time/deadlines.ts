/**
 * Layer 1. Deadlines: the timeouts of all channels of an engine. It reads no clock and sets no
 * timer; an Alarm asks `next` and calls `run`.
 *
 * A deadline waits in a bucket, together with all others that are to be looked at in the same
 * moment. Traffic touches nothing in here: when the moment has come, the deadline compares the
 * counters of its channel with those it saw the last time, and says when to look again. So 100 000
 * connections take some dozens of buckets, and one timer of the clock.
 *
 * Rules:
 * 1. Never too early: a moment is rounded up to that of a bucket, by at most an eighth of the wait
 *    and at most 1024 ms.
 * 2. A deadline in here belongs to an open channel, which removes it when it closes. So no deadline
 *    keeps a process alive that has nothing else to do.
 * 3. Time in which the process stood still is not the peer's. What comes late by more than its
 *    bucket waits for a poll of the loop first (`isLate`; the Alarm does it): then what the peers
 *    sent meanwhile has been read. One poll is too little for an exchange (connecting, a
 *    handshake): what was added with `add` gets the time that it was late, at most its whole wait,
 *    and once.
 */

import type { Cancel, Milliseconds } from '../../types.ts'
import { Timers } from './timers.ts'

/** What has a timeout. */
export interface Deadline {
  /** The bucket in which it waits. Only Deadlines may set it. */
  bucket: Bucket | undefined
  /**
   * Called when its moment has come or is near. It does what is due and returns when to look again:
   * later than `now`, or Infinity for never. It must not throw.
   */
  look(now: Milliseconds): Milliseconds
}

interface Bucket {
  readonly at: Milliseconds
  readonly width: Milliseconds
  readonly members: Set<Deadline>
  readonly cancel: Cancel
}

/**
 * The widest bucket: one second late does not matter for a timeout of 8 seconds or more. All widths
 * are powers of two, so that buckets of different widths share their moments.
 */
const WIDEST: Milliseconds = 1024

/** The width of a bucket is at most the wait divided by this. */
const PART = 8

/** Timers of Node come up to this much later than asked for. That is not late. */
const GRAIN: Milliseconds = 2

export class Deadlines {
  readonly #timers = new Timers()
  readonly #buckets = new Map<Milliseconds, Bucket>()
  /** When `run` was last called. */
  #now: Milliseconds = 0

  /** When something is due next; undefined if nothing is. */
  get next(): Milliseconds | undefined {
    return this.#timers.next
  }

  /** The number of moments at which something is due. */
  get size(): number {
    return this.#timers.size
  }

  /** Is what is due next so late that the loop must be polled before `run`? */
  isLate(now: Milliseconds): boolean {
    const { next } = this.#timers
    if (next === undefined) return false
    return now - next > Math.max(GRAIN, this.#buckets.get(next)?.width ?? 0)
  }

  /** Calls back once: at `due` exactly, but rule 3. `now`: since when it waits. */
  add(due: Milliseconds, now: Milliseconds, callback: () => void): Cancel {
    let cancel = this.#timers.add(due, 0, () => {
      const late = this.#now - due
      if (late <= GRAIN) return callback()
      cancel = this.#timers.add(this.#now + Math.min(late, due - now), 0, callback)
    })
    return () => cancel()
  }

  /**
   * Has the deadline looked at, at `due` or a little later, and no longer at the moment it waited
   * for until now. Infinity: not at all.
   */
  put(deadline: Deadline, due: Milliseconds, now: Milliseconds): void {
    this.remove(deadline)
    if (due === Infinity) return
    const width = 2 ** Math.floor(Math.log2(Math.min(Math.max(1, due - now) / PART, WIDEST)))
    const at = Math.ceil(due / width) * width
    const bucket = this.#buckets.get(at) ?? this.#open(at, width)
    bucket.members.add(deadline)
    deadline.bucket = bucket
  }

  #open(at: Milliseconds, width: Milliseconds): Bucket {
    const bucket: Bucket = {
      at,
      width,
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
