/**
 * Layer 7. WebSocketServer: listens, or stands beside a server of Node's for HTTP, and makes a
 * WebSocketConnection for each peer.
 */

import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { types } from 'node:util'
import { Server } from '../../channels/basic.ts'
import { LIFE } from '../../channels/life.ts'
import { type BroadcastOptions, skippedBy } from '../../channels/servers/broadcast.ts'
import type { ServerLink } from '../../channels/servers/server-link.ts'
import type {
  ServerListenOptions,
  StreamServerOptions,
} from '../../channels/servers/server-options.ts'
import type { ConnectionClass } from '../../channels/servers/server-settings.ts'
import { adoptFields, defineSettings, type Setting } from '../../channels/settings.ts'
import type { NotAClass } from '../../channels/streams/text-reads.ts'
import { checkClosed, classOf } from '../../core/checks.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Address, Bytes, Data, Milliseconds } from '../../types.ts'
import { Attachment } from './attach/attachment.ts'
import { HttpUpgrades } from './attach/http-upgrades.ts'
import { WebSocketConnection } from './connection.ts'
import type { DeflateOptions } from './deflate/deflate-options.ts'
import type { Origins } from './origins.ts'
import { SERVER_PACKERS } from './outgoing.ts'
import { changeRule, ruleOf } from './rules.ts'
import { messagesOnly, sendPacked, sessionOf } from './websocket.ts'
import {
  SERVER_SIDE_CHECKS,
  WEBSOCKET_CHECKS,
  type WebSocketServerSideSettings,
  type WebSocketSettings,
} from './websocket-settings.ts'

/** The settings of a WebSocketServer, besides those of every server. */
export interface WebSocketServerSettings {
  /**
   * The only path that is served; others are refused with 404. `undefined`: every path.
   *
   * - Takes effect: with the next connection.
   *
   * @default undefined
   */
  path: string | undefined
  /** `origins` of all its connections. @default undefined: as their class says */
  origins: Origins | undefined
  /** `protocols` of all its connections. @default undefined: as their class says */
  protocols: readonly string[] | undefined
  /** `deflate` of all its connections. @default undefined: as their class says */
  deflate: boolean | DeflateOptions | undefined
  /** `message_size` of all its connections. @default undefined: as their class says */
  message_size: Bytes | undefined
  /** `ping_interval` of all its connections. @default undefined: as their class says */
  ping_interval: Milliseconds | undefined
  /** `pong_timeout` of all its connections. @default undefined: as their class says */
  pong_timeout: Milliseconds | undefined
}

/** The options of a WebSocketServer. */
export interface WebSocketServerOptions
  extends
    StreamServerOptions,
    AsOptions<WebSocketSettings>,
    AsOptions<WebSocketServerSideSettings> {
  /** The only path that is served. */
  readonly path?: string | undefined
}

/** How to stand beside a server of Node's for HTTP. */
export interface AttachOptions {
  /**
   * Sets the setting `path`: the only path that is served.
   *
   * @default what the setting is
   */
  readonly path?: string | undefined
}

const CHECKS: Record<string, (name: string, value: unknown) => unknown> = {
  path: checkPath,
  ...SERVER_SIDE_CHECKS,
  ...WEBSOCKET_CHECKS,
}

