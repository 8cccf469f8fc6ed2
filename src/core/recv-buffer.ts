/**
 * Layer 1. The bytes of one peer that were received and not yet delivered.
 *
 * Rules:
 * 1. What readers see is one contiguous run, `bytes[start..end)`. A chunk that finds the buffer
 *    empty is not copied: the run is the chunk itself.
 * 2. A chunk that comes behind undelivered bytes waits as `#rest`; `more()` copies it behind them
 *    bit by bit, twice as much each time, and as soon as a message ends in the copied part the run
 *    goes on in the chunk itself. So a byte is copied a constant number of times, and usually
 *    never; and dribbled bytes lie in one buffer, not in a list of chunks (a list costs hundreds of
 *    times its payload: reference/peers.md M10).
 * 3. Memory that is ours moves and is used again, and so is that of a chunk that was only lent.
 *    What is delivered out of either is copied, while what is delivered out of a chunk of its own
 *    is a view.
 */

import { Buffer } from 'node:buffer'
import type { Bytes, Encoding } from '../types.ts'

const EMPTY = Buffer.alloc(0)

/** The first step of `more()`, and the smallest buffer of our own: a typical message. */
const STEP: Bytes = 256

export class RecvBuffer {
  /** The contiguous run is `bytes[start..end)`. Readers look; only `skip` and `take` move. */
  bytes: Buffer = EMPTY
  start: Bytes = 0
  end: Bytes = 0

  /** Whose memory `bytes` is: ours, a chunk's, or that of a chunk which is lent until `trim`. */
  #memory: 'own' | 'chunk' | 'lent' = 'chunk'
  /** Will the chunks be used again by who brought them, after `trim`? */
  #isLent = false
  /**
   * The chunk behind the run, how much of it was copied to the run, and where in the run that copy
   * begins.
   */
  #rest: Buffer | undefined
  #copied: Bytes = 0
  #seam: Bytes = 0

  /** All that is undelivered, what `more` has not yet brought included. */
  get length(): Bytes {
    return this.end - this.start + (this.#rest === undefined ? 0 : this.#rest.length - this.#copied)
  }

  /** `isLent`: the chunk is ours only until `trim` has been called. */
  append(chunk: Buffer, isLent = false): void {
    this.#isLent = isLent
    if (this.start === this.end && this.#rest === undefined) {
      this.#view(chunk, 0)
      return
    }
    if (this.#rest !== undefined) this.#copyRest(Infinity)
    this.#rest = chunk
    this.#copied = 0
    this.#seam = this.end
  }

  /** Makes the run longer. False: there is nothing more. */
  more(): boolean {
    if (this.#rest === undefined || this.#copied === this.#rest.length) return false
    this.#copyRest(Math.max(STEP, this.end - this.start))
    return true
  }

  /** The first `size` bytes, for the user to keep. */
  take(size: Bytes): Buffer {
    const bytes = this.slice(0, size)
    this.skip(size)
    return bytes
  }

  /** The first `size` bytes as text. */
  takeText(size: Bytes, encoding: Encoding): string {
    const text = this.bytes.toString(encoding, this.start, this.start + size)
    this.skip(size)
    return text
  }

  /** Bytes of the run for the user to keep, counted from `start`; nothing is moved. */
  slice(from: Bytes, to: Bytes): Buffer {
    const view = this.bytes.subarray(this.start + from, this.start + to)
    return this.#memory === 'chunk' ? view : Buffer.from(view)
  }

  /**
   * Where in the run `needle` begins, counted from `start`; -1 where it does not. Looks from `from`
   * on.
   */
  indexOf(needle: Uint8Array, from: Bytes): number {
    // What lies behind `end` in memory of our own is stale: it must neither be found nor cost time.
    const run = this.#memory === 'own' ? this.bytes.subarray(0, this.end) : this.bytes
    const found = run.indexOf(needle, this.start + from)
    return found === -1 ? -1 : found - this.start
  }

  /**
   * A view of what a delimiter delivered out of the run becomes a copy where the run's memory will
   * be used again.
   */
  keepable(value: unknown): unknown {
    return this.#memory !== 'chunk' &&
      value instanceof Uint8Array &&
      value.buffer === this.bytes.buffer
      ? Buffer.from(value)
      : value
  }

  /** The first `size` bytes of the run are delivered. */
  skip(size: Bytes): void {
    this.start += size
    if (this.#rest !== undefined && this.start >= this.#seam)
      this.#view(this.#rest, this.start - this.#seam)
  }

  /**
   * To be called when nothing more can be delivered for now: lets go of a chunk of which little is
   * still wanted, so that an idle connection with half a line pins half a line, and an empty one
   * nothing.
   */
  trim(): void {
    if (this.#rest !== undefined) {
      // Something holds the reads back: the rest waits where it is.
      if (!this.#isLent && this.#copied < this.#rest.length) return
      this.#copyRest(Infinity)
      this.#rest = undefined
    }
    const size = this.end - this.start
    if (size === 0) this.clear()
    else if (
      this.#memory === 'lent' ||
      this.bytes.length > (this.#memory === 'own' ? 4 * Math.max(size, STEP) : 2 * size)
    )
      this.#move(size)
  }

  clear(): void {
    this.bytes = EMPTY
    this.start = this.end = 0
    this.#memory = 'chunk'
    this.#rest = undefined
  }

  #view(chunk: Buffer, start: Bytes): void {
    this.bytes = chunk
    this.start = start
    this.end = chunk.length
    this.#memory = this.#isLent ? 'lent' : 'chunk'
    this.#rest = undefined
  }

  #copyRest(size: Bytes): void {
    const rest = this.#rest as Buffer
    const part = rest.subarray(this.#copied, this.#copied + size)
    this.#reserve(part.length)
    this.bytes.set(part, this.end)
    this.end += part.length
    this.#copied += part.length
  }

  /** Sees to it that the run lies in memory of our own with room for `size` bytes behind it. */
  #reserve(size: Bytes): void {
    const used = this.end - this.start
    const isOwn = this.#memory === 'own'
    if (isOwn && this.end + size <= this.bytes.length) return
    if (isOwn && used + size <= this.bytes.length && this.start >= this.bytes.length / 2) {
      this.bytes.copyWithin(0, this.start, this.end)
      this.#begin()
    } else {
      // Doubling: each byte is moved a constant number of times, however long the message grows.
      this.#move(2 * (used + size))
    }
  }

  /** Moves the run into new memory of our own. */
  #move(size: Bytes): void {
    const memory = Buffer.allocUnsafe(Math.max(STEP, size))
    this.bytes.copy(memory, 0, this.start, this.end)
    this.bytes = memory
    this.#memory = 'own'
    this.#begin()
  }

  /** The run has been moved to the beginning of its memory. */
  #begin(): void {
    this.#seam -= this.start
    this.end -= this.start
    this.start = 0
  }
}
