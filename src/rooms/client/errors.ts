/**
 * Layer 9. The errors of a channel to a room server. Each names the URL, the state and what to do.
 */

import { ChannelError, messageOf, show } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'

/**
 * The channel could not connect, or its connection failed. `connect()` rejects with it, and
 * `on_error` handlers get it.
 *
 * Codes: those of the system (ECONNREFUSED …); ERR_TIMEOUT after `connect_timeout`; ERR_CLOSED if
 * the connection was closed before it was open; ERR_GAVE_UP if the channel stops reconnecting;
 * ERR_CONNECTION if the reason is unknown.
 */
export class ChannelConnectionError extends ChannelError {}

/**
 * A message could not be sent or processed. `send()`, `join()`, `leave()` and `close()` reject with
 * it, and `on_error` handlers get it.
 *
 * Codes: ERR_INVALID_STATE if the channel is not open; ERR_INVALID_ARGUMENT for what cannot be
 * sent, and for an invalid room or close code; ERR_OVERFLOW if the queue is full; ERR_EXPIRED for a
 * message that waited too long; ERR_REFUSED if the server refuses a room; ERR_DROPPED if it did not
 * pass on a message; or the code of the transport's error.
 */
export class ChannelMessageError extends ChannelError {
  /** The room that it is about; undefined if there is none. */
  readonly room: string | undefined
  /** The message that was not sent, as it would have been; undefined if there is none. */
  readonly unsent: string | Uint8Array | undefined

  constructor(code: string, message: string, { cause, room, unsent }: MessageErrorDetails = {}) {
    super(code, message, cause)
    this.room = room
    this.unsent = unsent
  }
}

/** What a ChannelMessageError knows, besides its text. */
export interface MessageErrorDetails {
  /** The error underneath. */
  readonly cause?: unknown
  /** See `ChannelMessageError.room`. */
  readonly room?: string | undefined
  /** See `ChannelMessageError.unsent`. */
  readonly unsent?: string | Uint8Array | undefined
}

/** Makes the errors of one channel. */
export class Faults {
  readonly #url: string
  readonly #state: () => string

  constructor(url: string, state: () => string) {
    this.#url = url
    this.#state = state
  }

  connection(
    code: string,
    what: string,
    advice = 'check the URL and the server',
    cause?: unknown,
  ): ChannelConnectionError {
    return new ChannelConnectionError(code, this.#say(what, advice), cause)
  }

  message(
    code: string,
    what: string,
    advice: string,
    details: MessageErrorDetails,
  ): ChannelMessageError {
    return new ChannelMessageError(code, this.#say(what, advice), details)
  }

  unsent(code: string, why: string, details: MessageErrorDetails): ChannelMessageError {
    return this.message(code, `Failed to send message: ${why}`, 'it was not sent', details)
  }

  notOpen(
    isStarted: boolean,
    isAutomatic: boolean,
    details: MessageErrorDetails,
  ): ChannelMessageError {
    const what = isStarted ? 'the channel is not open' : 'not initialized'
    const advice = isStarted && !isAutomatic ? ', or set auto_reconnect' : ''
    return this.message('ERR_INVALID_STATE', what, `call connect() first${advice}`, details)
  }

  expired(age: Milliseconds, room: string | undefined, unsent: string | Uint8Array): Error {
    const what = `a message was dropped: it waited longer than max_queued_age, ${age} ms`
    return this.message('ERR_EXPIRED', what, 'it is in `unsent`', { room, unsent })
  }

  refused(room: string, reason: unknown): Error {
    const what = `the room ${show(room)} was refused: ${messageOf(reason)}`
    return this.message('ERR_REFUSED', what, 'you are not in it', { room })
  }

  dropped({ room, reason }: { readonly room?: string; readonly reason: unknown }): Error {
    const what = `a message was dropped: ${messageOf(reason)}`
    return this.message('ERR_DROPPED', what, 'nobody got it', { room })
  }

  #say(what: string, advice: string): string {
    return `${this.#url} (${this.#state()}): ${what}; ${advice}`
  }
}
