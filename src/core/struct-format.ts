/**
 * Layer 1. The format strings of `Struct` and `NetStruct`: the table of codes, and how a format is
 * read.
 *
 * Order: parseFormat (text → items), layOut (items → fields at their offsets), then readFields and
 * writeFields per message.
 *
 * Rules:
 * 1. What depends on the format alone is decided here, once. Reading and writing walk a flat list
 *    and look nothing up.
 * 2. Standard sizes and no alignment, whatever the mark: what travels must not depend on the
 *    machine that packed it.
 * 3. What is delivered is never a view: the bytes it was read from belong to a receive buffer that
 *    is used again.
 */

import { Buffer } from 'node:buffer'

import { StructError, show } from '../errors.ts'
import type { Bytes } from '../types.ts'

/** One item of a format: `4H` is one item of count 4. */
export interface Item {
  readonly code: string
  /** What stood before the code; 1 where nothing did. */
  readonly count: number
  /** Whether a count was written: `1$` is refused and `$` is not. */
  readonly counted: boolean
  /** Where the code stands in the format, for messages. */
  readonly position: number
}

/** A format, read. */
export interface Format {
  /** How messages begin: which class, which format. */
  readonly where: string
  readonly order: Order
  readonly items: readonly Item[]
}

/** One value of a message: where it stands, and how it is read and written. */
export interface Field {
  readonly code: string
  /** From the start of the layout. */
  readonly offset: Bytes
  /** What `write` takes, as a message says it after 'must be'. */
  readonly takes: string
  /**
   * Called on the bytes, so that Buffer's own methods can stand here without a closure around them.
   */
  readonly read: Read
  /** False where the value does not fit, and then nothing was written. */
  readonly write: (bytes: Buffer, at: Bytes, value: unknown) => boolean
}

/** Fields that follow each other, and what they take together, pads included. */
export interface Layout {
  readonly fields: readonly Field[]
  readonly size: Bytes
}

/** A byte order, as the index of a `Pair`: 0 little endian, 1 big endian. */
export type Order = 0 | 1
type Read = (this: Buffer, at: Bytes) => unknown
type Write<Value> = (this: Buffer, value: Value, at: Bytes) => unknown
type Pair<Method> = readonly [little: Method, big: Method]
type Codec = Pick<Field, 'takes' | 'read' | 'write'>

/** A row of the table. */
interface Code {
  /** What one of it takes. */
  readonly size: Bytes
  /** A count is then the length of one value, not a number of values. */
  readonly single?: boolean
  /** None for what is no value: pads, and `$`, which NetStruct reads itself. */
  readonly codec?: (order: Order, count: number) => Codec
}

/** The codes that can be the length of a `$`. */
export const INTEGER_CODES = 'bBhHiIlLqQ'

/**
 * Values of one message at the most: they become the arguments of `on_read`, and V8 gives up on
 * some 120 000 of them.
 */
const MAX_VALUES = 65_535

/** Bytes of one message at the most: what a Buffer of every 64-bit Node can hold. */
const MAX_SIZE: Bytes = 2 ** 31 - 1

/**
 * Asked of the machine itself, because core/ imports no node:os: the first byte of a 1 is 1
 * (little, 0) or 0 (big, 1).
 */
const NATIVE = (1 - new Uint8Array(new Uint16Array([1]).buffer)[0]!) as Order

const ORDERS: Readonly<Record<string, Order>> = { '<': 0, '>': 1, '!': 1, '=': NATIVE }

const p = Buffer.prototype
const INT32 = integer(
  4,
  -(2 ** 31),
  2 ** 31 - 1,
  [p.readInt32LE, p.readInt32BE],
  [p.writeInt32LE, p.writeInt32BE],
)
const UINT32 = integer(
  4,
  0,
  2 ** 32 - 1,
  [p.readUInt32LE, p.readUInt32BE],
  [p.writeUInt32LE, p.writeUInt32BE],
)

/** Every code there is. The types of their values are in struct.ts. */
const CODES: Readonly<Record<string, Code>> = {
  x: { size: 1 },
  c: { size: 1, codec: character },
  '?': { size: 1, codec: truth },
  s: { size: 1, single: true, codec: text },
  b: integer(1, -0x80, 0x7f, [p.readInt8, p.readInt8], [p.writeInt8, p.writeInt8]),
  B: integer(1, 0, 0xff, [p.readUInt8, p.readUInt8], [p.writeUInt8, p.writeUInt8]),
  h: integer(2, -0x8000, 0x7fff, [p.readInt16LE, p.readInt16BE], [p.writeInt16LE, p.writeInt16BE]),
  H: integer(2, 0, 0xffff, [p.readUInt16LE, p.readUInt16BE], [p.writeUInt16LE, p.writeUInt16BE]),
  i: INT32,
  I: UINT32,
  l: INT32,
  L: UINT32,
  q: bigInteger(
    -(2n ** 63n),
    2n ** 63n - 1n,
    [p.readBigInt64LE, p.readBigInt64BE],
    [p.writeBigInt64LE, p.writeBigInt64BE],
  ),
  Q: bigInteger(
    0n,
    2n ** 64n - 1n,
    [p.readBigUInt64LE, p.readBigUInt64BE],
    [p.writeBigUInt64LE, p.writeBigUInt64BE],
  ),
  f: real(4, [p.readFloatLE, p.readFloatBE], [p.writeFloatLE, p.writeFloatBE]),
  d: real(8, [p.readDoubleLE, p.readDoubleBE], [p.writeDoubleLE, p.writeDoubleBE]),
  $: { size: 0 },
}

