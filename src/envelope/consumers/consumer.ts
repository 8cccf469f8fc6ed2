/**
 * Layer 9. Consumer: what a program sees of one peer of a channel: who the peer is, what it may
 * send, and what it gets. The way of a message in is in receiving.ts, the way out in sending.ts,
 * the connection in consumer-link.ts.
 */

import { INSPECT, type Inspect, inspectFacts, type InspectOptions } from '../../channels/inspect.ts'
import { tellMisspeltNames } from '../../channels/misspelt-names.ts'
import {
  type Check,
  checkBoolean,
  checkClosed,
  checkDuration,
  countFrom,
  instanceOf,
} from '../../core/checks.ts'
import { withDefaults } from '../../core/options.ts'
import { type Engine, logSafely } from '../../engine.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import { MessageChannel } from '../../messages/message-channel.ts'
import { peerUrl } from '../../messages/server-url.ts'
import { checkGoodbye } from '../../protocols/websocket/closing.ts'
import type { CloseReason, Milliseconds, State } from '../../types.ts'
import { Envelope, type MessageOf, type NameOf } from '../envelope.ts'
import { errors, internal, ws_incoming, ws_outgoing } from '../envelope-table.ts'
import type { LayerEvent } from '../envelope-transports.ts'
import type { ErrorMessage } from '../error-message.ts'
import { new_channel_name } from '../layers/channel-name.ts'
import { Message } from '../message.ts'
import { NO_META } from '../meta.ts'
import { ConsumerLink, LINK } from './consumer-link.ts'
import { receiveEvent } from './events.ts'
import type { Handshake } from './handshake.ts'
import type { RequestOptions } from './pending-requests.ts'
import { checkSendOptions, Sending } from './sending.ts'
import type { SendingIn, SendOptions } from './sending-types.ts'

/** The options of `reply` by default. */
const SUCCESS: SendOptions = { state: 's' }

/**
 * One peer of a message channel. `consumer({ incoming, outgoing })` makes a class of consumers for
 * two envelopes; a program extends it.
 *
 * @example
 * class Player extends consumer({ incoming: to_server, outgoing: to_client }) {
 *   score = 0
 *   override on_close() {
 *     console.log('has gone with', this.score)
 *   }
 * }
 */
export class Consumer<Out extends Envelope<any> = Envelope, In extends Envelope<any> = Envelope> {
  // ---- settings ---------------------------------------------------------------------------------

  /** What it may receive. @default ws_incoming */
  readonly incoming: In = ws_incoming as unknown as In
  /** What it may send. @default ws_outgoing */
  readonly outgoing: Out = ws_outgoing as unknown as Out
  /** The errors that it may send and receive. @default errors */
  readonly errors: Envelope<any> = errors
  /** What other parts of the program may tell it. @default internal */
  readonly internal: Envelope<any> = internal
  /** Is a peer without a user (`user_pk`) let in? @default true */
  allow_unauthenticated = true
  /**
   * How many messages may wait to be worked on, and how many to be sent. Beyond that the consumer
   * is closed, and `on_error` gets an OverflowError. 1024 are a burst of a fast peer.
   * @default 1024
   */
  queue_limit = 1024
  /**
   * How often `track_connections` notes, at most, that the peer is there, in ms. @default 180 000
   * ms
   */
  connection_update_interval: Milliseconds = 180_000

  // ---- who it is --------------------------------------------------------------------------------

  /** The name under which other parts of the program reach it. */
  readonly channel_name: string = new_channel_name('consumer')
  /** The user. `on_handshake` sets it. @default undefined */
  user: unknown = undefined
  /** The key of the user. `on_handshake` sets it. It is kept when the user has logged out. */
  user_pk: string | number | null = null
  /** The language of the peer. `on_handshake` sets it, see `language_of`. */
  language: string | null = null
  /** The names of the groups that it is in: those of the channels that it is subscribed to. */
  readonly subscriptions: Set<string> = new Set()
  /** When a message was last sent, in ms since 1970; 0: never. */
  last_sent: Milliseconds = 0
  /** When a valid message was last received, in ms since 1970; 0: never. */
  last_received: Milliseconds = 0
  /** When an error message was last sent, in ms since 1970; 0: never. */
  last_error: Milliseconds = 0
  /** When a job was last queued, in ms since 1970; 0: never. */
  last_job: Milliseconds = 0

  /** @hidden */
  readonly [LINK]: ConsumerLink = new ConsumerLink(this)
  readonly #sending = new Sending(this)

  // ---- life -------------------------------------------------------------------------------------

