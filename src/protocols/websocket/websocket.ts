/**
 * Layer 7. WebSocket: what a connection and a client have in common, as a class over the class that
 * each of them extends. The interfaces are the documentation; a WebSocketSession does the work.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { LIFE } from '../../channels/life.ts'
import { defineSettings, settingsFrom } from '../../channels/settings.ts'
import { linkOf } from '../../channels/streams/link-of.ts'
import type { Stream } from '../../channels/streams/stream.ts'
import { notConnected } from '../../channels/streams/stream-misuse.ts'
import { checkBoolean, type Checks } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { ConnectError, InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import type { Bytes, Data, Milliseconds, TimeoutKind } from '../../types.ts'
import { checkGoodbye } from './closing.ts'
import type { DeflateOptions } from './deflate/deflate-options.ts'
import { CONTROL_MAX } from './frames.ts'
import type { Incoming } from './incoming.ts'
import { WebSocketSession, type Side } from './websocket-session.ts'
import {
  WEBSOCKET_CHECKS,
  WEBSOCKET_DEFAULTS,
  type WebSocketSettings,
  type WebSocketValues,
} from './websocket-settings.ts'

/** How one message is sent. */
export interface SendOptions {
  /**
   * Is it compressed, whatever its size? Nothing is unless both ends agreed on it.
   *
   * @default if it has at least `threshold` bytes
   */
  readonly compress?: boolean | undefined
}

const SEND_CHECKS: Checks<SendOptions> = { compress: checkBoolean }

const NO_OPTIONS: SendOptions = {}

/**
 * The calls and hooks of a WebSocket channel, besides those of every stream. What reads or writes
 * bytes throws an InvalidStateError, because it would break the frames: `write`, `write_packed`,
 * `write_file`, `read`, `peek`, `unread`, `become`, and assigning `read_delimiter`.
 */
export interface WebSocketChannel extends WebSocketSettings {
  /** The subprotocol that was agreed on; `''` if there is none. It is kept after closing. */
  readonly protocol: string
  /**
   * Why the connection closes or has closed, as a code of RFC 6455: what the peer said, or what we
   * said if we were first. 1005: the peer gave no code. 1006: there was no close frame. It is
   * `undefined` until one side has said goodbye.
   */
  readonly close_code: number | undefined
  /** The reason that came or went with `close_code`. */
  readonly close_reason: string
  /**
   * Sends a message: a string as text, bytes as a binary message. Bytes must not be changed until
   * they are sent. It is queued as by `write`, and goes out in this turn of the loop.
   *
   * If compression was agreed on (see `deflate`), `compress` says whether this message is
   * compressed. Without it the size of the message decides.
   *
   * Returns and throws as `write`: false if you should wait for `on_write`, or if the message was
   * dropped because the channel closes, or is a server's end that still shakes hands. While a
   * client connects, the message waits, and goes out before what `on_connect` sends.
   */
  send(data: Data, options?: SendOptions): boolean
  /**
   * Sends a ping. The peer answers with a pong, see `on_pong`. (Pings of the peer are answered by
   * themselves.)
   *
   * Returns and throws as `send`. Throws InvalidArgumentError for more than 125 bytes.
   */
  ping(data?: Data): boolean
  /**
   * Closes with the handshake of closing, within `end_timeout`: sends what is queued and a close
   * frame, and waits for that of the peer. `close()` closes at once, without a close frame.
   *
   * Without a code it sends 1000; 1001 if the server or the engine ends; 1011 because of an error.
   * Throws InvalidArgumentError for a code that may not be sent (allowed are 1000 to 1003, 1007 to
   * 1014 and 3000 to 4999), and for a reason of more than 123 bytes.
   *
   * `half_close()` does the same: WebSocket knows no half-close.
   */
  end(code?: number, reason?: string): void
  /**
   * Called with each message: a string if it is text, a Buffer if it is binary.
   *
   * Anything may be done in here. If it returns a promise, the next message waits until that has
   * settled. By default it drops the message.
   */
  on_message(data: string | Buffer): any
  /**
   * Called with each ping of the peer, in its turn. The pong is already on its way.
   *
   * By default it does nothing.
   */
  on_ping(data: Buffer): any
  /**
   * Called with each pong of the peer.
   *
   * By default it does nothing.
   */
  on_pong(data: Buffer): any
}

/** Where a channel keeps its session. */
const SESSION: unique symbol = Symbol('sluice session')

/** Where a channel keeps the values of its settings, if they are not the defaults. */
const VALUES: unique symbol = Symbol('sluice websocket values')

/** A channel with its inner half. */
interface Inner {
  [VALUES]?: WebSocketValues
}

/** The session of a channel. */
export function sessionOf(channel: object): WebSocketSession {
  return (channel as { [SESSION]: WebSocketSession })[SESSION]
}

/** Sends frames that were packed for several connections. The session must allow it. */
export function sendPacked({ link }: WebSocketSession, frames: Uint8Array): boolean {
  return link.writing.add(frames) || link.writable().write(frames, false)
}

