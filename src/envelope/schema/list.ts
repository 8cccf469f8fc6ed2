/**
 * Layer 9. list: the schema of an array.
 */

import { InvalidArgumentError } from '../../errors.ts'
import { beyond, type Check, checkLimit, checkLimits, inside, INVALID, wrong } from './faults.ts'
import { CHECK, Schema } from './schema.ts'

/** The most items by default. A message of 1 MiB could have more. */
const MOST = 10_000

interface ListLimits {
  readonly min: number
  /** undefined: the default. */
  readonly max: number | undefined
}

/** A list. `list(text).min(1).max(10)` are its limits. */
export class ListSchema<Out, In> extends Schema<Out[], readonly In[]> {
  readonly #item: Schema<Out, In>
  readonly #limits: ListLimits

  /** Use `list` instead. */
  constructor(item: Schema<Out, In>, limits: ListLimits) {
    checkLimits('list', limits.min, limits.max)
    super(listCheck(item[CHECK], limits))
    this.#item = item
    this.#limits = limits
  }

  /** The list must have at least this many items. Throws InvalidArgumentError. */
  min(count: number): ListSchema<Out, In> {
    const min = checkLimit('list.min: count', count, true)
    return new ListSchema(this.#item, { ...this.#limits, min })
  }

  /**
   * The list may have at most this many items.
   * @default 10 000
   */
  max(count: number): ListSchema<Out, In> {
    const max = checkLimit('list.max: count', count, true)
    return new ListSchema(this.#item, { ...this.#limits, max })
  }
}

function listCheck(item: Check, { min, max = MOST }: ListLimits): Check {
  return (value, faults) => {
    if (!Array.isArray(value)) return wrong(faults, 'type_error.list', 'value is not a valid list')
    const { length } = value
    if (length < min) return beyond(faults, 'list.min_items', 'has at least', min, ' items')
    if (length > max) return beyond(faults, 'list.max_items', 'has at most', max, ' items')
    let found: unknown[] = value
    let isValid = true
    for (let index = 0; index < length; index++) {
      const given: unknown = value[index]
      const before = faults.length
      const result = item(given, faults)
      if (result === INVALID) {
        isValid = false
        inside(faults, before, index)
      } else if (result !== given) {
        // What the program gave is not changed.
        if (found === value) found = value.slice()
        found[index] = result
      }
    }
    return isValid ? found : INVALID
  }
}

/**
 * A list of values, of at most 10 000 unless `max` says otherwise.
 *
 * Throws InvalidArgumentError if it is not a schema of sluice.
 *
 * @example
 * shape({ path: list(shape({ x: integer, y: integer })).max(100) })
 */
export function list<Out, In>(item: Schema<Out, In>): ListSchema<Out, In> {
  if (!(item instanceof Schema))
    throw new InvalidArgumentError('list: item', 'a schema, such as text or shape({ … })', item)
  return new ListSchema(item, { min: 0, max: undefined })
}