  /** 'closed' → 'opening' → 'active' → 'closing' → 'closed'. */
  get state(): State {
    return this[LINK].state
  }

  /** What `console.log` shows: not the envelopes, which have all messages. @hidden */
  [INSPECT](depth: number, options: InspectOptions, inspect: Inspect): string {
    const { incoming, outgoing, errors, internal, [LINK]: link, ...fields } = this
    return inspectFacts(this, { state: link.state, ...fields }, depth, options, inspect)
  }

  /** Resolves with the consumer when the handshake is done. Rejects if it closes before. */
  get opened(): Promise<this> {
    return this[LINK].opened.promise as Promise<this>
  }

  /** Resolves when it has closed, with the reason. */
  get closed(): Promise<CloseReason> {
    return this[LINK].closed.promise
  }

  /**
   * Connects through a channel with one peer: a URL, or a message channel, which is opened if it is
   * not open. Returns the consumer; `opened` resolves when it may be used. A consumer that has
   * closed may be connected again.
   *
   * Throws InvalidStateError unless it is closed, UrlError or InvalidArgumentError for an invalid
   * channel, and InvalidArgumentError for a setting that is invalid.
   */
  connect(to: string | MessageChannel, context: Context = Context.instance()): this {
    checkClosed('connect()', 'consumer', this.state)
    instanceOf(Context)('connect: context', context)
    if (typeof to !== 'string' && !(to instanceof MessageChannel))
      throw new InvalidArgumentError('connect: channel', 'a URL or a message channel', to)
    const url = peerUrl('connect: channel', typeof to === 'string' ? to : to.params.url)
    checkConsumer(this, context.engine)
    this[LINK].connect(typeof to === 'string' ? context.init(url) : to)
    return this
  }

  /**
   * Closes the connection. `code` is a close code of WebSocket. Only a peer of a WebSocket server
   * gets it. Messages that wait to be worked on are dropped, and requests reject with ERR_CLOSED.
   * `on_close` is called when the channel has closed.
   *
   * Throws InvalidArgumentError for a code that WebSocket does not allow: it allows 1000 to 1003,
   * 1007 to 1014, and 3000 to 4999.
   */
  close(code = 1000): void {
    checkGoodbye(code, '', 'close')
    this[LINK].close(code)
  }

  // ---- sending ----------------------------------------------------------------------------------

  /**
   * Sends a message, which is given as such or as its type and its payload. Receivers of the signal
   * get it first. Returns false, and sends nothing, if the consumer is not active.
   *
   * Throws InvalidArgumentError if it is not registered, ValidationError if the payload is invalid.
   */
  send<Name extends NameOf<Out>>(name: Name, ...payload: SendingIn<Out, Name>): boolean
  send(message: MessageOf<Out>): boolean
  send(given: unknown, data?: unknown, options?: SendOptions): boolean {
    checkSendOptions('send', options)
    return this.#sending.send(this.#sending.message(given, data, NO_META, options))
  }

  /**
   * Answers a message: as `send`, but with the trace id of that message, and with the state 's'
   * unless `state` is given.
   */
  reply<Name extends NameOf<Out>>(
    to: Message,
    name: Name,
    ...payload: SendingIn<Out, Name>
  ): boolean
  reply(to: Message, name: string, data?: unknown, options?: SendOptions): boolean {
    if (!(to instanceof Message)) throw new InvalidArgumentError('reply: to', 'a message', to)
    checkSendOptions('reply', options)
    const whole = options === undefined ? SUCCESS : withDefaults(SUCCESS, options)
    return this.#sending.send(this.#sending.message(name, data, to.mm, whole))
  }

  /**
   * Sends a message, and returns the promise of its answer: a message with the same trace id and
   * the state 's'. It rejects with the error message if that is the answer, and otherwise with
   * - FailedError (ERR_FAILED): the answer has the state 'f', or not the type `expect`
   * - RequestError: ERR_TIMEOUT, ERR_CLOSED, or ERR_OVERFLOW if 10 000 requests wait
   * - ValidationError: the answer is invalid
   *
   * It never becomes an unhandled rejection. Throws as `send` does.
   */
  request<Name extends NameOf<Out>, Expected extends NameOf<In> = NameOf<In>>(
    name: Name,
    ...payload: SendingIn<Out, Name, RequestOptions<MessageOf<In>, Expected>>
  ): Promise<MessageOf<In, Expected>>
  request<Expected extends NameOf<In> = NameOf<In>>(
    message: MessageOf<Out>,
    options?: RequestOptions<MessageOf<In>, Expected>,
  ): Promise<MessageOf<In, Expected>>
  request(given: unknown, second?: unknown, third?: unknown): Promise<any> {
    const isName = typeof given === 'string'
    const options = (isName ? third : second) as RequestOptions<any> | undefined
    const { requests } = this[LINK]
    if (requests === undefined)
      throw new InvalidStateError('request()', 'it was never connected', 'connect() it first')
    const data = isName ? second : undefined
    return requests.ask(options ?? {}, id =>
      this.#sending.send(this.#sending.message(given, data, NO_META, { id })),
    )
  }

