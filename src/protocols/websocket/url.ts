/**
 * Layer 7. The URLs of WebSocket, as `connect` takes them.
 *
 * `ws://host:port/path?query`, `wss:` for TLS, and `ws+unix:/path/to/socket:/path?query`.
 */

import { Buffer } from 'node:buffer'
import { formatAddress, parseAddress } from '../../core/address.ts'
import { InvalidAddressError } from '../../errors.ts'
import type { Address } from '../../types.ts'
import type { Headers } from './handshake-text.ts'

/** Where to connect to, and what to ask for. */
export interface Target {
  readonly address: Address
  /** 'either': an address that is no URL, which says nothing about TLS. */
  readonly security: 'clear' | 'tls' | 'either'
  /** For the field Host. */
  readonly host: string
  /** The path and the query. */
  readonly resource: string
  /** Authorization, if the URL has a name and a password. */
  readonly headers: Headers
}

const UNIX = /^ws\+unix:(?:\/\/(?=\/))?([^:?#]+)(?::(\/[^#]*))?$/i

const FORMS = 'It is ws://host:port/path, wss://host:port/path or ws+unix:/socket:/path'

/** Throws InvalidAddressError. */
export function parseWebSocketUrl(given: Address | URL): Target {
  const address = given instanceof URL ? given.href : given
  if (typeof address === 'string' && /^https?:/i.test(address))
    throw new InvalidAddressError('a URL of WebSocket begins with ws: or wss:', given, FORMS)
  if (typeof address !== 'string' || !/^wss?(\+unix)?:/i.test(address)) return plainTarget(address)
  const unix = UNIX.exec(address)
  if (unix !== null)
    return {
      address: { path: unix[1] as string },
      security: 'clear',
      host: 'localhost',
      resource: unix[2] ?? '/',
      headers: {},
    }
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || url.hostname === '')
    throw new InvalidAddressError('this is no URL of WebSocket', address, FORMS)
  if (address.includes('#'))
    throw new InvalidAddressError('a URL of WebSocket must not have a fragment', address, FORMS)
  const isSecure = url.protocol === 'wss:'
  return {
    address: [url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || (isSecure ? 443 : 80))],
    security: isSecure ? 'tls' : 'clear',
    host: url.host,
    resource: url.pathname + url.search,
    headers: authorization(url),
  }
}

function plainTarget(address: Address): Target {
  const endpoint = parseAddress(address)
  const host =
    endpoint.kind === 'unix'
      ? 'localhost'
      : formatAddress(endpoint.host === '' ? { ...endpoint, host: 'localhost' } : endpoint)
  return { address, security: 'either', host, resource: '/', headers: {} }
}

function authorization({ username, password }: URL): Headers {
  if (username === '' && password === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}
