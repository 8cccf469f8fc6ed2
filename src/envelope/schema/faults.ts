/**
 * Layer 9. Faults: what is wrong with a value, in the words that peers of the original expect.
 *
 * Rules:
 * 1. Each fault is one item `{ loc, msg, type, ctx? }`. Programs tell faults apart by `type`.
 * 2. A schema makes an item with an empty `loc`. The schemas around it put their keys in front. So
 *    a valid value costs no path.
 */

import { InvalidArgumentError } from '../../errors.ts'

/** One thing that is wrong with a message. */
// Source: pydantic 1, `ValidationError.errors()`.
export interface Fault {
  /** Where: the keys that lead to the value. `__root__` is the whole text. */
  readonly loc: (string | number)[]
  /** What is wrong, for people. */
  readonly msg: string
  /** What is wrong, for programs: it stays the same from release to release. */
  readonly type: string
  /** The limit that was exceeded, the values that are permitted, and the like. */
  readonly ctx?: Readonly<Record<string, unknown>>
}

/** What a check returns for a value that is invalid. It has added to the faults then. */
export const INVALID: unique symbol = Symbol('invalid')

/** Checks a value: returns what it becomes, or adds to the faults and returns INVALID. */
export type Check = (value: unknown, faults: Fault[]) => unknown

/** The most faults of one value. More would not help, and a peer could make us send them. */
const MOST = 100

/** Adds a fault. */
export function wrong(
  faults: Fault[],
  type: string,
  msg: string,
  ctx?: Readonly<Record<string, unknown>>,
): typeof INVALID {
  if (faults.length < MOST)
    faults.push(ctx === undefined ? { loc: [], msg, type } : { loc: [], msg, type, ctx })
  return INVALID
}

/** Puts a key in front of the faults from that index on. */
export function inside(faults: Fault[], from: number, key: string | number): typeof INVALID {
  for (let index = from; index < faults.length; index++) (faults[index] as Fault).loc.unshift(key)
  return INVALID
}

/** The value is null or absent, and neither is allowed. */
export function isNone(faults: Fault[]): typeof INVALID {
  return wrong(faults, 'type_error.none.not_allowed', 'none is not an allowed value')
}

/** A value other than those that are permitted. */
export function notPermitted(
  faults: Fault[],
  given: unknown,
  permitted: readonly unknown[],
): typeof INVALID {
  const shown = permitted.map(showLiteral).join(', ')
  return wrong(faults, 'value_error.const', `unexpected value; permitted: ${shown}`, {
    given: typeof given === 'object' && given !== null ? typeof given : given,
    permitted,
  })
}

function showLiteral(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return value === true ? 'True' : value === false ? 'False' : String(value)
}

/** A limit that is not kept. `type` is the last part of the type. */
export function beyond(
  faults: Fault[],
  type: string,
  what: string,
  limit_value: number,
  unit = '',
): typeof INVALID {
  const msg = `ensure this value ${what} ${limit_value}${unit}`
  return wrong(faults, `value_error.${type}`, msg, { limit_value })
}

/** Checks a limit that the program gives. Throws InvalidArgumentError. */
export function checkLimit(what: string, limit: unknown, isCount: boolean): number {
  const isValid = isCount ? Number.isSafeInteger(limit) && (limit as number) >= 0 : isNumber(limit)
  if (!isValid)
    throw new InvalidArgumentError(what, isCount ? 'a whole number from 0' : 'a number', limit)
  return limit as number
}

/** The limits that a program gives. Throws InvalidArgumentError if nothing is within them. */
export function checkLimits(what: string, min: number, max: number | undefined): void {
  if (max !== undefined && min > max)
    throw new InvalidArgumentError(`${what}: min must be at most max; got ${min} and ${max}`)
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value)
}
