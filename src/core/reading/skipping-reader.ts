/**
 * Layer 1. SkippingReader: a reader whose messages may be too long. Such a message is reported as
 * too long, and dropped up to its delimiter as its bytes come, so nothing is kept of it.
 */

import type { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'
import { longestMatch } from './pattern-length.ts'
import { NEED_MORE, type Reader, TOO_LONG } from './readers.ts'
import type { RecvBuffer } from './recv-buffer.ts'

/** What ends a message. */
interface End {
  /** The most bytes that it has. */
  readonly longest: Bytes
  /** 2 if it only counts at an even index: a unit of UTF-16 has two bytes. */
  readonly step: 1 | 2
  /** The bytes of the run up to and including the first one; -1 if there is none. */
  find(buffer: RecvBuffer): number
}

export class SkippingReader implements Reader {
  readonly spread = false
  readonly skips = true
  readonly #reader: Reader
  readonly #end: End
  #isSkipping = false

  constructor(reader: Reader, end: End) {
    this.#reader = reader
    this.#end = end
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    if (this.#isSkipping && !this.#skip(buffer)) return NEED_MORE
    const data = this.#reader.next(buffer, limit)
    if (data === TOO_LONG) this.#isSkipping = true
    return data
  }

  /** Drops what has come of the message. Returns false if it goes on. */
  #skip(buffer: RecvBuffer): boolean {
    this.#reader.giveBack(buffer)
    const { longest, step } = this.#end
    let dropped = 0
    do {
      const found = this.#end.find(buffer)
      if (found !== -1) {
        buffer.skip(found)
        this.#isSkipping = false
        return true
      }
      // The end may have begun in the last bytes. Another chunk may wait behind what is dropped.
      dropped = Math.max(0, buffer.end - buffer.start - longest + 1)
      dropped -= dropped % step
      buffer.skip(dropped)
    } while (dropped > 0 || buffer.more())
    return false
  }

  giveBack(buffer: RecvBuffer): void {
    this.#reader.giveBack(buffer)
  }

  get held(): Bytes {
    return this.#isSkipping ? 1 : 0
  }

  forget(): void {
    this.#isSkipping = false
  }
}

/** A message ends with these bytes. */
export function endOfBytes(needle: Buffer, step: 1 | 2): End {
  return {
    longest: needle.length,
    step,
    find(buffer) {
      let found = buffer.indexOf(needle, 0)
      while (found !== -1 && found % step !== 0) found = buffer.indexOf(needle, found + 1)
      return found === -1 ? -1 : found + needle.length
    },
  }
}

/** A message ends with a match. Undefined if a match may have any length. */
export function endOfPattern(pattern: RegExp): End | undefined {
  const longest = longestMatch(pattern)
  if (longest === Infinity) return undefined
  const copy = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  return {
    longest,
    step: 1,
    find(buffer) {
      while (buffer.more());
      const match = copy.exec(buffer.bytes.toString('latin1', buffer.start, buffer.end))
      return match === null ? -1 : match.index + match[0].length
    },
  }
}
