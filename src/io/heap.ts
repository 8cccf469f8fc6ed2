/**
 * Layer 2. The memory of this process: how much it may have, and what happens to freed memory.
 */

import { getHeapStatistics } from 'node:v8'
import type { Bytes } from '../types.ts'

/**
 * Twice this much freed memory stays with the process: as much as many connections read between two
 * garbage collections.
 */
const KEPT: Bytes = 4 * 1024 * 1024

let isKept = false

/**
 * The largest size of the heap of this process: `--max-old-space-size`, or what V8 chose for the
 * machine.
 */
export function heapLimit(): Bytes {
  return getHeapStatistics().heap_size_limit
}

/**
 * Makes the C library keep memory that was read into and freed.
 *
 * Node allocates a block for each chunk, and the garbage collector frees hundreds of them at once.
 * If more than 128 KiB at the end of its heap are free, glibc gives them back to the system. Then
 * the next chunks cost a page fault for each 4 KiB: measured with 100 lines outstanding on 50
 * connections, 30 000 faults a second, a sixth of the throughput.
 *
 * When a block as large as KEPT is freed, glibc takes twice its size as the new bound (mallopt(3),
 * M_MMAP_THRESHOLD). The block is never touched, so it takes no memory. With another C library
 * nothing happens.
 */
export function keepFreed(): void {
  if (isKept) return
  isKept = true
  new ArrayBuffer(KEPT)
}
