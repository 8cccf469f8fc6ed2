/**
 * Layer 7. Origins: which pages in browsers may connect.
 *
 * A browser sends the origin of the page along, and a page cannot prevent that. So a foreign page
 * cannot use the cookies of a visitor to speak to a server that checks it. A client that sends no
 * origin is not a browser.
 */

import { noop } from '../../core/noop.ts'
import { onRejection } from '../../core/promises.ts'
import { InvalidArgumentError } from '../../errors.ts'

/**
 * - 'same': pages of the host that the request is for
 * - '*': all pages
 * - a list of origins: `https://example.org`, or `null`, which pages from files send
 * - a function that returns true for an origin that may connect
 */
export type Origins = 'same' | '*' | readonly string[] | ((origin: string) => boolean)

/** A scheme and a host, as browsers send them. A host alone, or a path after it, never matches. */
const ORIGIN = /^(?:null|[a-z][a-z\d+.-]*:\/\/[^/?#\s]*)$/i

export function checkOrigins(name: string, value: unknown): Origins {
  if (Array.isArray(value)) {
    const wrong: unknown = value.find(each => !isOrigin(each))
    if (wrong === undefined) return value as readonly string[]
    throw new InvalidArgumentError(name, "origins, such as 'https://example.org'", wrong)
  }
  if (value === 'same' || value === '*' || typeof value === 'function') return value as Origins
  throw new InvalidArgumentError(name, "'same', '*', a list of origins or a function", value)
}

/** Can an origin be this? */
export function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && ORIGIN.test(value)
}

/** May a page of that origin connect? `host`: the Host of the request. */
export function mayConnect(origins: Origins, origin: string | undefined, host: string): boolean {
  if (origin === undefined || origins === '*') return true
  if (typeof origins === 'function') return decided(origins(origin))
  if (origins === 'same') return isSame(origin, host)
  return origins.some(each => each.toLowerCase() === origin.toLowerCase())
}

/** A promise is not an answer: it would let every page in. */
function decided(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  onRejection(answer, noop)
  const expected = 'true or false: what takes time is decided in on_upgrade'
  throw new InvalidArgumentError('origins: the result of the function', expected, answer)
}

/** The scheme is not compared: a proxy may have ended TLS. */
function isSame(origin: string, host: string): boolean {
  const [, scheme, from] = /^(https?):\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? []
  if (from === undefined) return false
  const port = scheme === 'https' ? /:443$/ : /:80$/
  return from.replace(port, '') === host.toLowerCase().replace(port, '')
}
