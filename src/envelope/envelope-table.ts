/**
 * Layer 9. The envelopes by their names: the four that are there from the beginning, and those that
 * a program has registered.
 *
 * | name | messages | keys | transport |
 * |---|---|---|---|
 * | `ws_incoming` | what users send | t p i l | |
 * | `ws_outgoing` | what users get | t p i s | `websocket.send` |
 * | `internal` | what parts of a program tell a consumer | t p i | `internal.msg` |
 * | `errors` | errors that users get | t p i s | `ws.error.send` |
 */

import { didYouMean } from '../core/nearest.ts'
import { InvalidArgumentError, InvalidStateError, show } from '../errors.ts'
import { Batch, Batch2 } from './builtin/batch.ts'
import {
  BadRequestError,
  GenericError,
  JobError,
  MessageTypeError,
  NotFoundError,
  SubscribeError,
  UnauthorizedError,
  ValidationErrorMessage,
} from './builtin/common-errors.ts'
import { Close, Closing, Ping, Pong, Progress, Stat } from './builtin/common-messages.ts'
import { Envelope } from './envelope.ts'
import {
  envelope_schema,
  error_schema,
  incoming_schema,
  outgoing_schema,
} from './envelope-schema.ts'
import { DictTransport, TextTransport } from './envelope-transports.ts'
import { isErrorClass } from './error-message.ts'
import type { AnyMessageClass } from './message.ts'
import type { MessageRegistry } from './message-registry.ts'
import {
  incoming_internal_message,
  incoming_websocket_message,
  outgoing_websocket_error,
  outgoing_websocket_message,
} from './signals/message-signals.ts'

/** What users send. */
export const ws_incoming: Envelope = new Envelope<readonly AnyMessageClass[]>({
  name: 'ws_incoming',
  schema: incoming_schema,
  messages: [Ping],
  message_signal: incoming_websocket_message,
})

/** What users get. */
export const ws_outgoing: Envelope = new Envelope<readonly AnyMessageClass[]>({
  name: 'ws_outgoing',
  schema: outgoing_schema,
  messages: [Pong, Stat, Progress, Closing, Batch, Batch2],
  transport: new TextTransport('websocket.send'),
  allow_batch: true,
  message_signal: outgoing_websocket_message,
})

/** What parts of a program tell a consumer. */
export const internal: Envelope = new Envelope<readonly AnyMessageClass[]>({
  name: 'internal',
  schema: envelope_schema,
  messages: [Ping, Close],
  transport: new DictTransport('internal.msg'),
  message_signal: incoming_internal_message,
})

/** Errors that users get. */
export const errors: Envelope = new Envelope<readonly AnyMessageClass[]>({
  name: 'errors',
  schema: error_schema,
  messages: [
    GenericError,
    ValidationErrorMessage,
    BadRequestError,
    MessageTypeError,
    NotFoundError,
    UnauthorizedError,
    SubscribeError,
    JobError,
  ],
  transport: new DictTransport('ws.error.send'),
  message_signal: outgoing_websocket_error,
})

const envelopes = new Map<string, Envelope<any>>()

/**
 * Registers envelopes by their names, for `get_envelope` and `add_message`. Throws
 * InvalidArgumentError for anything but an envelope, InvalidStateError if the name is taken.
 */
export function add_envelopes(...added: readonly Envelope<any>[]): void {
  for (const each of added) {
    if (!(each instanceof Envelope))
      throw new InvalidArgumentError('add_envelopes', 'an Envelope', each)
    if ((known().get(each.name) ?? each) !== each)
      throw new InvalidStateError('add_envelopes()', `${each.name} is taken`, 'choose another name')
    envelopes.set(each.name, each)
  }
}

/** The envelope of that name. Throws InvalidArgumentError if there is none. */
export function get_envelope(name: string): Envelope<any> {
  const found = known().get(name)
  if (found !== undefined) return found
  throw new InvalidArgumentError(
    `get_envelope: there is no envelope ${show(name)}; ${didYouMean(name, known().keys())}`,
  )
}

/** The classes of the messages of that envelope. Throws InvalidArgumentError if there is none. */
export function get_message_registry(name: string): MessageRegistry {
  return get_envelope(name).registry
}

/** The class of error messages of that type. Throws InvalidArgumentError if there is none. */
export function get_error_type(name: string): AnyMessageClass {
  return errors.registry.find(name)
}

/**
 * Adds a class of messages to the envelopes of these names: `add_message('ws_incoming')(Move)`. It
 * returns the class. A class of error messages belongs into 'errors', and no other class does.
 *
 * Throws InvalidArgumentError if there is no envelope of that name, or if the class does not belong
 * into it, and what `registry.add` throws.
 */
export function add_message(
  ...names: readonly string[]
): <Class extends AnyMessageClass>(Class: Class) => Class {
  const registries = names.map(get_message_registry)
  return Class => {
    for (const registry of registries) {
      if (isErrorClass(Class) !== (registry === errors.registry))
        throw new InvalidArgumentError(
          `${registry.name}: a message`,
          registry === errors.registry ? 'a class of error messages' : 'no class of error messages',
          Class,
        )
      registry.add(Class)
    }
    return Class
  }
}

/** The four are added when they are first looked for: importing this file changes nothing. */
function known(): ReadonlyMap<string, Envelope<any>> {
  for (const each of [ws_incoming, ws_outgoing, internal, errors]) envelopes.set(each.name, each)
  return envelopes
}

/** All that are registered by name. */
export function allEnvelopes(): Iterable<Envelope<any>> {
  return known().values()
}
