/**
 * Layer 8. The URL of a server, for what only serves: `mode=server` need not be said. And that of
 * a channel with one peer, for what has only one.
 */

import { InvalidArgumentError } from '../errors.ts'
import { Params } from './params.ts'
import { merge, parseParameters, Url } from './url.ts'

/**
 * The URL with those of the parameters `more` that it does not have. Throws UrlError if it is
 * invalid, or says another mode.
 */
export function serverUrl(text: string, more: (url: Url) => string = () => ''): Url {
  const url = Url.parse(text)
  const { entries } = url
  if (entries.has('mode')) new Params(url).choice('mode', ['server'], 'server')
  const wanted = parseParameters(`mode=server${more(url)}`)
  return merge(url, new Map([...wanted].filter(([key]) => !entries.has(key))))
}

/** The URL, which must be that of a channel with one peer. Throws UrlError if it is invalid. */
export function peerUrl(what: string, given: string | Url): Url {
  const url = given instanceof Url ? given : Url.parse(given)
  if (url.entries.get('mode')?.value === 'server')
    throw new InvalidArgumentError(what, 'one with one peer, no server', `${url}`)
  return url
}
