/**
 * Layer 7. Where a Redis client connects to, and as whom: URLs and options.
 *
 * `redis://user:password@host:6379/0`, `rediss:` for TLS, `redis+unix:///path?db=0`.
 */

import { parseAddress } from '../../core/address.ts'
import type { BackoffOptions } from '../../core/backoff.ts'
import {
  BACKOFF_CHECKS,
  type Checks,
  checkDuration,
  checkText,
  countFrom,
  instanceOf,
  oneOf,
  wholeFrom,
} from '../../core/checks.ts'
import { didYouMean } from '../../core/nearest.ts'
import type { Complete } from '../../core/option-types.ts'
import { checkOptions, optionsOf, withDefaults } from '../../core/options.ts'
import { checkTls } from '../../core/tls-options.ts'
import { Engine } from '../../engine.ts'
import { InvalidAddressError, InvalidArgumentError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Address, Bytes, Milliseconds } from '../../types.ts'
import { REPLY_BOUNDS } from './reply-parser.ts'

/** The options of a RedisClient. */
export interface RedisOptions {
  /** The engine that drives it. @default `Engine.instance()` */
  readonly engine?: Engine | undefined
  /** As whom it logs in. A URL may say it, too. @default the server's default user */
  readonly username?: string | undefined
  /** The password. A URL may say it, too. @default none: it does not log in */
  readonly password?: string | undefined
  /** The number of the database. A URL may say it, too. @default 0 */
  readonly db?: number | undefined
  /** What `CLIENT LIST` calls its connections. @default '' */
  readonly client_name?: string | undefined
  /** The options of TLS, as Node has them. @default TLS only for `rediss:` */
  readonly tls?: TlsOptions | undefined
  /**
   * The version of RESP to speak. A server older than Redis 6 gets 2 in any case.
   *
   * @default 3
   */
  readonly protocol?: 2 | 3 | undefined
  /**
   * How long a reply may take; see CommandOptions.
   *
   * - Unit: milliseconds.
   *
   * @default Infinity
   */
  readonly timeout?: Milliseconds | undefined
  /**
   * How long connecting and logging in may take, before it is tried again.
   *
   * - Unit: milliseconds.
   *
   * @default 10 000 ms
   */
  readonly connect_timeout?: Milliseconds | undefined
  /**
   * A server that has been silent for this long is pinged, on each connection; if it is silent for
   * as long again, the connection is closed (ERR_STALE) and made again. Without that nothing
   * notices a server that stands still, or a network that has gone: a subscriber would hear nothing
   * for ever.
   *
   * While a command waits on the server (BLPOP, XREAD with BLOCK, WAIT …), silence on its
   * connection is no sign. It rejects if the connection for other commands is found to be dead, or
   * if TCP finds that there is no network.
   *
   * A single command that keeps the server busy for longer (a script, `SAVE`) is lost as well: then
   * it must be longer. With the default a server is given up after 60 s, as Redis' own replicas do
   * (`repl-timeout`).
   *
   * - Unit: milliseconds. `Infinity`: no pings.
   *
   * @default 30 000 ms
   */
  readonly ping_interval?: Milliseconds | undefined
  /**
   * Which commands wait while there is no connection, after it was lost. Before the first
   * connection all of them wait.
   *
   * - 'reads': commands that only read. They are also sent again if the connection was lost before
   *   their reply. All others reject at once (ERR_DISCONNECTED).
   * - 'all': the others wait, too. One that was sent already still rejects (ERR_CLOSED): it may
   *   have run, and must not run twice.
   * - 'none': all of them reject.
   *
   * @default 'reads'
   */
  readonly waiting?: 'reads' | 'all' | 'none' | undefined
  /** How many commands may wait for a connection or a reply. @default 100 000 */
  readonly limit?: number | undefined
  /** The most bytes of one reply. @default 512 MiB */
  readonly reply_size?: Bytes | undefined
  /** How many commands that block (BLPOP …) may run at once, each on a connection. @default 32 */
  readonly blocking_connections?: number | undefined
  /**
   * How long to wait before the next attempt to connect; see BackoffOptions. With `false` the
   * client closes when its connection is lost.
   *
   * @default 1 s at first, 30 s at the longest
   */
  readonly reconnect?: BackoffOptions | false | undefined
}

/** Those of a client that is part of something else, which knows its engine, and what waits. */
export type NestedRedisOptions = Omit<RedisOptions, 'engine' | 'waiting'>

/** Everything that is known when it connects. */
export interface Target extends Complete<Omit<RedisOptions, 'engine' | 'tls' | 'password' | 'db'>> {
  readonly engine: Engine
  readonly address: Address
  /** The last one that was selected. */
  db: number
  readonly password: string | undefined
  readonly tls: TlsOptions | undefined
}

const DEFAULTS: Omit<Target, 'engine' | 'address' | 'password' | 'tls'> = {
  username: '',
  db: 0,
  client_name: '',
  protocol: 3,
  timeout: Infinity,
  connect_timeout: 10_000,
  ping_interval: 30_000,
  waiting: 'reads',
  limit: 100_000,
  reply_size: REPLY_BOUNDS.size,
  blocking_connections: 32,
  reconnect: {},
}

