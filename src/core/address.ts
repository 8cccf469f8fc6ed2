/**
 * Layer 1. Addresses: from what a program may write to the one form that networks see, and back.
 */
// Source: Pants `_format_address`, with more forms. Differs: a string of digits, or one like
// host:port without a slash, is refused. It is an address in the wrong form far more often than the
// name of a unix socket.

import { InvalidAddressError } from '../errors.ts'
import type { Endpoint } from '../transport.ts'
import type { Address, SocketAddress } from '../types.ts'

/**
 * The longest path of a unix socket: 108 bytes on Linux, the zero at the end included. Node would
 * cut a longer one in silence.
 */
export const PATH_MAX = 107

/** Throws InvalidAddressError if the value is not a valid address. */
export function parseAddress(address: Address): Endpoint {
  if (typeof address === 'number') return ip('', address, address)
  if (typeof address === 'string') return unix(address, true)
  if (Array.isArray(address)) {
    if (address.length !== 2)
      throw new InvalidAddressError('an address as an array is [host, port]', address)
    return ip(address[0], address[1], address)
  }
  if (typeof address !== 'object' || address === null)
    throw new InvalidAddressError('not an address', address)
  const { host = '', port, path } = address as { host?: unknown; port?: unknown; path?: unknown }
  if (path === undefined) return ip(host, port, address)
  if (port !== undefined)
    throw new InvalidAddressError('an address has a path or a port, not both', address)
  return unix(path, false)
}

function ip(host: unknown, port: unknown, address: unknown): Endpoint {
  if (typeof host !== 'string') throw new InvalidAddressError('the host must be a string', host)
  if (host.includes('\0')) throw new InvalidAddressError('the host contains a zero character', host)
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) {
    throw new InvalidAddressError(
      'the port must be an integer from 0 to 65535',
      port === undefined ? address : port,
    )
  }
  // '[::1]' is how URLs write an IPv6 host. No other host begins with a bracket.
  return { kind: 'ip', host: host.replace(/^\[(.*)\]$/, '$1'), port }
}

function unix(path: unknown, isBare: boolean): Endpoint {
  if (typeof path !== 'string' || path === '')
    throw new InvalidAddressError('the path of a unix socket must be a non-empty string', path)
  if (isBare && /^\d+$|^[^/\\]*:\d+$/.test(path)) {
    throw new InvalidAddressError(
      'this looks like a port or host:port, not like a path (if it is one, use { path })',
      path,
    )
  }
  if (path.includes('\0', 1))
    throw new InvalidAddressError('the path contains a zero character', path)
  if (new TextEncoder().encode(path).length > PATH_MAX) {
    throw new InvalidAddressError(`the path of a unix socket has at most ${PATH_MAX} bytes`, path)
  }
  return { kind: 'unix', path }
}

/**
 * The address of a socket as sluice reports it. An IPv4 peer of a dual-stack server is reported as
 * 1.2.3.4, not as ::ffff:1.2.3.4.
 */
export function socketAddress(host: string, port: number): SocketAddress {
  return [host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, ''), port]
}

/** An address as a message shows it: host:port, [host]:port for IPv6, or the path. */
export function formatAddress(address: SocketAddress | Endpoint | undefined): string {
  if (address === undefined) return '(no address)'
  if (typeof address === 'string')
    return address === '' ? '(unnamed unix socket)' : address.replace('\0', '@')
  if (!Array.isArray(address))
    return formatAddress(
      (address as Endpoint).kind === 'unix'
        ? (address as { path: string }).path
        : [(address as { host: string }).host, (address as { port: number }).port],
    )
  const [host, port] = address as [string, number]
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