function checkPath(name: string, value: unknown): string {
  if (typeof value !== 'string' || !/^\/[^?#\s]*$/.test(value))
    throw new InvalidArgumentError(name, "a path that begins with '/', without a query", value)
  return value
}

function settingOf(name: string): Setting<WebSocketServer> {
  return {
    get: server => {
      const rule = ruleOf(server)
      return name === 'path' ? rule?.path : (rule?.values as Record<string, unknown>)?.[name]
    },
    set: (server, value: unknown) =>
      changeRule(server, name, value === undefined ? undefined : CHECKS[name]!(name, value)),
  }
}

const checkWebSocketClass = classOf(WebSocketConnection)

/**
 * Listens, and makes a connection of your class for each peer that has shaken hands. Its `channels`
 * are of that class.
 *
 * @example
 * new WebSocketServer(Chat, { path: '/chat' }).listen(8080)
 */
export class WebSocketServer<Peer extends WebSocketConnection<any> = WebSocketConnection<any>>
  extends Server<Peer>
  implements WebSocketServerSettings
{
  // The settings. WebSocketServerSettings says what each of them means.
  declare path: string | undefined
  declare origins: Origins | undefined
  declare protocols: readonly string[] | undefined
  declare deflate: boolean | DeflateOptions | undefined
  declare message_size: Bytes | undefined
  declare ping_interval: Milliseconds | undefined
  declare pong_timeout: Milliseconds | undefined

  /**
   * Makes a server, which does not listen yet, and calls no hook. The class may be left out:
   * `new WebSocketServer(options)`. Throws InvalidArgumentError if an option is invalid.
   */
  constructor(
    ConnectionClass?: ConnectionClass<Peer> | NotAClass<WebSocketServerOptions>,
    options?: WebSocketServerOptions,
  ) {
    super(ConnectionClass, options)
    const given = typeof ConnectionClass === 'function' ? ConnectionClass : undefined
    const inOptions = (given === undefined ? ConnectionClass : options) as StreamServerOptions
    if (given === undefined && inOptions?.ConnectionClass === undefined)
      this.ConnectionClass = WebSocketConnection as unknown as ConnectionClass<Peer>
  }

  static {
    defineSettings<WebSocketServer>(
      WebSocketServer.prototype,
      Object.fromEntries(Object.keys(CHECKS).map(name => [name, settingOf(name)])),
    )
  }

  /**
   * Begins to listen, as every server. Besides, it throws InvalidArgumentError if the class of the
   * connections does not speak WebSocket, and if `tls` would agree on HTTP/2. Throws
   * InvalidStateError if that class overrides `on_read`: its messages go to `on_message`.
   */
  override listen(address: Address, options: ServerListenOptions = {}): this {
    this.#checkClass()
    checkTls(this.tls)
    return super.listen(address, options)
  }

  /**
   * Takes the upgrades of a server of `node:http` or `node:https` from now on, instead of
   * listening, and returns at once. Then `on_listen` is called, whether the HTTP server listens by
   * then or not. It is allowed whenever `state` is 'closed'.
   *
   * - It takes what is for its `path`, or for every path if it has none. Several servers may be
   *   attached to one HTTP server, each with a path of its own. One that serves every path gets
   *   what is left.
   * - What is for none of them is left to the other listeners of the event 'upgrade'. If there are
   *   none, it is refused with 404.
   * - From the request on everything is as if it had accepted the connection: `on_accept`,
   *   `on_upgrade`, limits, `handshake_timeout`.
   * - `close()` and `end()` detach it and close its connections; the HTTP server goes on. When the
   *   HTTP server has closed, this server closes, too. (Node's `close()` waits for all connections:
   *   end this server first.)
   *
   * Throws InvalidArgumentError for anything but such a server, for an invalid option, if a server
   * with the same path is attached already, if the class of the connections does not speak
   * WebSocket, and if `tls` or `proxy_protocol` is set: the HTTP server has the connections first.
   * Throws InvalidStateError if the server is not closed or the engine stops.
   *
   * @example
   * const http = createServer(app)
   * new WebSocketServer(Chat).attach(http, { path: '/chat' })
   * http.listen(8080)
   */
  // Source: ws `new WebSocketServer({ server, path })`.
  attach(http: HttpServer | HttpsServer, options: AttachOptions = {}): this {
    checkOptions('attach', options, ['path'])
    const upgrades = HttpUpgrades.of(http)
    checkClosed('attach()', 'server', this.state, 'make another')
    adoptFields(this)
    this.#checkClass()
    for (const name of ['tls', 'proxy_protocol'] as const)
      if (this[name])
        throw new InvalidArgumentError(name, 'a matter of the HTTP server', this[name])
    const { path = this.path } = options
    upgrades.checkFree(path === undefined ? path : checkPath('attach: path', path))
    const life = this[LIFE]
    life.beginOpening()
    life.announceSoon()
    this.path = path
    const attachment = new Attachment(http, this, life.drive)
    ;(life.driver as ServerLink).attach(attachment, undefined)
    attachment.open()
    return this
  }

  #checkClass(): void {
    const { ConnectionClass } = this
    checkWebSocketClass('ConnectionClass', ConnectionClass)
    if (ConnectionClass.prototype.on_read !== WebSocketConnection.prototype.on_read)
      throw messagesOnly('on_read()')
  }

  /**
   * Sends a message to all its connections that are open, but for `except`. It is encoded once. It
   * goes out as by `send`, together with everything else of this turn of the loop.
   *
   * Returns the number of connections. Throws InvalidArgumentError for other data than a string or
   * bytes.
   */
  override broadcast(data: Data, options: BroadcastOptions = {}): number {
    if (typeof data !== 'string' && !types.isUint8Array(data))
      throw new InvalidArgumentError('broadcast: data', 'a string or a Uint8Array', data)
    const { text, binary } = SERVER_PACKERS
    const frame = (typeof data === 'string' ? text : binary).pack(data)
    const skipped = skippedBy(options)
    let count = 0
    for (const channel of this.channels) {
      const session = sessionOf(channel)
      if (!session.maySend || skipped?.has(channel) === true) continue
      sendPacked(session, frame)
      count++
    }
    return count
  }
}

/** A client that may choose HTTP/2 would get it, and could not upgrade then. */
function checkTls(tls: TlsOptions | null | undefined): void {
  const names = tls?.ALPNProtocols
  if (Array.isArray(names) && names.includes('h2'))
    throw new InvalidArgumentError('tls: ALPNProtocols', "without 'h2'", names)
}
