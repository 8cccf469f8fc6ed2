/**
 * Layer 1. `Struct`: messages of one fixed size, described by a format string as Python's struct
 * module has them; and the types that are inferred from such a string.
 *
 * Order: constructor (everything that the format says), then per message cut → on_read(…values), or
 * pack.
 *
 * Rules:
 * 1. A Struct never changes, so any number of channels may share one.
 * 2. `cut` throws for no bytes that a peer can send: every bit pattern of every field is a value.
 */

import { Buffer } from 'node:buffer'

import { StructError } from '../errors.ts'
import type { Bytes } from '../types.ts'
import type { Cut, Delimiter } from './delimiters.ts'
import {
  asBuffer,
  checkCount,
  layOut,
  parseFormat,
  readFields,
  writeFields,
} from './struct-format.ts'
import type { Field } from './struct-format.ts'

/**
 * What a format delivers, as a tuple: `StructFields<'!LH'>` is `[number, number]`. Numbers for
 * integers and floats, bigint for `q` and `Q`, boolean for `?`, Buffer for `c`, `s` and `$`; the
 * length field before a `$` is left out. A format that is known only as `string`, or that has an
 * unknown code, gives `any[]`; a count above 64 gives 64 of its type, then `any[]`.
 */
export type StructFields<F extends string> = Tuple<Parse<F, Kinds<Buffer, bigint>>>

/**
 * What `pack` takes for a format: as `StructFields`, and text where a Buffer is delivered, a number
 * where a bigint is.
 */
export type StructValues<F extends string> = Tuple<
  Parse<F, Kinds<Uint8Array | string, bigint | number>>
>

/** The codes and the types of their values. */
type Kinds<Text, Big> = {
  [Code in 'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'l' | 'L' | 'f' | 'd']: number
} & { [Code in 'c' | 's' | '$']: Text } & { q: Big; Q: Big; '?': boolean }

/**
 * Without it TypeScript does not believe that a conditional type may be the type of rest
 * parameters.
 */
type Tuple<T> = T extends unknown[] ? T : never

/**
 * One character at a time and tail-recursive, which TypeScript follows through a thousand of them.
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
 * with the fields as arguments; `write_packed(…values)` packs with it.
 *
 *     const header = new Struct('!LH')
 *     header.pack(1, 2)                    // <Buffer 00 00 00 01 00 02>
 *     header.unpack(bytes)                 // [1, 2], typed [number, number]
 *
 * The format: an optional byte order mark, `<` little endian, `>` or `!` big endian (the
 * network's), `=` this machine's; then codes, each with an optional count before it (`4H` is four
 * values). White space between items is ignored.
 *
 *     b B  integers of 1 byte        ?  boolean, 1 byte              x  a pad byte, no value
 *     h H  of 2 bytes                f  float, 4 bytes               c  1 byte, as a Buffer
 *     i I l L  of 4 bytes            d  float, 8 bytes               s  bytes: `10s` is one Buffer of 10
 *     q Q  of 8 bytes, as bigint     (lower case: signed)
 *
 * Differs: without a mark Python uses native sizes and alignment; here it is as with `=`, this
 * machine's order in standard sizes without alignment. `@`, `n`, `N`, `P`, `p` and `e` are refused.
 * `pack` refuses bytes that are too long for an `s`, where Python cuts them.
 *
 * Origin: Pants `struct.Struct` as a delimiter; the codes from Python's struct module.
 */
export class Struct<F extends string = string> implements Delimiter<StructFields<F>> {
  /** The format as it was given. */
  readonly format: F
  /** The bytes of one message, pads included. */
  readonly size: Bytes
  /** The number of values in one message: the arguments of `on_read` and of `pack`. */
  readonly count: number
  /** What a receive buffer must be able to hold: `size`. Part of the delimiter contract. */
  readonly needs: Bytes

  readonly #where: string
  readonly #fields: readonly Field[]

  /**
   * @throws StructError (ERR_STRUCT) for a format that cannot be, naming what is wrong in it and
   * where
   */
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
   * The bytes of one message. Integers must be in the range of their code; `q` and `Q` take a
   * bigint or a safe integer; `?` takes anything and packs whether it is truthy; `c` takes one byte
   * or a string of one latin1 character; `s` takes bytes or a string (UTF-8), and pads with zeros
   * what is shorter.
   * @throws StructError (ERR_STRUCT) for a value that does not fit, naming its index, or for too
   * few values or too many
   */
  pack(...values: StructValues<F>): Buffer {
    checkCount(this.#where, this.count, values)
    const bytes = Buffer.alloc(this.size)
    writeFields(this.#where, this.#fields, bytes, 0, values, 0)
    return bytes
  }

  /**
   * The values of one message. Byte strings are copies.
   * @throws StructError (ERR_STRUCT) unless there are exactly `size` bytes
   */
  unpack(bytes: Uint8Array): StructFields<F> {
    if (bytes.length !== this.size)
      throw new StructError(`${this.#where}: a message has ${this.size} bytes; got ${bytes.length}`)
    return this.#read(asBuffer(bytes), 0)
  }

  /**
   * The delimiter contract: one message from `bytes[start]` on, or how many bytes one takes.
   * @throws StructError (ERR_STRUCT) where a message takes no bytes: there would be no end of them
   */
  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut<StructFields<F>> | Bytes {
    if (end - start < this.size) return this.size
    if (this.size === 0)
      throw new StructError(`${this.#where}: a format of no bytes cannot be a delimiter`)
    return { size: this.size, data: this.#read(bytes, start) }
  }

  #read(bytes: Buffer, at: Bytes): StructFields<F> {
    const data: unknown[] = []
    readFields(this.#fields, bytes, at, data)
    return data as StructFields<F>
  }
}
