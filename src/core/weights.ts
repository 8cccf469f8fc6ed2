/**
 * Layer 1. Weights: how many bytes the channels of one engine hold (received and not delivered,
 * written and not sent), and the bound over all of them.
 *
 * A bound for each connection is not enough: ten thousand peers that stall in the middle of a
 * message, each well below its own bound, fill any memory.
 *
 * Rules:
 * 1. Weighing must cost nothing that can be felt. A channel that weighs less than STEP is not
 *    counted. One that is counted is counted again when it has grown by STEP. That it has shrunk is
 *    seen only when the sum is over the limit: then all are weighed anew.
 * 2. So the sum is too small by at most STEP for each channel, and no channel is told because of a
 *    sum that is not real.
 * 3. The heaviest channel is told first. A channel that was told and did not shrink is not told
 *    again until it has; the next heaviest is told instead.
 */

import type { Bytes } from '../types.ts'

/** What is weighed: a channel. */
export interface Weighed {
  /** The bytes that it holds now. */
  readonly weight: Bytes
  /** All together hold more than the limit, and this one holds most: it should let go. */
  crowded(limit: Bytes): void
}

/**
 * Less than this is not counted. It is more than arrives at once, so most connections are never
 * looked at.
 */
export const STEP: Bytes = 16 * 1024

export class Weights {
  /** The bound. A change takes effect when something grows next. */
  limit: Bytes
  readonly #counted = new Map<Weighed, Bytes>()
  readonly #told = new Set<Weighed>()
  #sum: Bytes = 0
  #isShedding = false

  constructor(limit: Bytes) {
    this.limit = limit
  }

  /** Call this when it may have grown. */
  weigh(one: Weighed): void {
    const { weight } = one
    const counted = this.#counted.get(one) ?? 0
    if (weight - counted < STEP) return
    this.#set(one, counted, weight)
    if (this.#sum > this.limit && !this.#isShedding) this.#shed()
  }

  /** Call this when it holds nothing any more. */
  remove(one: Weighed): void {
    const counted = this.#counted.get(one)
    if (counted !== undefined) this.#set(one, counted, 0)
  }

  #set(one: Weighed, counted: Bytes, weight: Bytes): void {
    this.#sum += weight - counted
    if (weight >= STEP) return void this.#counted.set(one, weight)
    this.#sum -= weight
    this.#counted.delete(one)
    this.#told.delete(one)
  }

  #shed(): void {
    this.#isShedding = true
    for (const [one, counted] of this.#counted) this.#set(one, counted, one.weight)
    while (this.#sum > this.limit) {
      const heaviest = this.#heaviest()
      if (heaviest === undefined) break
      this.#told.add(heaviest)
      heaviest.crowded(this.limit)
      const counted = this.#counted.get(heaviest)
      if (counted !== undefined) this.#set(heaviest, counted, heaviest.weight)
    }
    this.#isShedding = false
  }

  /** Of those that were not told. */
  #heaviest(): Weighed | undefined {
    let heaviest: Weighed | undefined
    let bytes = 0
    for (const [one, counted] of this.#counted) {
      if (counted <= bytes || this.#told.has(one)) continue
      heaviest = one
      bytes = counted
    }
    return heaviest
  }
}
