/**
 * Layer 1. `length_prefix`: a delimiter for messages that are preceded by their length.
 *
 *     [ offset ][ length ][ after ][ payload ][ padding ][ trailer ]
 *
 * What stands in `offset` and `after` is the header. The kinds of length are in length-fields.ts.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError, InvalidDelimiterError, StructError } from '../../errors.ts'
import type { Bytes, Data } from '../../types.ts'
import type { Cut, Delimiter, ReadSettings } from '../delimiters.ts'
import { type Framing, PayloadReader } from '../reading/payload-reader.ts'
import { FramedReader, type OwnReader, type Reader, READER } from '../reading/readers.ts'
import type { LengthField } from './length-fields.ts'
import { readForm, type Form, type LengthPrefixOptions } from './length-prefix-options.ts'

/**
 * What `length_prefix` returns: a delimiter that delivers payloads and frames them for writing.
 * With `header: true` both take the header as their first value.
 */
export interface LengthPrefix<
  Args extends [payload: any] | [header: any, payload: any] = [data: any],
> extends Delimiter<Args> {
  /**
   * Returns one payload with its prefix. Text is packed as UTF-8; `write_packed` packs it in the
   * `encoding` of the channel.
   *
   * Throws StructError (ERR_STRUCT) if the length does not fit the field or the header is not of
   * its size, and InvalidArgumentError (ERR_INVALID_ARGUMENT) for a value that is neither a string
   * nor a Uint8Array.
   */
  pack(...values: { [Each in keyof Args]: Data }): Buffer
  /** Writes the same at `target[at]`. Throws the same. */
  pack_into(target: Buffer, at: Bytes, ...values: { [Each in keyof Args]: Data }): Bytes
}

/**
 * Makes a `read_delimiter` for length-prefixed messages. `on_read` gets the payload only, as a
 * string if the channel has an `encoding`. With `header: true` it gets the header and the payload,
 * both as Buffers.
 *
 * A message longer than `buffer_size` (prefix included) is an overflow as soon as its prefix has
 * come. An invalid length or trailer is reported to `on_read_error`.
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
// Source: the first options are those of tokio's `LengthDelimitedCodec`.
export function length_prefix(
  options: LengthPrefixOptions & { readonly header: true },
): LengthPrefix<[header: Buffer, payload: Buffer]>
export function length_prefix(options?: LengthPrefixOptions): LengthPrefix
export function length_prefix(options: LengthPrefixOptions = {}): LengthPrefix<any> {
  return new LengthDelimiter(readForm(options))
}

/** A target without room, to ask `pack_into` for the size. */
const NOWHERE = Buffer.alloc(0)

/** `first`: the header if there is one, else the payload. */
class LengthDelimiter implements Delimiter, OwnReader, Framing {
  /** A header is bytes, and stays so. */
  readonly text: boolean
  /**
   * The prefix must be readable under any limit. Otherwise chunks would decide whether an invalid
   * length or a low limit is reported.
   */
  readonly needs: Bytes
  readonly #form: Form
  readonly #field: LengthField

  constructor(form: Form) {
    this.text = !form.header
    this.needs = form.offset + form.field.longest + form.after
    this.#form = form
    this.#field = form.field
  }

  // ---- reading ----------------------------------------------------------------------------------

  [READER]({ encoding }: ReadSettings): Reader {
    return this.text ? new PayloadReader(this, encoding) : new FramedReader(this, encoding)
  }

  measure(bytes: Buffer, start: Bytes, end: Bytes): Bytes {
    const { offset, after, trailer, padding } = this.#form
    const at = start + offset
    const size = this.#field.measure(bytes, at, end)
    // Asks for the next byte that can decide anything, not for more: an invalid field is reported
    // although nothing follows it.
    if (at + size > end) return offset + size
    const head = offset + size + after
    if (end - start < head) return head
    const length = this.#length(bytes, at, size)
    if (length < 0) return head
    const padded = padding === -1 ? 0 : bytes[start + padding]!
    const whole = head + length + padded + trailer.length
    // A sum that is no safe integer is not a valid answer. No message of that size fits anywhere.
    if (end - start < whole) return Math.min(whole, Number.MAX_SAFE_INTEGER)
    if (trailer.length > 0) this.#checkTrailer(bytes, start + whole - trailer.length)
    return whole
  }

  headOf(bytes: Buffer, start: Bytes): Bytes {
    const { offset, after } = this.#form
    return offset + this.#field.measure(bytes, start + offset, bytes.length) + after
  }

