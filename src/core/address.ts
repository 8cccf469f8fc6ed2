/**
 * Layer 1. Addresses: from what a program may write to the one form that networks see, and back.
 */
// Source: Pants `_format_address`, with more forms. Differs: a string that looks like a port, a
// host, host:port or a URL is refused. It is an address in the wrong form far more often than the
// name of a unix socket.

import { InvalidAddressError, show } from '../errors.ts'
import type { Endpoint, ListenEndpoint } from '../transport.ts'
import type { Address, ListenAddress, SocketAddress } from '../types.ts'
import { didYouMean } from './nearest.ts'

/**
 * The longest path of a unix socket: 108 bytes on Linux, the zero at the end included. Node would
 * cut a longer one in silence.
 */
export const PATH_MAX = 107

/** The keys of an address that is an object. */
const KEYS = ['host', 'port', 'path']

const LISTEN_KEYS = [...KEYS, 'fd']

/** Node takes no higher descriptor: it is an int of C. */
const FD_MAX = 2 ** 31 - 1

const HOST = 'this looks like a host without a port: give [host, port]'

/** What a string without a slash looks like, and why it is no path then. The first one counts. */
const NO_PATHS: readonly [looks: RegExp, why: string][] = [
  [/^\d+$|^[^/\\]*:\d+$/, 'this looks like a port or host:port, not like a path'],
  [/:\/\//, 'this is a URL, not a path: give [host, port]'],
  [/^\[?(?=.*:.*:)[\da-f:.]+(%.+)?\]?$/i, HOST],
  // A name of a host is labels of at most 63 characters. A file may be called like that, too, but
  // then most often with this ending.
  [/^(?!.*\.sock(et)?$)[a-z\d-]{1,63}(\.[a-z\d-]{1,63})*\.?$/i, HOST],
]

/** Where to listen. Throws InvalidAddressError if the value is not a valid address for that. */
export function parseListenAddress(address: ListenAddress): ListenEndpoint {
  const { fd, ...others } = (typeof address === 'object' && address !== null ? address : {}) as {
    fd?: unknown
  }
  if (fd === undefined) return parseAddress(address as Address, LISTEN_KEYS)
  if (Object.keys(others).length > 0)
    throw new InvalidAddressError('an address has an fd or other keys, not both', address)
  if (!Number.isInteger(fd) || (fd as number) < 0 || (fd as number) > FD_MAX)
    throw new InvalidAddressError('the fd must be a descriptor, an integer of at least 0', fd)
  return { kind: 'descriptor', fd: fd as number }
}

/** Throws InvalidAddressError if the value is not a valid address. `keys`: those of an object. */
export function parseAddress(address: Address, keys: readonly string[] = KEYS): Endpoint {
  if (typeof address === 'number') return ip('', address, address)
  if (typeof address === 'string') return unix(address, true)
  if (Array.isArray(address)) {
    if (address.length !== 2)
      throw new InvalidAddressError('an address as an array is [host, port]', address)
    return ip(address[0], address[1], address)
  }
  if (typeof address !== 'object' || address === null)
    throw new InvalidAddressError('not an address', address)
  checkKeys(address, keys)
  const { host, port, path } = address as { host?: unknown; port?: unknown; path?: unknown }
  if (path === undefined) return ip(host === undefined ? '' : host, port, address)
  if (port !== undefined || host !== undefined)
    throw new InvalidAddressError('an address has a path or a port, not both', address)
  return unix(path, false)
}

/** A key that does not exist must not be ignored: without it, a server might listen everywhere. */
function checkKeys(address: object, keys: readonly string[]): void {
  if (address instanceof URL)
    throw new InvalidAddressError(
      'a URL is not an address: give [url.hostname, Number(url.port)]',
      address,
    )
  const unknown = Object.keys(address).find(key => !keys.includes(key))
  if (unknown === undefined) return
  // Node's `server.address()` and its dgram sockets call the host that.
  const advice = unknown === 'address' ? 'did you mean host?' : didYouMean(unknown, keys)
  throw new InvalidAddressError(`an address has no key ${show(unknown)} (${advice})`, address)
}

function ip(host: unknown, port: unknown, address: unknown): Endpoint {
  if (typeof host !== 'string') throw new InvalidAddressError('the host must be a string', host)
  if (host.includes('\0')) throw new InvalidAddressError('the host contains a zero character', host)
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) {
    const advice = typeof port === 'string' ? ', not a string: use Number(port)' : ''
    throw new InvalidAddressError(
      `the port must be an integer from 0 to 65535${advice}`,
      port === undefined ? address : port,
    )
  }
  // '[::1]' is how URLs write an IPv6 host. '[]' is no host, and not the empty one: any host.
  return { kind: 'ip', host: host.replace(/^\[(.+)\]$/, '$1'), port }
}

function unix(path: unknown, isBare: boolean): Endpoint {
  if (typeof path !== 'string' || path === '')
    throw new InvalidAddressError('the path of a unix socket must be a non-empty string', path)
  const why = isBare && NO_PATHS.find(([looks]) => looks.test(path))?.[1]
  if (why) throw new InvalidAddressError(`${why} (if it is a path, use { path })`, path)
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
