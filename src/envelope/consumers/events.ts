/**
 * Layer 9. What a consumer does with the events of other parts of the program.
 *
 * | event | what is done |
 * |---|---|
 * | `websocket.send` | the signal, if it has receivers; then its text is sent as it is |
 * | `ws.error.send` | as an error that the consumer itself sends |
 * | `internal.msg` | the signal; nothing is sent |
 */

import { onRejection } from '../../core/promises.ts'
import { checkEvent, type LayerEvent } from '../envelope-transports.ts'
import type { ErrorMessage } from '../error-message.ts'
import type { Message } from '../message.ts'
import {
  incoming_internal_message,
  outgoing_websocket_message,
} from '../signals/message-signals.ts'
import { LINK, type ConsumerLink, type Linked } from './consumer-link.ts'
import type { Receiving } from './receiving.ts'

interface Target extends Linked {
  readonly [LINK]: ConsumerLink
  last_sent: number
}

/** Acts on an event. Errors go to on_error. */
export function receiveEvent(consumer: Target, receiving: Receiving, event: LayerEvent): void {
  try {
    checkEvent('receive_event: event', event)
    if (event.type === 'websocket.send') forward(consumer, event)
    else if (event.type === 'ws.error.send') consumer.send_error(errorOf(consumer, event))
    else if (event.type === 'internal.msg') tell(consumer, receiving, event)
  } catch (error) {
    consumer[LINK].tell(error)
  }
}

function errorOf({ errors }: Target, event: LayerEvent): ErrorMessage {
  const mm = { id: event.i ?? null, state: 'f' }
  return errors.unpack(errors.schema.check(event), { mm }) as ErrorMessage
}

function tell(consumer: Target, receiving: Receiving, event: LayerEvent): void {
  const { internal } = consumer
  const { message_signal = incoming_internal_message } = internal
  const message = internal.unpack(internal.schema.check(event), { consumer }) as Message
  receiving.inTurn(() => receiving.dispatch(message_signal, message, true))
}

function forward(consumer: Target, { t, text_data = '' }: LayerEvent): void {
  const { outgoing } = consumer
  const { message_signal = outgoing_websocket_message, registry } = outgoing
  const Class = registry.get(t)
  if (Class !== undefined && message_signal.has_listeners(Class)) {
    const message = outgoing.unpack(outgoing.parse(text_data), { consumer }) as Message
    const told = message_signal.notify(Class, { message, consumer })
    onRejection(told, consumer[LINK].tell)
  }
  if (consumer[LINK].send(text_data)) consumer.last_sent = Date.now()
}
