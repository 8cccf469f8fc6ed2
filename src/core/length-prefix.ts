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
  /** Bytes that stand before the length field; not delivered. Default 0. `pack` writes zeros there. */
  readonly offset?: Bytes
  /**
   * Added to the number in the field to get the bytes that follow the field. Default 0.
   * Where the field counts itself too, this is `-size`.
   */
  readonly adjust?: number
}

/** What `length_prefix` returns: a delimiter that delivers the payload, and frames payloads for writing. */
export interface LengthPrefix extends Delimiter<[data: any]> {
  /** One payload, text as UTF-8, with its prefix. A payload longer than the field can say throws StructError. */
  pack(payload: Data): Buffer
}

/**
 * A `read_delimiter` for length-prefixed messages; `on_read` gets the payload only, as a string where the channel has an `encoding`.
 *
 * A message longer than `buffer_size` (prefix included) is an overflow as soon as its prefix has come. A length that is
 * negative after `adjust` goes to `on_read_error`. Options that cannot be throw InvalidArgumentError.
 *
 *     override read_delimiter = length_prefix({ size: 2 })
 *     override on_read(payload: Buffer) { this.write_packed(payload) }
 *
 * Source: ours; the options are those of tokio's `LengthDelimitedCodec`.
 */
export function length_prefix(options: LengthPrefixOptions = {}): LengthPrefix {
  const { size = 4, endian = 'big', offset = 0, adjust = 0 } = options
  if (!Number.isInteger(size) || size < 1 || size > 6) throw new InvalidArgumentError('length_prefix: size', 'an integer from 1 to 6', size)
  if (endian !== 'big' && endian !== 'little') throw new InvalidArgumentError('length_prefix: endian', "'big' or 'little'", endian)
  if (!Number.isSafeInteger(offset) || offset < 0) throw new InvalidArgumentError('length_prefix: offset', 'an integer of at least 0', offset)
  if (!Number.isSafeInteger(adjust)) throw new InvalidArgumentError('length_prefix: adjust', 'an integer', adjust)
  return new Prefix(size, endian === 'big', offset, adjust)
}

class Prefix implements LengthPrefix {
  readonly text = true
  /** The prefix is read before the limit is asked: otherwise chunks would decide whether a bad length or a low limit is reported. */
  readonly needs: Bytes
  readonly #size: Bytes
  readonly #isBig: boolean
  readonly #header: Bytes
  readonly #adjust: number

  constructor(size: Bytes, isBig: boolean, offset: Bytes, adjust: number) {
    this.#size = size
    this.#isBig = isBig
    this.#header = this.needs = offset + size
    this.#adjust = adjust
  }

  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut<[data: any]> | Bytes {
    const header = this.#header
    if (end - start < header) return header
    const at = start + header - this.#size
    const said = this.#isBig ? bytes.readUIntBE(at, this.#size) : bytes.readUIntLE(at, this.#size)
    const length = said + this.#adjust
    if (length < 0) throw new InvalidDelimiterError(`a length of ${said} with adjust ${this.#adjust} is negative`, this)
    const size = header + length
    return end - start < size ? size : { size, data: [bytes.subarray(start + header, start + size)] }
  }

  pack(payload: Data): Buffer {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    if (!(bytes instanceof Uint8Array)) throw new InvalidArgumentError('length_prefix: payload', 'a string or a Uint8Array', payload)
    const said = bytes.length - this.#adjust
    if (said < 0 || said >= 256 ** this.#size) {
      throw new StructError(`length_prefix: a payload of ${bytes.length} bytes does not fit a length field of ${this.#size} bytes (adjust ${this.#adjust})`)
    }
    const frame = Buffer.alloc(this.#header + bytes.length)
    const at = this.#header - this.#size
    if (this.#isBig) frame.writeUIntBE(said, at, this.#size)
    else frame.writeUIntLE(said, at, this.#size)
    frame.set(bytes, this.#header)
    return frame
  }
}
