/**
 * Bench. The streams that the micro bench reads: messages of 64 bytes, `count` of them.
 */

import { Buffer } from 'node:buffer'
import { line, makeBatches } from '../load/batches.ts'

export function lines(count: number, size = 64): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, id) => line(id, size)))
}

/** Text that is not ASCII. */
export function wideLines(count: number): Buffer {
  return makeBatches('utf8', count, '')[0]?.send as Buffer
}

/** Each is a length of four bytes, and 60 bytes. */
export function frames(count: number): Buffer {
  return makeBatches('frames', count, '')[0]?.send as Buffer
}
