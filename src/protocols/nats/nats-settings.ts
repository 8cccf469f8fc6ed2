/**
 * Layer 7. The settings of a NatsClient: what each means, its default, and which values are valid.
 */

import type { BackoffOptions } from '../../core/backoff.ts'
import {
  BACKOFF_CHECKS,
  type Check,
  checkBoolean,
  checkDuration,
  checkText,
  countFrom,
} from '../../core/checks.ts'
import { optionsOf } from '../../core/options.ts'
import { checkTls } from '../../core/tls-options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { publicKey, readCreds, readSeed } from './credentials.ts'
import { checkPattern } from './subjects.ts'

/** Every setting of a NatsClient. All of them take effect with the next connection. */
export interface NatsSettings {
  /** The name to log in with; that of a URL comes first. @default none */
  user: string | undefined
  /** The password to log in with; that of a URL comes first. @default none */
  password: string | undefined
  /** The token to log in with. In a URL it is `nats://token@host`. @default none */
  token: string | undefined
  /** The seed of a user's key, `SU…`: the server's nonce is signed with it. @default none */
  nkey: string | undefined
  /** The text of a `.creds` file: a JWT and a seed. @default none */
  creds: string | undefined
  /**
   * Node's TLS options. TLS is begun after the server's first line, and a server without TLS is an
   * error. Without options, TLS is begun if the server asks for it, or the URL is `tls:`.
   *
   * @default undefined
   */
  tls: TlsOptions | null | undefined
  /**
   * Whether TLS begins with the first byte. Servers since 2.10 can be told to want that.
   *
   * @default false
   */
  tls_first: boolean
  /** Whether own messages come back, if they match an own subscription. @default true */
  echo: boolean
  /** What inboxes begin with, see `request`. @default _INBOX */
  inbox_prefix: string
  /**
   * The longest that connecting to one server may take, the login included.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   *
   * @default 10 000 ms
   */
  connect_timeout: Milliseconds
  /**
   * How long a request waits for its answer, if it does not say.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   *
   * @default 5000 ms
   */
  request_timeout: Milliseconds
  /**
   * The longest that closing politely may take. Then the client closes at once, with the reason
   * 'timeout'.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   *
   * @default 30 000 ms
   */
  end_timeout: Milliseconds
  /**
   * How often the server is asked for a sign of life.
   *
   * - Unit: milliseconds. `Infinity` means never.
   *
   * @default 120 000 ms, as all clients of NATS
   */
  ping_interval: Milliseconds
  /** How many of these may have no answer. Then the connection is given up. @default 2 */
  ping_max: number
  /**
   * The most bytes that wait to be sent; on a connection at least 64 KiB. While there is none,
   * what is published and requested waits, too. What does not fit is dropped and told to
   * `on_error` (ERR_NATS_OVERFLOW).
   *
   * - Unit: bytes. `0` means that nothing waits for a connection.
   *
   * @default 64 MiB
   */
  queue_size: Bytes
  /**
   * The longest message that may come. A server that announces a longer one is disconnected.
   *
   * - Unit: bytes.
   *
   * @default 64 MiB, the most that a server can be configured to let through
   */
  message_size: Bytes
  /**
   * The most bytes that wait in one subscription, because its handler or its loop is slow. What
   * does not fit is dropped, and told to `on_slow`.
   *
   * - Unit: bytes; each message counts for 256 more than it has. `Infinity` means no limit.
   *
   * @default 64 MiB
   */
  pending_size: Bytes
  /**
   * How many attempts to connect again may fail in a row. Then the client closes. 0: it closes with
   * its connection.
   *
   * @default Infinity
   */
  max_reconnects: number
  /**
   * Whether the first connection is tried again like all others. If not, `connect` tries each
   * server once.
   *
   * @default false
   */
  wait_for_first: boolean
  /** How long to wait before an attempt: see `BackoffOptions`. @default 1 s up to 30 s */
  backoff: Pick<BackoffOptions, 'first' | 'longest' | 'lasting'>
}

/** The values of all settings of one client. */
export interface NatsValues extends Readonly<Omit<NatsSettings, 'tls'>> {
  readonly tls: TlsOptions | undefined
}

const MIB: Bytes = 1024 * 1024

export const NATS_DEFAULTS: NatsValues = {
  user: undefined,
  password: undefined,
  token: undefined,
  nkey: undefined,
  creds: undefined,
  tls: undefined,
  tls_first: false,
  echo: true,
  inbox_prefix: '_INBOX',
  connect_timeout: 10_000,
  request_timeout: 5000,
  end_timeout: 30_000,
  ping_interval: 120_000,
  ping_max: 2,
  queue_size: 64 * MIB,
  message_size: 64 * MIB,
  pending_size: 64 * MIB,
  max_reconnects: Infinity,
  wait_for_first: false,
  backoff: {},
}

/** For each setting: returns the value as it is kept, or throws if it is invalid. */
export const NATS_CHECKS: { readonly [Name in keyof NatsValues]: Check<NatsValues[Name]> } = {
  user: checkMaybeText,
  password: checkMaybeText,
  token: checkMaybeText,
  nkey: checkSeed,
  creds: checkCreds,
  tls: checkTls,
  tls_first: checkBoolean,
  echo: checkBoolean,
  inbox_prefix: checkPrefix,
  connect_timeout: checkDuration,
  request_timeout: checkDuration,
  end_timeout: checkDuration,
  ping_interval: checkDuration,
  ping_max: countFrom(1),
  queue_size: countFrom(0),
  message_size: countFrom(1),
  pending_size: countFrom(1),
  max_reconnects: countFrom(0),
  wait_for_first: checkBoolean,
  backoff: optionsOf(BACKOFF_CHECKS, 'random'),
}

/** As an assignment it may be `undefined`. */
function checkMaybeText(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : checkText(name, value)
}

function checkSeed(name: string, value: unknown): string | undefined {
  const seed = checkMaybeText(name, value)?.trim()
  if (seed !== undefined) publicKey(readSeed(name, seed))
  return seed
}

function checkCreds(name: string, value: unknown): string | undefined {
  const text = checkMaybeText(name, value)
  if (text !== undefined) readSeed(name, readCreds(text).seed)
  return text
}

function checkPrefix(name: string, value: unknown): string {
  const prefix = checkPattern(name, value)
  if (!/(^|\.)[*>](\.|$)/.test(prefix)) return prefix
  throw new InvalidArgumentError(name, 'a subject without wildcards', value)
}
