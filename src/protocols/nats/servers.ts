/**
 * Layer 7. Servers: where a client may connect to. Those that it was given, and those that a server
 * has told it of (`connect_urls`), which come and go.
 *
 * Order: the servers as they were given, then those that were told; after the last, the first.
 */

import { parseAddress } from '../../core/address.ts'
import { InvalidAddressError } from '../../errors.ts'
import type { Address } from '../../types.ts'

/** Where servers are: a URL, an address, or a list of URLs. */
export type NatsServers = Address | URL | readonly (string | URL)[]

/** One server. */
export interface NatsServer {
  readonly host: string
  readonly port: number
  /** Must the connection have TLS? */
  readonly isSecure: boolean
  /** Of its URL; `undefined` if it has none. */
  readonly user: string | undefined
  readonly password: string | undefined
  /** Was it told by a server? */
  readonly isTold: boolean
}

const PORT = 4222

const FORMS = 'A server is nats://host:port, tls://host:port or [host, port]'

/** How often in a row a server may refuse the login before it is given up. */
const REFUSALS = 2

/** The servers that a program gives. Throws InvalidAddressError. */
export function parseServers(servers: NatsServers): NatsServer[] {
  const list: readonly (Address | URL)[] = isList(servers) ? servers : [servers]
  if (list.length === 0)
    throw new InvalidAddressError('there is no server in the list', servers, FORMS)
  return list
    .flatMap<Address | URL>(each => (typeof each === 'string' ? each.split(',') : [each]))
    .map(parseServer)
}

/** An array is [host, port] if its second item is a number. */
function isList(servers: NatsServers): servers is readonly (string | URL)[] {
  return Array.isArray(servers) && typeof servers[1] !== 'number'
}

function parseServer(given: Address | URL): NatsServer {
  if (typeof given === 'string' || given instanceof URL) return parseUrl(String(given).trim())
  const endpoint = parseAddress(given)
  if (endpoint.kind === 'unix')
    throw new InvalidAddressError('a NATS server has no unix socket', given, FORMS)
  return server(endpoint.host || 'localhost', endpoint.port, given)
}

function parseUrl(text: string): NatsServer {
  const full = text.includes('://') ? text : `nats://${text}`
  // A password is not for the log.
  const shown = full.replace(/\/\/.*@/, '//…@')
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (url === undefined || url.hostname === '' || !/^\/?$/.test(url.pathname + url.search))
    throw new InvalidAddressError('this is no URL of a NATS server', shown, FORMS)
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:')
    throw new InvalidAddressError(
      'the URL of a NATS server begins with nats: or tls:',
      shown,
      FORMS,
    )
  const { hostname, port, protocol, username, password } = url
  return {
    ...server(hostname.replace(/^\[|\]$/g, ''), port === '' ? PORT : Number(port), shown),
    isSecure: protocol === 'tls:',
    user: decode(username, shown),
    password: decode(password, shown),
  }
}

function decode(text: string, shown: string): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text)
  } catch {
    throw new InvalidAddressError('a % in a user or password must be written as %25', shown, FORMS)
  }
}

function server(host: string, port: number, given: unknown): NatsServer {
  if (port === 0) throw new InvalidAddressError('nothing can be connected to at port 0', given)
  return { host, port, isSecure: false, user: undefined, password: undefined, isTold: false }
}

function keyOf({ host, port }: NatsServer): string {
  return `${host}:${port}`
}

/** The servers of one client. */
export class Servers {
  #all: NatsServer[]
  /** The index of the next one. */
  #next = 0
  /** How often each has refused the login since one has accepted it. */
  readonly #refusals = new Map<NatsServer, number>()

  constructor(given: readonly NatsServer[]) {
    this.#all = [...given]
  }

  /** How many there are. */
  get size(): number {
    return this.#all.length
  }

  /** The next server to try; `undefined` if none is left. */
  take(): NatsServer | undefined {
    if (this.#next >= this.#all.length) this.#next = 0
    return this.#all[this.#next++]
  }

  /** What a server has told: these are the others now. A URL that makes no sense is passed over. */
  told(urls: readonly string[], by: NatsServer): void {
    const told = new Map<string, NatsServer>()
    for (const url of urls) {
      const one = tryParse(url)
      if (one !== undefined) told.set(keyOf(one), { ...one, isSecure: by.isSecure, isTold: true })
    }
    // The one that we are connected to stays, as it may be told by another name.
    this.#all = this.#all.filter(each => !each.isTold || each === by || told.has(keyOf(each)))
    const known = new Set(this.#all.map(keyOf))
    for (const [key, one] of told) if (!known.has(key)) this.#all.push(one)
  }

  /** It refuses the login. If it does so again and again, it is never tried again. */
  refused(one: NatsServer): void {
    const refusals = (this.#refusals.get(one) ?? 0) + 1
    this.#refusals.set(one, refusals)
    if (refusals >= REFUSALS) this.#drop(one)
  }

  /** A server has accepted the login. */
  welcome(): void {
    this.#refusals.clear()
  }

  #drop(one: NatsServer): void {
    const at = this.#all.indexOf(one)
    if (at === -1) return
    this.#all.splice(at, 1)
    if (this.#next > at) this.#next--
  }
}

function tryParse(url: string): NatsServer | undefined {
  try {
    return parseServer(url)
  } catch {
    return undefined
  }
}
