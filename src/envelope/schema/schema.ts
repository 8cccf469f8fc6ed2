/**
 * Layer 9. Schema: the base of the schemas of sluice. A schema is compiled once, into one function
 * that checks a value (`Check`).
 *
 * Rules:
 * 1. A schema never changes. `min`, `max` and the like return another one.
 * 2. Every schema has the Standard Schema interface, so other libraries can use it.
 */

import { InvalidArgumentError } from '../../errors.ts'
import { type Check, type Fault, INVALID } from './faults.ts'
import type { StandardProps, StandardSchema } from './standard.ts'

/** The check of a schema of sluice, for other files of sluice. */
export const CHECK: unique symbol = Symbol('sluice.check')

/**
 * Says which values are valid, and what their type is. `shape`, `text`, `integer` and the others
 * make schemas; a program does not extend this class.
 */
export class Schema<Out = unknown, In = Out> implements StandardSchema<In, Out> {
  /** @hidden */
  readonly [CHECK]: Check
  /** The Standard Schema interface. */
  readonly '~standard': StandardProps<In, Out>

  /** Throws nothing. Use `shape`, `text` and the others instead. */
  constructor(check: Check) {
    this[CHECK] = check
    this['~standard'] = {
      version: 1,
      vendor: 'sluice',
      validate(value) {
        const faults: Fault[] = []
        const result = check(value, faults)
        if (result !== INVALID) return { value: result as Out }
        return { issues: faults.map(({ msg, loc }) => ({ message: msg, path: loc })) }
      },
    }
  }
}

/** A schema whose field may be left out. */
export class OptionalSchema<Out, In> extends Schema<Out, In | null | undefined> {
  /** What a field that is left out becomes. */
  readonly fallback: Out

  /** Throws nothing. Use `optional` instead. */
  constructor(check: Check, fallback: Out) {
    // One message must not change the fallback of the next one.
    const fall = typeof fallback === 'object' ? () => structuredClone(fallback) : () => fallback
    super((value, faults) =>
      value === undefined || value === null ? fall() : check(value, faults),
    )
    this.fallback = fallback
  }
}

/**
 * A field that may be left out, or be null. In both cases `message.data` has null.
 *
 * @example
 * shape({ x: integer, note: optional(text) })
 */
export function optional<Out, In>(schema: Schema<Out, In>): OptionalSchema<Out | null, In>
/** A field that may be left out, or be null. `message.data` has the fallback then. */
export function optional<Out, In>(schema: Schema<Out, In>, fallback: Out): OptionalSchema<Out, In>
export function optional(
  schema: Schema,
  fallback: unknown = null,
): OptionalSchema<unknown, unknown> {
  if (!(schema instanceof Schema))
    throw new InvalidArgumentError('optional: schema', 'a schema, such as text or integer', schema)
  const faults: Fault[] = []
  if (fallback !== null && schema[CHECK](fallback, faults) === INVALID)
    throw new InvalidArgumentError('optional: fallback', 'valid in the schema', fallback)
  return new OptionalSchema(schema[CHECK], fallback)
}
