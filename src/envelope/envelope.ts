/**
 * Layer 9. Envelope: the messages of one direction of one channel. It says which there are, packs
 * them, and unpacks them.
 *
 * The way of a message in: parse (text → keys) → unpack (keys → message).
 * The way of a message out: pack (message → keys).
 *
 * Rules:
 * 1. A message that is not registered or not valid never comes into being: the call throws.
 * 2. What is known about the origin of a message (`mm`) is never sent, apart from the trace id, the
 *    state and the language.
 */

import {
  anyValue,
  checkBoolean,
  checkName,
  type Checks,
  checkText,
  having,
  instanceOf,
  listOf,
} from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'
import { isPromiseLike } from '../core/promises.ts'
import { InvalidArgumentError } from '../errors.ts'
import { Batch } from './builtin/batch.ts'
import { MessageTypeError } from './builtin/common-errors.ts'
import { type EnvelopeData, EnvelopeSchema, full_schema } from './envelope-schema.ts'
import type { EnvelopeTransport } from './envelope-transports.ts'
import { ValidationError } from './errors.ts'
import { type AnyMessageClass, checkOf, type Message, Unpacked } from './message.ts'
import { type ClassOf, MessageRegistry } from './message-registry.ts'
import { MessageMeta, type MetaFields } from './meta.ts'
import { type Fault, INVALID } from './schema/faults.ts'
import { jsonFault } from './schema/json-fault.ts'
import { Signal } from './signals/signal.ts'

/** Options of `new Envelope`. */
export interface EnvelopeOptions<Messages extends readonly AnyMessageClass[]> {
  /** The name. It should say what the messages are and which way they go: 'game_incoming'. */
  readonly name: string
  /**
   * The classes of its messages.
   * @default none: add them to its `registry`
   */
  readonly messages?: Messages | undefined
  /**
   * The keys of its messages.
   * @default full_schema: all keys there are
   */
  readonly schema?: EnvelopeSchema | undefined
  /**
   * How messages reach a consumer from outside, see `websocket_send`.
   * @default none: they cannot be sent from outside
   */
  readonly transport?: EnvelopeTransport | undefined
  /**
   * May three or more equal messages be merged into a batch?
   * @default false
   */
  readonly allow_batch?: boolean | undefined
  /**
   * The signal that is sent for its messages.
   * @default the consumer chooses: incoming_websocket_message or outgoing_websocket_message
   */
  readonly message_signal?: Signal<any> | undefined
  /**
   * The name of its log.
   * @default `envelope.NAME.event`
   */
  readonly logger_name?: string | undefined
  /**
   * The name of the layer that its messages travel through from outside.
   * @default 'default'
   */
  readonly layer_name?: string | undefined
}

const CHECKS: Checks<EnvelopeOptions<[]>> = {
  name: checkName,
  messages: listOf(anyValue, 'classes'),
  schema: instanceOf(EnvelopeSchema),
  transport: having<EnvelopeTransport>('wrap', 'a transport, such as a TextTransport'),
  allow_batch: checkBoolean,
  message_signal: instanceOf(Signal),
  logger_name: checkName,
  layer_name: checkName,
}

/** Where a message comes from: what `unpack` needs to know of a consumer. */
export interface Origin {
  /** The name under which the consumer is reached. */
  readonly channel_name: string
  /** The key of its user. */
  readonly user_pk: string | number | null
  /** Its language. */
  readonly language: string | null
  /** Its user. */
  readonly user: unknown
}

/** The types of an envelope's messages. */
export type NameOf<Of> = Of extends Envelope<infer Messages> ? Messages[number]['type_name'] : never

/** The classes of an envelope's messages with that type. */
export type ClassIn<Of, Name> =
  Of extends Envelope<infer Messages> ? ClassOf<Messages, Name> : never

/** The messages of an envelope; with a name, those of that type. */
export type MessageOf<Of, Name = unknown> =
  Of extends Envelope<infer Messages>
    ? InstanceType<unknown extends Name ? Messages[number] : ClassOf<Messages, Name>>
    : never

/**
 * The messages of one direction of one channel.
 *
 * @example
 * const to_client = new Envelope({ name: 'game_outgoing', messages: [Moved, Ended] })
 */
export class Envelope<
  const Messages extends readonly AnyMessageClass[] = readonly AnyMessageClass[],
