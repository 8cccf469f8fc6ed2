/**
 * Bench. How far a median can be trusted.
 */

/** A median, and the interval that its true value is in. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  /** The chance that the true median is in the interval: 0.95 or more, given six values. */
  readonly confidence: number
}

/** The chance, at most, that the true median is outside of the interval. */
const DOUBT = 0.05

/**
 * The median of the values, with its interval by the sign test, which asks nothing of how the
 * values are distributed: each of them is above or below the true median with equal chance. Up to
 * eight values the interval is from the least to the greatest.
 */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const { length } = sorted
  // How many values can be left out at each end, and the chance that they were on the wrong side.
  let left = 0
  let chance = 2 ** -length
  let term = chance
  for (;;) {
    term = (term * (length - left)) / (left + 1)
    if (2 * (chance + term) > DOUBT) break
    chance += term
    left++
  }
  return {
    median: median(sorted),
    low: sorted[left] as number,
    high: sorted[length - 1 - left] as number,
    confidence: 1 - 2 * chance,
  }
}

/** The middle one of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
