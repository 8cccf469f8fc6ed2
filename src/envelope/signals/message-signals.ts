/**
 * Layer 9. The signals of consumers and of messages.
 */

import type { Message } from '../message.ts'
import { AsyncRunnable } from '../runnable.ts'
import { Signal } from './signal.ts'

/** What receivers of the signals of messages get. */
export interface MessageArguments {
  /** The message. The sender of the signal is its class. */
  readonly message: Message
  /** The consumer that has received it, or sends it. */
  readonly consumer: any
}

/** What receivers of the signals of consumers get. */
export interface ConsumerArguments {
  /** The consumer. The sender of the signal is its class. */
  readonly consumer: any
}

/** What receivers of `consumer_closed` get. */
export interface ClosedArguments extends ConsumerArguments {
  /** The code that it was closed with, if one is known. */
  readonly close_code: number | undefined
}

/** Calls `run` of a message that was received. */
function runReceived({ message, consumer }: MessageArguments): unknown {
  return message instanceof AsyncRunnable ? message.run({ consumer }) : undefined
}

/** Calls `run` of a message that is sent. */
function runSent({ message, consumer }: MessageArguments): unknown {
  return (message as AsyncRunnable).run({ consumer })
}

/** Is `run` of that class called for a message that is sent? */
function runsSent(sender: unknown): boolean {
  const Class = sender as Partial<typeof AsyncRunnable>
  return Class?.prototype instanceof AsyncRunnable && Class.run_when === 'always'
}

/** A consumer has connected: its user is known, and nothing was received yet. */
export const consumer_connected: Signal<ConsumerArguments> = new Signal('consumer_connected')

/** A consumer has closed: nothing is received or sent any more. */
export const consumer_closed: Signal<ClosedArguments> = new Signal('consumer_closed')

/** Another name for `consumer_closed`: it is the same signal. */
export const consumer_disconnected: Signal<ClosedArguments> = consumer_closed

/** A valid message was received. */
export const incoming_websocket_message: Signal<MessageArguments> = new Signal(
  'incoming_websocket_message',
  [runReceived],
)

/** A message is about to be sent. */
export const outgoing_websocket_message: Signal<MessageArguments> = new Signal(
  'outgoing_websocket_message',
  [runSent],
  runsSent,
)

/** An error message is about to be sent. */
export const outgoing_websocket_error: Signal<MessageArguments> = new Signal(
  'outgoing_websocket_error',
  [runSent],
  runsSent,
)

/** A message from another part of the program has reached a consumer. It is not sent. */
export const incoming_internal_message: Signal<MessageArguments> = new Signal(
  'incoming_internal_message',
  [runReceived],
)
