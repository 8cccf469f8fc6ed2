/**
 * Layer 7. NatsClient: what a program sees of NATS. What it does inside is in nats-session.ts (its
 * connections) and traffic.ts (its messages).
 */

import { Buffer } from 'node:buffer'
import type { ChannelOptions } from '../../channels/channel.ts'
import { LIFE } from '../../channels/life.ts'
import { adoptFields, applyOptions, defineSettings, settingsFrom } from '../../channels/settings.ts'
import {
  checkBoolean,
  checkClosed,
  checkDuration,
  checkFunction,
  checkRecord,
  type Checks,
  countFrom,
} from '../../core/checks.ts'
import { noop } from '../../core/noop.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Bytes, Data, Milliseconds } from '../../types.ts'
import type { NatsHandler, Delivery } from './delivery.ts'
import { clientClosed, type NatsError } from './errors.ts'
import { type NatsHeaders, packHeader } from './headers.ts'
import type { NatsMessage, NatsPublishOptions } from './message.ts'
import { NatsHooks } from './nats-hooks.ts'
import { NatsSession } from './nats-session.ts'
import { NATS_CHECKS, NATS_DEFAULTS, type NatsSettings } from './nats-settings.ts'
import type { NatsServerInfo } from './parser.ts'
import { type NatsServers, parseServers } from './servers.ts'
import { checkPattern, checkSubject, checkWord } from './subjects.ts'
import { NatsSubscription, type NatsSubscribeOptions } from './subscription.ts'
import { noHeaders, payloadTooLarge, sizeOf } from './traffic.ts'

/** The options of a NatsClient: every setting, `engine` and `name`. */
export interface NatsClientOptions extends ChannelOptions, AsOptions<NatsSettings> {}

/** How one request is made. */
export interface NatsRequestOptions {
  /** The header of the request. */
  readonly headers?: NatsHeaders | undefined
  /** How long the answer may take, in milliseconds. @default `request_timeout` */
  readonly timeout?: Milliseconds | undefined
}

const NO_OPTIONS: NatsPublishOptions = {}

/** Their values are checked when they are packed. */
const PUBLISH_NAMES = ['headers', 'reply'] satisfies (keyof NatsPublishOptions)[]

const REQUEST_CHECKS: Checks<NatsRequestOptions> = {
  headers: checkRecord,
  timeout: checkDuration,
}

const SUBSCRIBE_CHECKS: Checks<NatsSubscribeOptions> = {
  group: (name, value) => value === '' || checkWord(name, value),
  max: countFrom(1),
}

const DEFAULT_SERVER = 'nats://localhost:4222'

/**
 * A client of NATS. It stays 'active' while it has no connection for a while: it connects again by
 * itself, its subscriptions go on, and what is published meanwhile waits.
 *
 * Delivery is at most once: what is on its way when a connection is lost is lost. JetStream keeps
 * messages; see `NatsJetStream`.
 *
 * @example
 * const client = await new NatsClient().connect('nats://localhost:4222').opened
 * client.subscribe('greet.*', message => void message.respond(`hello ${message.text}`))
 * console.log((await client.request('greet.one', 'world')).text)
 * client.end()
 */
export class NatsClient extends NatsHooks implements NatsSettings {
  // The settings. NatsSettings says what each of them means.
  declare user: string | undefined
  declare password: string | undefined
  declare token: string | undefined
  declare nkey: string | undefined
  declare creds: string | undefined
  declare tls: TlsOptions | null | undefined
  declare tls_first: boolean
  declare echo: boolean
  declare inbox_prefix: string
  declare connect_timeout: Milliseconds
  declare request_timeout: Milliseconds
  declare end_timeout: Milliseconds
  declare ping_interval: Milliseconds
  declare ping_max: number
  declare queue_size: Bytes
  declare message_size: Bytes
  declare pending_size: Bytes
  declare max_reconnects: number
  declare wait_for_first: boolean
  declare backoff: NatsSettings['backoff']

  readonly #session: NatsSession
  readonly #subscriptions = new WeakMap<Delivery, NatsSubscription>()
  /** The subject that was found valid last: programs publish to the same one again and again. */
  #known = ''
  #knownWire = ''

