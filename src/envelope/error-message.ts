/**
 * Layer 9. ErrorMessage: a message which says that something failed. It is an exception as well: a
 * program throws it, and the peer gets it. `error_message()` makes a class of them.
 */

import { ChannelError, InvalidArgumentError, show } from '../errors.ts'
import {
  type AnyMessageClass,
  type AnySchema,
  type DataOf,
  type InitArguments,
  IS_MESSAGE,
  Message,
  unpacked,
} from './message.ts'
import type { MessageMeta } from './meta.ts'
import { checkSchema } from './schema/payload.ts'

/**
 * A message which says that something failed, and an Error. Its `code` is made from its type: for
 * 'error.not_found' it is ERR_NOT_FOUND.
 *
 * If `run`, `on_message` or a receiver of a message's signal throws one, the peer gets it.
 */
export class ErrorMessage extends ChannelError {
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
  /** Makes an answer to a message, see `Message.from_message`. */
  static readonly from_message: typeof Message.from_message = Message.from_message

  /** @hidden */
  readonly [IS_MESSAGE] = true
  /** The payload. */
  readonly data: unknown
  /** What is known about the message and not sent. */
  readonly mm: MessageMeta
  /** The user of the connection that it came from. */
  user: unknown = undefined

  /** Takes what the constructor of a message takes. Throws ValidationError. */
  constructor(init: unknown = {}) {
    const { type_name } = new.target
    const { data, mm } = unpacked(new.target, init)
    super(codeFor(type_name), textFor(type_name, data))
    this.data = data
    this.mm = mm
  }

  /** The type: `t` on the wire. */
  get type_name(): string {
    return (this.constructor as typeof ErrorMessage).type_name
  }
}

/** The code of a type: ERR_ and its last part. */
function codeFor(type_name: string): string {
  const last = type_name.slice(type_name.lastIndexOf('.') + 1)
  return `ERR_${last.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`
}

/** The fields that are set, for people. */
function textFor(type_name: string, data: unknown): string {
  const shown = Object.entries(data ?? {})
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : show(value)}`)
  return shown.length === 0 ? type_name : `${type_name}: ${shown.join(', ')}`
}

/** A class of error messages that `error_message()` has made. */
export interface ErrorMessageClass<Name extends string, Schema extends AnySchema> {
  new (
    ...init: InitArguments<Schema>
  ): ErrorMessage & { readonly data: DataOf<Schema>; readonly type_name: Name }
  /** The type of its messages: `t` on the wire. */
  readonly type_name: Name
  /** The schema of their payload. */
  readonly schema: Schema
  /** May they be sent in batches? */
  readonly allow_batch: boolean
  /** Makes an answer to a message, see `Message.from_message`. */
  readonly from_message: typeof Message.from_message
}

/**
 * Makes a class of error messages. Throws InvalidArgumentError for an invalid name or schema.
 *
 * @example
 * class Full extends error_message('error.full', shape({ room: text })) {}
 * throw new Full({ room: 'tea' })
 */
export function error_message<const Name extends string, Schema extends AnySchema = undefined>(
  name: Name,
  schema?: Schema,
): ErrorMessageClass<Name, Schema> {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('error_message: name', "a name, such as 'error.full'", name)
  if (schema !== undefined) checkSchema(`error_message: schema of ${name}`, schema)
  return class extends ErrorMessage {
    static override readonly type_name = name
    static override readonly schema = schema
  } as unknown as ErrorMessageClass<Name, Schema>
}

/** Is it a class of error messages? */
export function isErrorClass(Class: AnyMessageClass): boolean {
  return Class?.prototype instanceof ErrorMessage
}
