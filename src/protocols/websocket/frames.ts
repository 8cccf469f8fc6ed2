/**
 * Layer 7. Frames: the bytes around a payload (RFC 6455, section 5.2), and masking.
 *
 *     byte 0   FIN, RSV1 (compressed), RSV2, RSV3, opcode
 *     byte 1   MASK, length below 126; 126: two more bytes are the length; 127: eight more
 *     4 bytes  the key, if MASK is set: the payload is XORed with it, byte by byte
 *
 * A client masks what it sends, a server does not. (So a page in a browser cannot choose the bytes
 * that a proxy sees.)
 */

import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import type { Bytes } from '../../types.ts'

/** What a frame is. From CLOSE on it is a control frame: short, and never in fragments. */
export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** The bits of byte 0 and byte 1 that are no opcode and no length. */
export const FIN = 0x80
export const RSV1 = 0x40
export const MASK = 0x80

/** The longest payload of a control frame. */
export const CONTROL_MAX: Bytes = 125

/** The most that byte 1 says by itself, and what it says if more bytes tell the length. */
const SHORT = 125
const TWO_MORE = 126
const EIGHT_MORE = 127

/** The size of a key. */
export const KEY: Bytes = 4

// ---- headers ------------------------------------------------------------------------------------

/** The bytes of a header for a payload of that length, without a key. */
export function headerSize(length: Bytes): Bytes {
  return length <= SHORT ? 2 : length < 0x10000 ? 4 : 10
}

/** Writes a header, without a key, at `target[at]`. `mask`: MASK or 0. Returns its size. */
export function writeHeader(
  target: Buffer,
  at: Bytes,
  first: number,
  mask: number,
  length: Bytes,
): Bytes {
  target[at] = first
  if (length <= SHORT) {
    target[at + 1] = mask | length
    return 2
  }
  if (length < 0x10000) {
    target[at + 1] = mask | TWO_MORE
    target[at + 2] = length >>> 8
    target[at + 3] = length
    return 4
  }
  target[at + 1] = mask | EIGHT_MORE
  target.writeUIntBE(Math.floor(length / 2 ** 32), at + 2, 4)
  target.writeUIntBE(length % 2 ** 32, at + 6, 4)
  return 10
}

/** The bytes of the header that begins with these two, its key included. */
export function sizeOfHeader(second: number): Bytes {
  const short = second & 0x7f
  const more = short === TWO_MORE ? 2 : short === EIGHT_MORE ? 8 : 0
  return 2 + more + ((second & MASK) === 0 ? 0 : KEY)
}

/**
 * The length that the header at `bytes[at]` states; all of the header must be there. -1 if it is
 * not written in the shortest form, Infinity if it is too large for a number.
 */
export function readLength(bytes: Buffer, at: Bytes): Bytes {
  const short = (bytes[at + 1] as number) & 0x7f
  if (short <= SHORT) return short
  if (short === TWO_MORE) {
    const length = bytes.readUInt16BE(at + 2)
    return length <= SHORT ? -1 : length
  }
  const high = bytes.readUInt32BE(at + 2)
  const length = high * 2 ** 32 + bytes.readUInt32BE(at + 6)
  if (length < 0x10000) return -1
  return Number.isSafeInteger(length) ? length : Infinity
}

// ---- keys ---------------------------------------------------------------------------------------

/** One call into C++ makes this many random bytes: a call for each key would cost more than it. */
const random = Buffer.alloc(4096)
let used = random.length

/** The next key, as the 32-bit integer that its bytes are in little-endian order. */
export function nextKey(): number {
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  used += KEY
  return random.readInt32LE(used - KEY)
}

// ---- masking ------------------------------------------------------------------------------------

/**
 * Masks `view[at … end)` in place, four bytes at a time, or unmasks it: that is the same. The key
 * begins at `at`. Returns all bytes afterwards, ORed: below 0x80 if they are ASCII.
 *
 * (A DataView, because a payload begins anywhere, and V8 makes one instruction of each access.)
 */
export function mask(view: DataView, at: Bytes, end: Bytes, key: number): number {
  let all = 0
  let i = at
  for (const last = end - 3; i < last; i += 4) {
    const word = view.getInt32(i, true) ^ key
    view.setInt32(i, word, true)
    all |= word
  }
  all |= (all >>> 16) | (all >>> 8) | (all >>> 24)
  for (let shift = 0; i < end; i++, shift += 8) {
    const byte = (view.getUint8(i) ^ (key >>> shift)) & 0xff
    view.setUint8(i, byte)
    all |= byte
  }
  return all & 0xff
}

/** All bytes of `view[at … end)`, ORed. */
export function bitsOf(view: DataView, at: Bytes, end: Bytes): number {
  let all = 0
  let i = at
  for (const last = end - 3; i < last; i += 4) all |= view.getInt32(i, true)
  all |= (all >>> 16) | (all >>> 8) | (all >>> 24)
  for (; i < end; i++) all |= view.getUint8(i)
  return all & 0xff
}

/** Masks in the same way from `source[from …)` to `target[at …)`, `length` bytes. */
export function maskInto(
  source: DataView,
  from: Bytes,
  target: DataView,
  at: Bytes,
  length: Bytes,
  key: number,
): void {
  let i = 0
  // Four words a round: a fifth less time for a large payload.
  for (const last = length - 15; i < last; i += 16) {
    target.setInt32(at + i, source.getInt32(from + i, true) ^ key, true)
    target.setInt32(at + i + 4, source.getInt32(from + i + 4, true) ^ key, true)
    target.setInt32(at + i + 8, source.getInt32(from + i + 8, true) ^ key, true)
    target.setInt32(at + i + 12, source.getInt32(from + i + 12, true) ^ key, true)
  }
  for (const last = length - 3; i < last; i += 4)
    target.setInt32(at + i, source.getInt32(from + i, true) ^ key, true)
  for (let shift = 0; i < length; i++, shift += 8)
    target.setUint8(at + i, source.getUint8(from + i) ^ (key >>> shift))
}

/** A copy of a payload, unmasked. */
export function unmasked(bytes: Buffer, at: Bytes, length: Bytes, key: number): Buffer {
  const payload = Buffer.allocUnsafe(length)
  maskInto(viewOf(bytes), at, viewOf(payload), 0, length, key)
  return payload
}

/** The key as it is after `bytes` bytes of the payload. */
export function turnKey(key: number, bytes: Bytes): number {
  const shift = (bytes & 3) * 8
  return shift === 0 ? key : (key >>> shift) | (key << (32 - shift))
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
