/**
 * Layer 5. The settings of a StreamServer: what each means, its default, and which values are
 * valid.
 *
 * The interface below is the documentation: class StreamServer has these members,
 * StreamServerOptions takes them as options, and a subclass may write them as class fields.
 */

import { checkCount, checkDuration, classOf, isClassOf } from '../../core/checks.ts'
import { checkTls } from '../../core/tls-options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Milliseconds } from '../../types.ts'
import { Stream } from '../streams/stream.ts'
import type { BlockList } from './door.ts'

/** What makes the channel of an accepted connection: Connection, Stream, or a subclass of one. */
export type ConnectionClass<Peer extends Stream<any> = Stream<any>> = new (options: any) => Peer

/** Every setting of a StreamServer. */
export interface ServerSettings<Peer extends Stream<any> = Stream<any>> {
  /**
   * The class of the channels that `on_accept` makes.
   *
   * - Takes effect: with the next connection.
   *
   * @default Stream; Connection for a Server
   */
  ConnectionClass: ConnectionClass<Peer>
  /**
   * The most connections at a time. A further one is closed at once, and
   * `on_drop('max_connections', …)` is called. With 0 none is accepted.
   *
   * - Unit: connections.
   * - Takes effect: with the next connection; those that are open stay open.
   *
   * @default Infinity
   */
  max_connections: number
  /**
   * The most connections at a time from one host. A further one is closed at once, and
   * `on_drop('per_address', …)` is called. An IPv4 address is the same host over IPv6. Peers on a
   * unix socket are not counted.
   *
   * - Unit: connections.
   * - Takes effect: with the next connection; those that are open stay open.
   *
   * @default Infinity
   */
  max_connections_per_address: number
  /**
   * The hosts whose connections are closed at once, with `on_drop('blocked', …)`: Node's BlockList,
   * or any object with `check(host, family)`. If `check` throws, `on_error` is called, and the
   * connection counts as blocked. With `null` no host is blocked.
   *
   * - Takes effect: with the next connection.
   *
   * @default null
   */
  // Source: Node has it from 22.13 on only.
  block_list: BlockList | null
  /**
   * Whether connections come through a proxy that tells whose they are (HAProxy's PROXY protocol,
   * versions 1 and 2). If so, `remote_address` and all limits are about the real peer. The header
   * is read before anything else, TLS included. Only hosts in `proxy_trusted` may send one.
   *
   * - 'require': a peer that sends no header is closed, with `on_drop('proxy_header', …)`.
   * - 'optional': a connection without a header is the peer's own; one with an invalid header is
   *   closed all the same.
   * - `null`: no header is expected.
   * - Takes effect: with the next connection.
   *
   * @default null
   */
  proxy_protocol: 'require' | 'optional' | null
  /**
   * The proxies that are believed: Node's BlockList, or any object with `check(host, family)`. With
   * `null` no host is; then `listen` throws if `proxy_protocol` is set.
   *
   * - Takes effect: with the next connection.
   *
   * @default null
   */
  proxy_trusted: BlockList | null
  /**
   * The longest that the header of the PROXY protocol may take. After it the connection is closed,
   * with `on_drop('proxy_header', …)`.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: with the next connection.
   *
   * @default 10 000 ms
   */
  proxy_timeout: Milliseconds
  /**
   * How many connections the system keeps ready before they are accepted; and how many a suspended
   * server keeps.
   *
   * - Unit: connections, at least 1.
   * - Takes effect: with the next `listen`.
   *
   * @default 1024
   */
  // Source: Pants has the same default.
  backlog: number
  /**
   * Node's TLS options, for TLS on every connection from the first byte on. See `start_tls` and
   * `set_tls`.
   *
   * - Takes effect: with the next `listen`.
   *
   * @default undefined: in clear. null means the same.
   */
  tls: TlsOptions | null | undefined
  /**
   * The longest that `end()` may take. Then the connections that are still open are closed, and the
   * server closes with the reason 'timeout'.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: with the next `end()`.
   *
   * @default 30 000 ms
   */
  end_timeout: Milliseconds
}

/** The values of all settings of one server, as they are kept. */
export type ServerValues = Readonly<ServerSettings>

/** The defaults. */
export const SERVER_DEFAULTS: ServerValues = {
  ConnectionClass: Stream,
  max_connections: Infinity,
  max_connections_per_address: Infinity,
  block_list: null,
  backlog: 1024,
  proxy_protocol: null,
  proxy_trusted: null,
  proxy_timeout: 10_000,
  tls: undefined,
  end_timeout: 30_000,
}

/** For each setting: returns the value as it is kept, or throws if it is invalid. */
export const SERVER_CHECKS: {
  readonly [Name in keyof ServerValues]: (name: string, value: unknown) => ServerValues[Name]
} = {
  ConnectionClass: checkConnectionClass,
  max_connections: (name, value) => checkCount(name, value, 0),
  max_connections_per_address: (name, value) => checkCount(name, value, 0),
  block_list: checkBlockList,
  backlog: (name, value) => checkCount(name, value, 1),
  proxy_protocol: checkProxyProtocol,
  proxy_trusted: checkBlockList,
  proxy_timeout: checkDuration,
  tls: checkTls,
  end_timeout: checkDuration,
}

/** Classes of streams that only connect. */
const CALLERS = new Set<typeof Stream<any>>()

/** The class, and those that extend it, take over nothing that a server has accepted. */
export function neverAccepted(Class: typeof Stream<any>): void {
  CALLERS.add(Class)
}

const checkStreamClass = classOf(Stream, 'Connection does')

function checkConnectionClass(name: string, value: unknown): ConnectionClass {
  checkStreamClass(name, value)
  for (const Class of CALLERS)
    if (isClassOf(value, Class))
      throw new InvalidArgumentError(name, `one of connections, not a ${Class.name}`, value)
  return value as ConnectionClass
}

function checkBlockList(name: string, value: unknown): BlockList | null {
  if (value !== null && typeof (value as Partial<BlockList> | undefined)?.check !== 'function') {
    throw new InvalidArgumentError(
      name,
      'a BlockList (an object with check(host, family)), or null',
      value,
    )
  }
  return value as BlockList | null
}

function checkProxyProtocol(name: string, value: unknown): ServerValues['proxy_protocol'] {
  if (value !== null && value !== 'require' && value !== 'optional')
    throw new InvalidArgumentError(name, "'require', 'optional' or null", value)
  return value
}
