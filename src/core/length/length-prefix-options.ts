/**
 * Layer 1. The options of `length_prefix`: what each means, and which are valid.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes, Data } from '../../types.ts'
import { checkOptions } from '../options.ts'
import {
  BerField,
  DigitsField,
  IntegerField,
  type LengthField,
  Uint32Field,
  VarintField,
} from './length-fields.ts'

/** The form of the prefix, and what stands around the payload. */
export interface LengthPrefixOptions {
  /**
   * The length field.
   * - an integer from 1 to 8: an unsigned integer of that many bytes
   * - `'varint'`: groups of seven bits, the lowest first (MQTT, protobuf)
   * - `'ber'`: a definite length of BER (LDAP, SNMP)
   * - `'decimal'`, `'hex'`: digits in ASCII; see `digits` and `until`
   *
   * @default 4
   */
  readonly size?: Bytes | 'varint' | 'ber' | 'decimal' | 'hex' | undefined
  /**
   * The byte order of a length field that is an integer. 'big' is network order.
   * @default 'big'
   */
  readonly endian?: 'big' | 'little' | undefined
  /**
   * For 'decimal' and 'hex': the number of digits, at most 15 and 13. They are padded with zeros.
   * @default as many as precede `until`
   */
  readonly digits?: number | undefined
  /**
   * For 'decimal' and 'hex' without `digits`: what follows the last digit. It must not begin with a
   * digit.
   * @default ' '
   */
  readonly until?: Data | undefined
  /**
   * The number of bytes before the length field. Without `header` they are not delivered, and
   * `pack` writes zeros there.
   * @default 0
   */
  readonly offset?: Bytes | undefined
  /**
   * The number of bytes between the length field and the payload. Likewise.
   * @default 0
   */
  readonly after?: Bytes | undefined
  /**
   * If true, a message has two values: the header, and the payload. The header is what stands
   * before the length field, and then what stands after it (`offset` and `after`). Both are
   * Buffers, even if the channel has an `encoding`.
   * @default false
   */
  readonly header?: boolean | undefined
  /**
   * Added to the number in the field to get the size of the payload. If the number also counts
   * something else, that is subtracted here.
   * @default 0
   */
  readonly adjust?: number | undefined
  /**
   * If true, the number counts the bytes of its own field, too. (`until` is a part of the field.)
   * @default false
   */
  readonly counts_itself?: boolean | undefined
  /**
   * If true, a number too small to count itself is a message without a payload, as `0000` of git
   * is, and its header is the field itself. There must be no `offset` and no `after` then.
   *
   * If false, such a number is an error.
   * @default false
   */
  readonly markers?: boolean | undefined
  /**
   * The index in the message of a byte of the header that says how many bytes of padding follow the
   * payload, as in FastCGI. They are not delivered; `pack` writes zeros.
   * @default no padding
   */
  readonly padding?: Bytes | undefined
  /**
   * What every message ends with. It is neither counted nor delivered. If anything else stands
   * there, that is an error.
   * @default ''
   */
  readonly trailer?: Data | undefined
}

const OPTIONS: readonly (keyof LengthPrefixOptions)[] = [
  'size',
  'endian',
  'digits',
  'until',
  'offset',
  'after',
  'header',
  'adjust',
  'counts_itself',
  'markers',
  'padding',
  'trailer',
]

/** The options as they were checked. */
export interface Form {
  readonly field: LengthField
  readonly offset: Bytes
  readonly after: Bytes
  readonly header: boolean
  readonly adjust: number
  readonly counts_itself: boolean
  readonly markers: boolean
  /** -1: there is none. */
  readonly padding: number
  readonly trailer: Buffer
}