const LATE_MARK = 'a byte order mark stands first or not at all'

/**
 * What is refused although it looks right, with the reason: who ports a format from Python should
 * not have to guess.
 */
const REFUSED: Readonly<Record<string, string>> = {
  '@': 'native sizes and alignment differ from machine to machine; use =, <, > or !',
  n: 'its size differs from machine to machine; use q',
  N: 'its size differs from machine to machine; use Q',
  P: 'a pointer means nothing to a peer; use Q',
  p: 'Pascal strings are not supported; use s, or B$ in a NetStruct',
  e: 'half-precision floats are not supported; use f',
  '<': LATE_MARK,
  '>': LATE_MARK,
  '!': LATE_MARK,
  '=': LATE_MARK,
  ' ': 'a count stands directly before its code',
  $: 'only a NetStruct has it',
}

// ---- Once per format: text → items → fields -----------------------------------------------------

/**
 * White space where Python allows it, then the count, then the code. It matches the empty string at
 * the end of a format.
 */
const ITEM = /[ \t-\r]*(\d*)(\D?)/gu

/**
 * Reads a format string.
 * @param kind the class whose format it is; `$` is NetStruct's only
 * @param unmarked the mark that a format without one is read with
 * @throws StructError naming the format, what is wrong in it, and where
 */
export function parseFormat(
  kind: 'Struct' | 'NetStruct',
  format: string,
  unmarked: '=' | '!',
): Format {
  if (typeof format !== 'string')
    throw new StructError(`${kind}: a format must be a string; got ${show(format)}`)
  const where = `${kind} ${show(format)}`
  const marked = format.charAt(0) in ORDERS
  const start = marked ? 1 : 0
  const items: Item[] = []
  let size: Bytes = 0
  let values = 0
  for (const match of format.slice(start).matchAll(ITEM)) {
    const [whole, digits, code] = match as unknown as [string, string, string]
    if (digits === '' && code === '') break
    const position = start + match.index + whole.length - code.length
    const row = lookUp(kind, where, code, position)
    const count = digits === '' ? 1 : Number(digits)
    // Before anything is expanded: '9999999999b' must not become an array first.
    size += count * row.size
    values += row.codec === undefined ? 0 : row.single ? 1 : count
    if (size > MAX_SIZE)
      throw new StructError(`${where}: more than ${MAX_SIZE} bytes at position ${position}`)
    if (values > MAX_VALUES)
      throw new StructError(`${where}: more than ${MAX_VALUES} values at position ${position}`)
    items.push({ code, count, counted: digits !== '', position })
  }
  return { where, order: ORDERS[marked ? format.charAt(0) : unmarked]!, items }
}

/** @throws StructError unless the code is one that `kind` has */
function lookUp(kind: string, where: string, code: string, position: number): Code {
  if (code === '') throw new StructError(`${where}: a count without a code at position ${position}`)
  const row = code === '$' && kind === 'Struct' ? undefined : CODES[code]
  if (row !== undefined) return row
  throw new StructError(
    `${where}: ${show(code)} at position ${position}: ${REFUSED[code] ?? 'unknown code'}`,
  )
}

/**
 * Places items one behind the other. `$` has no place of its own: whoever knows it takes it out
 * first.
 */
export function layOut(items: readonly Item[], order: Order): Layout {
  const fields: Field[] = []
  let size: Bytes = 0
  for (const { code, count } of items) {
    const row = CODES[code]!
    if (row.codec !== undefined) {
      const codec = row.codec(order, count)
      const step = row.single ? count : row.size
      for (let left = row.single ? 1 : count; left > 0; left--) {
        fields.push({ code, offset: size, ...codec })
        size += step
      }
    } else size += count * row.size
  }
  return { fields, size }
}

// ---- Once per message ---------------------------------------------------------------------------

/** Reads fields of a layout that starts at `at`, and appends their values to `data`. */
export function readFields(
  fields: readonly Field[],
  bytes: Buffer,
  at: Bytes,
  data: unknown[],
): void {
  for (const field of fields) data.push(field.read.call(bytes, at + field.offset))
}

