/**
 * Layer 9. The time of day for consumers. The clock is asked once for what happens at once: asking
 * it twice for each small message would take a tenth of the time of all the rest.
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
