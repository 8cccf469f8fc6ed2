/**
 * Layer 7. How messages are compressed: what a program may say about it.
 */

import { checkBoolean, type Checks, countFrom, wholeFrom } from '../../../core/checks.ts'
import type { Complete } from '../../../core/option-types.ts'
import { checkOptions, withDefaults } from '../../../core/options.ts'
import { InvalidArgumentError } from '../../../errors.ts'
import type { Bytes } from '../../../types.ts'

/** How messages are compressed (permessage-deflate, RFC 7692). */
export interface DeflateOptions {
  /**
   * Shorter messages are not compressed, unless `send` says so.
   *
   * @default 1024
   */
  readonly threshold?: Bytes | undefined
  /**
   * How hard zlib tries, 1 to 9.
   *
   * @default 6
   */
  readonly level?: number | undefined
  /**
   * How much memory zlib takes for that, 1 to 9. A connection whose messages are compressed
   * together takes 100 to 300 KiB.
   *
   * @default 8
   */
  readonly memory_level?: number | undefined
  /**
   * Is each message of the server compressed by itself? That takes no memory in between, and
   * compresses less.
   *
   * @default false
   */
  readonly server_no_context_takeover?: boolean | undefined
  /**
   * Is each message of the client compressed by itself?
   *
   * @default false
   */
  readonly client_no_context_takeover?: boolean | undefined
  /**
   * How far the server may look back, as a power of two, 9 to 15.
   *
   * @default 15
   */
  readonly server_max_window_bits?: number | undefined
  /**
   * How far the client may look back, as a power of two, 9 to 15.
   *
   * @default 15
   */
  readonly client_max_window_bits?: number | undefined
}

/** The same, complete. */
export type DeflateRules = Complete<DeflateOptions>

const DEFAULTS: DeflateRules = {
  threshold: 1024,
  level: 6,
  memory_level: 8,
  server_no_context_takeover: false,
  client_no_context_takeover: false,
  server_max_window_bits: 15,
  client_max_window_bits: 15,
}

const CHECKS: Checks<DeflateOptions> = {
  threshold: countFrom(0),
  level: wholeFrom(1, 9),
  memory_level: wholeFrom(1, 9),
  server_no_context_takeover: checkBoolean,
  client_no_context_takeover: checkBoolean,
  server_max_window_bits: wholeFrom(9, 15),
  client_max_window_bits: wholeFrom(9, 15),
}

/** The setting `deflate`. Throws InvalidArgumentError. */
export function checkDeflate(name: string, value: unknown): boolean | DeflateOptions {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'object' || value === null)
    throw new InvalidArgumentError(name, 'true, false or options', value)
  checkOptions(name, value, CHECKS)
  return value
}

/** Undefined: nothing is compressed. */
export function deflateRules(setting: boolean | DeflateOptions): DeflateRules | undefined {
  if (setting === false) return undefined
  if (setting === true) return DEFAULTS
  return withDefaults(DEFAULTS, setting)
}
