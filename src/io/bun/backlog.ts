/**
 * Layer 2. What the system has not taken yet of what was written to a connection: chunks in order.
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

export class Backlog {
  #chunks: Uint8Array[] = []
  bytes: Bytes = 0

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.bytes += chunk.length
  }

  /** All of it, as one chunk. */
  all(): Uint8Array {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] as Uint8Array
  }

  /** So much of it has gone. */
  gone(bytes: Bytes): void {
    this.bytes -= bytes
    this.#chunks = this.bytes === 0 ? [] : [this.all().subarray(bytes)]
  }
}
