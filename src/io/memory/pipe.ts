/**
 * Layer 2. One direction of a pipe in memory: bytes, and the end or break after them.
 *
 * Rules:
 * 1. The first `capacity` bytes belong to the system, like those in the buffers of a kernel: they
 *    arrive even if the writer destroys. The others are queued at the writer, and lost with it.
 *    Before the pipe is open, all are queued at the writer.
 * 2. The tail comes after the bytes: a reader that does not read them sees neither end nor break.
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/** A transport has two of them, and shares both with its peer. */
export class Pipe {
  tail: 'open' | 'end' | 'break' = 'open'
  reader: 'there' | 'gone' = 'there'
  /** The bytes inside. */
  size: Bytes = 0
  /** Those of them that a cork holds back. */
  corked: Bytes = 0
  /** All bytes that ever went in, without those that were lost at the writer. */
  total: Bytes = 0
  /** How many of the bytes may belong to the system; 0 until it is open. */
  capacity: Bytes = 0
  #chunks: Buffer[] = []

  /** The bytes that the system has not taken. */
  get queued(): Bytes {
    return Math.max(0, this.corked, this.size - this.capacity)
  }

  push(chunk: Buffer, corked: boolean): void {
    this.#chunks.push(chunk)
    this.size += chunk.length
    this.total += chunk.length
    if (corked) this.corked += chunk.length
  }

  take(bytes: Bytes): Buffer {
    const parts: Buffer[] = []
    let left = Math.min(bytes, this.size - this.corked)
    this.size -= left
    while (left > 0) {
      const head = this.#chunks.shift()!
      if (head.length > left) this.#chunks.unshift(head.subarray(left))
      parts.push(head.subarray(0, left))
      left -= parts.at(-1)!.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** The writer has gone: what the system had not taken is lost. */
  cut(tail: 'end' | 'break'): void {
    const kept = this.take(this.capacity)
    this.total -= this.size
    this.#chunks = [kept]
    this.size = kept.length
    this.corked = 0
    this.tail = tail
  }

  /** The reader has gone: all is lost. What the system had taken still counts as sent. */
  abandon(): void {
    this.total -= this.queued
    this.#chunks = []
    this.size = this.corked = 0
    this.reader = 'gone'
  }

  break(): void {
    this.abandon()
    this.tail = 'break'
  }
}
