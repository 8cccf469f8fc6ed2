/**
 * Layer 2. The time of the machine.
 */

import type { Clock } from '../transport.ts'
import type { Milliseconds } from '../types.ts'

/** The longest delay that Node's timers take: 31 bits. A longer one would fire at once. */
const LONGEST: Milliseconds = 2 ** 31 - 1

/** The default clock of every engine. */
export class NodeClock implements Clock {
  now(): Milliseconds {
    return performance.now()
  }

  after(delay: Milliseconds, callback: () => void): () => void {
    const timer = setTimeout(callback, Math.min(delay, LONGEST))
    return () => clearTimeout(timer)
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }
}
