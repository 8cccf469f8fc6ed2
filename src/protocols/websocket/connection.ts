/**
 * Layer 7. WebSocketConnection: a server's end.
 */

import { Connection, type ConnectionOptions } from '../../channels/basic.ts'
import type { StreamServer } from '../../channels/servers/stream-server.ts'
import { defineSettings, settingsFrom } from '../../channels/settings.ts'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import type { AsOptions } from '../../core/option-types.ts'
import type { Agreed } from './deflate/compression.ts'
import { deflateRules, type DeflateRules } from './deflate/deflate-options.ts'
import { answerTo } from './deflate/terms.ts'
import type { Origins } from './origins.ts'
import { ruleOf } from './rules.ts'
import { ServerHandshake, type ServerSide } from './server-handshake.ts'
import type { UpgradeRequest } from './upgrade-request.ts'
import { assignValue, sessionOf, speaking, valuesOf, type WebSocketChannel } from './websocket.ts'
import type { Side } from './websocket-session.ts'
import {
  SERVER_SIDE_CHECKS,
  type WebSocketServerSideSettings,
  type WebSocketSettings,
  type WebSocketValues,
} from './websocket-settings.ts'

/** The options of a WebSocketConnection. A WebSocketServer gives them. */
export interface WebSocketConnectionOptions
  extends ConnectionOptions, AsOptions<WebSocketSettings>, AsOptions<WebSocketServerSideSettings> {}

const Base: new <Home extends StreamServer<any>>(
  options: WebSocketConnectionOptions,
) => Connection<ReadDelimiter, Home> & WebSocketChannel = speaking<Connection<ReadDelimiter, any>>(
  Connection,
  channel => new Serving(channel as WebSocketConnection),
)

/**
 * One peer of a WebSocketServer. Subclass it, and override `on_message`. `on_connect` is called
 * when the handshake is done. `Home` is the class of its `server`.
 *
 * @example
 * class Chat extends WebSocketConnection {
 *   override on_message(data: string | Buffer) {
 *     this.send(data)
 *   }
 * }
 * new WebSocketServer(Chat).listen(8080)
 */
export class WebSocketConnection<Home extends StreamServer<any> = StreamServer<any>>
  extends Base<Home>
  implements WebSocketServerSideSettings
{
  // The settings. WebSocketServerSideSettings says what each of them means.
  declare origins: Origins
  declare protocols: readonly string[]

  static {
    defineSettings<WebSocketConnection>(
      WebSocketConnection.prototype,
      settingsFrom(SERVER_SIDE_CHECKS, valuesOf, assignValue),
    )
  }

  /**
   * Called when a peer asks for a connection, before anything is answered; not if the path or the
   * origin of the request is refused already. It may answer, at once or later:
   * `request.accept(…)` or `request.refuse(…)`. Meanwhile nothing is read, and nothing is lost.
   *
   * If it returns false, or its promise resolves with that, the request is refused with 403. If it
   * returns anything else without an answer, the request is accepted, with the first common
   * subprotocol. If it throws, the peer gets the status 500.
   *
   * By default it does nothing.
   */
  on_upgrade(_request: UpgradeRequest): any {}
}

/** The side of a server. A value of the server wins over one of the class of its connections. */
class Serving implements Side, ServerSide {
  readonly #channel: WebSocketConnection

  constructor(channel: WebSocketConnection) {
    this.#channel = channel
  }

  get isServer(): true {
    return true
  }

  get values(): WebSocketValues {
    const { server } = this.#channel
    const own = valuesOf(this.#channel)
    const given = ruleOf(server)
    return given === undefined ? own : { ...own, ...given.values }
  }

  get link(): ServerSide['link'] {
    return sessionOf(this.#channel).link
  }

  get path(): string | undefined {
    return ruleOf(this.#channel.server)?.path
  }

  get origins(): Origins {
    return this.values.origins
  }

  get protocols(): readonly string[] {
    return this.values.protocols
  }

  shakeHands(): ServerHandshake {
    return new ServerHandshake(this)
  }

  ask(request: UpgradeRequest): unknown {
    return this.#channel.on_upgrade(request)
  }

  compressionFor(offers: string): (Agreed & { readonly text: string }) | undefined {
    const rules = deflateRules(this.values.deflate)
    const answer = rules && answerTo(offers, rules)
    return answer && { ...answer, rules: rules as DeflateRules }
  }

  agreed(agreement: Parameters<ServerSide['agreed']>[0]): void {
    sessionOf(this.#channel).agreed(agreement)
  }
}
