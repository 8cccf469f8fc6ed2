/**
 * Layer 9. The time of day for consumers. The clock is read once for all that happens in one
 * callback of the loop: reading it twice for each small message would add a tenth to its cost.
 */

import type { Milliseconds } from '../../types.ts'

let now: Milliseconds | undefined
const forget = (): void => void (now = undefined)

/** Date.now(), as it was when it was first asked for in this callback of the loop. */
export function wallTime(): Milliseconds {
  if (now === undefined) {
    now = Date.now()
    queueMicrotask(forget)
  }
  return now
}
