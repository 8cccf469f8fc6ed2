/**
 * Layer 1. `Struct`: messages of one fixed size, described by a format string like those of
 * Python's struct module. Also the types that are inferred from such a string.
 *
 * Order: the constructor reads the format; then per message cut → on_read(…values), or pack.
 *
 * Rules:
 * 1. A Struct never changes, so any number of channels may share one.
 * 2. No bytes of a peer make `cut` throw: every bit pattern of every field is a value.
 */

import { Buffer } from 'node:buffer'

import { StructError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Cut, Delimiter } from '../delimiters.ts'
import { type Field, layOut, parseFormat } from './struct-format.ts'
import { asBuffer, checkCount, readFields, writeFields } from './struct-values.ts'

/**
 * The values that a format delivers, as a tuple: `StructFields<'!LH'>` is `[number, number]`.
 * - integers and floats: number
 * - `q` and `Q`: bigint
 * - `?`: boolean
 * - `c`, `s` and `$`: Buffer; the length field before a `$` is left out
 *
 * A format that is known only as `string`, or that has an unknown code, gives `any[]`. A count
 * above 64 gives 64 of its type, then `any[]`.
 */
export type StructFields<F extends string> = Tuple<Parse<F, Kinds<Buffer, bigint>>>

/**
 * The values that `pack` takes for a format: those of `StructFields`, and also a string instead of
 * a Buffer, and a number instead of a bigint.
 */
export type StructValues<F extends string> = Tuple<
  Parse<F, Kinds<Uint8Array | string, bigint | number>>
>

/** The codes and the types of their values. */
type Kinds<Text, Big> = {
  [Code in 'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'l' | 'L' | 'f' | 'd']: number
} & { [Code in 'c' | 's' | '$']: Text } & { q: Big; Q: Big; '?': boolean }

/** Without it TypeScript does not accept a conditional type as the type of rest parameters. */
type Tuple<T> = T extends unknown[] ? T : never

/**
 * Goes one character at a time and is tail-recursive, which TypeScript follows for a thousand
 * characters.
 */
type Parse<
  F extends string,
  K extends Kinds<unknown, unknown>,
  Count extends string = '',
  Out extends unknown[] = [],
> = string extends F
  ? [...Out, ...any[]]
  : F extends `${infer Code}${infer Rest}`
    ? Code extends Digit
      ? Parse<Rest, K, `${Count}${Code}`, Out>
      : Code extends 'x' | Mark | Space
        ? Parse<Rest, K, '', Out>
        : Code extends 's'
          ? Parse<Rest, K, '', [...Out, K['s']]>
          : Code extends '$'
            ? Parse<Rest, K, '', [...WithoutLast<Out>, K['$']]>
            : Code extends keyof K
              ? Parse<Rest, K, '', [...Out, ...Repeat<K[Code], Count>]>
              : any[]
    : Out

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type Mark = '<' | '>' | '!' | '='
type Space = ' ' | '\t' | '\n' | '\v' | '\f' | '\r'

type WithoutLast<T extends unknown[]> = T extends [...infer Head, unknown] ? Head : any[]

type Repeat<T, Count extends string, Out extends T[] = []> = Count extends ''
  ? [T]
  : Count extends `0${infer Rest extends `${Digit}${string}`}`
    ? Repeat<T, Rest>
    : Count extends `${Out['length']}`
      ? Out
      : Out['length'] extends 64
        ? [...Out, ...any[]]
        : Repeat<T, Count, [...Out, T]>

/**
 * Messages of one fixed size. As a `read_delimiter` it waits for `size` bytes and calls `on_read`
 * with the fields as arguments. `write_packed(…values)` packs with it.
 *
 * The format begins with an optional byte order mark: `<` is little endian, `>` or `!` big endian
 * (network order), `=` the order of this machine. Without a mark it is `=`. Codes follow, each with
 * an optional count before it: `4H` is four values. White space between items is ignored.
 *
 *     b B      integer, 1 byte               f  float, 4 bytes
 *     h H      integer, 2 bytes              d  float, 8 bytes
 *     i I l L  integer, 4 bytes              c  1 byte, as a Buffer
 *     q Q      integer, 8 bytes, as bigint   s  bytes: `10s` is one Buffer of 10
 *     ?        boolean, 1 byte               x  a pad byte, no value
 *
 * A lower-case integer is signed, an upper-case one unsigned.
 *
 * @example
 * const header = new Struct('!LH')
 * header.pack(1, 2) // <Buffer 00 00 00 01 00 02>
 * header.unpack(bytes) // [1, 2], typed [number, number]
 */
// Source: Pants `struct.Struct` as a delimiter; the codes are those of Python's struct module.
// Differs: a format without a mark has standard sizes and no alignment, where Python uses those of
// the machine. `@`, `n`, `N`, `P`, `p` and `e` are refused. `pack` refuses bytes that are too long
// for an `s`, where Python cuts them.
export class Struct<F extends string = string> implements Delimiter<StructFields<F>> {
  /** The format as it was given. */
  readonly format: F
  /** The bytes of one message, pads included. */
  readonly size: Bytes
  /** The number of values in one message: that of the arguments of `on_read` and of `pack`. */
  readonly count: number
  /** The bytes that a receive buffer must have room for: `size`. Part of the delimiter contract. */
  readonly needs: Bytes

  readonly #where: string
  readonly #fields: readonly Field[]

  /** Throws StructError (ERR_STRUCT) for an invalid format, naming the fault and its position. */
  constructor(format: F) {
    const { where, order, items } = parseFormat('Struct', format, '=')
    const { fields, size } = layOut(items, order)
    this.format = format
    this.size = size
    this.needs = size
    this.count = fields.length
    this.#where = where
    this.#fields = fields
  }

  /**
   * Returns the bytes of one message.
   * - Integers must be in the range of their code.
   * - `q` and `Q` take a bigint or a safe integer.
   * - `?` takes any value, and packs whether it is truthy.
   * - `c` takes one byte, or a string of one latin1 character.
   * - `s` takes bytes or a string (UTF-8). What is shorter is padded with zeros.
   *
   * Throws StructError (ERR_STRUCT) for a value that does not fit, naming its index, and for too
   * few or too many values.
   */
  pack(...values: StructValues<F>): Buffer {
    checkCount(this.#where, this.count, values)
    const bytes = Buffer.alloc(this.size)
    writeFields(this.#where, this.#fields, bytes, 0, values, 0)
    return bytes
  }

  /**
   * Returns the values of one message. Byte strings are copies.
   *
   * Throws StructError (ERR_STRUCT) if there are not exactly `size` bytes, and InvalidArgumentError
   * for anything but bytes.
   */
  unpack(bytes: Uint8Array): StructFields<F> {
    const buffer = asBuffer(bytes)
    if (buffer.length !== this.size)
      throw new StructError(
        `${this.#where}: a message has ${this.size} bytes; got ${buffer.length}`,
      )
    return this.#read(buffer, 0)
  }

  /**
   * The delimiter contract: the message that begins at `bytes[start]`, or `size` if it is not
   * complete.
   *
   * Throws StructError (ERR_STRUCT) if a message has no bytes: reading would never end.
   */
  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut<StructFields<F>> | Bytes {
    if (end - start < this.size) return this.size
    if (this.size === 0)
      throw new StructError(`${this.#where}: a format without bytes is not a valid delimiter`)
    return { size: this.size, data: this.#read(bytes, start) }
  }

  #read(bytes: Buffer, at: Bytes): StructFields<F> {
    const data: unknown[] = []
    readFields(this.#fields, bytes, at, data)
    return data as StructFields<F>
  }
}
