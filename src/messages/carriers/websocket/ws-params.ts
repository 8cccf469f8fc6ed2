/**
 * Layer 8. The parameters of `ws://` and `wss://`, besides those of sockets (stream-params.ts) and
 * of TLS (tls-options.ts).
 *
 * | parameter | meaning |
 * |---|---|
 * | `path=/` | what a client asks for, and a server serves; or: `ws://host:port/path` |
 * | `protocol` | the subprotocols, separated by commas |
 * | `header.NAME` | of a client: a header field of the request |
 * | `origins=same` | of a server: the pages that may connect: same, `*`, or a list of origins |
 * | `frame=none` | what stands in a message: the data alone, or a frame of frames.ts |
 * | `binary` | binary or text; the default is text with `none` and `line`, else binary |
 * | `deflate=no` | are messages compressed? |
 * | `ping-interval=no`, `pong-timeout=20s` | a silent peer is asked whether it is there |
 * | `max-size=1mb` | the largest message that is received |
 */

import type { StreamOptions } from '../../../channels/streams/stream-options.ts'
import { isToken, isValue } from '../../../protocols/websocket/head.ts'
import { isOrigin, type Origins } from '../../../protocols/websocket/origins.ts'
import { isAddedField } from '../../../protocols/websocket/upgrade-request.ts'
import type { WebSocketSettings } from '../../../protocols/websocket/websocket-settings.ts'
import type { Address, Bytes, Milliseconds } from '../../../types.ts'
import type { Carries } from '../../caps.ts'
import type { Params } from '../../params.ts'
import type { Frame } from '../frames.ts'
import { hostFault, parseHost } from '../host.ts'
import { streamParams } from '../stream-params.ts'

/** The default limit of a message. */
const SIZE: Bytes = 1024 * 1024

/** What both sides have. */
export interface WsParams {
  /** What stands in a message; undefined: the data alone. */
  readonly frame: Frame | undefined
  readonly isBinary: boolean
  /** Is a message a text, and nothing else? */
  readonly isPlainText: boolean
  readonly carries: Carries
  readonly options: StreamOptions & WebSocketSettings
  readonly protocols: readonly string[]
  /** What a peer needs in its URL, besides the address: what is not the default. */
  readonly ofPeer: string
}

/** Reads the parameters of one side. Throws UrlError. */
export function wsParams(params: Params, side: 'client' | 'server'): WsParams {
  const shared = streamParams(params, side)
  const isPlain = !params.has('frame') || shared.frame.name === 'none'
  const isText = isPlain || shared.frame.name === 'line'
  const isBinary = params.boolean('binary', !isText)
  if (!isBinary && !isText) throw params.fault('binary', `yes with frame=${shared.frame.name}`)
  const isSized = params.has('buffer-size') || params.has('max-size')
  const message_size = isSized ? (shared.options.buffer_size as Bytes) : SIZE
  const protocols = params.list('protocol', [])
  if (!protocols.every(isToken) || new Set(protocols).size < protocols.length)
    throw params.fault('protocol', 'different subprotocols without blanks')
  return {
    frame: isPlain ? undefined : shared.frame,
    isBinary,
    isPlainText: isPlain && !isBinary,
    carries: isPlain
      ? { data: isBinary ? 'any' : 'text', msgid: false, seq: false }
      : shared.frame.carries,
    options: {
      ...shared.options,
      message_size,
      deflate: params.boolean('deflate', false),
      ping_interval: interval(params, 'ping-interval', Infinity),
      pong_timeout: interval(params, 'pong-timeout', 20_000),
    },
    protocols,
    ofPeer:
      (isPlain ? '' : `;frame=${shared.frame.name}`) +
      (isBinary && isText ? ';binary=yes' : '') +
      (protocols.length > 0 ? `;protocol=${protocols.join(',')}` : '') +
      (message_size === SIZE ? '' : `;max-size=${message_size}b`),
  }
}

function interval(params: Params, key: string, fallback: Milliseconds): Milliseconds {
  if (!params.has(key)) return fallback
  if (params.text(key) === 'no') return Infinity
  const value = params.duration(key)
  if (value === 0) throw params.fault(key, 'no, or a duration longer than 0')
  return value
}

/** Where it is, and what is asked for there; undefined: the URL does not say it. */
export interface WsTarget {
  readonly address: Address
  readonly resource: string | undefined
}

/** Takes apart `host:port/path`. Throws UrlError. */
export function wsTarget(params: Params, text: string): WsTarget {
  const at = text.search(/[/?]|$/)
  const [host, path] = [text.slice(0, at), text.slice(at)]
  const address = parseHost(host, false)
  if (address === undefined)
    throw params.url.host_fault(hostFault(host, 'the address must be host:port, or host:port/path'))
  const resource = params.has('path') ? params.text('path') : path.replace(/^\?/, '/?')
  if (resource !== '' && !/^\/[!-"$-~]*$/.test(resource))
    throw params.has('path')
      ? params.fault('path', "a path that begins with '/'")
      : params.url.host_fault('the path must be without blanks')
  return { address, resource: resource === '' ? undefined : resource }
}

/** The fields `header.NAME` of a client. Throws UrlError. */
export function wsHeaders(params: Params): Record<string, string> {
  const headers = params.names('header').map(name => [name, params.text(`header.${name}`)] as const)
  for (const [name, value] of headers)
    if (!isAddedField(name) || !isValue(value))
      throw params.fault(
        `header.${name}`,
        'a field that the handshake does not write, with text without line ends',
      )
  return Object.fromEntries(headers)
}

/** Which pages may connect to a server. */
export function wsOrigins(params: Params): Origins {
  const [first, ...others] = params.list('origins', ['same'])
  if (others.length === 0 && (first === 'same' || first === '*')) return first
  const origins = params.list('origins')
  if (!origins.every(isOrigin))
    throw params.fault('origins', 'same, * or origins, such as https://example.org')
  return origins
}
