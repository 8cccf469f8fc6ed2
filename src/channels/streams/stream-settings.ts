/**
 * Layer 4. The settings of a Stream: what each means, its default, and which values are valid.
 *
 * The interface below is the documentation: class Stream has these members, StreamOptions takes
 * them as options, and a subclass may write them as class fields.
 */

import { Buffer } from 'node:buffer'
import { checkBoolean, checkCount, checkDuration } from '../../core/checks.ts'
import { checkDelimiter, type ReadDelimiter } from '../../core/delimiters.ts'
import { checkOptions } from '../../core/options.ts'
import { checkTls } from '../../core/tls-options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TlsInfo, TlsOptions } from '../../transport.ts'
import type { Bytes, Encoding, Milliseconds } from '../../types.ts'

/** How the system probes whether a peer is still there. */
export interface KeepAlive {
  /** After how long a silence, in ms. */
  readonly after: Milliseconds
  /**
   * The time from one probe that is not answered to the next, in ms.
   *
   * @default 1000 ms, which is Node's
   */
  readonly interval?: Milliseconds | undefined
  /**
   * How many probes may go unanswered. Then the connection fails (ETIMEDOUT).
   *
   * @default 10, which is Node's
   */
  readonly count?: number | undefined
}

/** Every setting of a Stream. */
export interface StreamSettings<By extends ReadDelimiter = ReadDelimiter> {
  /**
   * How the bytes that arrive are cut into reads; see `ReadDelimiter`. With `null` each read is
   * whatever arrived.
   *
   * - Takes effect: set inside `on_read`, with the very next byte. Set elsewhere, bytes that are
   *   already buffered are looked at again in the next turn of the loop.
   * - Throws `InvalidDelimiterError` if the value is invalid.
   *
   * @default null
   * @example
   * class Lines extends Connection {
   *   override read_delimiter = '\r\n'
   * }
   */
  // Differs: Pants waits for more data, which may never come.
  read_delimiter: By
  /**
   * With a RegExp as `read_delimiter`: what `on_read` gets. If true, the bytes before the match. If
   * false, the match itself, which must begin at the first byte.
   *
   * - Takes effect: as `read_delimiter`.
   *
   * @default true
   */
  regex_search: boolean
  /**
   * Text or bytes. With `null`, `on_read` gets Buffers and text is written as UTF-8. With an
   * encoding of Node's Buffer, `on_read` gets strings, and text is decoded and written with it.
   *
   * - Takes effect: as `read_delimiter`.
   *
   * @default null
   */
  encoding: Encoding | null
  /**
   * The most bytes of one read. If more arrive without a delimiter, `on_overflow_error` is called.
   * A count or a fixed-size Struct may be larger. A length that the peer sends may not.
   *
   * - Unit: bytes, at least 1. `Infinity` means no limit.
   * - Takes effect: at once.
   *
   * @default 64 KiB
   */
  buffer_size: Bytes
  /**
   * What becomes of a read that is too long for `buffer_size`. `on_overflow_error` is called either
   * way.
   *
   * - 'hold': nothing is dropped, and nothing more is read until a setting changes.
   * - 'skip': the read is dropped up to and including its delimiter, and reading goes on, unless
   *   that hook closes the stream, as its default does. It is for lines: a string, bytes, or a
   *   RegExp whose longest match is known. With any other delimiter it is the same as 'hold'.
   * - Takes effect: as `read_delimiter`.
   *
   * @default hold
   */
  // Source: Twisted's `lineLengthExceeded`.
  overflow: 'hold' | 'skip'
  /**
   * Once this many bytes are queued, `write` returns false; and reading pauses if `backpressure` is
   * true.
   *
   * - Unit: bytes, at least 1.
   * - Takes effect: with the next write.
   * - Node's own default is the same since Node 22.
   *
   * @default 64 KiB
   */
  send_high_water: Bytes
  /**
   * If more bytes than this are queued, a further write is dropped and `on_overflow_error` is
   * called. One large write on a shorter queue is fine.
   *
   * - Unit: bytes, at least 1. `Infinity` means no limit.
   * - Takes effect: with the next write.
   *
   * @default 16 MiB
   */
  send_buffer_size: Bytes
  /**
   * Whether reading pauses while `send_high_water` bytes or more are queued. It is false for a
   * Client, so that two sluices never stop each other.
   *
   * - Takes effect: with the next write; if set to false, reading goes on in the next turn.
   *
   * @default false; true for a connection that a server accepted
   */
  backpressure: boolean
  /**
   * TCP: whether small writes are sent at once. If false, the system holds them back until the peer
   * has acknowledged the last ones (Nagle's algorithm).
   *
   * - Takes effect: at once.
   *
   * @default true
   */
  no_delay: boolean
  /**
   * TCP: after how long a silence the system probes whether the peer is still there. With `false`
   * it never does. With an object, also how often and how many times: see `KeepAlive`.
   *
   * - Unit: milliseconds; the system takes whole seconds, at most 32 767.
   * - Takes effect: at once.
   * - `interval` and `count` throw `UnsupportedOptionError` on a Node that has none of them: 22 and
   *   older.
   *
   * @default false
   * @example
   * class Patient extends Connection {
   *   override keep_alive = { after: 60_000, interval: 10_000, count: 5 }
   * }
   */
  keep_alive: Milliseconds | false | KeepAlive
  /**
   * Assigned: Node's TLS options, for TLS from the first byte on, as with `start_tls`.
   *
   * Read: what TLS has agreed on (protocol, cipher, certificates …). It is `undefined` on a
   * connection in clear and before the handshake is done. It is kept after closing.
   *
   * - Takes effect: with the next opening.
   *
   * @default undefined: in clear. null means the same.
   */
  tls: (TlsOptions & Partial<TlsInfo>) | null | undefined
  /**
   * The longest that connecting may take: resolving the name, and the handshake if TLS begins with
   * the first byte. After it `on_timeout('connect')` is called.
   *
   * - Unit: milliseconds. `Infinity` means as long as the system tries.
   * - Takes effect: with the next `connect`.
   *
   * @default 30 000 ms
   */
  connect_timeout: Milliseconds
  /**
   * The longest that a TLS handshake may take, on either side. After it `on_timeout('handshake')`
   * is called.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: with the next handshake.
   *
   * @default 10 000 ms
   */
  handshake_timeout: Milliseconds
  /**
   * The longest that the peer may send nothing. After it `on_timeout('read')` is called. Your own
   * writes do not reset it. It does not run while reads are held (by `suspend`, a promise of a hook
   * or backpressure), nor after the peer has ended its side.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: at once.
   * - Precision: it never fires early, and at most one sixth late.
   *
   * @default Infinity
   */
  // Differs: our own writes reset the timeout of Node's sockets.
  read_timeout: Milliseconds
  /**
   * The longest that the peer may take nothing of what is queued. After it `on_timeout('write')` is
   * called. Whenever the peer takes some of it, the time starts again. The system reports that in
   * steps of about a third of the socket's send buffer, so a peer that takes less than one step in
   * this time counts as gone.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: at once.
   * - Precision: as `read_timeout`.
   *
   * @default Infinity; 60 000 ms for a connection that a server accepted
   */
  write_timeout: Milliseconds
  /**
   * The longest that no byte may go in either direction, for whatever reason. After it
   * `on_timeout('idle')` is called.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: at once.
   * - Precision: as `read_timeout`.
   *
   * @default Infinity
   */
  idle_timeout: Milliseconds
  /**
   * The longest that a connection may be open, counted from `on_connect`, whatever it does. After
   * it `on_timeout('lifetime')` is called.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: at once.
   * - Precision: as `read_timeout`.
   *
   * @default Infinity
   */
  max_lifetime: Milliseconds
  /**
   * The longest that closing politely may take, from `end()` to `on_close`. Then the stream closes
   * at once, with the reason 'timeout'.
   *
   * - Unit: milliseconds. `Infinity` means no limit.
   * - Takes effect: with the next `end()`.
   *
   * @default 30 000 ms
   */
  end_timeout: Milliseconds
}

