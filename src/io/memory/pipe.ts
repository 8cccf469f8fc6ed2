/**
 * Layer 2. One direction of a pipe in memory: bytes, and what comes after them.
 *
 * Rules:
 * 1. The first `capacity` bytes are the system's, as a kernel's buffers are: they arrive though the
 *    writer destroys. What is beyond is queued at the writer, and lost with it. Before the pipe is
 *    open all is beyond.
 * 2. The tail stands behind the bytes: who does not read them sees neither an end nor a break.
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/** One direction; a transport has two of them, and shares both with its peer. */
export class Pipe {
  tail: 'open' | 'end' | 'break' = 'open'
  reader: 'there' | 'gone' = 'there'
  /**
   * Bytes inside; those of them that a cork holds back; all that ever went in, less what was lost
   * at the writer.
   */
  size: Bytes = 0
  corked: Bytes = 0
  total: Bytes = 0
  /** How many of the bytes are the system's; 0 until it is open. */
  capacity: Bytes = 0
  #chunks: Buffer[] = []

  /** Bytes that the system has not taken. */
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

  /** The writer is gone: what the system had not taken is lost. */
  cut(tail: 'end' | 'break'): void {
    const kept = this.take(this.capacity)
    this.total -= this.size
    this.#chunks = [kept]
    this.size = kept.length
    this.corked = 0
    this.tail = tail
  }

  /** The reader is gone: all is lost. What the system had taken still counts as sent. */
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
