/**
 * Layer 1. What a text is in bytes, for what is written: textBytes makes them, the others count
 * them.
 *
 * Hex and base64 show bytes as text, so not every text is one of them. Node decodes such a text up
 * to the first wrong character, or leaves wrong characters out: `'0a\n'` in hex loses its line end.
 * Here it is refused.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes, Encoding } from '../../types.ts'

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/

/** What a text must be in the encodings that do not take every text. */
const VALID: Readonly<Partial<Record<Encoding, RegExp>>> = {
  hex: /^(?:[\da-f]{2})*$/i,
  base64: BASE64,
  base64url: BASE64,
}

/** `what`: what the text is given as. Throws InvalidArgumentError if it is not of that encoding. */
export function textBytes(what: string, text: string, encoding: Encoding): Buffer {
  const valid = VALID[encoding]
  if (valid !== undefined && !valid.test(text))
    throw new InvalidArgumentError(
      what,
      `text in ${encoding} (the channel's encoding) or bytes`,
      text,
    )
  return Buffer.from(text, encoding)
}

/** Is one text after another the same as both as one? Not if text shows bytes. */
export function canJoin(encoding: Encoding): boolean {
  return VALID[encoding] === undefined
}

/** The most bytes that one UTF-16 unit of a string becomes in any encoding. */
export const MOST_PER_UNIT = 3

/** The same in one encoding. */
export function mostPerUnit(encoding: Encoding): Bytes {
  return encoding === 'utf8' ? MOST_PER_UNIT : encoding === 'utf16le' ? 2 : 1
}

/** Is ASCII one byte per character in this encoding? */
export function holdsAscii(encoding: Encoding): boolean {
  return encoding === 'utf8' || encoding === 'latin1' || encoding === 'ascii'
}

/**
 * The bytes that `more` adds to a text. Two halves of one character are 4 bytes in UTF-8 if they
 * meet, and 3 bytes each if not.
 */
export function bytesAfter(text: string, more: string, encoding: Encoding): Bytes {
  const size = Buffer.byteLength(more, encoding)
  if (encoding !== 'utf8' || (more.charCodeAt(0) & 0xfc00) !== 0xdc00) return size
  // Tested last: looking at the end of a long text makes V8 join all its parts.
  return endsInHalf(text) ? size - 2 : size
}

/** Is the last unit of a text the first half of a character? */
export function endsInHalf(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800
}
