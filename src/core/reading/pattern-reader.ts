/**
 * Layer 1. PatternReader: the reader of a RegExp.
 *
 * Matches on the latin1 view of the bytes, in which one character is one byte and no byte is
 * invalid. The bytes that count towards the limit are all but the last byte of the match.
 *
 * The expression sees a message from its first byte, so `^` is the start of the message. If a match
 * could be longer with more bytes (`/\n+/`, `$`, a look-ahead), the result depends on the chunks:
 * it is the match in the bytes that are there.
 *
 * Rule 1 of readers.ts holds if the longest match is known (core/reading/pattern-length.ts).
 * Otherwise each chunk that has a character with which a match can end is a reason to search the
 * message from its start. The limit bounds what that costs.
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../../errors.ts'
import type { Bytes, Encoding } from '../../types.ts'
import { longestMatch, matchEnd } from './pattern-length.ts'
import { NEED_MORE, type Reader, TOO_LONG } from './readers.ts'
import type { RecvBuffer } from './recv-buffer.ts'

export class PatternReader implements Reader {
  readonly spread = false
  readonly #pattern: RegExp
  /** Is a message what precedes the match? If not, it is the match itself. */
  readonly #isSearch: boolean
  readonly #encoding: Encoding | null
  readonly #longest: number
  /** With what a match can end, if any length is possible; `undefined` if it is not known. */
  readonly #end: RegExp | undefined
  /** The bytes at the start of the message in which no match ends, if that is what is known. */
  #barren: Bytes = 0
  /** The bytes at the start of the message at which no match begins. #view leaves them out. */
  #searched: Bytes = 0
  /** The latin1 view of all other bytes of the buffer; '' before it is made. */
  #view = ''
  /** The index in #view of the first byte that was not delivered; 0 before the first message. */
  #at = 0

  constructor(pattern: RegExp, isSearch: boolean, encoding: Encoding | null) {
    // A copy: the lastIndex of the program's RegExp must not matter. The flag y anchors the match.
    const flags = pattern.flags.replace(/[gy]/g, '')
    this.#pattern = new RegExp(pattern.source, isSearch ? flags : `${flags}y`)
    this.#isSearch = isSearch
    this.#encoding = encoding
    this.#longest = longestMatch(pattern)
    if (this.#longest === Infinity) this.#end = matchEnd(pattern)
  }

  next(buffer: RecvBuffer, limit: Bytes): unknown {
    if (this.#searched === Infinity) return this.#missed(buffer.length, limit)
    if (this.#barren > 0 && !this.#mayEnd(buffer)) return this.#missed(buffer.length, limit)
    if (this.#searched + this.#view.length < buffer.length) {
      // All of it: in half a chunk a match could end where the peer did not stop.
      while (buffer.more());
      this.#view = buffer.bytes.toString('latin1', buffer.start + this.#searched, buffer.end)
    }
    const text = this.#view.slice(this.#at)
    const before = this.#at === 0 ? this.#searched : 0
    this.#pattern.lastIndex = 0
    const match = this.#pattern.exec(text)
    if (match === null) {
      this.giveBack(buffer)
      return this.#missed(before + text.length, limit)
    }
    const end = match.index + match[0].length
    if (before + end > limit + 1) return TOO_LONG
    if (match[0] === '')
      throw new InvalidDelimiterError(
        'the RegExp matched the empty string: reading would never end',
        this.#pattern,
      )
    const message = this.#isSearch
      ? this.#precede(buffer, before, text.slice(0, match.index))
      : this.#decodeMatch(match)
    this.#at += end
    return message
  }

  /** Is there a character among the new ones with which a match can end? */
  #mayEnd(buffer: RecvBuffer): boolean {
    while (buffer.more());
    const fresh = buffer.bytes.toString('latin1', buffer.start + this.#barren, buffer.end)
    return (this.#end as RegExp).test(fresh)
  }

  /** There is no match in the message, of which that many bytes have come. */
  #missed(size: Bytes, limit: Bytes): unknown {
    const open = size - this.#longest + 1
    // An anchored match that was not found in as many bytes as it can have will never be found.
    if (open > 0) this.#searched = this.#isSearch ? open : Infinity
    if (this.#end !== undefined) this.#barren = size
    return size > limit ? TOO_LONG : NEED_MORE
  }

  giveBack(buffer: RecvBuffer): void {
    if (this.#at > 0) buffer.skip(this.#searched + this.#at)
    this.#view = ''
    this.#at = this.#searched = this.#barren = 0
  }

  /** The message: `before` bytes that #view leaves out, and then this text. */
  #precede(buffer: RecvBuffer, before: Bytes, text: string): Buffer | string {
    if (before === 0) return this.#decode(text)
    const bytes = buffer.slice(0, before + text.length)
    return this.#encoding === null ? bytes : bytes.toString(this.#encoding)
  }

  #decode(text: string): Buffer | string {
    if (this.#encoding === 'latin1') return text
    const bytes = Buffer.from(text, 'latin1')
    return this.#encoding === null ? bytes : bytes.toString(this.#encoding)
  }

  /** The match itself. Its strings are in the channel's encoding; latin1 if it has none. */
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
