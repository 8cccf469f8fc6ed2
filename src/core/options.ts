/**
 * Layer 1. Options: one that does not exist is refused, with the one that was meant, and so is one
 * whose value is invalid.
 *
 * Rules:
 * 1. No option is ignored: a misspelt limit would be no limit.
 * 2. What is no object of options is refused, too: `stop(5000)` would otherwise mean the default.
 * 3. An option that is `undefined` is one that was left out. Types say so, too (AsOptions).
 */

import { InvalidArgumentError, show } from '../errors.ts'
import { type Check, type Checks, isRecord } from './checks.ts'
import { didYouMean } from './nearest.ts'
import type { AsOptions } from './option-types.ts'

/**
 * Throws InvalidArgumentError unless these are options that exist, with valid values. `what` begins
 * the message: the call, or the class. `known` is the table of the options with their checks, or
 * only their names if the caller checks the values. `needed`: those that must be given.
 */
export function checkOptions(
  what: string,
  options: unknown,
  known: readonly string[] | Checks<any>,
  needed: readonly string[] = [],
): void {
  if (!isRecord(options)) throw noOptions(what, options, namesOf(known))
  const given = options as Record<string, unknown>
  const checks = isNames(known) ? undefined : known
  for (const name of Object.keys(given)) {
    const exists = isNames(known) ? known.includes(name) : Object.hasOwn(known, name)
    if (!exists) throw noSuchOption(what, name, namesOf(known))
    if (checks !== undefined && given[name] !== undefined) checkOne(what, given, checks, name)
  }
  for (const name of needed)
    if (given[name] === undefined) checkOne(what, given, checks as Checks<any>, name)
}

/** The values, and a default for each that was left out. */
export function withDefaults<Values extends object>(
  defaults: Values,
  options: AsOptions<Values>,
): Values {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

function checkOne(
  what: string,
  given: Record<string, unknown>,
  checks: Checks<any>,
  name: string,
): void {
  const check = checks[name] as Check
  check(`${what}: ${name}`, given[name])
}

function isNames(known: readonly string[] | Checks<any>): known is readonly string[] {
  return Array.isArray(known)
}

function namesOf(known: readonly string[] | Checks<any>): readonly string[] {
  return isNames(known) ? known : Object.keys(known)
}

function noOptions(what: string, options: unknown, names: readonly string[]): InvalidArgumentError {
  const wanted =
    names.length === 0 ? 'left out: there are none' : `an object, { ${names.join(', ')} }`
  return new InvalidArgumentError(`${what}: options`, wanted, options)
}

/** The check of an option that has options itself: those of a table, `without` some. */
export function optionsOf(checks: Checks<any>, ...without: readonly string[]): Check<any> {
  const kept = Object.entries(checks).filter(([name]) => !without.includes(name))
  const table = Object.fromEntries(kept)
  return (name, value) => {
    checkOptions(name, value, table)
    return value
  }
}

/** The error for one option that does not exist. */
export function noSuchOption(
  what: string,
  name: string,
  names: Iterable<string>,
): InvalidArgumentError {
  return new InvalidArgumentError(
    `${what}: there is no option ${show(name)}; ${didYouMean(name, names)}`,
  )
}

/**
 * The second argument of `connect(address, options)` and `listen(address, options)`. A program that
 * comes from Node writes `listen(port, host)` and `listen(port, callback)`.
 */
export function checkAddressOptions(
  call: 'connect' | 'listen',
  address: unknown,
  options: unknown,
  names: readonly string[],
): void {
  if (typeof address === 'number' && typeof options === 'string')
    throw new InvalidArgumentError(
      `${call}: an address is one value: ${call}([${show(options)}, ${address}])`,
    )
  if (typeof address === 'string' && typeof options === 'number')
    throw new InvalidArgumentError(
      `${call}: an address is one value: ${call}([${show(address)}, ${options}])`,
    )
  if (typeof options === 'function') {
    const hook = call === 'listen' ? 'on_listen' : 'on_connect'
    throw new InvalidArgumentError(
      `${call}: there is no callback; override ${hook}, or await ${call}(…).opened`,
    )
  }
  checkOptions(call, options, names)
}
