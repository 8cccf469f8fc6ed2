/**
 * Layer 1. RecvBuffer: the bytes of one peer that were received and not yet delivered.
 *
 * Readers see one contiguous run, `bytes[start … end)`. A chunk that comes while the run is not
 * empty waits as `#rest`, and is appended to the run bit by bit:
 *
 *     bytes  [ delivered | half a line | copied from #rest | free ]
 *                        ^start        ^#seam              ^end
 *     #rest                            [ copied            | not yet ]
 *                                      ^0                  ^end - #seam
 *
 * Rules:
 * 1. A chunk that finds the buffer empty is not copied: the run is the chunk itself.
 * 2. Each `more()` doubles the run. As soon as a message ends in the copied part (`start` has
 *    passed `#seam`), the run goes on in the chunk itself. So a byte is copied a constant number of
 *    times, and usually never.
 * 3. Bytes that come one by one are in one piece of memory, at most twice as large. (A list of
 *    chunks takes hundreds of times its payload: 60 KB in packets of one byte were measured at
 *    39 MiB.)
 * 4. Memory of our own, and that of a chunk that was only lent, is used again. What is delivered
 *    out of either is a copy; what is delivered out of any other chunk is a view.
 * 5. Text that one reader has decoded and another one may use is kept here (`keep`), because it is
 *    about these bytes: it is dropped when they go, or move.
 * 6. What was shown (`show`) is not used again. So a delimiter of the program's may keep views of
 *    it, wherever it hides them.
 */

import { Buffer } from 'node:buffer'
import type { Bytes, Encoding } from '../../types.ts'

const EMPTY = Buffer.alloc(0)

/** The first step of `more()` and the smallest memory of our own: the size of a typical message. */
const STEP: Bytes = 256

export class RecvBuffer {
  /** The run is `bytes[start … end)`. Readers look at it; only `skip` and `take` move `start`. */
  bytes: Buffer = EMPTY
  start: Bytes = 0
  end: Bytes = 0

  /** The text of `bytes` from `textFrom` on, one character per byte; '' if there is none. */
  text = ''
  textFrom: Bytes = 0
  /** The encoding in which it is right. */
  textEncoding: Encoding | null = null

  /** Whose memory `bytes` is: our own, a chunk's, or that of a chunk that is lent until `trim`. */
  #memory: 'own' | 'chunk' | 'lent' = 'chunk'
  /** Is the memory of chunks used again by their owner after `trim`? */
  #isLent = false
  /** The chunk that waits to be appended to the run. */
  #rest: Buffer | undefined
  /**
   * Was memory of our own shown? Then bytes are still added after the run, but those before are
   * not moved over.
   */
  #isShown = false
  /** The index in `bytes` at which the copy of #rest begins. Valid only if there is a #rest. */
  #seam: Bytes = 0

  /** All undelivered bytes, those included that `more` has not yet copied to the run. */
  get length(): Bytes {
    return this.#rest === undefined
      ? this.end - this.start
      : this.#seam - this.start + this.#rest.length
  }

