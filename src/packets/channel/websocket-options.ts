/**
 * Layer 9. The options of a WebsocketChannel, and what is made of them.
 */

import type { BackoffOptions } from '../../core/backoff.ts'
import {
  BACKOFF_CHECKS,
  checkDuration,
  checkFunction,
  type Checks,
  countFrom,
  instanceOf,
} from '../../core/checks.ts'
import { checkOptions, optionsOf } from '../../core/options.ts'
import { Context } from '../../messages/context.ts'
import { peerUrl } from '../../messages/server-url.ts'
import { Url } from '../../messages/url.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { LOSS_CHECKS, type LossOptions, LossRules } from './loss-rules.ts'

/** The options of a WebsocketChannel. */
export interface WebsocketChannelOptions {
  /** Makes the message channels, and has their engine. @default Context.instance() */
  readonly context?: Context | undefined
  /** When the channel gives up; see `LossOptions`. */
  readonly lost?: LossOptions | undefined
  /** The waits between attempts. @default { first: 200, longest: 10 000, lasting: 5000 } */
  readonly backoff?: BackoffOptions | undefined
  /** How long one attempt may take. @default 30 000 ms */
  readonly connect_timeout?: Milliseconds | undefined
  /**
   * How often a silent peer is asked whether it is still there. One that does not answer by the
   * next time has lost its connection. Infinity: never.
   *
   * @default 32 000 ms
   */
  readonly heartbeat?: Milliseconds | undefined
  /**
   * The largest packet. It must be less than the server takes, because a router may add timestamps.
   *
   * @default 1 000 000 bytes with `ws://` and `wss://`, 60 000 with others: servers of `ws://` take
   * 1 MiB by default, and others 64 KiB
   */
  readonly packet_size?: Bytes | undefined
  /**
   * Called with each error that ends an attempt or a connection, each packet that cannot be read,
   * and what a callback throws.
   *
   * @default logs one line by `engine.log`
   */
  readonly on_error?: ((channel_id: string, error: Error) => void) | undefined
}

export const CHANNEL_CHECKS: Checks<WebsocketChannelOptions> = {
  context: instanceOf(Context),
  lost: optionsOf(LOSS_CHECKS),
  backoff: optionsOf(BACKOFF_CHECKS),
  connect_timeout: checkDuration,
  heartbeat: checkDuration,
  packet_size: countFrom(1),
  on_error: checkFunction,
}

/** The original waits 0.2 s before it connects again. */
const BACKOFF: BackoffOptions = { first: 200, longest: 10_000, lasting: 5000 }

/** The original pings every 32 s. */
const HEARTBEAT: Milliseconds = 32_000

const WS_PACKET_SIZE: Bytes = 1_000_000
const PACKET_SIZE: Bytes = 60_000

const CONNECT_TIMEOUT: Milliseconds = 30_000

/** The settings of a channel. */
export interface ChannelSettings {
  readonly url: string
  readonly context: Context
  readonly rules: LossRules
  readonly backoff: BackoffOptions
  readonly patience: Milliseconds
  /** How often a packet asks whether the peer is there; Infinity: the carrier asks itself. */
  readonly heartbeat: Milliseconds
  readonly packetSize: Bytes
  readonly onError: WebsocketChannelOptions['on_error']
}

/** Throws UrlError or InvalidArgumentError. */
export function readOptions(url: string, options: WebsocketChannelOptions): ChannelSettings {
  checkOptions('new WebsocketChannel', options, CHANNEL_CHECKS)
  const { context = Context.instance(), lost, backoff, on_error } = options
  const { connect_timeout = CONNECT_TIMEOUT, heartbeat = HEARTBEAT } = options
  context.check_url(url)
  peerUrl('new WebsocketChannel: socket_url', url)
  const { packet_size = isWebSocket(url) ? WS_PACKET_SIZE : PACKET_SIZE } = options
  return {
    url: withHeartbeat(url, heartbeat),
    context,
    rules: new LossRules(lost),
    backoff: { ...BACKOFF, ...backoff },
    patience: connect_timeout,
    heartbeat: isWebSocket(url) ? Infinity : heartbeat,
    packetSize: packet_size,
    onError: on_error,
  }
}

function isWebSocket(url: string): boolean {
  return /(?:^|\+)wss?$/.test(Url.parse(url).protocol)
}

/** A WebSocket asks by its own pings, unless the URL says how. */
function withHeartbeat(url: string, every: Milliseconds): string {
  if (every === Infinity || !isWebSocket(url) || Url.parse(url).entries.has('ping-interval'))
    return url
  const ms = Math.max(1, Math.round(every))
  return `${url.replace(/;+$/, '')};ping-interval=${ms}ms;pong-timeout=${ms}ms`
}
