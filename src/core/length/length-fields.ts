/**
 * Layer 1. The fields in which a protocol says how long a message is: integers of 1 to 8 bytes,
 * varints, BER lengths, and decimal or hexadecimal digits.
 *
 * A new kind is one class below and its line in length-prefix.ts.
 *
 * Rules:
 * 1. A field keeps nothing between two calls, so any number of channels may share it.
 * 2. An invalid field is refused at its first invalid byte, so chunks decide nothing.
 * 3. Lengths are safe integers. A larger one is an error, not a rounded number.
 */

import type { Buffer } from 'node:buffer'
import { InvalidDelimiterError, show } from '../../errors.ts'
import type { Bytes } from '../../types.ts'

export interface LengthField {
  /** The most bytes that the field takes. */
  readonly longest: Bytes
  /** The largest length that it can say. */
  readonly most: number
  /**
   * The bytes of the field that begins at `at`. If it is not complete before `end`, the bytes at
   * which more will be known, which are more than there are.
   *
   * Throws InvalidDelimiterError if it is invalid.
   */
  measure(bytes: Buffer, at: Bytes, end: Bytes): Bytes
  /** The length in a field of `size` bytes. Throws InvalidDelimiterError if it is no safe
   * integer. */
  read(bytes: Buffer, at: Bytes, size: Bytes): number
  /** The bytes of a field that says this length. */
  sizeOf(length: number): Bytes
  /** Writes a field of `size` bytes. */
  write(target: Buffer, at: Bytes, length: number, size: Bytes): void
}

// ---- integers -----------------------------------------------------------------------------------

/** An integer of fixed size. */
export class IntegerField implements LengthField {
  readonly longest: Bytes
  readonly most: number
  readonly #isBig: boolean

  constructor(size: Bytes, isBig: boolean) {
    this.longest = size
    this.most = Math.min(256 ** size - 1, Number.MAX_SAFE_INTEGER)
    this.#isBig = isBig
  }

  measure(): Bytes {
    return this.longest
  }

