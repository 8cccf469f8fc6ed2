/**
 * Layer 9. Where in the program an error was thrown: logs of jobs are one line each, without a
 * stack.
 */

import { stackOf } from '../../errors.ts'

/** The folder of sluice itself. */
const OWN = new URL('../../', import.meta.url).href

/** A line of a stack: `    at work (file:///jobs.js:3:9)`. */
const CALL = /^\s+at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\).*:\d+:\d+)\)?$/

/** The first place that is not within sluice or Node: ` (file:///jobs.js:3:9)`; '' if none is. */
export function placeOf(thrown: unknown): string {
  for (const line of stackOf(thrown).split('\n')) {
    const place = CALL.exec(line)?.[1]
    if (place !== undefined && !place.startsWith(OWN)) return ` (${place})`
  }
  return ''
}
