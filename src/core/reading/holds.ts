/**
 * Layer 1. Holds: why reads are held. Several reasons may hold at once; reads go on when the last
 * one ends. 'awaited': they are for a program that awaits them, now or soon again. 'introduction':
 * on_connect has not finished.
 */

export type Hold =
  'suspended' | 'backpressure' | 'promise' | 'introduction' | 'stuck' | 'closed' | 'tls' | 'awaited'

/** One bit each, so that a loop tests for all of them at once. */
// prettier-ignore
export const BIT: Readonly<Record<Hold, number>> = {
  suspended: 1, backpressure: 2, promise: 4, stuck: 8, closed: 16, tls: 32, awaited: 64,
  introduction: 128,
}

/** What holds also the reads that are awaited. */
export const HOLDS_ALL: number = BIT.closed | BIT.tls
