/**
 * Layer 9. The check of a payload, by a schema of sluice or by one of another library that has the
 * Standard Schema interface.
 *
 * A schema of another library gets only what the check of names.ts lets through.
 */

import { isPromiseLike } from '../../core/promises.ts'
import { InvalidArgumentError, messageOf } from '../../errors.ts'
import { type Check, type Fault, INVALID, wrong } from './faults.ts'
import { guard } from './names.ts'
import { CHECK, Schema } from './schema.ts'
import type { StandardIssue, StandardResult, StandardSchema } from './standard.ts'

/** Makes the check of a schema. It may return a promise if the schema is of another library. */
export function payloadCheck(schema: StandardSchema): Check {
  if (schema instanceof Schema) return schema[CHECK]
  const standard = schema['~standard']
  return (value, faults) => {
    if (guard(value, faults) === INVALID) return INVALID
    try {
      const result = standard.validate(value)
      return isPromiseLike(result) ? later(result, faults) : valueOf(result, faults)
    } catch (error) {
      return thrown(error, faults)
    }
  }
}

async function later(
  result: PromiseLike<StandardResult<unknown>>,
  faults: Fault[],
): Promise<unknown> {
  try {
    return valueOf(await result, faults)
  } catch (error) {
    return thrown(error, faults)
  }
}

/** A schema that throws has refused the value. */
function thrown(error: unknown, faults: Fault[]): typeof INVALID {
  return wrong(faults, 'value_error', messageOf(error))
}

function valueOf(result: StandardResult<unknown>, faults: Fault[]): unknown {
  if (result.issues === undefined) return result.value
  for (const issue of result.issues) {
    wrong(faults, 'value_error', String(issue.message))
    faults[faults.length - 1]?.loc.unshift(...pathOf(issue))
  }
  if (result.issues.length === 0) wrong(faults, 'value_error', 'invalid')
  return INVALID
}

function pathOf({ path = [] }: StandardIssue): (string | number)[] {
  return path.map(each => {
    const key = typeof each === 'object' ? each.key : each
    return typeof key === 'number' ? key : String(key)
  })
}

/** Throws InvalidArgumentError unless it is a schema. */
export function checkSchema(what: string, schema: unknown): void {
  const standard = (schema as StandardSchema | null | undefined)?.['~standard']
  if (typeof standard?.validate !== 'function' || standard.version !== 1)
    throw new InvalidArgumentError(
      what,
      'a schema: shape({ … }), or one of a library with the Standard Schema interface',
      schema,
    )
}
