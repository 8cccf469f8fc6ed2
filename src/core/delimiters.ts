/**
 * Layer 1. The kinds of `read_delimiter`: one table, from which the type, the check and the reader
 * are derived.
 *
 * A new kind is one entry of KINDS and nothing else. The framing of a single protocol needs no file
 * of sluice: any object with the `Delimiter` contract is a delimiter. `Struct`, `NetStruct` and
 * `length_prefix` are such objects.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { InvalidDelimiterError } from '../errors.ts'
import type { Bytes, Encoding } from '../types.ts'
import { CountReader, EmptyReader } from './reading/count-readers.ts'
import { DelimitedReader } from './reading/delimited-reader.ts'
import { PatternReader } from './reading/pattern-reader.ts'
import {
  ChunkReader,
  FramedReader,
  type OwnReader,
  type Reader,
  READER,
} from './reading/readers.ts'
import { endOfBytes, endOfPattern, SkippingReader } from './reading/skipping-reader.ts'

/** One message as a delimiter's `cut` returns it. */
export interface Cut<Args extends unknown[] = unknown[]> {
  /** How many bytes the message takes, its framing included; at least 1. */
  readonly size: Bytes
  /**
   * The arguments for `on_read`. They may be views of `bytes`, or hold some, in arrays and objects
   * of any kind: that memory is not used again, unless the delimiter says `copies`.
   */
  readonly data: Args
}

/**
 * The delimiter contract: how an object cuts messages off a stream.
 *
 * The result must depend on the bytes of the message alone. Sluice may ask with any part of what
 * came, and asks again with more.
 *
 * @example
 * // A netstring: 5:hello,
 * const netstring: Delimiter<[Buffer]> = {
 *   cut(bytes, start, end) {
 *     const colon = bytes.subarray(start, end).indexOf(':')
 *     if (colon === -1) return end - start + 1
 *     const size = colon + 1 + Number(bytes.toString('latin1', start, start + colon)) + 1
 *     if (end - start < size) return size
 *     return { size, data: [bytes.subarray(start + colon + 1, start + size - 1)] }
 *   },
 * }
 */
export interface Delimiter<Args extends unknown[] = any[]> {
  /**
   * The bytes that one message may have even if `buffer_size` is smaller.
   * @default 0
   */
  readonly needs?: Bytes
  /**
   * Are the Buffers in `data` text? If so, they are decoded if the channel has an `encoding`, and
   * `write_packed` gives `pack` text as Buffers in that encoding. (UTF-8 stays text.)
   * @default false
   */
  readonly text?: boolean
  /**
   * Does it copy what it needs of `bytes`, so that neither what it returns nor what it keeps is a
   * view of them? Then a client reads into the same memory again and again, which takes less time
   * and less memory. It must be set when the client connects.
   * @default false
   */
  readonly copies?: boolean
  /** Used by `write_packed`: returns the bytes that `cut` would turn into these values. */
  pack?(...values: any[]): Uint8Array
  /**
   * Used by `write_packed` instead of `pack`, for speed: writes the same bytes at `target[at]` and
   * returns how many they are.
   *
   * If they do not fit, it returns the same number, and what it wrote is ignored. It must not write
   * to the channel.
   */
  // Source: `pack_into` of Python's struct module.
  pack_into?(target: Buffer, at: Bytes, ...values: any[]): Bytes
  /**
   * Cuts the message that begins at `bytes[start]`. The bytes received so far end before
   * `bytes[end]`; there is at least one, and no more than a message may have.
   *
   * Returns a cut, or a number if the message is not complete: the size, counted from `start`, that
   * the message has at least. It must be larger than `end - start`. `cut` is not called again
   * before that many bytes are there. A number over the limit is an overflow at once.
   *
   * What it returns may be views of `bytes`, or hold some, however deep: sluice does not use that
   * memory again. A view may keep more in memory than itself, up to a whole chunk: copy what is
   * kept for long. A delimiter that always copies says so by `copies`.
   *
   * `from` is where the last call for this message ended, or `start` if there was none. So a
   * delimiter that searches for an end need not search the bytes before it again.
   *
   * What a delimiter keeps from one call to the next is about the message of one channel. Such a
   * delimiter needs an object for each channel (`read_delimiter = new Objects()` as a class field),
   * and begins anew whenever `from` is `start`. The message may be at another place of `bytes` in
   * the next call: a position that is kept is one from `start` on.
   *
   * If it throws, the error is reported to `on_read_error`.
   */
  cut(bytes: Buffer, start: Bytes, end: Bytes, from?: Bytes): Cut<Args> | Bytes
}

/** The settings of a channel that change how it reads. */
export interface ReadSettings {
  readonly encoding: Encoding | null
  readonly regex_search: boolean
  /** What becomes of a message that is too long. Undefined is 'hold'. */
  readonly overflow?: 'hold' | 'skip'
}

/** One kind of delimiter. `Value` is what `is` says it is. */
interface Kind<Value> {
  is(value: unknown): value is Value
  /** What is wrong with a value of this kind; '' if it is valid. */
  fault(value: Value): string
  reader(value: Value, settings: ReadSettings): Reader
}

