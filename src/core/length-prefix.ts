/**
 * Layer 1. `length_prefix`: a delimiter for messages that are preceded by their length.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError, InvalidDelimiterError, StructError } from '../errors.ts'
import type { Bytes, Data } from '../types.ts'
import type { Cut, Delimiter } from './delimiters.ts'
import { checkOptions } from './option-names.ts'

/** The form of the prefix. */
export interface LengthPrefixOptions {
  /**
   * The size of the length field, 1 to 6 bytes.
   * @default 4
   */
  readonly size?: Bytes
  /**
   * The byte order of the length field. 'big' is network order.
   * @default 'big'
   */
  readonly endian?: 'big' | 'little'
  /**
   * The number of bytes before the length field. They are not delivered, and `pack` writes zeros
   * there.
   * @default 0
   */
  readonly offset?: Bytes
  /**
   * Added to the number in the field to get the size of the payload. If the field counts itself
   * too, this is `-size`.
   * @default 0
   */
  readonly adjust?: number
}

const OPTIONS: readonly string[] = [
  'size',
  'endian',
  'offset',
  'adjust',
] satisfies (keyof LengthPrefixOptions)[]

/** What `length_prefix` returns: a delimiter that delivers payloads and frames them for writing. */
export interface LengthPrefix extends Delimiter<[data: any]> {
  /**
   * Returns one payload with its prefix. Text is packed as UTF-8; `write_packed` packs it in the
   * `encoding` of the channel.
   *
   * Throws StructError (ERR_STRUCT) if the length does not fit the field, and InvalidArgumentError
   * (ERR_INVALID_ARGUMENT) for a payload that is neither a string nor a Uint8Array.
   */
  pack(payload: Data): Buffer
  /** Writes the same at `target[at]`. Throws the same. */
  pack_into(target: Buffer, at: Bytes, payload: Data): Bytes
}

/**
 * Makes a `read_delimiter` for length-prefixed messages. `on_read` gets the payload only, as a
 * string if the channel has an `encoding`.
 *
 * A message longer than `buffer_size` (prefix included) is an overflow as soon as its prefix has
 * come. A length that is negative after `adjust` is reported to `on_read_error`.
 *
 * Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) for an option that is invalid or does not
 * exist.
 *
 * @example
 * class Frames extends Connection {
 *   override read_delimiter = length_prefix({ size: 2 })
 *   override on_read(payload: Buffer) {
 *     this.write_packed(payload)
 *   }
 * }
 */
// Source: the options are those of tokio's `LengthDelimitedCodec`.
export function length_prefix(options: LengthPrefixOptions = {}): LengthPrefix {
  checkOptions('length_prefix', options, OPTIONS)
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

/** A target without room, to ask `pack_into` for the size. */
const NOWHERE = Buffer.alloc(0)

class Prefix implements LengthPrefix {
  readonly text = true
  /**
   * The prefix must be readable under any limit. Otherwise chunks would decide whether an invalid
   * length or a low limit is reported.
   */
  readonly needs: Bytes
  readonly #size: Bytes
  readonly #isBig: boolean
  readonly #header: Bytes
  readonly #adjust: number
  /** The largest number in the field. */
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
    const stated = this.#isBig ? bytes.readUIntBE(at, this.#size) : bytes.readUIntLE(at, this.#size)
    const length = stated + this.#adjust
    if (length < 0)
      throw new InvalidDelimiterError(
        `a length of ${stated} with adjust ${this.#adjust} is negative`,
        this,
      )
    const size = header + length
    return end - start < size
      ? size
      : { size, data: [bytes.subarray(start + header, start + size)] }
  }

  pack(payload: Data): Buffer {
    // Node's pool is several times cheaper than zeroed memory, and all of it is written.
    const frame = Buffer.allocUnsafe(this.pack_into(NOWHERE, 0, payload))
    this.pack_into(frame, 0, payload)
    return frame
  }

  pack_into(target: Buffer, at: Bytes, payload: Data): Bytes {
    const isText = typeof payload === 'string'
    if (!isText && !(payload instanceof Uint8Array))
      throw new InvalidArgumentError('length_prefix: payload', 'a string or a Uint8Array', payload)
    const length = isText ? Buffer.byteLength(payload) : payload.length
    const stated = length - this.#adjust
    if (stated < 0 || stated > this.#most) {
      const field = `a length field of ${this.#size} bytes (adjust ${this.#adjust})`
      throw new StructError(`length_prefix: a payload of ${length} bytes does not fit ${field}`)
    }
    const payloadAt = at + this.#header
    if (payloadAt + length > target.length) return this.#header + length
    const field = payloadAt - this.#size
    if (field > at) target.fill(0, at, field)
    if (this.#isBig) target.writeUIntBE(stated, field, this.#size)
    else target.writeUIntLE(stated, field, this.#size)
    if (isText) target.write(payload, payloadAt)
    else target.set(payload, payloadAt)
    return this.#header + length
  }
}