  /** Makes a client and calls no hook. Throws InvalidArgumentError if an option is invalid. */
  constructor(options: NatsClientOptions = {}) {
    super(options)
    this.#session = new NatsSession(this[LIFE], this, NATS_DEFAULTS, one =>
      this[LIFE].call('on_slow', this.#subscriptions.get(one)),
    )
    this[LIFE].driver = this.#session
    applyOptions(this, options, ['engine', 'name'])
  }

  static {
    defineSettings<NatsClient>(
      NatsClient.prototype,
      settingsFrom<NatsClient>(
        NATS_CHECKS,
        client => client.#session.values,
        (client, name, value) => {
          client.#session.values = { ...client.#session.values, [name]: value }
        },
      ),
    )
  }

  // ---- connecting -------------------------------------------------------------------------------

  /**
   * Connects, and returns the client at once. Then either `on_connect` or `on_connect_error` is
   * called. Several servers are tried one after the other, as they are given; those that a server
   * of the cluster tells of come after them.
   *
   * A server is a URL, `nats://user:password@host:port` or `tls:`, where everything but the host
   * may be left out, or an address as of every client. Several servers are a list of URLs, or one
   * string with commas. The default is `nats://localhost:4222`.
   *
   * Throws InvalidAddressError for an invalid server, and InvalidStateError if the client is not
   * closed or the engine stops.
   */
  connect(servers: NatsServers = DEFAULT_SERVER): this {
    checkClosed('connect()', 'client', this.state)
    const parsed = parseServers(servers)
    adoptFields(this)
    this.#session.open(parsed)
    return this
  }

  /** Is there a connection now? The client may be 'active' without one, and connect again. */
  get connected(): boolean {
    return this.#session.isConnected
  }

  /**
   * What the server says of itself. Without a connection it is what the last one said; `undefined`
   * before the first.
   */
  get server_info(): NatsServerInfo | undefined {
    return this.#session.info
  }

  // ---- publishing -------------------------------------------------------------------------------