/** Throws InvalidArgumentError for an option that is invalid or does not exist. */
export function readForm(options: LengthPrefixOptions): Form {
  checkOptions('length_prefix', options, OPTIONS)
  const { padding, offset = 0, after = 0, adjust = 0, trailer = '' } = options
  checkInteger('offset', offset, 0)
  checkInteger('after', after, 0)
  checkInteger('adjust', adjust, -Infinity)
  const field = fieldOf(options)
  if (options.markers === true && offset + after > 0)
    throw invalid('markers', 'left out if there is an offset or after', options.markers)
  if (padding !== undefined) checkPadding(padding, options, offset, after)
  return {
    field,
    offset,
    after,
    header: checkFlag('header', options.header),
    adjust,
    counts_itself: checkFlag('counts_itself', options.counts_itself),
    markers: checkFlag('markers', options.markers),
    padding: padding ?? -1,
    trailer: checkBytes('trailer', trailer),
  }
}

// ---- the field ----------------------------------------------------------------------------------

function fieldOf(options: LengthPrefixOptions): LengthField {
  const { size = 4, endian } = options
  const isInteger = Number.isInteger(size) && (size as number) >= 1 && (size as number) <= 8
  if (!isInteger) refuse(options, ['endian'], 'an integer')
  if (size !== 'decimal' && size !== 'hex')
    refuse(options, ['digits', 'until'], "'decimal' or 'hex'")
  if (size === 'varint') return new VarintField()
  if (size === 'ber') return new BerField()
  if (size === 'decimal' || size === 'hex') return digitsOf(size, options)
  if (!isInteger)
    throw invalid('size', "an integer from 1 to 8, 'varint', 'ber', 'decimal' or 'hex'", size)
  if (endian !== undefined && endian !== 'big' && endian !== 'little')
    throw invalid('endian', "'big' or 'little'", endian)
  const isBig = endian !== 'little'
  return size === 4 && isBig ? new Uint32Field() : new IntegerField(size, isBig)
}

function digitsOf(size: 'decimal' | 'hex', options: LengthPrefixOptions): LengthField {
  const { digits, until = ' ' } = options
  const base = size === 'hex' ? 16 : 10
  if (digits !== undefined) {
    const most = DigitsField.most(base)
    if (!Number.isInteger(digits) || digits < 1 || digits > most)
      throw invalid('digits', `an integer from 1 to ${most}`, digits)
    if (options.until !== undefined) throw invalid('until', 'left out if there are digits', until)
    return new DigitsField(base, digits, Buffer.alloc(0))
  }
  const end = checkBytes('until', until)
  if (!/^[^\da-f]/is.test(end.toString('latin1')))
    throw invalid('until', 'at least one byte, and must not begin with a digit', until)
  return new DigitsField(base, 0, end)
}

/** These options mean nothing for this kind of field. */
function refuse(
  options: LengthPrefixOptions,
  names: readonly ('endian' | 'digits' | 'until')[],
  kind: string,
): void {
  for (const name of names)
    if (options[name] !== undefined)
      throw invalid(name, `left out unless size is ${kind}`, options[name])
}

// ---- checks -------------------------------------------------------------------------------------

function checkPadding(
  padding: Bytes,
  { size = 4 }: LengthPrefixOptions,
  offset: Bytes,
  after: Bytes,
): void {
  checkInteger('padding', padding, 0)
  // After a field whose size may vary there is no index that is always that of the header.
  const from = offset + (typeof size === 'number' ? size : 0)
  const isAfter = typeof size === 'number' && padding >= from && padding < from + after
  if (padding >= offset && !isAfter)
    throw invalid('padding', 'the index of a byte of the header', padding)
}

function checkInteger(name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw invalid(name, least === 0 ? 'an integer of at least 0' : 'an integer', value)
}

function checkFlag(name: string, value: unknown = false): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false', value)
  return value
}

function checkBytes(name: string, value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (types.isUint8Array(value)) return Buffer.from(value)
  throw invalid(name, 'a string or a Uint8Array', value)
}

function invalid(name: string, valid: string, value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`length_prefix: ${name}`, valid, value)
}