> {
  /** The name. */
  readonly name: string
  /** The keys of its messages. */
  readonly schema: EnvelopeSchema
  /** The classes of its messages, by type. More may be added at any time. */
  readonly registry: MessageRegistry
  /** How its messages reach a consumer from outside; undefined: they cannot. */
  readonly transport: EnvelopeTransport | undefined
  /** May equal messages be merged into a batch? */
  readonly allow_batch: boolean
  /** The signal that is sent for its messages; undefined: the consumer chooses. */
  readonly message_signal: Signal<any> | undefined
  /** The name of its log. */
  readonly logger_name: string
  /** The name of the layer that its messages travel through. */
  readonly layer_name: string
  /** For types only: the classes given. */
  declare readonly messages?: Messages

  /** Throws InvalidArgumentError for an invalid option. */
  constructor(options: EnvelopeOptions<Messages>) {
    checkOptions('new Envelope', options, CHECKS, ['name'])
    const { name, messages = [], schema = full_schema, transport, message_signal } = options
    this.name = name
    this.schema = schema
    this.registry = new MessageRegistry(name).add(...messages)
    this.transport = transport
    this.allow_batch = options.allow_batch ?? false
    if (this.allow_batch) this.registry.add(Batch)
    this.message_signal = message_signal
    this.logger_name = options.logger_name ?? `envelope.${name}.event`
    this.layer_name = options.layer_name ?? 'default'
  }

  /**
   * Reads a text: JSON with the keys of the envelope. Throws ValidationError (ERR_VALIDATION) if it
   * is not JSON, or a key is invalid.
   */
  parse(text: string): EnvelopeData {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      throw new ValidationError(this.name, [jsonFault(checkText('parse: text', text))])
    }
    return this.schema.check(value)
  }

  /**
   * Makes a message of the keys. `consumer` is where the message comes from. If there is none, `mm`
   * may be what is known about the message.
   *
   * Throws MessageTypeError (ERR_MSG_TYPE), with the same trace id, if its type is not registered,
   * and ValidationError (ERR_VALIDATION) if its payload is invalid. Throws InvalidArgumentError if
   * both options are given. If the schema of the payload is asynchronous, `unpack` returns a
   * promise, which rejects if the payload is invalid.
   */
  unpack(
    data: EnvelopeData,
    from: { readonly mm?: MetaFields; readonly consumer?: Origin } = {},
  ): MessageOf<this> | Promise<MessageOf<this>> {
    if (typeof data !== 'object' || data === null)
      throw new InvalidArgumentError('unpack: data', 'the keys of a message', data)
    const { mm, consumer } = from ?? {}
    if (mm !== undefined && consumer !== undefined)
      throw new InvalidArgumentError("Can't specify both mm and consumer")
    const meta = mm === undefined ? this.#metaOf(data, consumer) : this.#known(mm)
    return this.#make(data, meta, consumer) as MessageOf<this> | Promise<MessageOf<this>>
  }

  #metaOf({ i, s = null, l = null }: EnvelopeData, consumer: Origin | undefined): MessageMeta {
    return consumer === undefined
      ? new MessageMeta(i ?? null, null, null, l, s, this.name)
      : new MessageMeta(
          i ?? null,
          consumer.user_pk,
          consumer.channel_name,
          l ?? consumer.language,
          s,
          this.name,
        )
  }

  #known(fields: MetaFields): MessageMeta {
    return MessageMeta.of({ ...fields, env: this.name })
  }

  #make(data: EnvelopeData, mm: MessageMeta, consumer: Origin | undefined): unknown {
    const { t, p = null } = data
    const Class = this.registry.get(t)
    if (Class === undefined) throw new MessageTypeError({ type_name: t, envelope: this.name, mm })
    const check = checkOf(Class)
    if (check === undefined) return made(Class, null, mm, consumer)
    const faults: Fault[] = []
    const payload = check(p ?? {}, faults)
    const done = (value: unknown): Message => {
      if (value === INVALID) throw new ValidationError(t, faults)
      return made(Class, value, mm, consumer)
    }
    return isPromiseLike(payload) ? Promise.resolve(payload).then(done) : done(payload)
  }

  /**
   * The keys of a message, in the order of the wire. What is absent is null. Throws ValidationError
   * if its trace id, its state or its language is too long, InvalidArgumentError if it is not a
   * message.
   */
  pack(message: Message): EnvelopeData {
    if (!(message?.mm instanceof MessageMeta))
      throw new InvalidArgumentError('pack: message', 'a message', message)
    return this.schema.make(message.type_name, message.data, message.mm)
  }
}

function made(
  Class: AnyMessageClass,
  data: unknown,
  mm: MessageMeta,
  consumer: Origin | undefined,
): Message {
  const message = new Class(new Unpacked(data, mm))
  if (consumer !== undefined) message.user = consumer.user
  return message
}
