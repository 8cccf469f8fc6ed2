/**
 * Layer 9. shape: the schema of an object with known fields. anything: that of a value of any form.
 *
 * Rules:
 * 1. Fields that the schema does not know are dropped, as the original does. Those whose names are
 *    refused (names.ts) make the value invalid.
 * 2. An object that has exactly the fields of the schema, in their order, is not copied. A peer
 *    with the same schema sends such objects.
 * 3. The result has all fields of the schema, in their order.
 */

import { InvalidArgumentError } from '../../errors.ts'
import { type Check, type Fault, inside, INVALID, wrong } from './faults.ts'
import { guard, isRefused, refuse } from './names.ts'
import { CHECK, OptionalSchema, Schema } from './schema.ts'

/** The fields of a shape. */
export type Fields = Readonly<Record<string, Schema<any, any>>>

type OutOf<Each> = Each extends Schema<infer Out, any> ? Out : never
type InOf<Each> = Each extends Schema<any, infer In> ? In : never

/** The type of a shape: what `message.data` is. */
export type ShapeOutput<Of extends Fields> = { -readonly [Name in keyof Of]: OutOf<Of[Name]> }

type Needed<Of extends Fields> = {
  [Name in keyof Of]: undefined extends InOf<Of[Name]> ? never : Name
}[keyof Of]

/** The type that a shape takes: what is sent. Optional fields may be left out. */
export type ShapeInput<Of extends Fields> = Flat<
  { readonly [Name in Needed<Of>]: InOf<Of[Name]> } & {
    readonly [Name in Exclude<keyof Of, Needed<Of>>]?: InOf<Of[Name]>
  }
>

/** Shown in an editor as one object. */
type Flat<Type> = { [Name in keyof Type]: Type[Name] }

/** The schema of an object with known fields. */
export class ShapeSchema<Of extends Fields> extends Schema<ShapeOutput<Of>, ShapeInput<Of>> {
  /** The schemas of its fields, for a shape with more of them: `shape({ ...move.fields, z })`. */
  readonly fields: Of

  /** Use `shape` instead. */
  constructor(fields: Of) {
    super(shapeCheck(fields))
    this.fields = fields
  }
}

/**
 * The schema of an object with these fields. Other fields of an object are dropped.
 *
 * Throws InvalidArgumentError if a field is not a schema of sluice, or has a name that is refused.
 *
 * @example
 * const move = shape({ x: integer, y: integer, note: optional(text) })
 */
export function shape<const Of extends Fields>(fields: Of): ShapeSchema<Of> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new InvalidArgumentError('shape: fields', 'an object of schemas', fields)
  for (const [name, field] of Object.entries(fields)) {
    if (!(field instanceof Schema))
      throw new InvalidArgumentError(`shape: ${name}`, 'a schema, such as text or integer', field)
    if (isRefused(name)) throw new InvalidArgumentError('shape: a field', 'of another name', name)
  }
  return new ShapeSchema(fields)
}

/** One field of a shape. */
interface Field {
  readonly name: string
  readonly check: Check
  readonly isNeeded: boolean
}

function shapeCheck(schemas: Fields): Check {
  const fields = Object.entries(schemas).map(([name, schema]) => ({
    name,
    check: schema[CHECK],
    isNeeded: !(schema instanceof OptionalSchema),
  }))
  return (value, faults) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return notObject(value, faults)
    const given = value as Record<string, unknown>
    return isExact(fields, given, faults) ? given : copy(fields, given, faults)
  }
}

/** Has the object these fields alone, in their order, and is each what its check returns? */
function isExact(
  fields: readonly Field[],
  given: Record<string, unknown>,
  faults: Fault[],
): boolean {
  const keys = Object.keys(given)
  if (keys.length !== fields.length) return false
  const before = faults.length
  for (let index = 0; index < keys.length; index++) {
    const { name, check } = fields[index] as Field
    if (keys[index] !== name) return false
    const each = given[name]
    if (each !== undefined && check(each, faults) === each) continue
    // `copy` finds these faults again, and those of the other fields.
    faults.length = before
    return false
  }
  return true
}

/** The fields of any object, as another one. */
function copy(fields: readonly Field[], given: Record<string, unknown>, faults: Fault[]): unknown {
  const made: Record<string, unknown> = {}
  let isValid = true
  for (const field of fields) {
    const before = faults.length
    const result = valueOf(field, given, faults)
    if (result !== INVALID) made[field.name] = result
    else {
      inside(faults, before, field.name)
      isValid = false
    }
  }
  for (const name of Object.keys(given).filter(isRefused)) {
    refuse(faults, name)
    isValid = false
  }
  return isValid ? made : INVALID
}

function valueOf(
  { name, check, isNeeded }: Field,
  given: Record<string, unknown>,
  faults: Fault[],
): unknown {
  const value = Object.hasOwn(given, name) ? given[name] : undefined
  return value === undefined && isNeeded
    ? wrong(faults, 'value_error.missing', 'field required')
    : check(value, faults)
}

function notObject(value: unknown, faults: Fault[]): unknown {
  return value === null || value === undefined
    ? wrong(faults, 'type_error.none.not_allowed', 'none is not an allowed value')
    : wrong(faults, 'type_error.dict', 'value is not a valid dict')
}

/** A value of any form that JSON has. Its depth and the number of its values are bounded. */
export const anything: Schema<unknown> = new Schema<unknown>((value, faults) =>
  value === undefined ? null : guard(value, faults),
)
