/**
 * Layer 1. The values of one message of a `Struct` or `NetStruct`: read from bytes, written to
 * bytes, and refused if they do not fit.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'

import { InvalidArgumentError, StructError, show } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Field } from './struct-format.ts'

/** Reads the fields of a layout that starts at `at`, and appends their values to `data`. */
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
 *
 * Throws StructError (ERR_STRUCT) for a value that does not fit, naming its index, its code and
 * itself.
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
  const got = types.isUint8Array(value) ? `${value.length} bytes` : show(value)
  return new StructError(`${where}: values[${index}] (${code}) must be ${takes}; got ${got}`)
}

/** Throws StructError (ERR_STRUCT) if a call of `pack` has too few values or too many. */
export function checkCount(where: string, count: number, values: readonly unknown[]): void {
  if (values.length !== count)
    throw new StructError(`${where}: it packs ${count} values; got ${values.length}`)
}

/** The same bytes as a Buffer, without a copy: `unpack` takes any Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (!types.isUint8Array(bytes))
    throw new InvalidArgumentError('unpack: bytes', 'a Uint8Array', bytes)
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