/** The values of all settings of one stream, as they are kept. */
export interface StreamValues extends Readonly<Omit<StreamSettings, 'tls'>> {
  /**
   * Node's TLS options, for TLS from the first byte on, as with `start_tls`.
   *
   * @default undefined: in clear. null means the same.
   */
  readonly tls: TlsOptions | undefined
}

/** The defaults. One object for all streams that change nothing, as there may be many. */
export const STREAM_DEFAULTS: StreamValues = {
  read_delimiter: null,
  regex_search: true,
  overflow: 'hold',
  encoding: null,
  buffer_size: 64 * 1024,
  send_high_water: 64 * 1024,
  send_buffer_size: 16 * 1024 * 1024,
  backpressure: false,
  no_delay: true,
  keep_alive: false,
  tls: undefined,
  connect_timeout: 30_000,
  handshake_timeout: 10_000,
  read_timeout: Infinity,
  write_timeout: Infinity,
  idle_timeout: Infinity,
  max_lifetime: Infinity,
  end_timeout: 30_000,
}

/**
 * The defaults of a stream that a server accepted. It answers, so it must not read what it cannot
 * answer, nor keep answers for a peer that takes none. The minute is nginx's `send_timeout`.
 * Reading has no timeout: how long a peer may be silent depends on the protocol.
 */
