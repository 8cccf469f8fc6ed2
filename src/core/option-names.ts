/**
 * Layer 1. The names of options: one that does not exist is refused, with the one that was meant.
 *
 * Rules:
 * 1. No option is ignored: a misspelt limit would be no limit.
 * 2. What is no object of options is refused, too: `stop(5000)` would otherwise mean the default.
 */

import { InvalidArgumentError, show } from '../errors.ts'
import { didYouMean } from './nearest.ts'

/**
 * Throws InvalidArgumentError unless these are options that exist. `what` begins the message: the
 * call, or the class. A fault of a value other than an object is told with what it had to be.
 */
export function checkOptions(what: string, options: unknown, names: readonly string[]): void {
  if (!isOptions(options))
    throw new InvalidArgumentError(
      `${what}: options`,
      names.length === 0 ? 'left out: there are none' : `an object, { ${names.join(', ')} }`,
      options,
    )
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined) throw noSuchOption(what, unknown, names)
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

/**
 * An object of another class that has no property of its own, such as a network, was meant for an
 * option of its own. A prototype without a prototype is that of a plain object, of any realm.
 */
function isOptions(options: unknown): options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  const prototype: unknown = Object.getPrototypeOf(options)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  return isPlain || Object.keys(options).length > 0
}
