/** What the stand-in for tap prints for main.ts: a line for each test that has ended, and DONE. */

/** Before a `Result` as JSON. */
export const RESULT = 'RESULT '

export const DONE = 'DONE'

/** In the environment of the process: what the titles of the tests match that are not run. */
export const LEFT_OUT = 'SLUICE_LEFT_OUT'

export interface Result {
  /** The titles from the outermost on; none: what stands outside of tests. */
  readonly path: readonly string[]
  /** How many assertions held. Those of its subtests are not among them. */
  readonly passed: number
  readonly faults: readonly string[]
}
