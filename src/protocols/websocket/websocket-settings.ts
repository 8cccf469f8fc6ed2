/**
 * Layer 7. The settings of a WebSocket connection, what each means, and which values are valid.
 */

import { checkCount, checkDuration } from '../../core/checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { checkDeflate, type DeflateOptions } from './deflate/deflate-options.ts'
import { isToken } from './head.ts'
import { checkOrigins, type Origins } from './origins.ts'

/** The settings that both ends have. */
export interface WebSocketSettings {
  /**
   * Whether messages are compressed (permessage-deflate, RFC 7692), if the peer agrees. With `true`
   * both ends remember what they have sent, and messages below 1 KiB go as they are; DeflateOptions
   * says otherwise. Compression takes time and memory: use it for large texts on slow lines.
   *
   * - Takes effect: with the next opening.
   *
   * @default false
   */
  deflate: boolean | DeflateOptions
  /**
   * The longest message that may come. A longer one is `on_overflow_error`, and the peer gets the
   * code 1009. The headers of its second and further fragments count, too.
   *
   * - Unit: bytes, at least 1. `Infinity` means no limit.
   * - Takes effect: with the next opening.
   * - `buffer_size` has no effect.
   *
   * @default 1 MiB
   */
  message_size: Bytes
  /**
   * After how long a silence the peer is asked for a sign of life, by a ping.
   *
   * - Unit: milliseconds. `Infinity` means never.
   * - Takes effect: with the next opening.
   *
   * @default Infinity
   */
  ping_interval: Milliseconds
  /**
   * The longest that the peer may send nothing after such a ping. Then `on_timeout('read')` is
   * called, which closes by default.
   *
   * - Unit: milliseconds.
   * - Takes effect: with the next ping.
   *
   * @default 20 000 ms
   */
  pong_timeout: Milliseconds
}

/** The settings of a server's end. */
export interface WebSocketServerSideSettings {
  /**
   * The pages in browsers that may connect, by their origins. A page of another origin is refused
   * with 403. A client that sends no origin is not a browser, and may connect.
   *
   * - 'same': pages of the host that the request is for. A proxy in between must pass on `Host`.
   * - '*': all pages.
   * - A list of origins as browsers send them: `https://example.org`. Pages from files send `null`.
   * - A function that gets the origin and returns true if it may connect.
   *
   * @default 'same'
   */
  origins: Origins
  /**
   * The subprotocols that are spoken. Of those that a client offers, the first that is among them
   * is chosen. A client that offers only others is refused with 400.
   *
   * @default []
   */
  protocols: readonly string[]
}

/** The values of one end. */
export type WebSocketValues = Readonly<WebSocketSettings & WebSocketServerSideSettings>

/** 20 s, as python-websockets and Bun wait. A message of 1 MiB is about twice the usual limit. */
export const WEBSOCKET_DEFAULTS: WebSocketValues = {
  deflate: false,
  message_size: 1024 * 1024,
  ping_interval: Infinity,
  pong_timeout: 20_000,
  origins: 'same',
  protocols: [],
}

type Checks<Of> = {
  readonly [Name in keyof Of]: (name: string, value: unknown) => Of[Name]
}

/** For each setting: returns the value as it is kept, or throws if it is invalid. */
export const WEBSOCKET_CHECKS: Checks<WebSocketSettings> = {
  deflate: checkDeflate,
  message_size: (name, value) => checkCount(name, value, 1),
  ping_interval: checkDuration,
  pong_timeout: checkDuration,
}

export const SERVER_SIDE_CHECKS: Checks<WebSocketServerSideSettings> = {
  origins: checkOrigins,
  protocols: checkProtocols,
}

/** Subprotocols, each once. Throws InvalidArgumentError. */
export function checkProtocols(name: string, value: unknown): readonly string[] {
  const isValid =
    Array.isArray(value) &&
    value.every(each => typeof each === 'string' && isToken(each)) &&
    new Set(value).size === value.length
  if (!isValid)
    throw new InvalidArgumentError(name, 'a list of different subprotocols without blanks', value)
  return value
}