/**
 * Writes `values[first …]` as the fields of a layout that starts at `at`. Pads are left as they
 * are.
 * @throws StructError for a value that does not fit, naming its index, its code and itself
 */
export function writeFields(
  where: string,
  fields: readonly Field[],
  bytes: Buffer,
  at: Bytes,
  values: readonly unknown[],
  first: number,
): void {
  for (const [n, field] of fields.entries()) {
    const value = values[first + n]
    if (!field.write(bytes, at + field.offset, value))
      throw misfit(where, first + n, field.code, field.takes, value)
  }
}

/** The error for a value that does not fit its field. */
export function misfit(
  where: string,
  index: number,
  code: string,
  takes: string,
  value: unknown,
): StructError {
  const got = value instanceof Uint8Array ? `${value.length} bytes` : show(value)
  return new StructError(`${where}: values[${index}] (${code}) must be ${takes}; got ${got}`)
}

/** @throws StructError where a call of `pack` has too few values or too many */
export function checkCount(where: string, count: number, values: readonly unknown[]): void {
  if (values.length !== count)
    throw new StructError(`${where}: it packs ${count} values; got ${values.length}`)
}

/** The bytes of text (as UTF-8) or of bytes (as they are); undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string'
    ? Buffer.from(value)
    : value instanceof Uint8Array
      ? value
      : undefined
}

/** The same bytes as a Buffer, without copying them: what `unpack` is given need not be one. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A copy (rule 3). Faster than Buffer.from(subarray), which makes a view first. */
export function copyOf(bytes: Buffer, at: Bytes, size: Bytes): Buffer {
  const copy = Buffer.allocUnsafe(size)
  bytes.copy(copy, 0, at, at + size)
  return copy
}

// ---- The codecs ---------------------------------------------------------------------------------

function integer(
  size: Bytes,
  min: number,
  max: number,
  reads: Pair<Read>,
  writes: Pair<Write<number>>,
): Code {
  const takes = `an integer from ${min} to ${max}`
  return {
    size,
    codec: order => ({
      takes,
      read: reads[order],
      write(bytes, at, value) {
        const fits = Number.isInteger(value) && (value as number) >= min && (value as number) <= max
        if (fits) writes[order].call(bytes, value as number, at)
        return fits
      },
    }),
  }
}

function bigInteger(
  min: bigint,
  max: bigint,
  reads: Pair<Read>,
  writes: Pair<Write<bigint>>,
): Code {
  const takes = `a bigint (or a safe integer) from ${min} to ${max}`
  return {
    size: 8,
    codec: order => ({
      takes,
      read: reads[order],
      write(bytes, at, value) {
        // A number above the safe ones has lost digits already; to pack it would hide that.
        const big = Number.isSafeInteger(value) ? BigInt(value as number) : value
        const fits = typeof big === 'bigint' && big >= min && big <= max
        if (fits) writes[order].call(bytes, big, at)
        return fits
      },
    }),
  }
}

function real(size: Bytes, reads: Pair<Read>, writes: Pair<Write<number>>): Code {
  return {
    size,
    codec: order => ({
      takes: size === 4 ? 'a number that a 32-bit float can hold' : 'a number',
      read: reads[order],
      write(bytes, at, value) {
        // As in Python: an infinity is packed, but a finite number never turns into one.
        const fits =
          typeof value === 'number' &&
          (size === 8 || Number.isFinite(Math.fround(value)) || !Number.isFinite(value))
        if (fits) writes[order].call(bytes, value, at)
        return fits
      },
    }),
  }
}

function truth(): Codec {
  return {
    takes: 'anything',
    read(at) {
      return this[at] !== 0
    },
    write(bytes, at, value) {
      bytes[at] = Number(Boolean(value))
      return true
    },
  }
}

function character(): Codec {
  return {
    takes: 'one byte, or one character up to U+00FF',
    read(at) {
      return copyOf(this, at, 1)
    },
    write(bytes, at, value) {
      const byte =
        typeof value === 'string'
          ? value.charCodeAt(0)
          : value instanceof Uint8Array
            ? value[0]!
            : NaN
      const fits = byte <= 0xff && (value as string | Uint8Array).length === 1
      if (fits) bytes[at] = byte
      return fits
    },
  }
}

function text(_order: Order, size: Bytes): Codec {
  return {
    takes: `a Uint8Array or a string of at most ${size} bytes (UTF-8)`,
    read(at) {
      return copyOf(this, at, size)
    },
    write(bytes, at, value) {
      const from = bytesOf(value)
      const fits = from !== undefined && from.length <= size
      if (fits) bytes.set(from, at)
      return fits
    },
  }
}
