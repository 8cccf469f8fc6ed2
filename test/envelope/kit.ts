/** What the tests of envelopes share. */

import { ValidationError } from '../../src/envelope/errors.ts'
import { type Fault, INVALID } from '../../src/envelope/schema/faults.ts'
import { CHECK, type Schema } from '../../src/envelope/schema/schema.ts'

/** What a value becomes, or its faults in short: `a.0: type`. */
export function tried(schema: Schema<any, any>, value: unknown): unknown {
  const faults: Fault[] = []
  const result = schema[CHECK](value, faults)
  return result === INVALID ? inShort(faults) : result
}

export function inShort(faults: readonly Fault[]): string[] {
  return faults.map(({ loc, type }) => `${loc.join('.')}: ${type}`)
}

/** The faults of the ValidationError that a call throws. */
export function faultsOf(call: () => unknown): readonly Fault[] {
  try {
    call()
  } catch (error) {
    if (error instanceof ValidationError) return error.errors
    throw error
  }
  return []
}
