/**
 * Layer 1. The readers of a count: exactly that many bytes, taken or looked at.
 */

import { Buffer } from 'node:buffer'
import type { Bytes, Encoding } from '../../types.ts'
import { NEED_MORE, type Reader, TOO_LONG } from './readers.ts'
import type { RecvBuffer } from './recv-buffer.ts'

/** Never TOO_LONG: a count larger than the limit is allowed. */
export class CountReader implements Reader {
  readonly spread = false
  readonly #size: Bytes
  readonly #encoding: Encoding | null

  constructor(size: Bytes, encoding: Encoding | null) {
    this.#size = size
    this.#encoding = encoding
  }

  next(buffer: RecvBuffer): unknown {
    if (buffer.end - buffer.start < this.#size) return NEED_MORE
    return this.#encoding === null
      ? buffer.take(this.#size)
      : buffer.takeText(this.#size, this.#encoding)
  }

  giveBack(): void {}
}

/** That many bytes, which are left where they are: the next reader begins with them, too. */
export class PeekReader implements Reader {
  readonly spread = false
  readonly #size: Bytes

  constructor(size: Bytes) {
    this.#size = size
  }

  next({ bytes, start, end }: RecvBuffer): unknown {
    if (end - start < this.#size) return NEED_MORE
    // A copy: what is read afterwards may be a view of the same memory.
    return Buffer.from(bytes.subarray(start, start + this.#size))
  }

  giveBack(): void {}
}

/**
 * A count of 0: an empty read, at once, for each time that it is assigned. So a body of the length
 * that the peer said needs no branch for 0, and nothing goes round in a circle.
 */
export class EmptyReader implements Reader {
  readonly spread = false
  readonly #empty: Buffer | string
  #isOwed = true

  constructor(encoding: Encoding | null) {
    this.#empty = encoding === null ? Buffer.alloc(0) : ''
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    if (!this.#isOwed) return buffer.length > limit ? TOO_LONG : NEED_MORE
    this.#isOwed = false
    return this.#empty
  }

  get held(): Bytes {
    return this.#isOwed ? 1 : 0
  }

  assigned(): void {
    this.#isOwed = true
  }

  giveBack(): void {}
}
