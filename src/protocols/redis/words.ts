/**
 * Layer 7. The words of the commands that have options, or take one thing or several.
 */

import { checkBoolean, type Checks, checkText, wholeFrom } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import type { Argument } from './command.ts'

/** A key, or several. */
export type Keys = Argument | readonly Argument[]

/** How SET sets. */
export interface SetOptions {
  /** The value goes after that many seconds. */
  readonly ex?: number | undefined
  /** The value goes after that many milliseconds. */
  readonly px?: Milliseconds | undefined
  /** Only if there is no value yet. */
  readonly nx?: boolean | undefined
  /** Only if there is one already. */
  readonly xx?: boolean | undefined
  /** The time that the old value had left stays. */
  readonly keepttl?: boolean | undefined
}

/** How XADD adds. */
export interface XaddOptions {
  /** The id of the entry. @default '*': the server makes one */
  readonly id?: string | undefined
  /** Removes the oldest entries beyond about that many. @default none is removed */
  readonly maxlen?: number | undefined
  /** Exactly that many: it costs the server more. @default false */
  readonly exact?: boolean | undefined
}

/** How XREAD and XREADGROUP read. */
export interface XreadOptions {
  /** The most entries of each stream. */
  readonly count?: number | undefined
  /** Waits for entries that long, on a connection of its own. 0: for ever. */
  readonly block?: Milliseconds | undefined
}

const SET_CHECKS: Checks<SetOptions> = {
  ex: wholeFrom(1),
  px: wholeFrom(1),
  nx: checkBoolean,
  xx: checkBoolean,
  keepttl: checkBoolean,
}

const XADD_CHECKS: Checks<XaddOptions> = {
  id: checkText,
  maxlen: wholeFrom(0),
  exact: checkBoolean,
}

const XREAD_CHECKS: Checks<XreadOptions> = { count: wholeFrom(1), block: wholeFrom(0) }

export function listOf(keys: Keys, isMore = false): readonly Argument[] {
  if (isMore) throw new InvalidArgumentError('several keys, fields or values must be one array')
  return Array.isArray(keys) ? (keys as readonly Argument[]) : [keys as Argument]
}

export function pairsOf(what: string, fields: Readonly<Record<string, Argument>>): Argument[] {
  if (typeof fields !== 'object' || fields === null || Object.keys(fields).length === 0)
    throw new InvalidArgumentError(what, 'an object with a field', fields)
  return Object.entries(fields).flat()
}

export function setWords(options: SetOptions): Argument[] {
  checkOptions('set', options, SET_CHECKS)
  const { ex, px, nx, xx, keepttl } = options
  return [
    ...(ex === undefined ? [] : ['EX', ex]),
    ...(px === undefined ? [] : ['PX', px]),
    ...(nx === true ? ['NX'] : []),
    ...(xx === true ? ['XX'] : []),
    ...(keepttl === true ? ['KEEPTTL'] : []),
  ]
}

export function xaddWords(options: XaddOptions): Argument[] {
  checkOptions('xadd', options, XADD_CHECKS)
  const { id = '*', maxlen, exact = false } = options
  return [...(maxlen === undefined ? [] : ['MAXLEN', exact ? '=' : '~', maxlen]), id]
}

export function readWords(
  what: string,
  streams: Readonly<Record<string, string>>,
  options: XreadOptions,
): Argument[] {
  checkOptions(what, options, XREAD_CHECKS)
  const { count, block } = options
  pairsOf(`${what}: streams`, streams)
  return [
    ...(count === undefined ? [] : ['COUNT', count]),
    ...(block === undefined ? [] : ['BLOCK', block]),
    'STREAMS',
    ...Object.keys(streams),
    ...Object.values(streams),
  ]
}
