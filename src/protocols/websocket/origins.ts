/**
 * Layer 7. Origins: which pages in browsers may connect.
 *
 * A browser sends the origin of the page along, and cannot be told not to. So a page of somebody
 * else cannot use the cookies of a visitor to speak to a server that checks it. A client that sends
 * no origin is no browser.
 */

import { InvalidArgumentError } from '../../errors.ts'

/**
 * - 'same': pages of the host that the request is for
 * - '*': all pages
 * - a list of origins: `https://example.org`, or `null`, which pages from files send
 * - a function that returns true for an origin that may connect
 */
export type Origins = 'same' | '*' | readonly string[] | ((origin: string) => boolean)

export function checkOrigins(name: string, value: unknown): Origins {
  const isList = Array.isArray(value) && value.every(each => typeof each === 'string')
  if (value === 'same' || value === '*' || isList || typeof value === 'function')
    return value as Origins
  throw new InvalidArgumentError(name, "'same', '*', a list of origins or a function", value)
}

/** May a page of that origin connect? `host`: the Host of the request. */
export function mayConnect(origins: Origins, origin: string | undefined, host: string): boolean {
  if (origin === undefined || origins === '*') return true
  if (typeof origins === 'function') return origins(origin)
  if (origins === 'same') return isSame(origin, host)
  return origins.some(each => each.toLowerCase() === origin.toLowerCase())
}

/** The scheme is not compared: a proxy may have ended TLS. */
function isSame(origin: string, host: string): boolean {
  const [, scheme, from] = /^(https?):\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? []
  if (from === undefined) return false
  const port = scheme === 'https' ? /:443$/ : /:80$/
  return from.replace(port, '') === host.toLowerCase().replace(port, '')
}
