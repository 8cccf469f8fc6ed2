/**
 * Layer 1. Readers: how each kind of read delimiter cuts the next message off a buffer. Here are
 * their contract, and those of null and of an object with `cut`. The others: delimited-reader.ts (a
 * string or bytes), count-readers.ts, pattern-reader.ts (a RegExp).
 *
 * A reader has three outcomes: a message, NEED_MORE or TOO_LONG. It sees only the run of the
 * buffer. So after NEED_MORE the read path makes the run longer (`more`) and asks again, until
 * there is no more.
 *
 * Rules:
 * 1. No byte is searched twice because it came in another chunk: a reader remembers how far it has
 *    looked.
 * 2. Outcomes do not depend on chunks. TOO_LONG is about the size of the message, never about how
 *    many bytes happen to be in the buffer.
 * 3. A reader may look ahead, and `giveBack` undoes that. (It makes lines fast: there is no call
 *    into C++ per line.)
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError, show } from '../../errors.ts'
import type { Bytes, Encoding } from '../../types.ts'
import type { Cut, Delimiter, ReadSettings } from '../delimiters.ts'
import type { RecvBuffer } from './recv-buffer.ts'

/** There is no complete message in the run. */
export const NEED_MORE: undefined = undefined

/**
 * The next message is longer than the limit. (It is null so that the read path can test for it and
 * NEED_MORE together, which V8 does by comparing a pointer.)
 */
export const TOO_LONG: null = null

export interface Reader {
  /** If true, a message is an array of arguments for on_read. If false, it is the only argument. */
  readonly spread: boolean
  /**
   * Returns the next message, NEED_MORE or TOO_LONG. `limit` is the most bytes of a message. Each
   * kind says which bytes count.
   */
  next(buffer: RecvBuffer, limit: Bytes): unknown
  /** The most bytes of a message if the limit is lower. */
  readonly needs?: Bytes
  /** After TOO_LONG: the bytes that the message has at least, if its delimiter knows. */
  readonly stated?: Bytes | undefined
  /** Undoes looking ahead: the run then starts with the first byte that was not delivered. */
  giveBack(buffer: RecvBuffer): void
  /** At the end of the stream: what was not delivered only because more bytes might have come. */
  rest?(buffer: RecvBuffer): unknown
  /**
   * The bytes that it keeps itself, of a message that is not complete. Not 0 as long as it needs
   * to remember anything for the next byte of its channel.
   */
  readonly held?: Bytes
  /**
   * Reads are held by a promise: what must not wait for it. `received`: how many bytes were ever
   * received, so that it need not look at any of them twice.
   */
  urgent?(buffer: RecvBuffer, received: Bytes): readonly unknown[]
  /** Does it go on after a message that is TOO_LONG by itself? */
  readonly skips?: true
  /** Drops what it keeps: the next byte is the first of another channel. */
  forget?(): void
  /** Its delimiter was assigned, whether or not it was the same before. */
  assigned?(): void
}

/** Where a delimiter has a reader of its own. */
export const READER: unique symbol = Symbol('sluice reader')

/** A delimiter of sluice whose reader sees more than a `cut` does, or is faster. */
export interface OwnReader {
  [READER](settings: ReadSettings): Reader
}

// ---- null: whatever arrived ---------------------------------------------------------------------

export class ChunkReader implements Reader {
  readonly spread = false
  readonly #encoding: Encoding | null

  constructor(encoding: Encoding | null) {
    this.#encoding = encoding
  }

