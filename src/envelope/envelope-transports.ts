/**
 * Layer 9. The transports of envelopes: how a message travels from any part of a program to a
 * consumer, as an event with a `type` that the consumer acts on.
 */

import { checkName } from '../core/checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { EnvelopeData } from './envelope-schema.ts'
import type { Message } from './message.ts'

/** What a consumer gets from another part of the program, see `consumer.receive_event`. */
export interface LayerEvent {
  /** What it is about: 'websocket.send', 'ws.error.send' or 'internal.msg'. */
  readonly type: string
  /** The packed message, as JSON. */
  readonly text_data?: string
  /** The type of the message. */
  readonly t: string
  /** Its payload. */
  readonly p?: EnvelopeData['p']
  /** Its trace id. */
  readonly i?: string | null
  /** Its state. */
  readonly s?: string | null
  /** Its language. */
  readonly l?: string | null
}

/** Throws InvalidArgumentError unless it is an event. */
export function checkEvent(what: string, event: unknown): void {
  if (typeof (event as LayerEvent | null | undefined)?.type !== 'string')
    throw new InvalidArgumentError(what, 'an event, an object with a `type`', event)
}

/** The part of an envelope that is used here. */
interface Packing {
  pack(message: Message): EnvelopeData
}

/** Makes the event for a message. */
export interface EnvelopeTransport {
  /** The `type` of its events. */
  readonly type: string
  /** The event. */
  wrap(envelope: Packing, message: Message): LayerEvent
}

/** The message is packed here, once: consumers send the text as it is. */
export class TextTransport implements EnvelopeTransport {
  /** The `type` of its events. */
  readonly type: string

  /** A transport with that `type`. Throws InvalidArgumentError. */
  constructor(type: string) {
    this.type = checkName('new TextTransport: type', type)
  }

  /** The event: the text, and the keys that a consumer needs without reading it. */
  wrap(envelope: Packing, message: Message): LayerEvent {
    const packed = envelope.pack(message)
    const { t, i, s = null } = packed
    return { text_data: JSON.stringify(packed), type: this.type, i, t, s }
  }
}

/** The message travels as an object. */
export class DictTransport implements EnvelopeTransport {
  /** The `type` of its events. */
  readonly type: string

  /** A transport with that `type`. Throws InvalidArgumentError. */
  constructor(type: string) {
    this.type = checkName('new DictTransport: type', type)
  }

  /** The event: the keys of the envelope. */
  wrap(envelope: Packing, message: Message): LayerEvent {
    return { ...envelope.pack(message), type: this.type }
  }
}
