/**
 * Layer 8. The host of a URL as the address of a socket. It has one of these forms:
 * - `host:port`. The last colon counts: `::1:80`, `[::1]:80`
 * - `*:port` or `:port`: any host
 * - a path: a text with a slash, or any text for `unix://`
 * - `@name`: an abstract unix socket
 *
 * An invalid one is refused when the URL is read, so a host that cannot be one is no address.
 */

import { formatAddress } from '../../core/address.ts'
import type { Address, SocketAddress } from '../../types.ts'
import { parseInteger } from '../values.ts'

/** Any host, an IPv6 address with brackets or without, or a text that may be a name. */
const HOST = /^(\*?|\[(?=.*:)[\da-f:.]+(%[^\]]+)?\]|(?=.*:.*:)[\da-f:.]+(%[^\]]+)?|[^\s:[\]@]+)$/i

/** Returns undefined if the text is not an address. */
export function parseHost(text: string, isUnix: boolean): Address | undefined {
  if (text.startsWith('@')) return text === '@' ? undefined : { path: text.replace('@', '\0') }
  if (isUnix || text.includes('/')) return text === '' ? undefined : { path: text }
  const colon = text.lastIndexOf(':')
  const port = /^\d+$/.test(text.slice(colon + 1)) ? parseInteger(text.slice(colon + 1)) : undefined
  if (colon === -1 || port === undefined || port > 65_535) return undefined
  const host = text.slice(0, colon)
  return HOST.test(host) ? [host === '*' ? '' : host, port] : undefined
}

/** What is said of a text that is not an address. `otherwise` says what would be. */
export function hostFault(text: string, otherwise: string): string {
  const [, port] = /:(\d+)$/.exec(text) ?? []
  if (port === undefined) return otherwise
  return Number(port) > 65_535
    ? 'the port must be from 0 to 65535'
    : 'the host must be a name or an address, as [::1] for IPv6'
}

/** An address as the host of a client's URL. If a server listens on any host, that is localhost. */
export function formatHost(address: SocketAddress): string {
  if (typeof address === 'string') return address.replace('\0', '@')
  const [host, port] = address
  return formatAddress([
    host === '::' || host === '0.0.0.0' || host === '' ? 'localhost' : host,
    port,
  ])
}