  tailOf(bytes: Buffer, start: Bytes): Bytes {
    const { trailer, padding } = this.#form
    return trailer.length + (padding === -1 ? 0 : bytes[start + padding]!)
  }

  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut | Bytes {
    const size = this.measure(bytes, start, end)
    if (size > end - start) return size
    const head = this.headOf(bytes, start)
    const payload = bytes.subarray(start + head, start + size - this.tailOf(bytes, start))
    return { size, data: this.text ? [payload] : [this.#header(bytes, start, head), payload] }
  }

  /** The bytes of the payload; negative for a marker. */
  #length(bytes: Buffer, at: Bytes, size: Bytes): number {
    const { adjust, counts_itself, markers } = this.#form
    const stated = this.#field.read(bytes, at, size)
    const length = stated + adjust - (counts_itself ? size : 0)
    if (length >= 0 || markers) return length
    const why = counts_itself ? 'as it counts itself' : `with adjust ${adjust}`
    throw new InvalidDelimiterError(`a length must be at least ${stated - length}, ${why}`, stated)
  }

  /** A marker has no payload. Its length is what tells one from the other. */
  #header(bytes: Buffer, start: Bytes, head: Bytes): Buffer {
    const { offset, after, markers } = this.#form
    if (markers && this.#length(bytes, start, head) < 0) return bytes.subarray(start, start + head)
    const before = bytes.subarray(start, start + offset)
    if (after === 0) return before
    const between = bytes.subarray(start + head - after, start + head)
    return offset === 0 ? between : Buffer.concat([before, between])
  }

  #checkTrailer(bytes: Buffer, at: Bytes): void {
    const { trailer } = this.#form
    if (bytes.compare(trailer, 0, trailer.length, at, at + trailer.length) === 0) return
    throw new InvalidDelimiterError(
      `a message must end with its trailer, ${trailer.toString('hex')}`,
      bytes.toString('hex', at, at + trailer.length),
    )
  }

  // ---- writing ----------------------------------------------------------------------------------

  pack(first: Data, second?: Data): Buffer {
    // Node's pool is several times cheaper than zeroed memory, and all of it is written.
    const frame = Buffer.allocUnsafe(this.pack_into(NOWHERE, 0, first, second))
    this.pack_into(frame, 0, first, second)
    return frame
  }

  pack_into(target: Buffer, at: Bytes, first: Data, second?: Data): Bytes {
    const { offset, after, trailer } = this.#form
    const payload = this.text ? first : second
    const length = sizeOf('payload', payload)
    const header = this.text ? undefined : bytesOf(first)
    if (header !== undefined && header.length !== offset + after)
      return this.#packMarker(target, at, header, length)
    const stated = this.#stated(length)
    const size = this.#field.sizeOf(stated)
    const head = offset + size + after
    const padded = header === undefined ? 0 : this.#padded(header, size)
    const whole = head + length + padded + trailer.length
    if (at + whole > target.length) return whole
    if (head > size) this.#writeHeader(target, at, header, size)
    this.#field.write(target, at + offset, stated, size)
    if (typeof payload === 'string') target.write(payload, at + head)
    else target.set(payload as Uint8Array, at + head)
    if (padded > 0) target.fill(0, at + head + length, at + head + length + padded)
    if (trailer.length > 0) target.set(trailer, at + whole - trailer.length)
    return whole
  }

  /** The number in the field for a payload of this length. Throws StructError if none fits. */
  #stated(length: Bytes): number {
    const { adjust, counts_itself } = this.#form
    const { most, longest } = this.#field
    const stated = counts_itself ? this.#withItself(length - adjust) : length - adjust
    if (stated >= 0 && stated <= most) return stated
    const what = `a length field of at most ${longest} bytes (adjust ${adjust})`
    throw new StructError(`length_prefix: a payload of ${length} bytes does not fit ${what}`)
  }

  /** The number in a field that counts itself. */
  #withItself(stated: number): number {
    if (stated < 0) return stated
    const field = this.#field
    let size = field.sizeOf(stated)
    // Digits that count themselves may be more by that.
    while (field.sizeOf(stated + size) > size) size++
    return stated + size
  }

  /** The bytes of padding that a header asks for. */
  #padded(header: Uint8Array, size: Bytes): Bytes {
    const { padding, offset } = this.#form
    return padding === -1 ? 0 : header[padding < offset ? padding : padding - size]!
  }

  #writeHeader(target: Buffer, at: Bytes, header: Uint8Array | undefined, size: Bytes): void {
    const { offset, after } = this.#form
    if (header === undefined) {
      target.fill(0, at, at + offset + size + after)
    } else {
      target.set(header.subarray(0, offset), at)
      target.set(header.subarray(offset), at + offset + size)
    }
  }

  /** A header of another size than the form's must be a marker, as #marker delivers it. */
  #packMarker(target: Buffer, at: Bytes, header: Uint8Array, length: Bytes): Bytes {
    const { offset, after, markers } = this.#form
    const bytes = Buffer.from(header)
    const cut = markers && length === 0 ? this.cut(bytes, 0, bytes.length) : 0
    if (
      typeof cut === 'number' ||
      cut.size !== bytes.length ||
      (cut.data[0] as Buffer).length === 0
    )
      throw new StructError(
        `length_prefix: a header must have ${offset + after} bytes; got ${header.length}`,
      )
    if (at + bytes.length <= target.length) target.set(bytes, at)
    return bytes.length
  }
}

function sizeOf(what: string, value: unknown): Bytes {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (types.isUint8Array(value)) return value.length
  throw new InvalidArgumentError(`length_prefix: ${what}`, 'a string or a Uint8Array', value)
}

function bytesOf(header: unknown): Uint8Array {
  sizeOf('header', header)
  return typeof header === 'string' ? Buffer.from(header) : (header as Uint8Array)
}
