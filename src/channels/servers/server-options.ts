/**
 * Layer 5. The options of a StreamServer: those of its constructor, of `listen` and of `end`, with
 * the checks of the latter two. (The constructor's are settings, which check themselves.)
 */

import { checkBoolean, checkCount, checkDuration } from '../../core/checks.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkAddressOptions, checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import type { ChannelOptions } from '../channel.ts'
import type { ServerValues } from './server-settings.ts'

/** How to listen. */
export interface ServerListenOptions {
  /**
   * Whether other sockets may listen on the same port, also those of other processes, if they set
   * it as well. The system then distributes the connections among them.
   *
   * - It needs Node 22.12, 23.1 or newer, and Linux, FreeBSD, DragonFly, Solaris or AIX. Elsewhere
   *   `listen` throws ERR_UNSUPPORTED_OPTION.
   * - Systems differ in how they distribute connections, and in what becomes of those that a server
   *   had not accepted when it closed. Linux resets them.
   *
   * @default false
   */
  // Source: Node `net.Server.listen`.
  readonly reuse_port?: boolean | undefined
  /**
   * Whether it listens on IPv6 only. Otherwise the host '' or '::' means both families, and no
   * other server can listen on the port with IPv4.
   *
   * - A name is looked up among the IPv6 addresses. With the path of a unix socket, an IPv4 address
   *   or `{ fd }`, `listen` throws ERR_UNSUPPORTED_OPTION.
   *
   * @default false
   */
  // Source: Node `net.Server.listen`, IPV6_V6ONLY of RFC 3493.
  readonly ipv6_only?: boolean | undefined
  /**
   * Who may connect to a unix socket: its file mode, as of `chmod`. A peer needs the right to
   * write.
   *
   * - The path appears with this mode. (Node sets it afterwards.)
   * - Without a path, for an abstract unix socket and on Windows, `listen` throws
   *   ERR_UNSUPPORTED_OPTION.
   *
   * @default what the umask of the process leaves
   * @example
   * server.listen('/run/app.sock', { mode: 0o660 })
   */
  readonly mode?: number | undefined
}

/** The options of a StreamServer: every setting, `engine` and `name`. */
export interface StreamServerOptions extends ChannelOptions, AsOptions<ServerValues> {}

/** How to end. */
export interface ServerEndOptions {
  /** How many connections end at a time. */
  readonly batch?: number | undefined
  /** The time between two batches, in ms. */
  readonly interval?: Milliseconds | undefined
}

/** Throws InvalidArgumentError for an unknown or invalid option of `listen`. */
export function checkListenOptions(address: unknown, options: ServerListenOptions): void {
  checkAddressOptions('listen', address, options, ['reuse_port', 'ipv6_only', 'mode'])
  const { reuse_port, ipv6_only, mode } = options
  if (reuse_port !== undefined) checkBoolean('listen: reuse_port', reuse_port)
  if (ipv6_only !== undefined) checkBoolean('listen: ipv6_only', ipv6_only)
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o777))
    throw new InvalidArgumentError('listen: mode', 'a file mode, 0 to 0o777', mode)
}

/**
 * Throws InvalidArgumentError for an unknown or invalid option of `end`, or one without the other.
 */
export function checkEndOptions(options: ServerEndOptions): ServerEndOptions {
  checkOptions('end', options, ['batch', 'interval'])
  const { batch, interval } = options
  if (batch !== undefined) checkCount('end: batch', batch, 1)
  if (interval !== undefined) checkDuration('end: interval', interval)
  if ((batch === undefined) !== (interval === undefined))
    throw new InvalidArgumentError('end: options', 'batch and interval, or neither', options)
  return options
}

/** Throws InvalidArgumentError if every peer could say in a PROXY header who it is. */
export function checkProxy({
  proxy_protocol,
  proxy_trusted,
}: Pick<ServerValues, 'proxy_protocol' | 'proxy_trusted'>): void {
  if (proxy_protocol === null || proxy_trusted !== null) return
  throw new InvalidArgumentError(
    'listen: proxy_trusted',
    'a BlockList of the proxies if proxy_protocol is set: anyone could claim to be someone else',
    null,
  )
}
