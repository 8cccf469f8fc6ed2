/**
 * Layer 4. The settings of a Stream: their defaults, and what each of them may be.
 */

import { Buffer } from 'node:buffer'
import { checkDelimiter, type ReadDelimiter, type ReadSettings } from '../core/delimiters.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Bytes, Encoding, Milliseconds } from '../types.ts'
import { checkBoolean, checkCount, checkDuration } from './settings.ts'

/** The values of all settings of one Stream. What each means is said where the class declares it. */
export interface StreamValues {
  readonly read_delimiter: ReadDelimiter
  readonly regex_search: boolean
  readonly encoding: Encoding | null
  readonly buffer_size: Bytes
  readonly send_high_water: Bytes
  readonly send_buffer_size: Bytes
  readonly backpressure: boolean
  readonly no_delay: boolean
  readonly keep_alive: Milliseconds | false
  readonly connect_timeout: Milliseconds
  readonly end_timeout: Milliseconds
}

/** One object for all streams that change nothing: an idle connection should cost little. */
export const STREAM_DEFAULTS: StreamValues = {
  read_delimiter: null,
  regex_search: true,
  encoding: null,
  buffer_size: 64 * 1024,
  send_high_water: 64 * 1024,
  send_buffer_size: 16 * 1024 * 1024,
  backpressure: false,
  no_delay: true,
  keep_alive: false,
  connect_timeout: 30_000,
  end_timeout: 30_000,
}

/** For streams that were accepted: they answer, and must not read what they cannot answer. */
export const ACCEPTED_DEFAULTS: StreamValues = { ...STREAM_DEFAULTS, backpressure: true }

/** Returns the value as it is kept, or throws. */
export const STREAM_CHECKS: { readonly [Name in keyof StreamValues]: (name: string, value: unknown) => StreamValues[Name] } = {
  read_delimiter: (_name, value) => checkDelimiter(value),
  regex_search: checkBoolean,
  encoding: checkEncoding,
  buffer_size: (name, value) => checkCount(name, value, 1),
  send_high_water: (name, value) => checkCount(name, value, 1),
  send_buffer_size: (name, value) => checkCount(name, value, 1),
  backpressure: checkBoolean,
  no_delay: checkBoolean,
  keep_alive: (name, value) => (value === false ? false : checkDuration(name, value)),
  connect_timeout: checkDuration,
  end_timeout: checkDuration,
}

/** The names that Node has for the same encoding, as one of them. */
const ALIASES: Readonly<Record<string, Encoding>> = { 'utf-8': 'utf8', binary: 'latin1', ucs2: 'utf16le', 'ucs-2': 'utf16le', 'utf-16le': 'utf16le' }

export function checkEncoding(name: string, value: unknown): Encoding | null {
  if (value === null) return null
  if (typeof value !== 'string' || !Buffer.isEncoding(value)) throw new InvalidArgumentError(name, "an encoding of Node's Buffer, or null", value)
  const encoding = value.toLowerCase() as Encoding
  return ALIASES[encoding] ?? encoding
}

const interned = new Map<string, ReadSettings>()

/** The same object for the same settings, so that they are compared by identity. */
export function readSettings(encoding: Encoding | null, regex_search: boolean): ReadSettings {
  const key = `${encoding} ${regex_search}`
  let settings = interned.get(key)
  if (settings === undefined) interned.set(key, (settings = { encoding, regex_search }))
  return settings
}
