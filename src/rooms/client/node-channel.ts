/**
 * Layer 9. Channel: a channel to a room server in Node, over any message channel.
 */

import { anyValue, type Checks, instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { Pause } from '../../core/time/pause.ts'
import { checkTls } from '../../core/tls-options.ts'
import { DRIVE, Engine, logSafely } from '../../engine.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import { peerUrl } from '../../messages/server-url.ts'
import { checkHeaders } from '../../protocols/websocket/upgrade-request.ts'
import type { TlsOptions } from '../../transport.ts'
import type { CarrierSink } from './carrier.ts'
import { CHANNEL_OPTIONS, type RoomChannelOptions } from './channel-options.ts'
import { MessageCarrier } from './message-carrier.ts'
import { RoomChannel } from './room-channel.ts'
import { isPlainWebSocket, WebSocketCarrier } from './websocket-carrier.ts'

/** The options of a Channel in Node. */
export interface RoomNodeOptions extends RoomChannelOptions {
  /** What drives the channel. @default that of `context` */
  readonly engine?: Engine | undefined
  /**
   * Makes the message channels, for URLs other than `ws:` and `wss:`.
   * @default Context.instance()
   */
  readonly context?: Context | undefined
  /** Fields for the request of WebSocket: `Cookie`, `Authorization` … @default {} */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Node's TLS options, for `wss:`. @default those of Node */
  readonly tls?: TlsOptions | undefined
}

const OWN_CHECKS: Checks<Omit<RoomNodeOptions, keyof RoomChannelOptions>> = {
  engine: instanceOf(Engine),
  context: instanceOf(Context),
  headers: (_, value) => checkHeaders('new Channel', value),
  tls: checkTls,
}

const OWN_OPTIONS = Object.keys(OWN_CHECKS)

/** The values of the other options are checked by channel-options.ts, which browsers have, too. */
const CHECKS = {
  ...Object.fromEntries(CHANNEL_OPTIONS.map(name => [name, anyValue])),
  ...OWN_CHECKS,
}

/**
 * Talks to a room server. The URL says how: `ws://host:port/path` or `wss:`, or any message channel
 * that has one peer: `tcp://host:port;frame=line`, `unix://path;frame=line`, `mem://;master=name`.
 *
 * @example
 * const channel = new Channel('ws://localhost:8000/', { auto_reconnect: true })
 * channel.on_room_message('lobby', message => console.log(message))
 * await channel.connect()
 * await channel.join('lobby')
 * await channel.send_to('lobby', { text: 'hello' })
 */
export class Channel extends RoomChannel {
  /**
   * Connects to nothing yet. Throws InvalidArgumentError for an option that is unknown or invalid,
   * and UrlError or InvalidAddressError for an invalid URL.
   */
  constructor(url: string, options: RoomNodeOptions = {}) {
    checkOptions('new Channel', options, CHECKS)
    super(url, options, OWN_OPTIONS, ({ protocols }) => {
      const { context = Context.instance(), headers = {}, tls } = options
      const { engine = context.engine } = options
      const isPlain = isPlainWebSocket(url)
      if (!isPlain) context.check_url(peerUrl('new Channel: url', url))
      return {
        carrier: (sink: CarrierSink) =>
          isPlain
            ? new WebSocketCarrier(url, { engine, protocols, headers, tls }, sink)
            : new MessageCarrier(url, context, engine, sink),
        now: () => engine.now,
        after: (delay, callback, stopped = () => void this.close()) => {
          const pause = new Pause(engine[DRIVE], delay, callback, () => stopped('the engine stops'))
          return () => pause.cancel()
        },
        log: (message, error) => logSafely(engine, message, error),
      }
    })
  }

  /**
   * Removes all handlers, those of rooms included. Throws InvalidArgumentError if it is given a
   * handler: it would remove the others, too.
   */
  override clear_handlers(): void {
    if (arguments.length > 0)
      throw new InvalidArgumentError(
        'clear_handlers: it removes all of them; remove_handler(handler) removes one',
      )
    super.clear_handlers()
  }
}
