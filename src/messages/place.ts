/**
 * Layer 8. Where a URL says that a socket is: its host as an address.
 *
 * `host:port` (the last colon counts: `::1:80`, `[::1]:80`), `*:port` or `:port` for any host, a
 * path if it has a slash, `@name` for an abstract unix socket.
 */

import { formatAddress } from '../core/address.ts'
import type { Address, SocketAddress } from '../types.ts'
import { parseInteger } from './values.ts'

/** Undefined for what is no address. */
export function parsePlace(text: string, isUnix: boolean): Address | undefined {
  if (text.startsWith('@')) return { path: text.replace('@', '\0') }
  if (isUnix || text.includes('/')) return text === '' ? undefined : { path: text }
  const colon = text.lastIndexOf(':')
  const port = /^\d+$/.test(text.slice(colon + 1)) ? parseInteger(text.slice(colon + 1)) : undefined
  if (colon === -1 || port === undefined || port > 65_535) return undefined
  const host = text.slice(0, colon)
  return [host === '*' ? '' : host, port]
}

/** An address as a URL has it, for who connects: where any host is listened to, this one. */
export function formatPlace(address: SocketAddress): string {
  if (typeof address === 'string') return address.replace('\0', '@')
  const [host, port] = address
  return formatAddress([
    host === '::' || host === '0.0.0.0' || host === '' ? 'localhost' : host,
    port,
  ])
}
