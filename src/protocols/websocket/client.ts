/**
 * Layer 7. WebSocketClient: a client's end.
 */

import { Client } from '../../channels/basic.ts'
import { adoptFields } from '../../channels/settings.ts'
import { linkOf } from '../../channels/streams/link-of.ts'
import type { StreamLink } from '../../channels/streams/stream-link.ts'
import { checkMayConnect } from '../../channels/streams/stream-misuse.ts'
import {
  CONNECT_NAMES,
  type StreamConnectOptions,
  type StreamOptions,
} from '../../channels/streams/stream-options.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkAddressOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Address } from '../../types.ts'
import { ClientHandshake } from './client-handshake.ts'
import type { Agreed } from './deflate/compression.ts'
import { deflateRules, type DeflateRules } from './deflate/deflate-options.ts'
import { offerOf, readAnswer } from './deflate/terms.ts'
import type { Agreement } from './handshake.ts'
import { newKey, type Wish } from './handshake-text.ts'
import { checkHeaders } from './upgrade-request.ts'
import { parseWebSocketUrl, type Target } from './url.ts'
import { messagesOnly, sessionOf, speaking, valuesOf, type WebSocketChannel } from './websocket.ts'
import type { Side } from './websocket-session.ts'
import {
  checkProtocols,
  type WebSocketSettings,
  type WebSocketValues,
} from './websocket-settings.ts'

/** How to connect. */
export interface WebSocketConnectOptions extends StreamConnectOptions {
  /**
   * The subprotocols that may be spoken, the one that you like best first. The server must choose
   * one of them.
   *
   * @default []
   */
  readonly protocols?: readonly string[] | undefined
  /** More fields for the request: `Cookie`, `Authorization`, `Origin` … */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The options of a WebSocketClient. */
export interface WebSocketClientOptions
  extends Omit<StreamOptions, 'socket'>, AsOptions<WebSocketSettings> {}

const Base: new (options?: WebSocketClientOptions) => Client & WebSocketChannel = speaking<Client>(
  Client,
  channel => new Asking(channel as WebSocketClient),
)

/** TLS for `wss:`, if the program has no options for it. HTTP/2 is no way to upgrade. */
const SECURE: TlsOptions = { ALPNProtocols: ['http/1.1'] }

/** What each client asks for next. */
const wishes = new WeakMap<object, Wish>()

/**
 * Connects to a WebSocket server. Subclass it, override `on_message`, and call `connect`.
 * `on_connect` is called when the handshake is done.
 *
 * @example
 * class Listener extends WebSocketClient {
 *   override on_connect() {
 *     this.send('hello')
 *   }
 *   override on_message(data: string | Buffer) {
 *     console.log(data)
 *     this.end()
 *   }
 * }
 * new Listener().connect('ws://localhost:8080/chat')
 */
export class WebSocketClient extends Base {
  /**
   * Connects, and returns the client at once. Then `on_connect` or `on_connect_error` is called.
   * The address is a URL, as text or as an object: `ws://host:port/path?query`, `wss:` for TLS,
   * `ws+unix:/socket:/path`. An address as of every client asks for the path `/`.
   *
   * If the server answers in another way, `on_connect_error` gets a HandshakeError with the status,
   * the header fields and the first bytes of the body. Redirections are not followed.
   *
   * Throws as the `connect` of every client, InvalidArgumentError for invalid subprotocols and
   * fields, and InvalidStateError if `on_read` is overridden: messages go to `on_message`.
   */
  override connect(address: Address | URL, options: WebSocketConnectOptions = {}): this {
    checkMayConnect(this.state, false)
    if (this.on_read !== WebSocketClient.prototype.on_read) throw messagesOnly('on_read()')
    checkAddressOptions('connect', address, options, [...CONNECT_NAMES, 'protocols', 'headers'])
    const { protocols = [], headers = {}, ...others } = options
    const target = parseWebSocketUrl(address)
    const wish = {
      ...target,
      key: newKey(),
      protocols: checkProtocols('connect: protocols', protocols),
      extensions: '',
      headers: { ...target.headers, ...checkHeaders('connect', headers) },
    }
    adoptFields(this)
    secure(linkOf(this), target.security)
    wishes.set(this, wish)
    return super.connect(target.address, others)
  }
}

/** `wss:` begins with TLS, and `ws:` must not. */
function secure(link: StreamLink, security: Target['security']): void {
  const { tls } = link.values
  if (security === 'tls' && tls === undefined) link.assign('tls', SECURE)
  if (security !== 'clear' || tls === undefined) return
  if (tls !== SECURE)
    throw new InvalidArgumentError('connect: address', 'a URL with wss: if tls is set', 'ws:')
  link.assign('tls', undefined)
}

/** The side of a client. */
class Asking implements Side {
  readonly isServer = false
  readonly #channel: WebSocketClient

  constructor(channel: WebSocketClient) {
    this.#channel = channel
  }

  get values(): WebSocketValues {
    return valuesOf(this.#channel)
  }

  shakeHands(): ClientHandshake {
    const rules = deflateRules(this.values.deflate)
    const session = sessionOf(this.#channel)
    return new ClientHandshake({
      link: session.link,
      wish: {
        ...(wishes.get(this.#channel) as Wish),
        extensions: rules === undefined ? '' : offerOf(rules),
      },
      compressionOf: (extensions: string): Agreed | undefined => {
        const terms = readAnswer(extensions, rules as DeflateRules)
        return terms && { terms, rules: rules as DeflateRules }
      },
      agreed: (agreement: Agreement) => session.agreed(agreement),
    })
  }
}
