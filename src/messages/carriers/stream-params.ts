/**
 * Layer 8. The parameters that `tcp://`, `tls+tcp://` and `unix://` share, and those of their
 * servers.
 *
 * | parameter | meaning |
 * |---|---|
 * | `frame=std` | how the messages are written, see frames.ts |
 * | `buffer-size=64kb` | the largest message that is received, with its frame |
 * | `max-size` | the same without the frame; if both are given, the larger counts |
 * | `send-buffer-size=64kb` | at this many queued bytes `post` returns false |
 * | `nodelay=yes` | no: small writes may be delayed and joined (Nagle's algorithm) |
 * | `keepalive=yes` | after how much silence the system asks whether the peer is there; yes: 2h |
 * | `connect-timeout=30s` | of a client: the longest that connecting may take |
 * | `read-timeout=no` | the longest that the peer may send nothing |
 * | `write-timeout=no` | the longest that the peer may take nothing; of a server 60s |
 * | `idle-timeout=no` | the longest that nothing may go in either direction |
 * | `max-connections=no` | of a server: the most peers at a time |
 * | `per-address=no` | of a server: the most peers at a time from one host |
 * | `block` | of a server: hosts and networks that are turned away, see block-list.ts |
 * | `bind` | of a client: the host, or host:port, to connect from |
 * | `af=any` | ipv4, ipv6 or unix: the address must be one of these, and `*` is one of these |
 * | `backlog=1024` | of a server: how many connections may wait to be accepted |
 *
 * After a timeout the connection closes, with an error.
 */

import type { BlockList } from '../../channels/servers/door.ts'
import type { StreamServerOptions } from '../../channels/servers/server-options.ts'
import type { StreamOptions } from '../../channels/streams/stream-options.ts'
import type { Address, Bytes, Milliseconds } from '../../types.ts'
import type { Params } from '../params.ts'
import { parseBoolean, parseDuration } from '../values.ts'
import { parseBlockList } from './block-list.ts'
import { type Frame, FRAMES } from './frames.ts'
import { parseHost } from './host.ts'

/**
 * The default limit of a message with its frame, and of the queue before `post` returns false. It
 * is the default of Stream for both.
 */
const SIZE: Bytes = 65_536

/** The default of Linux, where the original leaves it to the system. */
const KEEP_ALIVE: Milliseconds = 7_200_000

/** What clients and servers share. */
export interface StreamParams {
  readonly frame: Frame
  readonly options: StreamOptions
  /** What a peer needs in its URL, besides the address: `;frame=std` and so on. */
  readonly ofPeer: string
}

/** Reads the parameters of one side. Throws UrlError. */
export function streamParams(params: Params, side: 'client' | 'server'): StreamParams {
  const frame = FRAMES.get(params.choice('frame', [...FRAMES.keys()], 'std')) as Frame
  const buffer_size = receiveLimit(params, frame)
  // Looked at when there is an address, see inFamily.
  params.choice('af', FAMILIES, 'any')
  return {
    frame,
    options: {
      buffer_size,
      send_high_water: params.size('send-buffer-size', SIZE, 1),
      no_delay: params.boolean('nodelay', true),
      keep_alive: keepAlive(params),
      ...(side === 'client' && timeout(params, 'connect')),
      ...timeout(params, 'read'),
      ...timeout(params, 'write'),
      ...timeout(params, 'idle'),
    },
    ofPeer: `;frame=${frame.name}${buffer_size === SIZE ? '' : `;buffer-size=${buffer_size}b`}`,
  }
}

/** Reads those of the listening socket. Throws UrlError. */
export function serverParams(params: Params): StreamServerOptions {
  const count = (key: string): number =>
    params.text(key, 'no') === 'no' ? Infinity : params.integer(key, 0, { least: 1 })
  return {
    max_connections: count('max-connections'),
    max_connections_per_address: count('per-address'),
    backlog: params.integer('backlog', 1024, { least: 1, most: 65_535 }),
    block_list: blockList(params),
  }
}

function blockList(params: Params): BlockList | null {
  const list = params.has('block') ? parseBlockList(params.list('block')) : null
  if (list === undefined)
    throw params.fault('block', 'addresses and networks, as 10.0.0.0/8,192.168.1.5,fd00::/8')
  return list
}

/** The address that a client connects from; undefined: the system chooses. Throws UrlError. */
export function bindAddress(params: Params): [host: string, port: number] | undefined {
  if (!params.has('bind')) return undefined
  const text = params.text('bind')
  const address = parseHost(text, false) ?? parseHost(`${text}:0`, false)
  if (!Array.isArray(address)) throw params.fault('bind', 'a host, or host:port')
  return address as [string, number]
}

const FAMILIES = ['any', 'ipv4', 'ipv6', 'unix'] as const

/**
 * The address in the family that `af` asks for. Throws UrlError if it is of another one. A name is
 * resolved by the system, so only localhost may be given as a name then.
 */
export function inFamily(params: Params, address: Address): Address {
  const family = params.choice('af', FAMILIES, 'any')
  if (family === 'any') return address
  const [host, port] = Array.isArray(address) ? (address as [string, number]) : [undefined, 0]
  if (host === undefined && family === 'unix') return address
  const isIPv6 = host?.includes(':') === true
  const isAny = host === '' || host === 'localhost'
  if (host !== undefined && family !== 'unix') {
    if (isAny) return [HOSTS[family][host === '' ? 0 : 1], port]
    if (isIPv6 === (family === 'ipv6') && (isIPv6 || /^[\d.]+$/.test(host))) return address
  }
  throw params.fault('af', 'that of the address, which is * or localhost, or no name')
}

/** Any host, and this one. */
const HOSTS = { ipv4: ['0.0.0.0', '127.0.0.1'], ipv6: ['::', '::1'] } as const

function receiveLimit(params: Params, frame: Frame): Bytes {
  const least = Math.max(1, frame.overhead)
  const given = params.has('buffer-size') ? params.size('buffer-size', SIZE, least) : 0
  const data = params.has('max-size') ? params.size('max-size', SIZE, 1) + frame.overhead : 0
  return Math.max(given, data) || SIZE
}

function keepAlive(params: Params): Milliseconds | false {
  const text = params.text('keepalive', 'yes')
  const is = parseBoolean(text)
  if (is !== undefined) return is && KEEP_ALIVE
  return positive(params, 'keepalive', 'yes, no, or a duration of at least 1s', 1000)
}

type Kind = 'connect' | 'read' | 'write' | 'idle'

/** The option, if the parameter is given. `no` means no limit. */
function timeout(params: Params, kind: Kind): Partial<Record<`${Kind}_timeout`, Milliseconds>> {
  const key = `${kind}-timeout`
  if (!params.has(key)) return {}
  const isNone = params.text(key) === 'no'
  const value = isNone ? Infinity : positive(params, key, 'no, or a duration longer than 0', 1e-6)
  return { [`${kind}_timeout`]: value }
}

function positive(
  params: Params,
  key: string,
  expected: string,
  least: Milliseconds,
): Milliseconds {
  const value = parseDuration(params.text(key))
  if (value === undefined || value < least) throw params.fault(key, expected)
  return value
}
