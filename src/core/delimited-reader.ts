/**
 * Layer 1. DelimitedReader: cuts off everything before a string or bytes, the delimiter itself left
 * out.
 *
 * The run is decoded a window at a time and searched as a string: one call into C++ a window
 * instead of two a message. A window is latin1 (one character a byte) or, for UTF-8 that is not
 * ASCII, UTF-8 up to the last delimiter in it. What the windows have delivered is taken off the
 * buffer only in `release`. A message that is longer than its window, or began in an earlier chunk,
 * is looked for in the bytes and decoded once.
 */

import { type Buffer, isAscii } from 'node:buffer'
import type { Bytes, Encoding } from '../types.ts'
import { NEED_MORE, type Reader, TOO_LONG } from './readers.ts'
import type { RecvBuffer } from './recv-buffer.ts'

/**
 * How much a reader decodes ahead at first, and at most: a delimiter that changes at every message
 * must not cost a chunk each time.
 */
const WINDOW_MIN: Bytes = 256
const WINDOW_MAX: Bytes = 65536

/** Counts towards the limit: the bytes before the delimiter. */
export class DelimitedReader implements Reader {
  readonly spread = false
  readonly #encoding: Encoding | null
  readonly #needle: Buffer
  /** The needle as windows show it, and its length there. */
  readonly #mark: string
  readonly #markLength: number
  readonly #first: number
  readonly #last: string
  /** Are the messages cut out of the window itself? Otherwise the window only finds them. */
  readonly #fromWindow: boolean
  readonly #isUtf8: boolean

  #window: Bytes = WINDOW_MIN
  #text = ''
  #at = 0
  #isWide = false
  /** The window's bytes. */
  #size: Bytes = 0
  /** So many bytes at the start of the run hold no whole delimiter. */
  #searched: Bytes = 0

  constructor(needle: Buffer, encoding: Encoding | null) {
    this.#encoding = encoding
    this.#needle = needle
    this.#mark = needle.toString('latin1')
    this.#markLength = this.#mark.length
    this.#first = this.#mark.charCodeAt(0)
    this.#last = this.#mark.slice(-1)
    // A needle that is not ASCII has another length in a UTF-8 window than in a latin1 one: then
    // the bytes are searched.
    this.#isUtf8 = encoding === 'utf8' && isAscii(needle)
    this.#fromWindow = encoding === 'latin1' || this.#isUtf8
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    const at = this.#at
    const found = this.#find(at)
    if (found === -1) return this.#refill(buffer, limit)
    this.#at = found + this.#markLength
    if (this.#fromWindow) return this.#text.slice(at, found)
    const bytes = buffer.slice(at, found)
    return this.#encoding === null ? bytes : bytes.toString(this.#encoding)
  }

  /**
   * Where in the window the next delimiter begins. V8 looks for one character with a loop of its
   * own and for two with a call into C++, so two are found by their last one. (Measured: 13 instead
   * of 17 ns for a line of 64.)
   */
  #find(from: number): number {
    if (this.#markLength !== 2) return this.#text.indexOf(this.#mark, from)
    const text = this.#text
    let found = text.indexOf(this.#last, from + 1)
    while (found !== -1 && text.charCodeAt(found - 1) !== this.#first)
      found = text.indexOf(this.#last, found + 1)
    return found === -1 ? -1 : found - 1
  }

  release(buffer: RecvBuffer): void {
    this.#leaveWindow(buffer)
    this.#window = WINDOW_MIN
    this.#searched = 0
  }

  #refill(buffer: RecvBuffer, limit: Bytes): unknown {
    this.#leaveWindow(buffer)
    if (buffer.start === buffer.end) return NEED_MORE
    if (this.#searched === 0 && this.#encoding !== 'utf16le' && this.#openWindow(buffer, limit))
      return this.next(buffer, limit)
    return this.#search(buffer, limit)
  }

  /** Opens a window at the start of the run. False: there is no delimiter in it. */
  #openWindow(buffer: RecvBuffer, limit: Bytes): boolean {
    const { bytes, start } = buffer
    // Never beyond the limit, so that no message in a window can be too long.
    const end = Math.min(buffer.end, start + this.#window, start + limit + this.#markLength)
    const isWide = this.#isUtf8 && !isAscii(bytes.subarray(start, end))
    // UTF-8 only up to the last delimiter: the last character of the window may be cut.
    const last = isWide
      ? start + bytes.subarray(start, end).lastIndexOf(this.#needle) + this.#markLength
      : end
    if (last < start + this.#markLength) {
      this.#searched = end - start
      return false
    }
    this.#text = bytes.toString(isWide ? 'utf8' : 'latin1', start, last)
    this.#at = 0
    this.#size = last - start
    this.#isWide = isWide
    if (isWide || this.#text.includes(this.#mark)) {
      this.#window = Math.min(this.#window * 4, WINDOW_MAX)
      return true
    }
    this.#text = ''
    this.#searched = end - start
    return false
  }

  #leaveWindow(buffer: RecvBuffer): void {
    if (this.#at > 0) {
      const rest = this.#text.length - this.#at
      buffer.skip(rest === 0 ? this.#size : this.#isWide ? this.#delivered(buffer) : this.#at)
      this.#searched = this.#isWide ? 0 : rest
    }
    this.#text = ''
    this.#at = 0
  }

  /**
   * The bytes of a wide window that were delivered. Characters are not bytes there: the messages
   * are found again, in the bytes.
   */
  #delivered(buffer: RecvBuffer): Bytes {
    let size = 0
    for (let at = 0; at < this.#at; at = this.#text.indexOf(this.#mark, at) + this.#markLength) {
      size = buffer.indexOf(this.#needle, size) + this.#needle.length
    }
    return size
  }

  #search(buffer: RecvBuffer, limit: Bytes): unknown {
    const size = this.#needle.length
    const have = buffer.end - buffer.start
    let found = buffer.indexOf(this.#needle, Math.max(0, this.#searched - size + 1))
    // UTF-16: the end of one character and the start of the next may look like the delimiter.
    while (this.#encoding === 'utf16le' && found % 2 === 1)
      found = buffer.indexOf(this.#needle, found + 1)
    if (found === -1) {
      this.#searched = have
      return have > limit && !this.#mayBegin(buffer, limit) ? TOO_LONG : NEED_MORE
    }
    if (found > limit) return TOO_LONG
    this.#searched = 0
    // The next message probably is as long: a window that holds one holds several.
    this.#window = Math.min(Math.max(this.#window, 4 * found), WINDOW_MAX)
    const message =
      this.#encoding === null ? buffer.take(found) : buffer.takeText(found, this.#encoding)
    buffer.skip(size)
    return message
  }

  /** Could the end of the run be the beginning of a delimiter that is still within the limit? */
  #mayBegin(buffer: RecvBuffer, limit: Bytes): boolean {
    const { bytes, start, end } = buffer
    for (let at = Math.max(start, end - this.#needle.length + 1); at <= start + limit; at++) {
      if (bytes.compare(this.#needle, 0, end - at, at, end) === 0) return true
    }
    return false
  }
}