/** TLS for `rediss:`, if the program has no options for it. */
const SECURE: TlsOptions = {}

const checkReconnect = optionsOf(BACKOFF_CHECKS)

const CHECKS: Checks<RedisOptions> = {
  engine: instanceOf(Engine),
  username: checkText,
  password: checkText,
  db: wholeFrom(0),
  client_name: (name, value) => {
    if (/[^!-~]/.test(checkText(name, value)))
      throw new InvalidArgumentError(name, 'without blanks', value)
  },
  tls: checkTls,
  protocol: oneOf(2, 3),
  timeout: checkDuration,
  connect_timeout: checkDuration,
  ping_interval: checkDuration,
  waiting: oneOf('reads', 'all', 'none'),
  limit: countFrom(1),
  reply_size: countFrom(1),
  blocking_connections: countFrom(1),
  reconnect: (name, value) => value === false || checkReconnect(name, value),
}

/** Throws InvalidArgumentError unless these are valid options of a RedisClient. */
export function checkRedisOptions(options: RedisOptions): void {
  checkOptions('RedisClient', options, CHECKS)
}

/** For `NestedRedisOptions`. */
export const checkNestedRedis = optionsOf(CHECKS, 'engine', 'waiting')

/** Any other text is the path of a socket. A slash may be missing by mistake. */
const URLS = /^([a-z][a-z+]*:\/\/|redis(s|\+unix)?:)/i

/** What a URL says wins over the options. Throws InvalidAddressError. */
export function targetOf(given: Address | URL, options: RedisOptions): Target {
  const { engine = Engine.instance(), password, tls } = options
  const base = { ...withDefaults(DEFAULTS, options), password, tls, engine }
  const text = given instanceof URL ? given.href : given
  if (typeof text !== 'string' || !URLS.test(text)) {
    parseAddress(text as Address)
    return { ...base, address: text as Address }
  }
  return { ...base, ...partsOf(text, tls) }
}

/** The start of the URL of a unix socket, and that of its path. */
const UNIX = /^(redis\+unix:\/\/(?:[^/@]*@)?)(\/|$)/i

const NO_HOST = 'socket.invalid'

type Parts = Partial<Pick<Target, 'username' | 'password' | 'db' | 'tls'>> & Pick<Target, 'address'>

function partsOf(text: string, tls: TlsOptions | undefined): Parts {
  // A URL with a name and a password must have a host.
  const parsed = text.replace(UNIX, `$1${NO_HOST}$2`)
  const url = URL.canParse(parsed) ? new URL(parsed) : undefined
  if (url === undefined) throw fault('a URL of Redis is redis://host:port/db', text)
  if (!/^(rediss?|redis\+unix):$/.test(url.protocol))
    throw fault('a URL of Redis begins with redis:, rediss: or redis+unix:', text)
  if (url.hash !== '') throw fault('a URL of Redis must not have a fragment', text)
  if (url.protocol === 'redis+unix:') {
    if (url.host !== NO_HOST || url.pathname.length < 2)
      throw fault('the path of a socket must follow redis+unix://', text)
    const db = queryOf(url, ['db'])
    return { ...loginOf(url), ...dbOf(db, text), address: { path: decoded(url.pathname) } }
  }
  queryOf(url, [])
  if (url.hostname === '') throw fault('a URL of Redis must have a host', text)
  if (url.protocol === 'redis:' && tls !== undefined)
    throw fault('a URL must begin with rediss: if tls is set', text)
  return {
    ...loginOf(url),
    ...dbOf(url.pathname.slice(1), text),
    tls: url.protocol === 'rediss:' ? (tls ?? SECURE) : undefined,
    address: [decoded(url.hostname.replace(/^\[|\]$/g, '')), Number(url.port || 6379)],
  }
}

const FORMS = 'It is redis://host:port/db, rediss://host:port/db or redis+unix:///path?db=0'

/** A message may be logged: it must not have the password. */
function fault(why: string, url: string): InvalidAddressError {
  return new InvalidAddressError(why, url.replace(/\/\/[^/]*@/, '//*@'), FORMS)
}

function loginOf({ username, password }: URL): Pick<Parts, 'username' | 'password'> {
  return {
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
  }
}

/** The database that a URL names. */
function dbOf(text: string, url: string): Pick<Parts, 'db'> {
  if (text === '') return {}
  if (!/^\d{1,9}$/.test(text)) throw fault('the database in a URL of Redis must be a number', url)
  return { db: Number(text) }
}

/** The one parameter that there may be; '' if it is missing. */
function queryOf({ searchParams, href }: URL, known: readonly string[]): string {
  for (const name of searchParams.keys())
    if (!known.includes(name))
      throw fault(`a URL of Redis has no parameter ${name}; ${didYouMean(name, known)}`, href)
  return searchParams.get('db') ?? ''
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
