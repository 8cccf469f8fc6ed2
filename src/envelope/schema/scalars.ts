/**
 * Layer 9. The schemas of single values: text, integer, number, boolean, one_of.
 *
 * Rules:
 * 1. Nothing is converted: '5' is not a number, and 1 is not true.
 * 2. A text has a limit even if the program gives none.
 */

import { InvalidArgumentError } from '../../errors.ts'
import {
  beyond,
  type Check,
  checkLimit,
  checkLimits,
  type Fault,
  isNone,
  notPermitted,
  wrong,
} from './faults.ts'
import { Schema } from './schema.ts'

/** The default of the longest text, in characters: that of a large form field. */
const LONGEST = 65_536

/** Which texts are valid. */
interface TextLimits {
  readonly min: number
  /** undefined: the default. */
  readonly max: number | undefined
  readonly pattern: RegExp | undefined
}

/** A text. `text.min(1).max(20).pattern(/^[a-z]+$/)` are its limits, in characters. */
export class TextSchema extends Schema<string> {
  readonly #limits: TextLimits

  /** Use `text` instead. */
  constructor(limits: TextLimits) {
    checkLimits('text', limits.min, limits.max)
    super(textCheck(limits))
    this.#limits = limits
  }

  /** The text must have at least this many characters. Throws InvalidArgumentError. */
  min(count: number): TextSchema {
    return new TextSchema({ ...this.#limits, min: checkLimit('text.min: count', count, true) })
  }

  /**
   * The text may have at most this many characters.
   * @default 65 536
   */
  max(count: number): TextSchema {
    return new TextSchema({ ...this.#limits, max: checkLimit('text.max: count', count, true) })
  }

  /** The text must match. Anchor it (`/^…$/`) if the whole text must. */
  pattern(pattern: RegExp): TextSchema {
    if (!(pattern instanceof RegExp) || pattern.global || pattern.sticky)
      throw new InvalidArgumentError('text.pattern', 'a RegExp without g and y', pattern)
    return new TextSchema({ ...this.#limits, pattern })
  }
}

function textCheck({ min, max = LONGEST, pattern }: TextLimits): Check {
  return (value, faults) => {
    if (typeof value !== 'string') return notText(value, faults)
    if (value.length < min)
      return beyond(faults, 'any_str.min_length', 'has at least', min, ' characters')
    if (value.length > max && [...value].length > max)
      return beyond(faults, 'any_str.max_length', 'has at most', max, ' characters')
    if (pattern === undefined || pattern.test(value)) return value
    const { source } = pattern
    const msg = `string does not match regex "${source}"`
    return wrong(faults, 'value_error.str.regex', msg, { pattern: source })
  }
}

function notText(value: unknown, faults: Fault[]): unknown {
  return value === null || value === undefined
    ? isNone(faults)
    : wrong(faults, 'type_error.str', 'str type expected')
}

/** A text, of at most 65 536 characters unless `max` says otherwise. */
export const text: TextSchema = new TextSchema({ min: 0, max: undefined, pattern: undefined })

/** Which numbers are valid. */
interface NumberLimits {
  readonly isWhole: boolean
  readonly min: number
  readonly max: number
}

/** A number. `integer.min(0).max(9)` are its limits, both included. */
export class NumberSchema extends Schema<number> {
  readonly #limits: NumberLimits

  /** Use `integer` or `number` instead. */
  constructor(limits: NumberLimits) {
    checkLimits(limits.isWhole ? 'integer' : 'number', limits.min, limits.max)
    super(numberCheck(limits))
    this.#limits = limits
  }

  /** The number must be at least this. Throws InvalidArgumentError. */
  min(limit: number): NumberSchema {
    return new NumberSchema({ ...this.#limits, min: checkLimit('min: limit', limit, false) })
  }

  /** The number must be at most this. Throws InvalidArgumentError. */
  max(limit: number): NumberSchema {
    return new NumberSchema({ ...this.#limits, max: checkLimit('max: limit', limit, false) })
  }
}

function numberCheck({ isWhole, min, max }: NumberLimits): Check {
  return (value, faults) => {
    // NaN and infinite numbers have no place in JSON.
    if (typeof value !== 'number' || !(isWhole ? Number.isSafeInteger(value) : isFinite(value)))
      return notNumber(value, isWhole, faults)
    if (value < min) return beyond(faults, 'number.not_ge', 'is greater than or equal to', min)
    if (value > max) return beyond(faults, 'number.not_le', 'is less than or equal to', max)
    return value
  }
}

function notNumber(value: unknown, isWhole: boolean, faults: Fault[]): unknown {
  if (value === null || value === undefined) return isNone(faults)
  return isWhole
    ? wrong(faults, 'type_error.integer', 'value is not a valid integer')
    : wrong(faults, 'type_error.float', 'value is not a valid float')
}

/** A whole number that JavaScript holds exactly: from -(2⁵³-1) to 2⁵³-1. */
export const integer: NumberSchema = new NumberSchema({
  isWhole: true,
  min: -Infinity,
  max: Infinity,
})

/** A finite number. */
export const number: NumberSchema = new NumberSchema({
  isWhole: false,
  min: -Infinity,
  max: Infinity,
})

/** true or false. */
export const boolean: Schema<boolean> = new Schema<boolean>((value, faults) => {
  if (typeof value === 'boolean') return value
  if (value === null || value === undefined) return isNone(faults)
  return wrong(faults, 'type_error.bool', 'value could not be parsed to a boolean')
})

/**
 * One of these values.
 *
 * Throws InvalidArgumentError if there are none, or if one is not a text, a number or a boolean.
 *
 * @example
 * shape({ colour: one_of('red', 'blue') }) // data.colour: 'red' | 'blue'
 */
export function one_of<const Values extends readonly (string | number | boolean)[]>(
  ...values: Values
): Schema<Values[number]> {
  const isValid = values.every(value => ['string', 'number', 'boolean'].includes(typeof value))
  if (!isValid || values.length === 0)
    throw new InvalidArgumentError('one_of: values', 'texts, numbers or booleans', values)
  const permitted = new Set<unknown>(values)
  return new Schema<Values[number]>((value, faults) => {
    if (permitted.has(value)) return value
    if (value === null || value === undefined) return isNone(faults)
    return notPermitted(faults, value, values)
  })
}
