/**
 * Bench. Counts the bytes that are moved in memory while something runs: it watches the four
 * functions that move bytes.
 */

import { Buffer } from 'node:buffer'

const BYTES = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array

/** How many bytes `run` copies from one place to another. */
export function countCopies(run: () => void): number {
  let count = 0
  const { copy } = Buffer.prototype
  const { set, copyWithin } = BYTES
  const { from } = Buffer
  let isInside = false
  /** Some of these functions call others: only the outermost call counts. */
  const watched = <Value>(call: () => Value, size: (value: Value) => number): Value => {
    if (isInside) return call()
    isInside = true
    const value = call()
    isInside = false
    count += size(value)
    return value
  }
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
    return watched(
      () => copy.apply(this, args),
      size => size,
    )
  }
  BYTES.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number) {
    watched(
      () => set.call(this, source, offset),
      () => source.length,
    )
  }
  BYTES.copyWithin = function (
    this: Uint8Array,
    target: number,
    start: number,
    end: number = this.length,
  ) {
    return watched(
      () => copyWithin.call(this, target, start, end),
      () => Math.max(0, end - start),
    ) as typeof this
  }
  Buffer.from = ((...args: Parameters<typeof Buffer.from>) =>
    watched(
      () => from(...args),
      made => made.length,
    )) as typeof Buffer.from
  try {
    run()
  } finally {
    Object.assign(Buffer.prototype, { copy })
    Object.assign(BYTES, { set, copyWithin })
    Buffer.from = from
  }
  return count
}