/** The values of a channel's own settings. (Options are assigned before its fields are there.) */
export function valuesOf(channel: object): WebSocketValues {
  return (channel as Inner)[VALUES] ?? WEBSOCKET_DEFAULTS
}

export function assignValue(channel: object, name: string, value: unknown): void {
  ;(channel as Inner)[VALUES] = { ...valuesOf(channel), [name]: value }
}

/** Bytes between the frames, or frames cut in another way, would be the end. */
export function messagesOnly(call: string): InvalidStateError {
  const why = 'a WebSocket has messages, and no bytes'
  return new InvalidStateError(call, why, 'send() them, and override on_message')
}

/** Makes a class that speaks WebSocket out of a class of streams. */
export function speaking<Of extends Stream>(
  Base: new (options: any) => Of,
  sideOf: (channel: Of) => Side,
): new (options?: any) => Of & WebSocketChannel {
  const StreamClass = Base as unknown as new (options: any) => Stream
  class WebSocket extends StreamClass implements WebSocketChannel {
    declare deflate: boolean | DeflateOptions
    declare message_size: Bytes
    declare ping_interval: Milliseconds
    declare pong_timeout: Milliseconds
    readonly [SESSION]: WebSocketSession

    constructor(options: object = {}) {
      super(options)
      const link = linkOf(this)
      this[SESSION] = new WebSocketSession(link, this, sideOf(this as unknown as Of))
    }

    get protocol(): string {
      return this[SESSION].protocol
    }

    get close_code(): number | undefined {
      return this[SESSION].goodbye?.code
    }

    get close_reason(): string {
      return this[SESSION].goodbye?.reason ?? ''
    }

    // ---- calls ----------------------------------------------------------------------------------

    send(data: Data, options: SendOptions = NO_OPTIONS): boolean {
      if (typeof data !== 'string' && !types.isUint8Array(data))
        throw new InvalidArgumentError('send: data', 'a string or a Uint8Array', data)
      if (options !== NO_OPTIONS) checkOptions('send', options, SEND_CHECKS)
      const session = this[SESSION]
      return session.maySend ? session.send(data, options.compress) : this.#refuse('send()')
    }

    ping(data: Data = ''): boolean {
      if (typeof data !== 'string' && !types.isUint8Array(data))
        throw new InvalidArgumentError('ping: data', 'a string or a Uint8Array', data)
      if (Buffer.byteLength(data) > CONTROL_MAX)
        throw new InvalidArgumentError('ping: data', `at most ${CONTROL_MAX} bytes`, data)
      return this[SESSION].maySend ? this[SESSION].ping(data) : this.#refuse('ping()')
    }

    /**
     * After the channel was open a message is dropped. Before it connects it is a mistake; but not
     * during the handshake of a server's end, as a program that sends to all cannot know of each.
     */
    #refuse(call: string): false {
      const { wasAttached } = this[SESSION].link
      if (this.state === 'closed' && !wasAttached) throw notConnected(call)
      return false
    }

    override write(): never {
      throw messagesOnly('write()')
    }

    override write_packed(): never {
      throw messagesOnly('write_packed()')
    }

    override write_file(): never {
      throw messagesOnly('write_file()')
    }

    override end(code?: number, reason = ''): void {
      if (code !== undefined || reason !== '')
        this[SESSION].want(checkGoodbye(code ?? 1000, reason))
      this.close(true)
    }

    /** WebSocket knows no half-close: the connection closes politely. */
    override half_close(): void {
      if (this.state === 'active') this.end()
      else super.half_close()
    }

    // ---- hooks ----------------------------------------------------------------------------------

    on_message(_data: string | Buffer): any {}

    on_ping(_data: Buffer): any {}

    on_pong(_data: Buffer): any {}

    /** What the receiver delivers. Messages go to `on_message`. */
    override on_read(incoming: Incoming): any {
      const session = this[SESSION]
      if (typeof incoming === 'string' && session.isOpen) return this.on_message(incoming)
      return session.incoming(incoming) as void
    }

    override on_timeout(kind: TimeoutKind): any {
      const error = this[SESSION].timeoutError(kind)
      if (error === undefined) return super.on_timeout(kind)
      if (kind !== 'handshake') return this[LIFE].fail('on_error', error, 'timeout')
      const failure = new ConnectError(error.code, error.message, error)
      this[LIFE].fail('on_connect_error', failure, 'timeout')
    }
  }
  defineSettings<WebSocket>(WebSocket.prototype, {
    ...settingsFrom(WEBSOCKET_CHECKS, valuesOf, assignValue),
    read_delimiter: {
      get: channel => sessionOf(channel).link.values.read_delimiter,
      set() {
        throw messagesOnly('read_delimiter')
      },
    },
  })
  return WebSocket as unknown as new (options?: any) => Of & WebSocketChannel
}
