/**
 * Layer 1. Holders: the channels of an engine that hold much (received and not delivered, written
 * and not sent), and the bound over all of them.
 *
 * A bound for each connection bounds nothing: ten thousand peers that stall in the middle of a
 * message, each well below its own, fill any memory (reference/peers.md P40).
 *
 * Rules:
 * 1. Counting must cost nothing that is felt: a channel that holds less than STEP is not counted,
 *    and one that is, again when it has grown by STEP. That it has shrunk is seen only when the sum
 *    is over the limit: then all are counted anew.
 * 2. So the sum is never too small by more than STEP for each channel, and nobody is told of a sum
 *    that is not real.
 * 3. Who holds most is told first. Who was told and holds on to it is not told again before it has
 *    let go, but the next one is.
 */

import type { Bytes } from '../types.ts'

/** A channel that may hold much. */
export interface Holder {
  /** How much that is now. */
  readonly held: Bytes
  /** All together hold more than the limit, and this one most: it should let go. */
  crowded(limit: Bytes): void
}

/**
 * Below this, and less than this more, nothing is counted: what arrives at once, so most
 * connections are never looked at.
 */
export const STEP: Bytes = 16 * 1024

export class Holders {
  /** The bound. Changed, it holds from the next growth on. */
  limit: Bytes
  readonly #counted = new Map<Holder, Bytes>()
  readonly #told = new Set<Holder>()
  #sum: Bytes = 0
  #isShedding = false

  constructor(limit: Bytes) {
    this.limit = limit
  }

  /** It may have grown. */
  update(holder: Holder): void {
    const { held } = holder
    const counted = this.#counted.get(holder) ?? 0
    if (held - counted < STEP) return
    this.#set(holder, counted, held)
    if (this.#sum > this.limit && !this.#isShedding) this.#shed()
  }

  /** It holds nothing any more. */
  remove(holder: Holder): void {
    const counted = this.#counted.get(holder)
    if (counted !== undefined) this.#set(holder, counted, 0)
  }

  #set(holder: Holder, counted: Bytes, held: Bytes): void {
    this.#sum += held - counted
    if (held >= STEP) return void this.#counted.set(holder, held)
    this.#sum -= held
    this.#counted.delete(holder)
    this.#told.delete(holder)
  }

  #shed(): void {
    this.#isShedding = true
    for (const [holder, counted] of this.#counted) this.#set(holder, counted, holder.held)
    while (this.#sum > this.limit) {
      const most = this.#most()
      if (most === undefined) break
      this.#told.add(most)
      most.crowded(this.limit)
      const counted = this.#counted.get(most)
      if (counted !== undefined) this.#set(most, counted, most.held)
    }
    this.#isShedding = false
  }

  #most(): Holder | undefined {
    let most: Holder | undefined
    let bytes = 0
    for (const [holder, counted] of this.#counted) {
      if (counted <= bytes || this.#told.has(holder)) continue
      most = holder
      bytes = counted
    }
    return most
  }
}
