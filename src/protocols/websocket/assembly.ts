/**
 * Layer 7. Assembly: a message that comes in pieces, as fragments or as parts of one frame.
 *
 * Each piece is unmasked on its way into one piece of memory, so a fragment costs no memory of its
 * own. Text is checked as it comes.
 */

import { Buffer, isAscii } from 'node:buffer'
import type { Bytes } from '../../types.ts'
import { maskInto, viewOf } from './frames.ts'
import { checkUtf8 } from './utf8.ts'

/** The least memory of a message of which little has come. */
const STEP: Bytes = 4096

const NOTHING = Buffer.alloc(0)

export class Assembly {
  readonly isText: boolean
  readonly isDeflated: boolean
  /** The bytes of the payload so far. */
  size: Bytes = 0
  #bytes: Buffer = NOTHING
  #view = viewOf(NOTHING)
  /** The bytes that are known to be complete characters. */
  #checked: Bytes = 0

  constructor(isText: boolean, isDeflated: boolean) {
    this.isText = isText
    this.isDeflated = isDeflated
  }

  /** The memory that it takes. */
  get capacity(): Bytes {
    return this.#bytes.length
  }

  /**
   * Adds `source[from …)`, `length` bytes, unmasked. `expected`: the bytes of the message that are
   * still to come, these included; Infinity if its last frame has not begun. Returns false if the
   * text is not UTF-8.
   */
  add(source: DataView, from: Bytes, length: Bytes, key: number, expected: Bytes): boolean {
    this.#reserve(length, expected)
    maskInto(source, from, this.#view, this.size, length, key)
    this.size += length
    if (!this.isText || this.isDeflated) return true
    this.#checked = checkUtf8(this.#bytes, this.#checked, this.size)
    return this.#checked !== -1
  }

  /**
   * Doubles, so that each byte is moved a constant number of times. What the peer says that it will
   * send is the most that is reserved, never the least: it may not send it.
   */
  #reserve(length: Bytes, expected: Bytes): void {
    const needed = this.size + length
    if (needed <= this.#bytes.length) return
    const grown = Math.min(Math.max(STEP, 2 * needed), this.size + expected)
    const bytes = Buffer.allocUnsafe(grown)
    this.#bytes.copy(bytes, 0, 0, this.size)
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }

  /** The payload. */
  get payload(): Buffer {
    return this.#bytes.subarray(0, this.size)
  }

  /** The payload as text; undefined if its last character is not complete. */
  get text(): string | undefined {
    if (this.#checked < this.size) return undefined
    const { payload } = this
    return payload.toString(isAscii(payload) ? 'latin1' : 'utf8')
  }
}
