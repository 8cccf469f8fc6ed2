/**
 * Layer 9. Message: one message as an object, with its payload, its origin and methods. `message()`
 * (runnable.ts) makes a class of messages from a name and a schema.
 *
 * Rules:
 * 1. A message that exists is valid: its payload has been checked, here or by an envelope.
 * 2. What an envelope has checked is not checked twice: it gives an `Unpacked`.
 * 3. The types come from the schema: `data` has its type without a cast.
 */

import { isPromiseLike } from '../core/promises.ts'
import { InvalidArgumentError, UnsupportedOptionError } from '../errors.ts'
import { ValidationError } from './errors.ts'
import { MessageMeta, type MessageState, type MetaFields, NO_META } from './meta.ts'
import { type Check, type Fault, INVALID } from './schema/faults.ts'
import { payloadCheck } from './schema/payload.ts'
import type { Input, Output, StandardSchema } from './schema/standard.ts'

/** A payload that has been checked already, with its meta. For other files of sluice. */
export class Unpacked {
  readonly data: unknown
  readonly mm: MessageMeta

  constructor(data: unknown, mm: MessageMeta) {
    this.data = data
    this.mm = mm
  }
}

/** The schema of a class of messages; undefined: its messages have no payload. */
export type AnySchema = StandardSchema<any, any> | undefined

/** Any class of messages. */
export interface AnyMessageClass {
  new (...init: any[]): Message
  /** The type of its messages: `t` on the wire. */
  readonly type_name: string
  /** The schema of their payload. */
  readonly schema: AnySchema
  /** May they be sent in batches? */
  readonly allow_batch: boolean
}

/** The payload of a message of that class. */
export type DataOf<Schema extends AnySchema> =
  Schema extends StandardSchema<any, any> ? Output<Schema> : null

/** The payload that is given to make a message of that class. */
export type InputOf<Schema extends AnySchema> =
  Schema extends StandardSchema<any, any> ? Input<Schema> : null | undefined

/** What the constructor of a message takes: its fields, or `data` with all of them, and `mm`. */
export type MessageInit<In> =
  { readonly data: In; readonly mm?: MetaFields } | (In & { readonly mm?: MetaFields })

/** The arguments of a constructor: none are needed if no field is. */
export type InitArguments<Schema extends AnySchema> =
  Schema extends StandardSchema<any, any>
    ? {} extends Input<Schema>
      ? [init?: MessageInit<Input<Schema>>]
      : [init: MessageInit<Input<Schema>>]
    : [init?: { readonly data?: null; readonly mm?: MetaFields }]

/** The init of `from_message`: that of the constructor, and a state. */
type Answer<Class> = Class extends { new (...args: infer Args): any; readonly schema: AnySchema }
  ? Args extends [init?: infer Init]
    ? [init?: Init & { readonly state?: MessageState | null }]
    : Args extends [init: infer Init, ...more: any[]]
      ? [init: Init & { readonly state?: MessageState | null }]
      : never
  : never

/** Checks the payload of each class; made when it is first needed. */
const checks = new WeakMap<object, Check>()

/** The check of the payload of a class; undefined if its messages have none. */
export function checkOf(Class: AnyMessageClass): Check | undefined {
  const known = checks.get(Class)
  if (known !== undefined) return known
  const { schema } = Class
  if (schema === undefined) return undefined
  const check = payloadCheck(schema)
  checks.set(Class, check)
  return check
}

/**
 * One message: a payload, and what is known about it. A program makes classes of messages with
 * `message(name, schema)`.
 *
 * `new Move({ x: 1, y: 2 })` checks the payload. Throws ValidationError (ERR_VALIDATION) if it is
 * invalid.
 */
export class Message {
  /** The type of its messages: `t` on the wire. */
  static readonly type_name: string = ''
  /**
   * The schema of their payload.
   * @default undefined: they have none
   */
  static readonly schema: AnySchema = undefined
  /**
   * May they be sent in batches?
   * @default true
   */
  static readonly allow_batch: boolean = true

  /** The payload. null if its class has no schema. */
  readonly data: unknown
  /** What is known about the message and not sent. */
  readonly mm: MessageMeta
  /** The user of the connection that it came from: `consumer.user` at that moment. */
  user: unknown = undefined

  /**
   * `data` is the payload. Other fields are added to it, and win. If the class has no schema, the
   * payload is null, whatever is given.
   */
  constructor(init: unknown = {}) {
    const { data, mm } = unpacked(new.target, init)
    this.data = data
    this.mm = mm
  }

  /** An error message is a message, too, although its class extends Error. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    if (Object.prototype.isPrototypeOf.call(this.prototype, value)) return true
    return this === Message && IS_MESSAGE in value
  }

  /** The type: `t` on the wire. */
  get type_name(): string {
    return (this.constructor as AnyMessageClass).type_name
  }

  /**
   * Makes an answer to a message, with the same trace id, user, consumer and language. `state` is
   * the state of the answer; by default it has none.
   */
  static from_message<Class extends AnyMessageClass>(
    this: Class,
    message: Message,
    ...args: Answer<Class>
  ): InstanceType<Class> {
    return answer(this, message, args[0]) as InstanceType<Class>
  }
}

/** The mark of messages that extend another class. */
export const IS_MESSAGE: unique symbol = Symbol('sluice.message')

/** Checks what a constructor got. Throws ValidationError. */
export function unpacked(Class: unknown, init: unknown): Unpacked {
  if (init instanceof Unpacked) return init
  const MessageClass = Class as AnyMessageClass
  if (typeof init !== 'object' || init === null || Array.isArray(init))
    throw new InvalidArgumentError(`new ${nameOf(MessageClass)}: init`, 'an object', init)
  const { mm, data, ...fields } = init as Record<string, unknown>
  const meta = mm === undefined || mm === null ? NO_META : MessageMeta.of(mm)
  const whole =
    Object.keys(fields).length === 0 ? (data ?? {}) : { ...(data as object | undefined), ...fields }
  return new Unpacked(checked(MessageClass, whole), meta)
}

/** The payload, checked at once. Throws ValidationError. */
export function checked(Class: AnyMessageClass, data: unknown): unknown {
  const check = checkOf(Class)
  if (check === undefined) return null
  const faults: Fault[] = []
  const result = check(data, faults)
  if (isPromiseLike(result)) {
    Promise.resolve(result).catch(() => {})
    throw new UnsupportedOptionError(
      `a schema that validates later (${nameOf(Class)})`,
      'a message that was received; what is sent is validated at once',
    )
  }
  if (result === INVALID) throw new ValidationError(nameOf(Class), faults)
  return result
}

function nameOf(Class: AnyMessageClass): string {
  return Class.type_name || 'Message'
}

/** An answer to a message, see `Message.from_message`. */
export function answer(Class: AnyMessageClass, to: Message, init: unknown = {}): Message {
  if (!(to instanceof Message)) throw new InvalidArgumentError('from_message', 'a message', to)
  if (typeof init !== 'object' || init === null)
    throw new InvalidArgumentError('from_message: init', 'an object', init)
  const { state = null, ...rest } = init as { state?: MessageState | null }
  const made = new Class({ ...rest, mm: to.mm.with(to.mm.id, state) })
  made.user = to.user
  return made
}