// Every parameter has its type written out: so the .d.ts has the types as they are written here. An
// inferred Uint8Array would be Uint8Array<ArrayBufferLike> there, which TypeScript below 5.7 does
// not know.
const KINDS = [
  {
    is: (value: unknown): value is null => value === null,
    fault: (_value: null): string => '',
    reader: (_value: null, { encoding }: ReadSettings): Reader => new ChunkReader(encoding),
  },
  {
    is: (value: unknown): value is string => typeof value === 'string',
    fault: (value: string): string =>
      value === ''
        ? 'an empty string would match everywhere; use null to get whatever arrives'
        : '',
    reader: (value: string, settings: ReadSettings): Reader =>
      delimitedReader(Buffer.from(value, encodingOfText(settings.encoding)), settings),
  },
  {
    is: (value: unknown): value is number => typeof value === 'number',
    fault: (value: number): string =>
      Number.isSafeInteger(value) && value >= 0
        ? ''
        : 'a count of bytes must be an integer of at least 0',
    reader: (value: number, { encoding }: ReadSettings): Reader =>
      value === 0 ? new EmptyReader(encoding) : new CountReader(value, encoding),
  },
  {
    is: (value: unknown): value is Uint8Array => types.isUint8Array(value),
    fault: (value: Uint8Array): string =>
      value.length === 0
        ? 'an empty Uint8Array would match everywhere; use null to get whatever arrives'
        : '',
    reader: (value: Uint8Array, settings: ReadSettings): Reader =>
      delimitedReader(Buffer.from(value), settings),
  },
  {
    is: (value: unknown): value is RegExp => value instanceof RegExp,
    fault: (value: RegExp): string =>
      new RegExp(value.source, value.flags.replace(/[gy]/g, '')).test('')
        ? 'a RegExp must not match the empty string: reading would never end'
        : '',
    reader: (value: RegExp, settings: ReadSettings): Reader => patternReader(value, settings),
  },
  {
    is: (value: unknown): value is OwnReader =>
      typeof (value as OwnReader | null | undefined)?.[READER] === 'function',
    fault: (_value: OwnReader): string => '',
    reader: (value: OwnReader, settings: ReadSettings): Reader => value[READER](settings),
  },
  {
    is: (value: unknown): value is Delimiter =>
      typeof (value as Delimiter | null)?.cut === 'function',
    fault: (value: Delimiter): string =>
      isWithoutBytes(value)
        ? 'a format without bytes would match everywhere; use null to get whatever arrives'
        : '',
    reader: (value: Delimiter, { encoding }: ReadSettings): Reader =>
      new FramedReader(value, encoding),
  },
] as const satisfies readonly Kind<any>[]

/** By a name of its own: TypeScript would not show `ReadDelimiter` for its members otherwise. */
type ValueOf<Each> = Each extends Kind<infer Value> ? Value : never

/**
 * How the bytes of a stream are cut into the reads that `on_read` gets.
 * - `null`: a read is whatever arrived
 * - a string or a Uint8Array: a read is everything before it; the delimiter itself is left out
 * - an integer: a read is exactly that many bytes. 0 is one empty read, at once, for each time that
 *   it is assigned
 * - a RegExp: a read is everything before its match, or the match itself if `regex_search` is false
 * - a `Struct`, a `NetStruct`, `length_prefix()` or any other object with the `Delimiter` contract:
 *   a read is what its `cut` returns
 */
export type ReadDelimiter = ValueOf<(typeof KINDS)[number]>

/**
 * The arguments that `on_read` gets for a delimiter: the fields of a Struct, or what the `cut` of
 * another object returns. For all other delimiters it is one Buffer, or one string if `encoding` is
 * set. A type cannot know that, so it is `any`.
 */
export type ReadArguments<D> = ReadDelimiter extends D
  ? any[]
  : D extends RegExp
    ? [data: any]
    : D extends Delimiter<infer Args>
      ? Args
      : [data: any]

/** Throws InvalidDelimiterError if the value is not a valid `read_delimiter`. */
export function checkDelimiter(value: unknown): ReadDelimiter {
  const fitting = KINDS.find(each => each.is(value)) as Kind<unknown> | undefined
  if (fitting === undefined) {
    throw new InvalidDelimiterError(
      'must be null, a string, a Uint8Array, a count of bytes, a RegExp, a Struct ' +
        'or an object with a cut() method',
      value,
    )
  }
  const fault = fitting.fault(value)
  if (fault !== '') throw new InvalidDelimiterError(fault, value)
  return value as ReadDelimiter
}

/** A Struct or NetStruct whose messages may have no bytes at all. */
function isWithoutBytes({ needs, format }: Delimiter & { format?: unknown }): boolean {
  return needs === 0 && typeof format === 'string'
}

/** The reader for a value that `checkDelimiter` accepted. */
export function readerFor(value: ReadDelimiter, settings: ReadSettings): Reader {
  const fitting = KINDS.find(each => each.is(value)) as Kind<ReadDelimiter>
  return fitting.reader(value, settings)
}

function delimitedReader(needle: Buffer, { encoding, overflow }: ReadSettings): Reader {
  const reader = new DelimitedReader(needle, encoding)
  if (overflow !== 'skip') return reader
  return new SkippingReader(reader, endOfBytes(needle, encoding === 'utf16le' ? 2 : 1))
}

function patternReader(
  pattern: RegExp,
  { encoding, regex_search, overflow }: ReadSettings,
): Reader {
  const reader = new PatternReader(pattern, regex_search, encoding)
  const end = overflow === 'skip' && regex_search ? endOfPattern(pattern) : undefined
  return end === undefined ? reader : new SkippingReader(reader, end)
}

/**
 * The encoding in which the text of a delimiter is sent, for a channel with that `encoding`. Hex
 * and base64 only show bytes as text: a delimiter is UTF-8 then.
 */
function encodingOfText(encoding: Encoding | null): Encoding {
  return encoding === 'latin1' || encoding === 'ascii' || encoding === 'utf16le' ? encoding : 'utf8'
}
