/**
 * Layer 1. The codes of the format strings of `Struct` and `NetStruct`: one table that says how
 * many bytes each takes, and how its values are read and written.
 *
 * A new code is one row of CODES, and its type in struct.ts.
 *
 * Rules:
 * 1. Sizes are the standard ones and nothing is aligned: what is sent must not depend on the
 *    machine that packed it.
 * 2. What is read is never a view: the bytes belong to a receive buffer whose memory is used again.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'

import type { Bytes } from '../../types.ts'

/** A byte order, as the index of a `Pair`: 0 little endian, 1 big endian. */
export type Order = 0 | 1

/** How a value is read and written. */
export interface Codec {
  /** The values that `write` takes, as a message says it after 'must be'. */
  readonly takes: string
  /** Called with the bytes as `this`, so that methods of Buffer need no closure around them. */
  readonly read: Read
  /** Returns false if the value does not fit; then nothing was written. */
  readonly write: (bytes: Buffer, at: Bytes, value: unknown) => boolean
}

/** A row of the table. */
export interface Code {
  /** The bytes that one of it takes. */
  readonly size: Bytes
  /** If true, a count is the length of one value. If not, it is a number of values. */
  readonly single?: boolean
  /** Missing if it has no value: pads, and `$`, which NetStruct reads itself. */
  readonly codec?: (order: Order, count: number) => Codec
}

type Read = (this: Buffer, at: Bytes) => unknown
type Write<Value> = (this: Buffer, value: Value, at: Bytes) => unknown
type Pair<Method> = readonly [little: Method, big: Method]

// ---- the table ----------------------------------------------------------------------------------

/** The codes that can be the length of a `$`. */
export const INTEGER_CODES = 'bBhHiIlLqQ'

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

/** All codes. The types of their values are in struct.ts. */
export const CODES: Readonly<Record<string, Code>> = {
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

// ---- numbers ------------------------------------------------------------------------------------

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
        // A number that is not safe has lost digits already. Packing it would hide that.
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
        // As in Python: an infinity is packed, but a finite number never becomes one.
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

// ---- bytes --------------------------------------------------------------------------------------

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
          : types.isUint8Array(value)
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

/** The bytes of a string (as UTF-8) or of bytes (as they are); undefined for any other value. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value)
  return types.isUint8Array(value) ? value : undefined
}

/** A copy (rule 2). Faster than Buffer.from(bytes.subarray(…)), which makes a view first. */
export function copyOf(bytes: Buffer, at: Bytes, size: Bytes): Buffer {
  const copy = Buffer.allocUnsafe(size)
  bytes.copy(copy, 0, at, at + size)
  return copy
}
