/**
 * Layer 1. Checks: what a value must be. A check gets what the value is called, and the value. It
 * returns the value as it is kept, or throws InvalidArgumentError, which says what was called how,
 * what it must be, and what it is.
 *
 * A table with a check for each option is what `checkOptions` wants; see options.ts.
 */

import { InvalidArgumentError, InvalidStateError, show } from '../errors.ts'
import type { Milliseconds } from '../types.ts'
import type { BackoffOptions } from './backoff.ts'

export type Check<Value = unknown> = (name: string, value: unknown) => Value

/** A check for each option. */
export type Checks<Options> = { readonly [Name in keyof Required<Options>]: Check }

// ---- checks -------------------------------------------------------------------------------------

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidArgumentError(name, 'true or false', value)
  return value
}

export function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(name, 'text', value)
  return value
}

export function checkName(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw new InvalidArgumentError(name, 'text that is not empty', value)
  return value
}

export function checkFunction(name: string, value: unknown): (...args: any[]) => any {
  if (typeof value !== 'function') throw new InvalidArgumentError(name, 'a function', value)
  return value as (...args: any[]) => any
}

/** An object of names and values: the fields of a header … */
export function checkRecord(name: string, value: unknown): Readonly<Record<string, any>> {
  if (!isRecord(value)) throw new InvalidArgumentError(name, 'an object of names and values', value)
  return value as Readonly<Record<string, any>>
}

/**
 * Is it an object whose own properties mean something? One of another class that has none, such as
 * a network or a Map, was meant for something else. A prototype without a prototype is that of a
 * plain object, of any realm.
 */
export function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  return isPlain || Object.keys(value).length > 0
}

/** For what may be anything, or is checked later. */
export function anyValue(_name: string, value: unknown): any {
  return value
}

/** A number of bytes or of other things, which may be without a limit. */
export function checkCount(name: string, value: unknown, least: number): number {
  if (value !== Infinity && (!Number.isSafeInteger(value) || (value as number) < least)) {
    throw new InvalidArgumentError(name, `an integer of at least ${least}, or Infinity`, value)
  }
  return value as number
}

export function checkDuration(name: string, value: unknown): Milliseconds {
  if (typeof value !== 'number' || !(value > 0))
    throw new InvalidArgumentError(
      name,
      'a positive number of milliseconds, or Infinity for no limit',
      value,
    )
  return value
}

/** A wait may be none. */
export function checkWait(name: string, value: unknown): Milliseconds {
  if (typeof value !== 'number' || !(value >= 0))
    throw new InvalidArgumentError(name, 'milliseconds, 0 or more', value)
  return value
}

// ---- what makes checks --------------------------------------------------------------------------

/** As `checkCount`. */
export function countFrom(least: number): Check<number> {
  return (name, value) => checkCount(name, value, least)
}

/** A whole number: never Infinity. */
export function wholeFrom(least: number, most = Number.MAX_SAFE_INTEGER): Check<number> {
  const isOpen = most === Number.MAX_SAFE_INTEGER
  const bounds = isOpen ? `of at least ${least}` : `from ${least} to ${most}`
  return (name, value) => {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
      throw new InvalidArgumentError(name, `a whole number ${bounds}`, value)
    return value as number
  }
}

export function oneOf<Value>(...values: readonly Value[]): Check<Value> {
  return (name, value) => {
    if (!values.includes(value as Value))
      throw new InvalidArgumentError(name, values.map(show).join(' or '), value)
    return value as Value
  }
}

export function instanceOf<Of>(Class: abstract new (...args: any[]) => Of): Check<Of> {
  return (name, value) => {
    if (!(value instanceof Class)) throw new InvalidArgumentError(name, article(Class.name), value)
    return value
  }
}

/** The class, or one that extends it. `example`: where a program gets one. */
export function classOf<Class extends abstract new (...args: any[]) => unknown>(
  Base: Class,
  example?: string,
): Check<Class> {
  const wanted = `${Base.name}, or a class that extends it`
  return (name, value) => {
    if (!isClassOf(value, Base))
      throw new InvalidArgumentError(name, example ? `${wanted}, as ${example}` : wanted, value)
    return value as Class
  }
}

/** Is it the class, or one that extends it? */
export function isClassOf(value: unknown, Base: Function): boolean {
  return typeof value === 'function' && (value === Base || value.prototype instanceof Base)
}

/** An object that may be of a program's own class: it is known by a method. */
export function having<Of>(method: keyof Of & string, what: string): Check<Of> {
  return (name, value) => {
    const of = value as Of | null | undefined
    if (typeof of?.[method] !== 'function') throw new InvalidArgumentError(name, what, value)
    return of
  }
}

/** An array of these. */
export function listOf<Of>(check: Check<Of>, what: string): Check<readonly Of[]> {
  return (name, value) => {
    if (!Array.isArray(value)) throw new InvalidArgumentError(name, `an array of ${what}`, value)
    value.forEach((each, index) => check(`${name}[${index}]`, each))
    return value as Of[]
  }
}

/** What is to be opened must be closed. `advice`: what to do if it is open. */
export function checkClosed(
  call: string,
  what: string,
  state: string,
  advice = 'close() it first',
): void {
  const how = state === 'closing' ? 'await its `closed` first' : advice
  if (state !== 'closed') throw new InvalidStateError(call, `the ${what} is ${state}`, how)
}

/** The settings of a Backoff. */
export const BACKOFF_CHECKS: Checks<BackoffOptions> = {
  first: checkDuration,
  longest: checkDuration,
  lasting: checkDuration,
  random: checkFunction,
}

function article(name: string): string {
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}
