/**
 * Layer 2. How much memory this process may have.
 */

import { getHeapStatistics } from 'node:v8'
import type { Bytes } from '../types.ts'

/** The most that V8 lets the heap of this process grow to (`--max-old-space-size`, or what it chose by the machine). */
export function heapLimit(): Bytes {
  return getHeapStatistics().heap_size_limit
}
