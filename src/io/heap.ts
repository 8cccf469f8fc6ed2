/**
 * Layer 2. The memory of this process: how much it may have, and what becomes of what is freed.
 */

import { getHeapStatistics } from 'node:v8'
import type { Bytes } from '../types.ts'

/**
 * Twice as much stays with the process when it is freed: what many connections have read between
 * two collections.
 */
const KEPT: Bytes = 4 * 1024 * 1024

let isKept = false

/**
 * The most that V8 lets the heap of this process grow to (`--max-old-space-size`, or what it chose
 * by the machine).
 */
export function heapLimit(): Bytes {
  return getHeapStatistics().heap_size_limit
}

/**
 * Lets the C library keep what was read and is freed. Node allocates each chunk, and the collector
 * frees hundreds of them at once; glibc gives back to the system what is free at the end of its
 * heap, if that is more than 128 KiB, and the next chunks pay with a page fault for each 4 KiB.
 * (Measured with 100 lines outstanding on 50 connections: 30 000 faults a second, a sixth of the
 * throughput.) When a block as large as this one is freed, glibc takes twice its size as its new
 * bound (mallopt(3), M_MMAP_THRESHOLD). It is never touched, so it takes no memory. Where the C
 * library is another one, nothing happens.
 */
export function keepFreed(): void {
  if (isKept) return
  isKept = true
  new ArrayBuffer(KEPT)
}
