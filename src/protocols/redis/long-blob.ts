/**
 * Layer 7. LongBlob: a long string of a reply while it arrives.
 *
 * Rules:
 * 1. Memory follows the bytes that have come, not the size that was announced: a peer that
 *    announces 512 MiB and sends nothing costs nothing.
 * 2. Bytes: the size is announced / 8, and 8 times that when it is full. So all earlier memory
 *    together is a seventh of the value, and each byte is moved once or twice.
 * 3. Text: a piece is decoded when it is full, and its bytes are forgotten. So the value is in
 *    memory once, not as bytes and as text.
 */

import { Buffer, isAscii } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/** How much larger each memory is than the one before. */
const GROWTH = 8

/** The largest first memory: as much as one chunk brings. */
const FIRST: Bytes = 64 * 1024

/** The largest piece of text. V8 keeps text of this size outside its heap. */
const PIECE: Bytes = 1024 * 1024

export class LongBlob {
  readonly #isText: boolean
  #memory: Buffer
  #used: Bytes = 0
  /** The text of the bytes that are not in memory any more. */
  #text = ''
  /** The bytes that are still to come. */
  left: Bytes

  constructor(size: Bytes, isText: boolean) {
    this.left = size
    this.#isText = isText
    let first = isText ? Math.min(size, FIRST) : size
    while (first > FIRST) first = Math.ceil(first / GROWTH)
    this.#memory = Buffer.allocUnsafeSlow(first)
  }

  /** Takes what it can of `bytes[at … end)`. Returns how many bytes that is. */
  take(bytes: Buffer, at: Bytes, end: Bytes): Bytes {
    const size = Math.min(this.left, end - at)
    for (let done = 0; done < size;) {
      if (this.#used === this.#memory.length) this.#makeRoom()
      const copied = bytes.copy(this.#memory, this.#used, at + done, at + size)
      this.#used += copied
      this.left -= copied
      done += copied
    }
    return size
  }

  #makeRoom(): void {
    if (this.#isText) return this.#decode(this.#memory, wholeCharacters(this.#memory))
    const size = Math.min(GROWTH * this.#used, this.#used + this.left)
    const memory = Buffer.allocUnsafeSlow(size)
    this.#memory.copy(memory)
    this.#memory = memory
  }

  /** The first `size` bytes become text. The rest, half a character, begins the next piece. */
  #decode(memory: Buffer, size: Bytes): void {
    this.#text += textOf(memory.subarray(0, size))
    const rest = memory.subarray(size)
    if (memory.length < PIECE)
      this.#memory = Buffer.allocUnsafeSlow(
        Math.min(PIECE, GROWTH * memory.length, this.left + rest.length),
      )
    this.#used = rest.copy(this.#memory)
  }

  /** The value, when nothing is left to come. */
  value(): string | Buffer {
    const bytes = this.#memory.subarray(0, this.#used)
    return this.#isText ? this.#text + textOf(bytes) : bytes
  }
}

/** Plain characters take one byte each in memory that way, and no time to decode. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8')
}

/** How many bytes are whole characters of UTF-8: a character has at most four. */
function wholeCharacters(bytes: Buffer): Bytes {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return back < size ? bytes.length - back : bytes.length
  }
  return bytes.length
}