  /**
   * Sends an error message. `id` is the trace id if the error has none. Returns false, and sends
   * nothing, if the consumer is not connected. Throws InvalidArgumentError if its class is neither
   * among `errors` nor among `outgoing`.
   */
  send_error(error: ErrorMessage, options: { readonly id?: string | undefined } = {}): boolean {
    const message = this.#sending.error(error, options)
    this.last_error = Date.now()
    return this.#sending.sendError(message)
  }

  // ---- from inside the program ------------------------------------------------------------------

  /**
   * Acts on an event that another part of the program has sent, see `websocket_send` and
   * `internal_send`:
   * - `websocket.send`: its text is sent as it is; the signal is sent if it has receivers
   * - `ws.error.send`: its error is sent
   * - `internal.msg`: its message is for the program itself: only the signal is sent
   *
   * An event of another type is ignored. What is wrong with an event goes to `on_error`.
   */
  receive_event(event: LayerEvent): void {
    const { receiving } = this[LINK]
    if (receiving !== undefined && this.state === 'active') receiveEvent(this, receiving, event)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called when a peer has connected, before anything is received. It sets `user`, `user_pk` and
   * `language`. If it returns or resolves with false, throws or rejects, the peer is refused: it is
   * closed with the code 1008. If an error message was thrown, the peer gets it first.
   *
   * Default: nothing.
   */
  on_handshake(_handshake: Handshake): any {}

  /** Called when the peer was let in. What is received waits for its promise. Default: nothing. */
  on_connect(): any {}

  /**
   * Called with each valid message, after the signal. If it returns a promise, the next message
   * waits. An error that it throws has the same effect as one that `run` throws. Default: nothing.
   */
  on_message(_message: MessageOf<In>): any {}

  /** Called with each error message of the peer. Default: nothing; requests get their own. */
  on_error_message(_error: ErrorMessage): any {}

  /**
   * Called when a message of the peer was invalid and dropped, with the error message that says so.
   * Default: sends it to the peer.
   */
  on_refused(error: ErrorMessage): any {
    this.send_error(error)
  }

  /**
   * Called with what hooks and receivers throw, and with the error of the channel. Default: logs
   * one line.
   */
  on_error(error: Error): any {
    const { engine } = this[LINK]
    if (engine !== undefined)
      logSafely(engine, `${this.channel_name}: ${error?.stack ?? String(error)}`, error)
  }

  /** Called when it has closed. It is the last hook. Default: nothing. */
  on_close(_reason: CloseReason): any {}
}

/** The fields that a class of consumers may set. */
const SETTINGS = {
  allow_unauthenticated: checkBoolean,
  queue_limit: countFrom(1),
  connection_update_interval: checkDuration,
} satisfies { readonly [Name in keyof Consumer]?: Check }

/** Throws InvalidArgumentError for a setting that is invalid. Tells names that are misspelt. */
export function checkConsumer(consumer: Consumer<any, any>, engine: Engine): void {
  const names = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]
  tellMisspeltNames(consumer, Consumer.prototype, engine, names)
  for (const name of names) SETTINGS[name](name, consumer[name])
}

/** A class of consumers that `consumer()` has made. */
export interface ConsumerClass<Out extends Envelope<any>, In extends Envelope<any>> {
  new (): Consumer<Out, In>
}

/**
 * Makes a class of consumers for two envelopes: what they may receive, and what they may send. The
 * other side has the same two the other way round.
 *
 * Throws InvalidArgumentError if one is not an envelope.
 */
export function consumer<Out extends Envelope<any>, In extends Envelope<any>>(envelopes: {
  readonly incoming: In
  readonly outgoing: Out
}): ConsumerClass<Out, In> {
  const { incoming, outgoing } = envelopes ?? {}
  for (const [name, each] of Object.entries({ incoming, outgoing }))
    if (!(each instanceof Envelope))
      throw new InvalidArgumentError(`consumer: ${name}`, 'an Envelope', each)
  return class extends Consumer<Out, In> {
    override readonly incoming = incoming
    override readonly outgoing = outgoing
  }
}
