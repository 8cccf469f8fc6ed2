/**
 * Layer 1. `NetStruct`: a Struct in network order, with byte strings that are preceded by their
 * length.
 *
 * Order: the constructor reads the format into parts, each ending in a `$`, and a tail; then per
 * message cut → on_read(…values), or pack.
 *
 * Rules:
 * 1. Nothing is kept between two calls of `cut`, so any number of channels may share one NetStruct.
 * 2. `cut` first measures, from length to length, and reads only when the whole message is there.
 *    When the bytes that it asked for are there, it sees at least one length more. So a message is
 *    measured at most once per `$`, however it was cut into chunks.
 */

import { Buffer } from 'node:buffer'

import { StructError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Cut, Delimiter } from '../delimiters.ts'
import type { StructFields, StructValues } from './struct.ts'
import { bytesOf, copyOf, INTEGER_CODES } from './struct-codes.ts'
import { type Field, type Format, type Item, type Layout } from './struct-format.ts'
import { layOut, parseFormat } from './struct-format.ts'
import { asBuffer, checkCount, misfit, readFields, writeFields } from './struct-values.ts'

/** What precedes a `$`: fields that are delivered, then the length of the byte string. */
interface Part extends Layout {
  readonly length: Field
}

/**
 * Messages of fields and of byte strings with their lengths. The format is that of `Struct` with
 * one more code, `$`: a byte string whose length is the integer before it. The length is not
 * delivered, and `pack` writes it itself.
 *
 * A format without a byte order mark is in network order (big endian). With a count before the
 * length, only the last of those integers is the length: `2H$` delivers a number and a Buffer.
 *
 * @example
 * const greeting = new NetStruct('ih$5b')
 * greeting.pack(1, 'hello', 1, 2, 3, 4, 5) // the `h` becomes 5
 */
// Source: Pants `NetStruct`. Differs: a negative length from a peer is an error.
export class NetStruct<F extends string = string> implements Delimiter<StructFields<F>> {
  /** The format as it was given. */
  readonly format: F
  /** The bytes of the shortest message, in which every `$` is empty. 11 for `'ih$5b'`. */
  readonly minimum_size: Bytes
  /**
   * The bytes up to the first `$`, its length included; all bytes if there is no `$`. 6 for
   * `'ih$5b'`.
   */
  readonly initial_size: Bytes
  /**
   * The number of values in one message: that of the arguments of `on_read` and of `pack`. 7 for
   * `'ih$5b'`.
   */
  readonly count: number
  /**
   * The bytes that a receive buffer must have room for: `minimum_size`. A message overflows if it
   * is longer than both this and `buffer_size`. Part of the delimiter contract.
   */
  readonly needs: Bytes

  readonly #where: string
  readonly #parts: readonly Part[]
  readonly #tail: Layout

  /**
   * Throws StructError (ERR_STRUCT) for an invalid format, naming the fault and its position. A `$`
   * without an integer before it is invalid.
   */
  constructor(format: F) {
    const parsed = parseFormat('NetStruct', format, '!')
    const { parts, tail } = split(parsed)
    this.format = format
    this.minimum_size = parts.reduce((size, part) => size + part.size, tail.size)
    this.initial_size = (parts[0] ?? tail).size
    this.count = parts.reduce((count, part) => count + part.fields.length + 1, tail.fields.length)
    this.needs = this.minimum_size
    this.#where = parsed.where
    this.#parts = parts
    this.#tail = tail
  }

