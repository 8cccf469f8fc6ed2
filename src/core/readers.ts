/**
 * Layer 1. How each kind of read delimiter cuts the next message off a buffer. (A string or bytes:
 * delimited-reader.ts.)
 *
 * A reader has three outcomes: a message, NEED_MORE, or TOO_LONG. It looks only at the run of the
 * buffer, so the read path makes the run longer (`more`) and asks again before it believes
 * NEED_MORE.
 *
 * Rules:
 * 1. No byte is looked at twice because it came in another chunk: a reader remembers how far it has
 *    looked.
 * 2. Outcomes do not depend on chunks: TOO_LONG is said of the message, never of how much happens
 *    to be buffered.
 * 3. Looking ahead is allowed (it is what makes lines fast: no crossing into C++ per line) and
 *    undone by `release`.
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../errors.ts'
import type { Bytes, Encoding } from '../types.ts'
import type { Delimiter } from './delimiters.ts'
import type { RecvBuffer } from './recv-buffer.ts'

/** The run holds no whole message. */
export const NEED_MORE: undefined = undefined

/**
 * The next message is longer than the limit. (Null, so that the read path asks for both of these at
 * once, and V8 for nothing but a pointer.)
 */
export const TOO_LONG: null = null

export interface Reader {
  /** Is a message an array of arguments for on_read, or the one argument itself? */
  readonly spread: boolean
  /**
   * The next message, or NEED_MORE or TOO_LONG. `limit`: the most bytes a message may have (what
   * each kind counts, it says).
   */
  next(buffer: RecvBuffer, limit: Bytes): unknown
  /**
   * Gives back what was looked at ahead: the run then starts with the first byte that was not
   * delivered.
   */
  release(buffer: RecvBuffer): void
  /** At the end of the stream: what the reader held back only because more might have come. */
  rest?(buffer: RecvBuffer): unknown
}

// ---- null: whatever came ------------------------------------------------------------------------

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

  release(): void {}

  /**
   * Half a character that will never be whole: delivered as its encoding shows it, not lost.
   * (UTF-16 shows half a unit as nothing.)
   */
  rest(buffer: RecvBuffer): unknown {
    const text = buffer.takeText(buffer.end - buffer.start, this.#encoding as Encoding)
    return text === '' ? NEED_MORE : text
  }
}

/**
 * How many of the bytes are whole characters. (Node's StringDecoder would hide the others from the
 * next delimiter.)
 */
function wholeCharacters(bytes: Buffer, start: Bytes, end: Bytes, encoding: Encoding): Bytes {
  const size = end - start
  switch (encoding) {
    case 'utf8':
      // A character has at most four bytes: its first is among the last three, or it is whole.
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

// ---- an integer: that many bytes ----------------------------------------------------------------

/** Never too long: the count itself is the limit where it is larger. */
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

  release(): void {}
}

// ---- a RegExp -----------------------------------------------------------------------------------

/**
 * Matches on the latin1 view of the bytes, in which one character is one byte and no byte is
 * invalid. Counts towards the limit: everything but the last byte of the match.
 *
 * The expression sees a message from its first byte on, so `^` is the start of the message. Where
 * what it matches could have been longer had more bytes been there (`/\n+/`, `$`, a look-ahead),
 * the result depends on how the bytes came: it takes what is there.
 */
export class PatternReader implements Reader {
  readonly spread = false
  readonly #pattern: RegExp
  readonly #search: boolean
  readonly #encoding: Encoding | null
  #text = ''
  #at = 0

  constructor(pattern: RegExp, search: boolean, encoding: Encoding | null) {
    // Our own copy: the user's lastIndex must not matter, and anchoring is what the flag y does.
    this.#pattern = new RegExp(
      pattern.source,
      pattern.flags.replace(/[gy]/g, '') + (search ? '' : 'y'),
    )
    this.#search = search
    this.#encoding = encoding
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    if (this.#text.length < buffer.length) {
      while (buffer.more()); // half a chunk would cut matches where the peer did not
      this.#text = buffer.bytes.toString('latin1', buffer.start, buffer.end)
    }
    const text = this.#text.slice(this.#at)
    this.#pattern.lastIndex = 0
    const match = this.#pattern.exec(text)
    if (match === null) {
      this.release(buffer)
      return text.length > limit ? TOO_LONG : NEED_MORE
    }
    const end = match.index + match[0].length
    if (end > limit + 1) return TOO_LONG
    if (match[0] === '')
      throw new InvalidDelimiterError(
        'the RegExp matched nothing at all, which would never end',
        this.#pattern,
      )
    const message = this.#search
      ? this.#decode(text.slice(0, match.index))
      : this.#decodeMatch(match)
    this.#at += end
    return message
  }

  release(buffer: RecvBuffer): void {
    if (this.#at > 0) buffer.skip(this.#at)
    this.#text = ''
    this.#at = 0
  }

  #decode(text: string): Buffer | string {
    if (this.#encoding === 'latin1') return text
    const bytes = Buffer.from(text, 'latin1')
    return this.#encoding === null ? bytes : bytes.toString(this.#encoding)
  }

  /** The match itself: its strings in the channel's encoding, latin1 where it has none. */
  #decodeMatch(match: RegExpExecArray): RegExpExecArray {
    if (this.#encoding === null || this.#encoding === 'latin1') return match
    for (const [key, value] of Object.entries(match)) {
      if (typeof value === 'string' && /^\d+$/.test(key))
        match[Number(key)] = this.#decode(value) as string
    }
    for (const [name, value] of Object.entries(match.groups ?? {})) {
      if (value !== undefined)
        (match.groups as Record<string, string>)[name] = this.#decode(value) as string
    }
    return match
  }
}

// ---- anything with the delimiter contract -------------------------------------------------------

/** Counts towards the limit: the whole of what the delimiter takes, its framing included. */
export class FramedReader implements Reader {
  readonly spread = true
  readonly #delimiter: Delimiter
  readonly #encoding: Encoding | null
  /** The delimiter has said that it is not worth asking with fewer. */
  #wanted: Bytes = 1

  constructor(delimiter: Delimiter, encoding: Encoding | null) {
    this.#delimiter = delimiter
    this.#encoding = delimiter.text === true ? encoding : null
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    const have = buffer.end - buffer.start
    if (have < this.#wanted) return NEED_MORE
    const most = Math.max(limit, this.#delimiter.needs ?? 0)
    const cut = this.#delimiter.cut(buffer.bytes, buffer.start, buffer.end)
    const size = typeof cut === 'number' ? cut : cut.size
    if (
      !Number.isSafeInteger(size) ||
      (typeof cut === 'number' ? size <= have : size < 1 || size > have)
    ) {
      throw new InvalidDelimiterError(
        `cut() must return a cut of 1 to ${have} bytes, or a number over ${have}; it returned ${size}`,
        this.#delimiter,
      )
    }
    if (size > most) return TOO_LONG
    if (typeof cut === 'number') {
      this.#wanted = cut
      return NEED_MORE
    }
    this.#wanted = 1
    for (let i = 0; i < cut.data.length; i++) cut.data[i] = this.#deliverable(buffer, cut.data[i])
    buffer.skip(size)
    return cut.data
  }

  release(): void {
    this.#wanted = 1
  }

  #deliverable(buffer: RecvBuffer, value: unknown): unknown {
    if (this.#encoding !== null && value instanceof Buffer) return value.toString(this.#encoding)
    return buffer.keepable(value)
  }
}
