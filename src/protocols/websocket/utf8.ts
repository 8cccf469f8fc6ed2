/**
 * Layer 7. UTF-8 that is checked while it comes: a wrong byte is found at once, not when the
 * message has ended.
 *
 * Complete characters are checked by Node, all at once. By hand it looks only at the last three
 * bytes, which may be the beginning of a character.
 */

import { type Buffer, isUtf8 } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/**
 * Checks `bytes[from … end)`, of which everything before `from` was complete characters. Returns
 * where the complete characters end now, or -1 if what is there can never be UTF-8.
 */
export function checkUtf8(bytes: Buffer, from: Bytes, end: Bytes): Bytes {
  const whole = wholeEnd(bytes, from, end)
  if (whole > from && !isUtf8(bytes.subarray(from, whole))) return -1
  return mayBegin(bytes, whole, end) ? whole : -1
}

/** Where the last character begins, if it is not complete; otherwise `end`. */
function wholeEnd(bytes: Buffer, from: Bytes, end: Bytes): Bytes {
  // A character has at most four bytes: its first is among the last three, or it is complete.
  for (let at = end - 1; at >= Math.max(from, end - 3); at--) {
    const byte = bytes[at] as number
    if (byte < 0x80) break
    if (byte >= 0xc0) return end - at < sizeOf(byte) ? at : end
  }
  return end
}

/** How many bytes the character has that begins with this byte. */
function sizeOf(first: number): Bytes {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
}

/**
 * Can `bytes[at … end)` be the beginning of a character? The first byte must not begin a form that
 * is too long, and the second must not make the character too large, too long in its form, or half
 * of a pair of UTF-16.
 */
function mayBegin(bytes: Buffer, at: Bytes, end: Bytes): boolean {
  if (at === end) return true
  const first = bytes[at] as number
  if (first < 0xc2 || first > 0xf4) return false
  if (end - at === 1) return true
  const second = bytes[at + 1] as number
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return false
  return end - at === 2 || ((bytes[at + 2] as number) & 0xc0) === 0x80
}
