/**
 * Layer 1. The factory `length_prefix`: messages that say their length before they begin.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError, InvalidDelimiterError, StructError } from '../errors.ts'
import type { Bytes, Data } from '../types.ts'
import type { Cut, Delimiter } from './delimiters.ts'

/** How a message says its length. */
export interface LengthPrefixOptions {
  /** Bytes of the length field, 1 to 6. Default 4. */
  readonly size?: Bytes
  /** Which byte of the length field comes first. Default 'big', network order. */
  readonly endian?: 'big' | 'little'
  /**
   * Bytes that stand before the length field; not delivered. Default 0. `pack` writes zeros there.
   */
  readonly offset?: Bytes
  /**
   * Added to the number in the field to get the bytes that follow the field. Default 0.
   * Where the field counts itself too, this is `-size`.
   */
  readonly adjust?: number
}

/**
 * What `length_prefix` returns: a delimiter that delivers the payload, and frames payloads for
 * writing.
 */
export interface LengthPrefix extends Delimiter<[data: any]> {
  /**
   * One payload, text as UTF-8, with its prefix. A payload longer than the field can say throws
   * StructError.
   */
  pack(payload: Data): Buffer
  pack_into(target: Buffer, at: Bytes, payload: Data): Bytes
}

/**
 * A `read_delimiter` for length-prefixed messages; `on_read` gets the payload only, as a string
 * where the channel has an `encoding`.
 *
 * A message longer than `buffer_size` (prefix included) is an overflow as soon as its prefix has
 * come. A length that is negative after `adjust` goes to `on_read_error`. Options that cannot be
 * throw InvalidArgumentError.
 *
 *     override read_delimiter = length_prefix({ size: 2 })
 *     override on_read(payload: Buffer) { this.write_packed(payload) }
 *
 * Source: ours; the options are those of tokio's `LengthDelimitedCodec`.
 */
export function length_prefix(options: LengthPrefixOptions = {}): LengthPrefix {
  const { size = 4, endian = 'big', offset = 0, adjust = 0 } = options
  if (!Number.isInteger(size) || size < 1 || size > 6)
    throw new InvalidArgumentError('length_prefix: size', 'an integer from 1 to 6', size)
  if (endian !== 'big' && endian !== 'little')
    throw new InvalidArgumentError('length_prefix: endian', "'big' or 'little'", endian)
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new InvalidArgumentError('length_prefix: offset', 'an integer of at least 0', offset)
  if (!Number.isSafeInteger(adjust))
    throw new InvalidArgumentError('length_prefix: adjust', 'an integer', adjust)
  return new Prefix(size, endian === 'big', offset, adjust)
}

/** Room for nothing: to ask how much is needed. */
const NOWHERE = Buffer.alloc(0)

class Prefix implements LengthPrefix {
  readonly text = true
  /**
   * The prefix is read before the limit is asked: otherwise chunks would decide whether a bad
   * length or a low limit is reported.
   */
  readonly needs: Bytes
  readonly #size: Bytes
  readonly #isBig: boolean
  readonly #header: Bytes
  readonly #adjust: number
  /** The most that the field can say. */
  readonly #most: number

  constructor(size: Bytes, isBig: boolean, offset: Bytes, adjust: number) {
    this.#size = size
    this.#isBig = isBig
    this.#header = this.needs = offset + size
    this.#adjust = adjust
    this.#most = 256 ** size - 1
  }

  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut<[data: any]> | Bytes {
    const header = this.#header
    if (end - start < header) return header
    const at = start + header - this.#size
    const said = this.#isBig ? bytes.readUIntBE(at, this.#size) : bytes.readUIntLE(at, this.#size)
    const length = said + this.#adjust
    if (length < 0)
      throw new InvalidDelimiterError(
        `a length of ${said} with adjust ${this.#adjust} is negative`,
        this,
      )
    const size = header + length
    return end - start < size
      ? size
      : { size, data: [bytes.subarray(start + header, start + size)] }
  }

  pack(payload: Data): Buffer {
    // From Node's pool, which is several times cheaper than zeroed memory; all of it is written.
    const frame = Buffer.allocUnsafe(this.pack_into(NOWHERE, 0, payload))
    this.pack_into(frame, 0, payload)
    return frame
  }

  pack_into(target: Buffer, at: Bytes, payload: Data): Bytes {
    const isText = typeof payload === 'string'
    if (!isText && !(payload instanceof Uint8Array))
      throw new InvalidArgumentError('length_prefix: payload', 'a string or a Uint8Array', payload)
    const length = isText ? Buffer.byteLength(payload) : payload.length
    const said = length - this.#adjust
    if (said < 0 || said > this.#most) {
      throw new StructError(
        `length_prefix: a payload of ${length} bytes does not fit a length field of ${this.#size} bytes (adjust ${this.#adjust})`,
      )
    }
    const behind = at + this.#header
    if (behind + length > target.length) return this.#header + length
    const field = behind - this.#size
    if (field > at) target.fill(0, at, field)
    if (this.#isBig) target.writeUIntBE(said, field, this.#size)
    else target.writeUIntLE(said, field, this.#size)
    if (isText) target.write(payload, behind)
    else target.set(payload, behind)
    return this.#header + length
  }
}