  /**
   * Returns the bytes of one message. The values are those of `Struct.pack`. A `$` takes bytes or a
   * string (UTF-8) of any length that fits its length field.
   *
   * Throws StructError (ERR_STRUCT) for a value that does not fit, naming its index, and for too
   * few or too many values.
   */
  pack(...values: StructValues<F>): Buffer {
    checkCount(this.#where, this.count, values)
    const strings = this.#strings(values)
    const bytes = Buffer.alloc(
      strings.reduce((size, string) => size + string.length, this.minimum_size),
    )
    let at: Bytes = 0
    let index = 0
    for (const [n, part] of this.#parts.entries()) {
      const string = strings[n]!
      writeFields(this.#where, part.fields, bytes, at, values, index)
      index += part.fields.length
      if (!part.length.write(bytes, at + part.length.offset, string.length)) {
        throw misfit(
          this.#where,
          index,
          '$',
          `no longer than its length field (${part.length.code}) can say`,
          string,
        )
      }
      bytes.set(string, at + part.size)
      at += part.size + string.length
      index += 1
    }
    writeFields(this.#where, this.#tail.fields, bytes, at, values, index)
    return bytes
  }

  /**
   * Returns the values of one message. Byte strings are copies.
   *
   * Throws StructError (ERR_STRUCT) if the bytes are not exactly one message, or if a length in
   * them is negative, and InvalidArgumentError for anything but bytes.
   */
  unpack(bytes: Uint8Array): StructFields<F> {
    const buffer = asBuffer(bytes)
    const size = this.#measure(buffer, 0, buffer.length)
    if (size !== buffer.length) {
      const least = size > buffer.length ? 'at least ' : ''
      throw new StructError(
        `${this.#where}: this message has ${least}${size} bytes; got ${buffer.length}`,
      )
    }
    return this.#read(buffer, 0)
  }

  /**
   * The delimiter contract: the message that begins at `bytes[start]`, or its size as far as the
   * lengths in it are known.
   *
   * Throws StructError (ERR_STRUCT) if a length is negative or above 2 ** 53 - 1, and if a message
   * has no bytes: reading would never end.
   */
  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut<StructFields<F>> | Bytes {
    const size = this.#measure(bytes, start, end)
    if (end - start < size) return size
    if (size === 0)
      throw new StructError(`${this.#where}: a format without bytes is not a valid delimiter`)
    return { size, data: this.#read(bytes, start) }
  }

  /** The size of the message if it is complete; if not, the size at which more is known. */
  #measure(bytes: Buffer, start: Bytes, end: Bytes): Bytes {
    let size = this.minimum_size
    let at = start
    for (const part of this.#parts) {
      // No more than up to the next length: what that says counts even if nothing follows it.
      if (at + part.size > end) return Math.min(at + part.size - start, Number.MAX_SAFE_INTEGER)
      // An invalid length waits, too: the message may be too long by the lengths before it, and
      // chunks must not decide which of the two is told.
      if (size > end - start && !isLength(stated(part, bytes, at))) break
      const length = this.#length(part, bytes, at)
      at += part.size + length
      size += length
    }
    // A sum of huge lengths is no longer a safe integer, which the contract demands. No message of
    // that size fits anywhere.
    return Math.min(size, Number.MAX_SAFE_INTEGER)
  }

  #read(bytes: Buffer, start: Bytes): StructFields<F> {
    const data: unknown[] = []
    let at = start
    for (const part of this.#parts) {
      const length = this.#length(part, bytes, at)
      readFields(part.fields, bytes, at, data)
      data.push(copyOf(bytes, at + part.size, length))
      at += part.size + length
    }
    readFields(this.#tail.fields, bytes, at, data)
    return data as StructFields<F>
  }

  #length(part: Part, bytes: Buffer, at: Bytes): Bytes {
    const length = stated(part, bytes, at)
    if (isLength(length)) return Number(length)
    const what = length < 0 ? 'negative' : 'above the safe integers'
    throw new StructError(
      `${this.#where}: the length (${part.length.code}) of a $ arrived ${what}: ${length}`,
    )
  }

  #strings(values: readonly unknown[]): Uint8Array[] {
    let index = -1
    return this.#parts.map(part => {
      index += part.fields.length + 1
      const bytes = bytesOf(values[index])
      if (bytes === undefined)
        throw misfit(this.#where, index, '$', 'a Uint8Array or a string (UTF-8)', values[index])
      return bytes
    })
  }
}

/** The length in the bytes of a part. */
function stated({ length }: Part, bytes: Buffer, at: Bytes): number | bigint {
  return length.read.call(bytes, at + length.offset) as number | bigint
}

function isLength(length: number | bigint): boolean {
  return length >= 0 && length <= Number.MAX_SAFE_INTEGER
}

/** Cuts a format after every `$`. */
function split({ where, order, items }: Format): { parts: Part[]; tail: Layout } {
  const parts: Part[] = []
  let from = 0
  for (const [n, item] of items.entries()) {
    if (item.code !== '$') continue
    checkString(where, item, items[n - 1])
    const { fields, size } = layOut(items.slice(from, n), order)
    parts.push({ fields: fields.slice(0, -1), size, length: fields.at(-1)! })
    from = n + 1
  }
  return { parts, tail: layOut(items.slice(from), order) }
}

function checkString(where: string, { counted, position }: Item, before: Item | undefined): void {
  const at = `${where}: '$' at position ${position}`
  if (counted) throw new StructError(`${at} takes no count`)
  if (before === undefined || !INTEGER_CODES.includes(before.code) || before.count === 0) {
    const found =
      before === undefined ? 'nothing' : `'${before.counted ? before.count : ''}${before.code}'`
    throw new StructError(`${at} must follow an integer, its length; got ${found}`)
  }
}
