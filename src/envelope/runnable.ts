/**
 * Layer 9. AsyncRunnable: a message that acts when it is received or sent. And `message()`, which
 * makes a class of messages.
 */

import { InvalidArgumentError } from '../errors.ts'
import {
  type AnyMessageClass,
  type AnySchema,
  type DataOf,
  type InitArguments,
  Message,
} from './message.ts'
import { checkSchema } from './schema/payload.ts'

/** What `run` gets: the consumer that has received or sent the message. */
export interface Run<Of = any> {
  /** The consumer. `run({ consumer }: Run<Player>)` gives it the type of a class of yours. */
  readonly consumer: Of
}

/** A message that acts: `run` is called for the signals of messages. */
export class AsyncRunnable extends Message {
  /**
   * When `run` is called. 'received': for a message that was received, from a peer or from inside
   * the program. 'always': also for one that is sent.
   * @default 'always'; 'received' in a class that `message()` makes, which both sides may share
   */
  static readonly run_when: 'received' | 'always' = 'always'

  /**
   * Acts. It must not block: work that takes long belongs into a `DeferredJob`. If it returns a
   * promise, the consumer's next message waits for it. What it throws goes to the consumer's
   * `on_error`; an error message that it throws is sent to the peer, with the trace id of this
   * message.
   *
   * Default: nothing.
   */
  run(_run: Run): unknown {
    return undefined
  }
}

/** A class of messages that `message()` has made. Extend it to give its messages methods. */
export interface MessageClass<
  Name extends string,
  Schema extends AnySchema,
  Base extends Message = AsyncRunnable,
> {
  new (
    ...init: InitArguments<Schema>
  ): Base & { readonly data: DataOf<Schema>; readonly type_name: Name }
  /** The type of its messages: `t` on the wire. */
  readonly type_name: Name
  /** The schema of their payload. */
  readonly schema: Schema
  /** May they be sent in batches? */
  readonly allow_batch: boolean
  /** When is `run` called? */
  readonly run_when: 'received' | 'always'
  /** Makes an answer to a message, see `Message.from_message`. */
  readonly from_message: typeof Message.from_message
}

function runWhen(Above: AnyMessageClass): typeof AsyncRunnable.run_when {
  return (Above as Partial<typeof AsyncRunnable>).run_when ?? 'always'
}

/**
 * Makes a class of messages: their type, and the schema of their payload. Without a schema they
 * have none. `Base` is the class that they extend: `AsyncRunnable` by default.
 *
 * Throws InvalidArgumentError if the name is empty, or the schema or the base is invalid.
 *
 * @example
 * class Move extends message('game.move', shape({ x: integer, y: integer })) {
 *   override run({ consumer }: Run<Player>) {
 *     consumer.reply(this, 'game.moved', { x: this.data.x, y: this.data.y })
 *   }
 * }
 */
export function message<
  const Name extends string,
  Schema extends AnySchema = undefined,
  Base extends AnyMessageClass = typeof AsyncRunnable,
>(name: Name, schema?: Schema, BaseClass?: Base): MessageClass<Name, Schema, InstanceType<Base>> {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('message: name', "a name, such as 'game.move'", name)
  if (schema !== undefined) checkSchema(`message: schema of ${name}`, schema)
  const Above: AnyMessageClass = BaseClass ?? AsyncRunnable
  if (typeof Above !== 'function' || !('type_name' in Above))
    throw new InvalidArgumentError('message: BaseClass', 'a class of messages', Above)
  return class extends Above {
    static override readonly type_name = name
    static override readonly schema = schema
    static readonly run_when = BaseClass === undefined ? 'received' : runWhen(Above)
  } as unknown as MessageClass<Name, Schema, InstanceType<Base>>
}