  /** Adds a chunk. If `isLent`, its memory is ours only until `trim` has been called. */
  append(chunk: Buffer, isLent = false): void {
    this.#isLent = isLent
    if (this.start === this.end && this.#rest === undefined) {
      this.#view(chunk, 0)
      return
    }
    if (this.#rest !== undefined) this.#copyRest(Infinity)
    this.#rest = chunk
    this.#seam = this.end
  }

  /** Puts a copy of these bytes before all others. */
  prepend(bytes: Uint8Array): void {
    while (this.more());
    const all = Buffer.concat([bytes, this.bytes.subarray(this.start, this.end)])
    this.clear()
    this.append(all)
  }

  /** Makes the run longer. Returns false if there are no more bytes. */
  more(): boolean {
    if (this.#rest === undefined || this.#isRestCopied(this.#rest)) return false
    this.#copyRest(Math.max(STEP, this.end - this.start))
    return true
  }

  /** Removes the first `size` bytes and returns them. They belong to the caller. */
  take(size: Bytes): Buffer {
    const bytes = this.slice(0, size)
    this.skip(size)
    return bytes
  }

  /** Removes the first `size` bytes and returns them as text. */
  takeText(size: Bytes, encoding: Encoding): string {
    const at = this.start - this.textFrom
    const { length } = this.text
    const isKept = length > 0 && at + size <= length && encoding === this.textEncoding
    const text = isKept
      ? this.text.slice(at, at + size)
      : this.bytes.toString(encoding, this.start, this.start + size)
    this.skip(size)
    return text
  }

  /** Keeps the text of `bytes` from `from` on, of one character per byte, for the next reader. */
  keep(text: string, from: Bytes, encoding: Encoding | null): void {
    this.text = text
    this.textFrom = from
    this.textEncoding = encoding
  }

  /** Bytes of the run, counted from `start`. They belong to the caller. Nothing is removed. */
  slice(from: Bytes, to: Bytes): Buffer {
    const view = this.bytes.subarray(this.start + from, this.start + to)
    return this.#memory === 'chunk' ? view : Buffer.from(view)
  }

  /**
   * The index in the run, counted from `start`, of the first `needle` that begins at `from` or
   * later; -1 if there is none.
   */
  indexOf(needle: Uint8Array, from: Bytes): number {
    // Beyond `end`, memory of our own is stale: it must not be found, nor cost time.
    const run = this.#memory === 'own' ? this.bytes.subarray(0, this.end) : this.bytes
    const found = run.indexOf(needle, this.start + from)
    return found === -1 ? -1 : found - this.start
  }

  /**
   * Call this before the run is shown to somebody who may keep views of it: its memory is not used
   * again then. (Refused: to copy what is delivered. It may be an array or an object of views, or
   * compute them later; and one copy of a chunk costs less than one of each message in it.)
   */
  show(): void {
    if (this.#memory === 'lent') this.#move(this.end - this.start)
    this.#isShown = true
  }

  /** Removes the first `size` bytes of the run. */
  skip(size: Bytes): void {
    this.start += size
    if (this.#rest !== undefined && this.start >= this.#seam)
      this.#view(this.#rest, this.start - this.#seam)
  }

  /**
   * Call this when nothing more can be delivered for now. It frees a chunk of which only a small
   * part is still needed: an idle connection with half a line keeps half a line in memory, and one
   * without keeps nothing.
   */
  trim(): void {
    if (this.#rest !== undefined) {
      // Reads are held: the rest waits where it is.
      if (!this.#isLent && !this.#isRestCopied(this.#rest)) return
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

  /** Drops everything. */
  clear(): void {
    this.bytes = EMPTY
    this.start = this.end = 0
    this.#memory = 'chunk'
    this.#rest = undefined
    this.text = ''
  }

  /** The run becomes the chunk, from `start` on. */
  #view(chunk: Buffer, start: Bytes): void {
    this.bytes = chunk
    this.start = start
    this.end = chunk.length
    this.#memory = this.#isLent ? 'lent' : 'chunk'
    this.#rest = undefined
    this.text = ''
  }

  #isRestCopied(rest: Buffer): boolean {
    return this.end - this.#seam === rest.length
  }

  /** Appends the next `size` bytes of #rest to the run. */
  #copyRest(size: Bytes): void {
    const copied = this.end - this.#seam
    const part = (this.#rest as Buffer).subarray(copied, copied + size)
    this.#reserve(part.length)
    this.bytes.set(part, this.end)
    this.end += part.length
  }

  /** Sees to it that the run is in memory of our own, with `size` free bytes after it. */
  #reserve(size: Bytes): void {
    const used = this.end - this.start
    const isOwn = this.#memory === 'own'
    if (isOwn && this.end + size <= this.bytes.length) return
    const mayMoveOver = isOwn && !this.#isShown && this.start >= this.bytes.length / 2
    if (mayMoveOver && used + size <= this.bytes.length) {
      this.bytes.copyWithin(0, this.start, this.end)
      this.#rebase()
    } else {
      // Doubling: each byte is moved a constant number of times, however long the message grows.
      this.#move(2 * (used + size))
    }
  }

  /** Moves the run into new memory of our own, of `size` bytes. */
  #move(size: Bytes): void {
    const memory = Buffer.allocUnsafe(Math.max(STEP, size))
    this.bytes.copy(memory, 0, this.start, this.end)
    this.bytes = memory
    this.#memory = 'own'
    this.#isShown = false
    this.#rebase()
  }

  /** Counts from 0 again: the run was moved to the beginning of its memory. */
  #rebase(): void {
    this.#seam -= this.start
    this.end -= this.start
    this.start = 0
    this.text = ''
  }
}