export const ACCEPTED_DEFAULTS: StreamValues = {
  ...STREAM_DEFAULTS,
  backpressure: true,
  write_timeout: 60_000,
}

/** The most probes that Linux takes (TCP_KEEPCNT). */
const PROBES_MAX = 127

/** For each setting: returns the value as it is kept, or throws if it is invalid. */
export const STREAM_CHECKS: {
  readonly [Name in keyof StreamValues]: (name: string, value: unknown) => StreamValues[Name]
} = {
  read_delimiter: (_name, value) => checkDelimiter(value),
  regex_search: checkBoolean,
  overflow: checkOverflow,
  encoding: checkEncoding,
  buffer_size: (name, value) => checkCount(name, value, 1),
  send_high_water: (name, value) => checkCount(name, value, 1),
  send_buffer_size: (name, value) => checkCount(name, value, 1),
  backpressure: checkBoolean,
  no_delay: checkBoolean,
  keep_alive: checkKeepAlive,
  tls: checkTls,
  connect_timeout: checkDuration,
  handshake_timeout: checkDuration,
  read_timeout: checkDuration,
  write_timeout: checkDuration,
  idle_timeout: checkDuration,
  max_lifetime: checkDuration,
  end_timeout: checkDuration,
}

/** Returns a copy: the object of the program may change. */
function checkKeepAlive(name: string, value: unknown): Milliseconds | false | KeepAlive {
  if (value === false) return false
  if (typeof value !== 'object' || value === null) return checkDuration(name, value)
  checkOptions(name, value, ['after', 'interval', 'count'])
  const { after, interval, count } = value as Partial<KeepAlive>
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= PROBES_MAX))
    throw new InvalidArgumentError(`${name}: count`, `1 to ${PROBES_MAX} probes`, count)
  return {
    after: checkDuration(`${name}: after`, after),
    ...(interval !== undefined && { interval: checkDuration(`${name}: interval`, interval) }),
    ...(count !== undefined && { count }),
  }
}

function checkOverflow(name: string, value: unknown): 'hold' | 'skip' {
  if (value !== 'hold' && value !== 'skip')
    throw new InvalidArgumentError(name, "'hold' or 'skip'", value)
  return value
}

/** Node's other names of an encoding, and the one that is kept. */
const ALIASES: Readonly<Record<string, Encoding>> = {
  'utf-8': 'utf8',
  binary: 'latin1',
  ucs2: 'utf16le',
  'ucs-2': 'utf16le',
  'utf-16le': 'utf16le',
}

export function checkEncoding(name: string, value: unknown): Encoding | null {
  if (value === null) return null
  if (typeof value !== 'string' || !Buffer.isEncoding(value))
    throw new InvalidArgumentError(name, "an encoding of Node's Buffer, or null", value)
  const encoding = value.toLowerCase() as Encoding
  return ALIASES[encoding] ?? encoding
}