  next(buffer: RecvBuffer): unknown {
    const size = buffer.end - buffer.start
    if (this.#encoding === null) return size === 0 ? NEED_MORE : buffer.take(size)
    const whole = wholeCharacters(buffer.bytes, buffer.start, buffer.end, this.#encoding)
    return whole === 0 ? NEED_MORE : buffer.takeText(whole, this.#encoding)
  }

  giveBack(): void {}

  /**
   * A part of a character that will never be complete: it is delivered as its encoding shows it.
   * (UTF-16 shows half a unit as nothing.)
   */
  rest(buffer: RecvBuffer): unknown {
    const text = buffer.takeText(buffer.end - buffer.start, this.#encoding as Encoding)
    return text === '' ? NEED_MORE : text
  }
}

/**
 * The number of bytes that are complete characters. (Node's StringDecoder is of no use: it would
 * hide the other bytes from the next delimiter.)
 */
function wholeCharacters(bytes: Buffer, start: Bytes, end: Bytes, encoding: Encoding): Bytes {
  const size = end - start
  switch (encoding) {
    case 'utf8':
      // A character has at most four bytes: its first is among the last three, or it is complete.
      for (let back = 1; back <= Math.min(3, size); back++) {
        const byte = bytes[end - back] as number
        if (byte < 0x80) break
        if (byte >= 0xc0)
          return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? size - back : size
      }
      return size
    case 'utf16le': {
      const even = size - (size % 2)
      const isHighSurrogate = even > 0 && ((bytes[start + even - 1] as number) & 0xfc) === 0xd8
      return isHighSurrogate ? even - 2 : even
    }
    case 'base64':
    case 'base64url':
      return size - (size % 3)
    default:
      return size
  }
}

// ---- an object with the delimiter contract ------------------------------------------------------

/**
 * The bytes that count towards the limit are all that the delimiter takes, framing included. What
 * it returns may hold views of the bytes, however deep: they stay as they are, unless it copies.
 */
export class FramedReader implements Reader {
  readonly spread = true
  readonly #delimiter: Delimiter
  readonly #encoding: Encoding | null
  /** The bytes that must be there before the delimiter is asked again; it has said so. */
  #wanted: Bytes = 1
  /** The bytes of this message that the delimiter has been shown. */
  #looked: Bytes = 0
  stated: Bytes | undefined

  constructor(delimiter: Delimiter, encoding: Encoding | null) {
    this.#delimiter = delimiter
    this.#encoding = delimiter.text === true ? encoding : null
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    const most = Math.max(limit, this.needs)
    // No more than a message may have. What stands beyond that must not make a difference.
    const available = Math.min(buffer.end - buffer.start, most)
    if (available < this.#wanted) return NEED_MORE
    if (this.#delimiter.copies !== true) buffer.show()
    const { bytes, start } = buffer
    const cut = this.#delimiter.cut(bytes, start, start + available, start + this.#looked)
    // A program may return anything, or forget to return.
    const size = typeof cut === 'number' ? cut : (cut?.size as Bytes)
    const isValid =
      typeof cut === 'number'
        ? size > available
        : size >= 1 && size <= available && Array.isArray(cut.data)
    if (!isValid || !Number.isSafeInteger(size)) throw this.#invalid(cut, available)
    if (size > most) {
      this.stated = size
      return TOO_LONG
    }
    if (typeof cut === 'number') {
      this.#wanted = cut
      this.#looked = available
      return NEED_MORE
    }
    this.giveBack()
    buffer.skip(size)
    return this.#encoding === null ? cut.data : this.#decode(cut.data, this.#encoding)
  }

  get needs(): Bytes {
    return this.#delimiter.needs ?? 0
  }

  giveBack(): void {
    this.#wanted = 1
    this.#looked = 0
  }

  #invalid(cut: unknown, available: Bytes): InvalidDelimiterError {
    const valid = `{ size: 1 to ${available}, data: an array }, or a number over ${available}`
    const { size, data } = Object(cut) as Partial<Cut>
    const got = size === undefined ? show(cut) : `{ size: ${show(size)}, data: ${show(data)} }`
    const message = `cut() must return ${valid}; it returned ${got}`
    return new InvalidDelimiterError(message, this.#delimiter)
  }

  #decode(data: unknown[], encoding: Encoding): unknown[] {
    for (let i = 0; i < data.length; i++) {
      const value = data[i]
      if (value instanceof Buffer) data[i] = value.toString(encoding)
    }
    return data
  }
}
