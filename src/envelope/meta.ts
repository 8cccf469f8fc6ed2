/**
 * Layer 9. MessageMeta: what is known about a message besides its payload: where it came from, and
 * what it is an answer to. And the states of answers.
 */

import { anyValue, type Check, type Checks, checkText } from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'

/** The states of an answer. Any other short text is allowed, too. */
export const MessageStates = {
  /** The message was received and is valid. */
  ACKNOWLEDGED: 'a',
  /** It waits in a queue. */
  QUEUED: 'q',
  /** It is being worked on. This may be sent several times, as progress. */
  RUNNING: 'r',
  /** It was done. */
  SUCCESS: 's',
  /** It failed. */
  FAILED: 'f',
} as const

/** The state of an answer: one of `MessageStates`, or another text of up to 6 characters. */
export type MessageState = 'a' | 'q' | 'r' | 's' | 'f' | (string & {})

/** The fields of MessageMeta. One that is left out is null. */
export type MetaFields = { readonly [Name in keyof MessageMeta]?: MessageMeta[Name] | undefined }

const checkMaybeText: Check = (name, value) => value === null || checkText(name, value)

const CHECKS: Checks<Omit<MessageMeta, 'with'>> = {
  id: checkMaybeText,
  user_pk: anyValue,
  consumer_name: checkMaybeText,
  language: checkMaybeText,
  state: checkMaybeText,
  env: checkMaybeText,
}

/**
 * What is known about a message besides its payload. It is not sent, apart from `id`, `state` and
 * `language` if the envelope has such a key.
 */
export class MessageMeta {
  /** The trace id. Messages that this one causes have the same id. */
  readonly id: string | null
  /** The key of the user of the connection that it came from. */
  readonly user_pk: string | number | null
  /** The `channel_name` of the consumer that it came from, or goes to. */
  readonly consumer_name: string | null
  /** The language of its sender. */
  readonly language: string | null
  /** The state of an answer. */
  readonly state: MessageState | null
  /** The name of the envelope that it was unpacked from. */
  readonly env: string | null

  /** Use `MessageMeta.of(fields)`. */
  constructor(
    id: string | null,
    user_pk: string | number | null,
    consumer_name: string | null,
    language: string | null,
    state: MessageState | null,
    env: string | null,
  ) {
    this.id = id
    this.user_pk = user_pk
    this.consumer_name = consumer_name
    this.language = language
    this.state = state
    this.env = env
  }

  /** The meta with these fields. Throws InvalidArgumentError for a field that does not exist. */
  static of(fields: MetaFields | MessageMeta): MessageMeta {
    if (fields instanceof MessageMeta) return fields
    checkOptions('mm', fields, CHECKS)
    const { id, user_pk, consumer_name, language, state, env } = fields
    return new MessageMeta(
      id ?? null,
      user_pk ?? null,
      consumer_name ?? null,
      language ?? null,
      state ?? null,
      env ?? null,
    )
  }

  /** The same with another trace id and state. */
  with(id: string | null, state: MessageState | null): MessageMeta {
    const { user_pk, consumer_name, language, env } = this
    return new MessageMeta(id, user_pk, consumer_name, language, state, env)
  }
}

/** The meta of a message that nothing is known about. */
export const NO_META: MessageMeta = new MessageMeta(null, null, null, null, null, null)
