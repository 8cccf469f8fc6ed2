/**
 * Layer 9. Sending: the way of a message out, of one consumer.
 *
 * Is it registered? → the signal → pack → the channel.
 *
 * Rules:
 * 1. A message that is not registered throws at the call: the peer would not know it.
 * 2. Messages go out in the order of the calls, even if a receiver of a signal returns a promise.
 */

import { type Checks, checkText } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { isPromiseLike } from '../../core/promises.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Envelope } from '../envelope.ts'
import { ErrorMessage } from '../error-message.ts'
import { type AnyMessageClass, checked, Message, Unpacked } from '../message.ts'
import type { MessageMeta } from '../meta.ts'
import {
  type MessageArguments,
  outgoing_websocket_error,
  outgoing_websocket_message,
} from '../signals/message-signals.ts'
import type { Signal } from '../signals/signal.ts'
import { LINK, type ConsumerLink } from './consumer-link.ts'
import type { SendOptions } from './sending-types.ts'
import { wallTime } from './wall-clock.ts'

/** The part of a consumer that is used here. */
export interface Sender {
  readonly outgoing: Envelope<any>
  readonly errors: Envelope<any>
  readonly [LINK]: ConsumerLink
  last_sent: number
}

const NO_OPTIONS: SendOptions = {}

const CHECKS: Checks<SendOptions> = { state: checkText, id: checkText }
const ERROR_CHECKS: Checks<Pick<SendOptions, 'id'>> = { id: checkText }

/** Checks what a program has given. Most messages have no options, and cost no check. */
export function checkSendOptions(call: string, options: SendOptions | undefined): void {
  if (options !== undefined) checkOptions(call, options, CHECKS)
}

export class Sending {
  readonly #consumer: Sender
  /** Set while receivers of a signal work on messages that are to be sent. */
  #turn: Promise<void> | undefined

  constructor(consumer: Sender) {
    this.#consumer = consumer
  }

  /** The message that a call means. `given` is the message, or its type. */
  message(
    given: unknown,
    data: unknown,
    mm: MessageMeta,
    { id, state }: SendOptions = NO_OPTIONS,
  ): Message {
    const { registry } = this.#consumer.outgoing
    if (typeof given === 'string') {
      const Class = registry.find(given)
      const meta = mm.with(id ?? mm.id, state ?? null)
      return new Class(new Unpacked(checked(Class, data ?? {}), meta))
    }
    if (!(given instanceof Message))
      throw new InvalidArgumentError('send: message', 'a message, or the type of one', given)
    registry.find(given.type_name)
    if (data !== undefined)
      throw new InvalidArgumentError('send: data', 'left out, as the message has its own', data)
    if (id === undefined && state === undefined) return given
    const Class = given.constructor as AnyMessageClass
    const meta = given.mm.with(id ?? given.mm.id, state ?? given.mm.state)
    return new Class(new Unpacked(given.data, meta))
  }

  /** The error message that is sent: with the trace id, if it has none. */
  error(error: ErrorMessage, options: Pick<SendOptions, 'id'>): Message {
    if (!(error instanceof ErrorMessage))
      throw new InvalidArgumentError('send_error', 'an error message', error)
    checkOptions('send_error', options, ERROR_CHECKS)
    const { id } = options
    const Class = error.constructor as typeof ErrorMessage
    const { errors, outgoing } = this.#consumer
    if (!outgoing.registry.has(Class.type_name)) errors.registry.find(Class.type_name)
    const isWhole = error.mm.id !== null || id === undefined
    const whole = isWhole ? error : new Class(new Unpacked(error.data, error.mm.with(id, 'f')))
    return whole as unknown as Message
  }

  /** Returns false, and sends nothing, if the consumer is not connected. */
  send(message: Message): boolean {
    const { outgoing } = this.#consumer
    const { message_signal = outgoing_websocket_message } = outgoing
    return this.#emit(message_signal, message, outgoing)
  }

  /** The same for an error message. */
  sendError(message: Message): boolean {
    const { errors } = this.#consumer
    const { message_signal = outgoing_websocket_error } = errors
    return this.#emit(message_signal, message, errors)
  }

  /** First sends the signal. Then the message goes out, after those that were sent before. */
  #emit(signal: Signal<MessageArguments>, message: Message, envelope: Envelope<any>): boolean {
    const consumer = this.#consumer
    if (!consumer[LINK].isConnected) return false
    const sender = message.constructor
    const told = signal.has_listeners(sender)
      ? signal.notify(sender, { message, consumer })
      : undefined
    if (this.#turn === undefined && !isPromiseLike(told)) return this.#write(message, envelope)
    const turn = (this.#turn = Promise.all([told, this.#turn])
      .then(() => void this.#write(message, envelope))
      .catch(consumer[LINK].tell)
      .then(() => {
        if (this.#turn === turn) this.#turn = undefined
      }))
    return true
  }

  #write(message: Message, envelope: Envelope<any>): boolean {
    const consumer = this.#consumer
    const link = consumer[LINK]
    if (!link.isConnected) return false
    try {
      const isSent = link.send(JSON.stringify(envelope.pack(message)))
      if (isSent) consumer.last_sent = wallTime()
      return isSent
    } catch (error) {
      link.tell(error)
      return false
    }
  }
}
