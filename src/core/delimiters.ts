/**
 * Layer 1. What a `read_delimiter` can be: one table, from which the type, the check and the
 * reading are derived.
 *
 * To add a kind: one entry of KINDS and nothing else. To frame one protocol's own way: no file of
 * sluice at all, any object with the `Delimiter` contract is a delimiter (`Struct`, `NetStruct` and
 * `length_prefix` are nothing more).
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../errors.ts'
import type { Bytes, Encoding } from '../types.ts'
import { DelimitedReader } from './delimited-reader.ts'
import { ChunkReader, CountReader, FramedReader, PatternReader, type Reader } from './readers.ts'

/** One message as a delimiter's `cut` returns it. */
export interface Cut<Args extends unknown[] = unknown[]> {
  /** How many bytes the message takes, its framing included; at least 1. */
  readonly size: Bytes
  /**
   * The arguments for `on_read`. Views of `bytes` are welcome: sluice copies those that would go
   * stale.
   */
  readonly data: Args
}

/**
 * The delimiter contract: how any object cuts messages off a stream.
 *
 * Ours; the shape is h11's "a value, need more, or throw". The result must depend on the bytes
 * alone: sluice may ask with any part of what came, and asks again with more.
 *
 *     const netstring: Delimiter<[Buffer]> = {
 *       cut(bytes, start, end) {
 *         const colon = bytes.subarray(start, end).indexOf(':')
 *         if (colon === -1) return end - start + 1
 *         const size = colon + 1 + Number(bytes.toString('latin1', start, start + colon)) + 1
 *         return end - start < size ? size : { size, data: [bytes.subarray(start + colon + 1, start + size - 1)] }
 *       },
 *     }
 */
export interface Delimiter<Args extends unknown[] = any[]> {
  /** So many bytes must be allowed for one message whatever `buffer_size` says. Default 0. */
  readonly needs?: Bytes
  /**
   * Are the Buffers in `data` text? Then they are decoded where the channel has an `encoding`.
   * Default false.
   */
  readonly text?: boolean
  /** For `write_packed`: the bytes that `cut` would turn into these values. */
  pack?(...values: any[]): Uint8Array
  /**
   * The same without memory of its own, for speed: writes those bytes at `target[at]` and returns
   * how many they are; where they do not fit it writes nothing of use and returns the same. It must
   * not write to the channel itself. Python's `pack_into`.
   */
  pack_into?(target: Buffer, at: Bytes, ...values: any[]): Bytes
  /**
   * Cuts the message that begins at `bytes[start]`; the bytes that have come so far end before
   * `end`, at least one of them is there. Returns a cut, or the number of bytes (from `start`, more
   * than there are) below which there is no use in asking again. A number over the limit is an
   * overflow at once, before the bytes are there. What it throws goes to `on_read_error`.
   */
  cut(bytes: Buffer, start: Bytes, end: Bytes): Cut<Args> | Bytes
}

/** The settings of a channel that change how it reads. */
export interface ReadSettings {
  readonly encoding: Encoding | null
  readonly regex_search: boolean
}

interface Kind<Value> {
  is(value: unknown): value is Value
  /** What is wrong with a value of this kind; '' when nothing is. */
  fault(value: Value): string
  reader(value: Value, settings: ReadSettings): Reader
}

/** Only for its inference: each entry keeps its own value type. */
const kind = <Value>(entry: Kind<Value>): Kind<Value> => entry

const KINDS = [
  kind({
    is: (value): value is null => value === null,
    fault: () => '',
    reader: (_value, { encoding }) => new ChunkReader(encoding),
  }),
  kind({
    is: (value): value is string => typeof value === 'string',
    fault: value =>
      value === ''
        ? 'an empty string would match everywhere; use null to get whatever arrives'
        : '',
    reader: (value, { encoding }) =>
      new DelimitedReader(Buffer.from(value, encodingOfText(encoding)), encoding),
  }),
  kind({
    is: (value): value is number => typeof value === 'number',
    fault: value =>
      Number.isSafeInteger(value) && value > 0
        ? ''
        : 'a count of bytes must be an integer of at least 1',
    reader: (value, { encoding }) => new CountReader(value, encoding),
  }),
  kind({
    is: (value): value is Uint8Array => value instanceof Uint8Array,
    fault: value =>
      value.length === 0
        ? 'no bytes at all would match everywhere; use null to get whatever arrives'
        : '',
    reader: (value, { encoding }) => new DelimitedReader(Buffer.from(value), encoding),
  }),
  kind({
    is: (value): value is RegExp => value instanceof RegExp,
    fault: value =>
      new RegExp(value.source, value.flags.replace(/[gy]/g, '')).test('')
        ? 'a RegExp that matches the empty string would never end'
        : '',
    reader: (value, { encoding, regex_search }) => new PatternReader(value, regex_search, encoding),
  }),
  kind({
    is: (value): value is Delimiter => typeof (value as Delimiter | null)?.cut === 'function',
    fault: () => '',
    reader: (value, { encoding }) => new FramedReader(value, encoding),
  }),
] as const

/**
 * How the bytes of a stream are cut into the reads that `on_read` gets.
 * - `null`: whatever arrived
 * - a string or a Uint8Array: everything before it; it is cut off
 * - an integer: exactly that many bytes
 * - a RegExp: everything before its match (`regex_search`, the default), or the match itself
 * - a `Struct`, a `NetStruct`, `length_prefix()`, any object with the `Delimiter` contract: what
 *   that cuts
 */
export type ReadDelimiter = (typeof KINDS)[number] extends infer Each
  ? Each extends Kind<infer Value>
    ? Value
    : never
  : never

/**
 * The arguments that `on_read` gets for a delimiter: the fields of a Struct, whatever an own
 * delimiter's `cut` delivers, otherwise one Buffer, or string where `encoding` is set (which a type
 * cannot know, hence `any`).
 */
export type ReadArguments<D> = ReadDelimiter extends D
  ? any[]
  : D extends RegExp
    ? [data: any]
    : D extends Delimiter<infer Args>
      ? Args
      : [data: any]

/** Throws InvalidDelimiterError unless the value can be a `read_delimiter`. */
export function checkDelimiter(value: unknown): ReadDelimiter {
  const fitting = KINDS.find(each => each.is(value)) as Kind<unknown> | undefined
  if (fitting === undefined) {
    throw new InvalidDelimiterError(
      'must be null, a string, a Uint8Array, a count of bytes, a RegExp, a Struct or an object with a cut() method',
      value,
    )
  }
  const fault = fitting.fault(value)
  if (fault !== '') throw new InvalidDelimiterError(fault, value)
  return value as ReadDelimiter
}

/** The reader for a value that `checkDelimiter` let pass. */
export function readerFor(value: ReadDelimiter, settings: ReadSettings): Reader {
  const fitting = KINDS.find(each => each.is(value)) as Kind<ReadDelimiter>
  return fitting.reader(value, settings)
}

/**
 * In which encoding text stands on the wire where a channel has that `encoding`: hex and base64 are
 * no text encodings.
 */
export function encodingOfText(encoding: Encoding | null): Encoding {
  return encoding === 'latin1' || encoding === 'ascii' || encoding === 'utf16le' ? encoding : 'utf8'
}