  /**
   * Publishes a message. It goes out in this turn of the loop; without a connection it waits for
   * one. Bytes must not be changed until they are sent.
   *
   * Returns true if it goes out and there is room for more. If it returns false, it is better to
   * `await flush()` before the next one. It also returns false if the message was dropped: because
   * `queue_size` bytes wait (told to `on_error`), or because the client has closed.
   *
   * Throws InvalidArgumentError for an invalid subject, header or other data, NatsError
   * (ERR_NATS_MAX_PAYLOAD) if the message is too long for the server, and InvalidStateError before
   * `connect`.
   */
  publish(subject: string, data: Data = '', options: NatsPublishOptions = NO_OPTIONS): boolean {
    const to = this.#subject(subject)
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw invalidData('publish', data)
    let reply = ''
    let header: Buffer | undefined
    if (options !== NO_OPTIONS) {
      checkOptions('publish', options, PUBLISH_NAMES)
      if (options.reply !== undefined) reply = checkSubject('publish: reply', options.reply)
      header = this.#header(options.headers)
    }
    if (!this.#isOpen('publish()')) return false
    this.#checkSize(header, data)
    return this.#session.traffic.publish(to, reply, header, data) === 'sent'
  }

  /**
   * Publishes a request, and returns the promise of its answer, the first one if there are several.
   * While it waits for a connection, its time runs; after that it is not sent.
   *
   * It rejects with a NatsError: ERR_NATS_NO_RESPONDERS if nobody has subscribed to the subject,
   * ERR_NATS_TIMEOUT, ERR_NATS_DISCONNECTED if the connection was lost, so that nobody knows
   * whether it has arrived, ERR_NATS_OVERFLOW if it was dropped, and ERR_NATS_CLOSED. You need not
   * look at it: it never becomes an unhandled rejection.
   *
   * Throws as `publish`.
   */
  request(
    subject: string,
    data: Data = '',
    options: NatsRequestOptions = {},
  ): Promise<NatsMessage> {
    const to = this.#subject(subject)
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw invalidData('request', data)
    checkOptions('request', options, REQUEST_CHECKS)
    const { timeout = this.request_timeout } = options
    const header = this.#header(options.headers)
    if (!this.#isOpen('request()')) return rejected(clientClosed(this.#session.fault))
    this.#checkSize(header, data)
    return this.#session.traffic.request(to, header, data, timeout)
  }

  /** A new subject for answers, which nobody else has: for requests that get several answers. */
  inbox(): string {
    return this.#session.traffic.newInbox()
  }

  /**
   * Resolves when the server has processed everything that was published before. Without a
   * connection it waits for one.
   *
   * Rejects with a NatsError: ERR_NATS_DISCONNECTED if the connection is lost meanwhile, or
   * ERR_NATS_CLOSED. Throws InvalidStateError before `connect`.
   */
  flush(): Promise<void> {
    if (!this.#isOpen('flush()')) return rejected(clientClosed(this.#session.fault))
    const flushed = this.#session.flush()
    flushed.catch(noop)
    return flushed
  }

  // ---- subscribing ------------------------------------------------------------------------------

  /**
   * Subscribes to a subject. In it `*` stands for one token, and `>` at the end for one or more.
   * Messages go to the handler; a promise that it returns holds the next message of this
   * subscription. What it throws goes to `on_error`. Without a handler, messages wait for a
   * `for await` loop.
   *
   * Throws InvalidArgumentError for an invalid subject, group, number or handler, InvalidStateError
   * before `connect`, and NatsError (ERR_NATS_CLOSED) if the client has closed.
   */
  subscribe(
    subject: string,
    handler?: NatsHandler | NatsSubscribeOptions,
    options: NatsSubscribeOptions = {},
  ): NatsSubscription {
    if (typeof handler === 'object') return this.subscribe(subject, undefined, handler)
    const pattern = checkPattern('subscribe: subject', subject)
    if (handler !== undefined) checkFunction('subscribe: handler', handler)
    checkOptions('subscribe', options, SUBSCRIBE_CHECKS)
    const { group = '', max = Infinity } = options
    const word = group === '' ? '' : checkWord('subscribe: group', group)
    if (!this.#isOpen('subscribe()')) throw clientClosed(this.#session.fault)
    const inner = this.#session.traffic.subscribe(pattern, word, handler, max)
    const subscription = new NatsSubscription(subject, group, inner)
    this.#subscriptions.set(inner, subscription)
    return subscription
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: what is not sent is dropped, and so is what waits in subscriptions.
   * `close(true)` is `end()`.
   *
   * `end()` drains: the subscriptions end, what was sent to them before is still delivered,
   * requests get their answers, what was published goes out, if need be by the next connection,
   * and then the client closes, all within `end_timeout`. Handlers may publish meanwhile.
   */
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    const { state } = this
    if (state === 'closed' || (flush && state === 'closing')) return
    if (flush && (state === 'active' || state === 'opening')) this.#session.drain()
    else this.#session.abort()
  }

  // ---- checks -----------------------------------------------------------------------------------

  #subject(subject: string): string {
    if (subject === this.#known && subject !== '') return this.#knownWire
    const wire = checkSubject('subject', subject)
    this.#known = subject
    this.#knownWire = wire
    return wire
  }

  #header(headers: NatsHeaders | undefined): Buffer | undefined {
    if (headers === undefined) return undefined
    if (this.server_info?.headers === false) throw noHeaders()
    return packHeader(headers)
  }

  #checkSize(header: Buffer | undefined, data: Data): void {
    const most = this.server_info?.max_payload
    // A character has at most three bytes.
    if (most === undefined || (header === undefined && data.length * 3 <= most)) return
    const size = sizeOf(header, data)
    if (size > most) throw payloadTooLarge(size, most)
  }

  /** False: it closes or has closed. Throws before it has ever connected. */
  #isOpen(call: string): boolean {
    if (this.#session.isLive) return true
    if (this.state === 'closed' && !this.#session.wasOpened)
      throw new InvalidStateError(call, 'the client is not connected', 'connect() it first')
    return false
  }
}

function rejected(error: NatsError): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(noop)
  return promise
}

function invalidData(call: string, data: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`${call}: data`, 'a string or a Uint8Array', data)
}
