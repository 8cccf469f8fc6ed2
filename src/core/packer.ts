/**
 * Layer 1. What packs values into bytes for `write_packed`: a Struct, a NetStruct, a
 * `length_prefix()`, or any delimiter with `pack`.
 */

import { InvalidArgumentError } from '../errors.ts'
import type { Data } from '../types.ts'
import type { Delimiter } from './delimiters.ts'
import type { IntoPacker } from './write-run.ts'

/** Packs values into bytes: a Struct, a NetStruct, a `length_prefix()`. */
export interface Packer {
  /** The bytes of these values. Throws StructError if they do not fit. */
  pack(...values: any[]): Uint8Array
}

/**
 * The value of one field. A Packer is not a value: values that follow a Packer are checked against
 * its format.
 */
export type Packed = Data | number | bigint | boolean

/** Can it write into memory that is there already? */
export function isIntoPacker(packer: Packer & Partial<IntoPacker>): packer is IntoPacker {
  return packer.pack_into !== undefined
}

/**
 * The packer of a call of `write_packed`: its first argument, which is taken off the values, or
 * else the delimiter. Throws InvalidArgumentError if neither of them packs.
 */
export function takePacker(values: unknown[], delimiter: unknown): Packer {
  const packer = isPacker(values[0]) ? values.shift() : delimiter
  if (isPacker(packer)) return packer
  throw new InvalidArgumentError(
    'write_packed',
    'given a Struct as its first argument, unless read_delimiter is one',
    values[0],
  )
}

function isPacker(value: unknown): value is Packer {
  return (
    typeof (value as Packer | null | undefined)?.pack === 'function' &&
    typeof (value as Partial<Delimiter>).cut === 'function'
  )
}