  read(bytes: Buffer, at: Bytes, size: Bytes): number {
    let length = 0
    if (this.#isBig) for (let i = 0; i < size; i++) length = length * 256 + bytes[at + i]!
    else for (let i = size - 1; i >= 0; i--) length = length * 256 + bytes[at + i]!
    return checked(length)
  }

  sizeOf(): Bytes {
    return this.longest
  }

  write(target: Buffer, at: Bytes, length: number, size: Bytes): void {
    let rest = length
    for (let i = 0; i < size; i++) {
      // The byte takes the lowest eight bits. A shift is faster than a division, and sees 32 bits.
      target[this.#isBig ? at + size - 1 - i : at + i] = rest
      rest = size > 4 ? Math.floor(rest / 256) : rest >>> 8
    }
  }
}

/** The default: four bytes, the highest first. Written out, as V8 keeps a loop a loop. */
export class Uint32Field extends IntegerField {
  constructor() {
    super(4, true)
  }

  override read(bytes: Buffer, at: Bytes): number {
    const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16)
    return (high | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }

  override write(target: Buffer, at: Bytes, length: number): void {
    target[at] = length >>> 24
    target[at + 1] = length >>> 16
    target[at + 2] = length >>> 8
    target[at + 3] = length
  }
}

// ---- varint -------------------------------------------------------------------------------------

/** Groups of seven bits, the lowest first. All but the last byte have the upper bit set. */
// Source: protobuf, LEB128; the remaining length of MQTT.
export class VarintField implements LengthField {
  /** 56 bits: the first size that holds every safe integer. */
  readonly longest: Bytes = 8
  readonly most: number = Number.MAX_SAFE_INTEGER

  measure(bytes: Buffer, at: Bytes, end: Bytes): Bytes {
    for (let size = 1; size <= this.longest; size++)
      if (at + size > end || bytes[at + size - 1]! < 0x80) return size
    throw new InvalidDelimiterError(
      `a varint must end within ${this.longest} bytes`,
      bytes.toString('hex', at, at + this.longest),
    )
  }

  read(bytes: Buffer, at: Bytes, size: Bytes): number {
    let length = 0
    for (let i = size - 1; i >= 0; i--) length = length * 128 + (bytes[at + i]! & 0x7f)
    return checked(length)
  }

  sizeOf(length: number): Bytes {
    let size = 1
    for (let rest = length; rest >= 128; rest = Math.floor(rest / 128)) size++
    return size
  }

  write(target: Buffer, at: Bytes, length: number, size: Bytes): void {
    let rest = length
    for (let i = 0; i < size; i++) {
      target[at + i] = (rest % 128) | (i < size - 1 ? 0x80 : 0)
      rest = Math.floor(rest / 128)
    }
  }
}

// ---- BER ----------------------------------------------------------------------------------------

/** One byte below 128; or 128 and a count, and then that many bytes of the length. */
// Source: X.690, 8.1.3. Differs: the indefinite form has no length, and is refused.
export class BerField implements LengthField {
  readonly longest: Bytes = 9
  readonly most: number = Number.MAX_SAFE_INTEGER

  measure(bytes: Buffer, at: Bytes, end: Bytes): Bytes {
    if (at >= end) return 1
    const first = bytes[at]!
    if (first < 0x80) return 1
    const size = 1 + (first & 0x7f)
    if (size === 1 || size > this.longest)
      throw new InvalidDelimiterError('a BER length must have 1 to 8 bytes', size - 1)
    return size
  }

  read(bytes: Buffer, at: Bytes, size: Bytes): number {
    if (size === 1) return bytes[at]!
    let length = 0
    for (let i = 1; i < size; i++) length = length * 256 + bytes[at + i]!
    return checked(length)
  }

  sizeOf(length: number): Bytes {
    let size = 1
    if (length >= 0x80) for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size++
    return size
  }

  write(target: Buffer, at: Bytes, length: number, size: Bytes): void {
    target[at] = size === 1 ? length : 0x80 | (size - 1)
    let rest = length
    for (let i = size - 1; i > 0; i--) {
      target[at + i] = rest % 256
      rest = Math.floor(rest / 256)
    }
  }
}

// ---- digits -------------------------------------------------------------------------------------

/** The most digits of a safe integer, for each base. */
const DIGITS_MOST = { 10: 15, 16: 13 } as const

/** Decimal or hexadecimal digits in ASCII: a fixed count of them, or as many as precede `until`. */
export class DigitsField implements LengthField {
  readonly longest: Bytes
  readonly most: number
  readonly #base: 10 | 16
  /** 0 if `until` ends the digits. */
  readonly #count: number
  readonly #until: Buffer

  /** With a `count`, `until` is empty. */
  constructor(base: 10 | 16, count: number, until: Buffer) {
    const digits = count || DIGITS_MOST[base]
    this.longest = digits + until.length
    this.most = base ** digits - 1
    this.#base = base
    this.#count = count
    this.#until = until
  }

  /** The most digits that a field may have. */
  static most(base: 10 | 16): number {
    return DIGITS_MOST[base]
  }

  measure(bytes: Buffer, at: Bytes, end: Bytes): Bytes {
    let size = 0
    const most = this.longest - this.#until.length
    while (size < most && at + size < end && this.#isDigit(bytes[at + size]!)) size++
    if (this.#count > 0 ? size === most : size > 0 && at + size < end)
      return this.#measureEnd(bytes, at, end, size)
    if (at + size < end) throw this.#invalid(bytes, at, at + size)
    return size + 1
  }

  /** After `digits` digits `until` must follow. */
  #measureEnd(bytes: Buffer, at: Bytes, end: Bytes, digits: number): Bytes {
    for (let i = 0; i < this.#until.length; i++) {
      if (at + digits + i >= end) return digits + i + 1
      if (bytes[at + digits + i] !== this.#until[i]) throw this.#invalid(bytes, at, at + digits + i)
    }
    return digits + this.#until.length
  }

  #isDigit(byte: number): boolean {
    return (
      (byte >= 0x30 && byte <= 0x39) ||
      (this.#base === 16 && ((byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)))
    )
  }

  #invalid(bytes: Buffer, at: Bytes, wrong: Bytes): InvalidDelimiterError {
    const digits = this.#count > 0 ? `of ${this.#count}` : `of 1 to ${DIGITS_MOST[this.#base]}`
    const end = this.#count > 0 ? '' : `, and then ${show(this.#until.toString('latin1'))}`
    return new InvalidDelimiterError(
      `a length must be ${digits} digits of base ${this.#base}${end}`,
      bytes.toString('latin1', at, wrong + 1),
    )
  }

  read(bytes: Buffer, at: Bytes, size: Bytes): number {
    return parseInt(bytes.toString('latin1', at, at + size - this.#until.length), this.#base)
  }

  sizeOf(length: number): Bytes {
    return (this.#count || length.toString(this.#base).length) + this.#until.length
  }

  write(target: Buffer, at: Bytes, length: number, size: Bytes): void {
    const digits = size - this.#until.length
    target.write(length.toString(this.#base).padStart(digits, '0'), at, 'latin1')
    target.set(this.#until, at + digits)
  }
}

function checked(length: number): number {
  if (length > Number.MAX_SAFE_INTEGER)
    throw new InvalidDelimiterError('a length must be a safe integer', length)
  return length
}
