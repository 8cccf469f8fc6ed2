/**
 * Layer 9. Sending from outside a connection: from any part of a program, in any process, to a
 * consumer or a group.
 *
 * Is it registered? → its envelope's transport → the transaction, if there is one → the layer.
 */

import { checkBoolean, checkName, type Checks, checkText, instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { Envelope, type MessageOf } from '../envelope.ts'
import { errors, internal, ws_outgoing } from '../envelope-table.ts'
import type { LayerEvent } from '../envelope-transports.ts'
import { ErrorMessage } from '../error-message.ts'
import { get_layer } from '../layers/layer-table.ts'
import { type AnyMessageClass, Message, Unpacked } from '../message.ts'
import type { MessageState } from '../meta.ts'
import { ADD, currentTransaction, type Outbound } from './transaction.ts'

/** Where a message goes, and when. */
export interface OutsideOptions<Of extends Envelope<any> = Envelope> {
  /**
   * The name of a consumer, or of a group.
   * @default the consumer that the message came from, or answers: its `mm.consumer_name`
   */
  readonly channel_name?: string | undefined
  /**
   * Is it the name of a group?
   * @default false
   */
  readonly group?: boolean | undefined
  /**
   * The state of an answer.
   * @default that of the message
   */
  readonly state?: MessageState | undefined
  /**
   * Does it wait for the transaction, if there is one? See `transactions_from`.
   * @default true
   */
  readonly on_commit?: boolean | undefined
  /**
   * The envelope. Its messages are those that may be sent.
   * @default ws_outgoing; of internal_send: internal
   */
  readonly envelope?: Of | undefined
}

const CHECKS: Checks<OutsideOptions> = {
  channel_name: checkName,
  group: checkBoolean,
  state: checkText,
  on_commit: checkBoolean,
  envelope: instanceOf(Envelope),
}

/**
 * Sends a message to the peer of a consumer, or to the peers of a group. Returns false if it was
 * dropped because the server of the relay is away. A message that waits for a transaction counts as
 * sent.
 *
 * Throws InvalidArgumentError if it is not registered in the envelope, if the envelope has no
 * transport, or if it is not known where to send it; ValidationError if its trace id or its state
 * is too long.
 */
export function websocket_send<Of extends Envelope<any> = Envelope>(
  message: MessageOf<Of>,
  options: OutsideOptions<Of> = {},
): boolean {
  return send('websocket_send', ws_outgoing, message, options)
}

/**
 * Sends a message to a consumer itself, or to the consumers of a group. Nothing is sent to their
 * peers. Otherwise as `websocket_send`.
 */
export function internal_send<Of extends Envelope<any> = Envelope>(
  message: MessageOf<Of>,
  options: OutsideOptions<Of> = {},
): boolean {
  return send('internal_send', internal, message, options)
}

/** Sends an error message. It never waits for a transaction. Otherwise as `websocket_send`. */
export function websocket_send_error(
  error: ErrorMessage,
  options: Omit<OutsideOptions<Envelope<any>>, 'on_commit' | 'state'> = {},
): boolean {
  instanceOf(ErrorMessage)('websocket_send_error', error)
  const whole = { ...options, on_commit: false, state: 'f' }
  return send('websocket_send_error', errors, error as never, whole)
}

function send(
  call: string,
  fallback: Envelope<any>,
  given: Message,
  options: OutsideOptions<any>,
): boolean {
  checkOptions(call, options, CHECKS)
  instanceOf(Message)(call, given)
  const { envelope = fallback } = options
  const { transport, registry, name } = envelope
  registry.find(given.type_name)
  if (transport === undefined)
    throw new InvalidArgumentError(`${call}: ${name}`, 'an envelope with a transport', undefined)
  const message = withState(given, options.state)
  const outbound = outboundOf(call, envelope, message, transport.wrap(envelope, message), options)
  const transaction = options.on_commit === false ? undefined : currentTransaction()
  if (transaction === undefined) return outbound.send(outbound.event)
  transaction[ADD](outbound)
  return true
}

function withState(message: Message, state: MessageState | undefined): Message {
  if (state === undefined || state === message.mm.state) return message
  const Class = message.constructor as AnyMessageClass
  return new Class(new Unpacked(message.data, message.mm.with(message.mm.id, state)))
}

function outboundOf(
  call: string,
  envelope: Envelope<any>,
  message: Message,
  event: LayerEvent,
  { channel_name, group = false }: OutsideOptions<any>,
): Outbound {
  const name = channel_name ?? (group ? null : message.mm.consumer_name)
  if (name === null)
    throw new InvalidArgumentError(
      `${call}: channel_name`,
      group ? 'the name of a group' : 'given, if the message came from no consumer',
      channel_name,
    )
  const layer = get_layer(envelope.layer_name)
  const sends = (each: LayerEvent): boolean =>
    group ? layer.group_send(name, each) : layer.send(name, each)
  return { envelope, message, event, channel_name: name, isGroup: group, send: sends }
}
