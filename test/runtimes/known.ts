/**
 * What does not hold on another runtime, test by test, with its reason. main.ts fails when a test
 * fails that has no row here, and when a row has no failing test any more.
 */

export interface Known {
  readonly on: 'bun' | 'deno'
  /** The file of the test, as 'scenarios/closing'. */
  readonly file: string
  /** Matches the titles of the test, from the outermost on, between ' > '. */
  readonly test: RegExp
  /** Completes "it fails because …". */
  readonly why: string
}

export const KNOWN: readonly Known[] = []
