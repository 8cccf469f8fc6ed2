/**
 * Layer 9. The types of `send`, `reply` and `request`. What may be sent follows from the outgoing
 * envelope of the consumer, and the type of an answer from the incoming one.
 */

import type { ClassIn } from '../envelope.ts'
import type { AnyMessageClass, InputOf } from '../message.ts'
import type { MessageState } from '../meta.ts'

/** Options of `send`. */
export interface SendOptions {
  /**
   * The state of an answer.
   * @default none; of `reply`, 's'
   */
  readonly state?: MessageState | undefined
  /**
   * The trace id, at most 20 characters.
   * @default none; of `reply`, that of the message
   */
  readonly id?: string | undefined
}

type PayloadOf<Class> = Class extends AnyMessageClass ? InputOf<Class['schema']> : never

/** What follows the name: the payload, which may be left out if no field is needed; options. */
export type Sending<Class, Options> = [Class] extends [never]
  ? [data: never, options?: Options]
  : null extends PayloadOf<Class>
    ? [data?: PayloadOf<Class>, options?: Options]
    : {} extends PayloadOf<Class>
      ? [data?: PayloadOf<Class>, options?: Options]
      : [data: PayloadOf<Class>, options?: Options]

/** What follows the name of a message of that envelope. */
export type SendingIn<Of, Name, Options = SendOptions> = Sending<ClassIn<Of, Name>, Options>
