/**
 * Layer 1. What packs values into bytes for `write_packed`: a Struct, a NetStruct, a
 * `length_prefix()`, or any delimiter with `pack`.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Data, Encoding } from '../../types.ts'
import type { Delimiter } from '../delimiters.ts'
import { textBytes } from './text-bytes.ts'
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
 * else the delimiter. If it delivers text, text among the values becomes bytes in `encoding`, so
 * that what was read is written as it was.
 *
 * Throws InvalidArgumentError if neither of them packs, and for text that is not of the encoding.
 */
export function takePacker(
  values: unknown[],
  delimiter: unknown,
  encoding: Encoding | null,
): Packer {
  const packer = isPacker(values[0]) ? values.shift() : delimiter
  if (isPacker(packer)) {
    // Packers take text as UTF-8.
    if (encoding !== null && encoding !== 'utf8' && packer.text === true) encode(values, encoding)
    return packer
  }
  throw new InvalidArgumentError(
    'write_packed',
    'given a Struct as its first argument, unless read_delimiter is one',
    values[0],
  )
}

function encode(values: unknown[], encoding: Encoding): void {
  for (const [i, value] of values.entries())
    if (typeof value === 'string') values[i] = textBytes('write_packed: text', value, encoding)
}

function isPacker(value: unknown): value is Packer & Pick<Delimiter, 'text'> {
  return (
    typeof (value as Packer | null | undefined)?.pack === 'function' &&
    typeof (value as Partial<Delimiter>).cut === 'function'
  )
}
