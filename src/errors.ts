/**
 * Layer 0. Every error that sluice makes, each with a stable `code`.
 *
 * Two families, and no third:
 * 1. Misuse by the program is thrown at the call. Its codes start with ERR_.
 * 2. The world (a peer, the network, a file) reaches exactly one `on_*_error` hook. Its code is the
 *    system's own (ECONNREFUSED, EADDRINUSE, ENOENT …) where the system reported it, and an ERR_
 *    one where sluice noticed.
 *
 * A message says what was wrong, with which value, and what to do. `cause` keeps the error
 * underneath.
 */

import type { Bytes, Milliseconds, TimeoutKind } from './types.ts'

/**
 * What every error of sluice is: an Error with a `code` that stays the same from release to
 * release.
 */
export class ChannelError extends Error {
  /** Tells errors apart by program; the message is for people and may change. */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
  }
}

// ---- Misuse: thrown at the call -----------------------------------------------------------------

/** An argument or setting of the wrong type, or out of its range. Code ERR_INVALID_ARGUMENT. */
export class InvalidArgumentError extends ChannelError {
  constructor(name: string, expected: string, value: unknown) {
    super('ERR_INVALID_ARGUMENT', `${name} must be ${expected}; got ${show(value)}`)
  }
}

/** An address in none of the forms that `connect` and `listen` take. Code ERR_INVALID_ADDRESS. */
export class InvalidAddressError extends ChannelError {
  constructor(why: string, value: unknown) {
    super(
      'ERR_INVALID_ADDRESS',
      `${why}; got ${show(value)}. An address is a port, [host, port], { host, port }, a path or { path }`,
    )
  }
}

/**
 * A value that cannot be a `read_delimiter`, or one that went wrong at work. Code
 * ERR_INVALID_DELIMITER.
 */
export class InvalidDelimiterError extends ChannelError {
  constructor(why: string, value: unknown) {
    super('ERR_INVALID_DELIMITER', `read_delimiter: ${why}; got ${show(value)}`)
  }
}

/**
 * A call at the wrong moment: connecting twice, writing before connecting … Code ERR_INVALID_STATE.
 */
export class InvalidStateError extends ChannelError {
  constructor(call: string, why: string, advice: string) {
    super('ERR_INVALID_STATE', `${call}: ${why}; ${advice}`)
  }
}

/**
 * An option that this version of Node or this platform cannot honour. Code ERR_UNSUPPORTED_OPTION.
 */
export class UnsupportedOptionError extends ChannelError {
  constructor(option: string, needs: string) {
    super('ERR_UNSUPPORTED_OPTION', `${option} needs ${needs}`)
  }
}

/**
 * A format string of `Struct` that cannot be, or a value that does not fit its field. Code
 * ERR_STRUCT.
 */
export class StructError extends ChannelError {
  constructor(message: string) {
    super('ERR_STRUCT', message)
  }
}

/**
 * What came first on a connection is no header of the PROXY protocol. `code` is ERR_PROXY_HEADER; a
 * server tells it as `on_drop('proxy_header', …)`.
 */
export class ProxyHeaderError extends ChannelError {
  constructor(fault: string) {
    super('ERR_PROXY_HEADER', `no header of the PROXY protocol: ${fault}`)
  }
}

/**
 * The URL of a message channel, or a parameter of it, that cannot be; the message shows where. Code
 * ERR_INVALID_URL.
 */
export class UrlError extends ChannelError {
  /** What was given. */
  readonly url: string
  /** Where in `url` the offending part begins, and how long it is. */
  readonly at: number
  readonly length: number

  constructor(why: string, url: string, at: number, length: number) {
    const shown = url.replace(/[\0-\x1f\x7f]/g, '·')
    super(
      'ERR_INVALID_URL',
      `${why}\n  ${shown}\n  ${' '.repeat(at)}${'^'.repeat(Math.max(1, length))}`,
    )
    this.url = url
    this.at = at
    this.length = length
  }
}

// ---- The world: one hook each -------------------------------------------------------------------

/**
 * The connection could not be made; `on_connect_error`. Code: the system's (ECONNREFUSED,
 * EHOSTUNREACH, ENOTFOUND …), ERR_TIMEOUT after `connect_timeout`, ERR_ABORTED by `signal`.
 */
export class ConnectError extends ChannelError {}

/**
 * The address could not be listened on; `on_listen_error`. Code: the system's (EADDRINUSE, EACCES,
 * EADDRNOTAVAIL …).
 */
export class ListenError extends ChannelError {}

/**
 * Receiving failed; `on_read_error`. Code: the system's (ECONNRESET …), or ERR_INVALID_DELIMITER
 * when a delimiter threw.
 */
export class ReadError extends ChannelError {}

/**
 * Sending failed; `on_write_error`. Code: the system's (EPIPE, ENOENT, EISDIR, EMSGSIZE …), or
 * ERR_FILE_SHRANK.
 */
export class WriteError extends ChannelError {}

/**
 * A TLS handshake failed; `on_tls_handshake_error`, where a TimeoutError comes too. Code: Node's
 * (DEPTH_ZERO_SELF_SIGNED_CERT, CERT_HAS_EXPIRED, ERR_TLS_CERT_ALTNAME_INVALID …), OpenSSL's
 * (ERR_SSL_…), ECONNRESET, or ERR_TLS_UNASKED: bytes came in clear that nobody had asked for. The
 * message says which check failed, and what to do.
 */
export class TlsHandshakeError extends ChannelError {}

/**
 * A TLS connection that stood broke: a record that is none, an alert of the peer's; `on_tls_error`.
 * Code: OpenSSL's (ERR_SSL_…).
 */
export class TlsError extends ChannelError {}

/** A buffer went over its bound; `on_overflow_error`. Code ERR_OVERFLOW. */
export class OverflowError extends ChannelError {
  /**
   * Which buffer: what was received and not delivered, what was written and not sent, or all that
   * the channels of the engine hold.
   */
  readonly buffer: 'receive' | 'send' | 'engine'
  /** The bound. */
  readonly limit: Bytes

  constructor(buffer: OverflowError['buffer'], limit: Bytes, message: string) {
    super('ERR_OVERFLOW', message)
    this.buffer = buffer
    this.limit = limit
  }
}

/** A timeout ran out; `on_timeout`, whose default hands it on. Code ERR_TIMEOUT. */
export class TimeoutError extends ChannelError {
  readonly kind: TimeoutKind
  /** The setting that says how long. */
  readonly setting: string
  /** How long that was. */
  readonly after: Milliseconds

  constructor(kind: TimeoutKind, setting: string, after: Milliseconds, what: string) {
    super('ERR_TIMEOUT', `${what} ${setting}, ${after} ms`)
    this.kind = kind
    this.setting = setting
    this.after = after
  }
}

/** The channel closed before it was open: what `opened` rejects with then. Code ERR_CLOSED. */
export class ClosedError extends ChannelError {
  constructor(message: string) {
    super('ERR_CLOSED', message)
  }
}

/**
 * A hook threw, or its promise rejected with, something that is no Error; `on_error`, with the
 * thing as `cause`. Code ERR_HOOK.
 */
export class HookError extends ChannelError {
  constructor(thrown: unknown) {
    super('ERR_HOOK', `a hook threw ${show(thrown)}, which is no Error`, thrown)
  }
}

// ---- Helpers ------------------------------------------------------------------------------------

/** The code of an error of Node's or of ours; '' where it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** What an error says; of anything else that was thrown, what it is. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : show(thrown)
}

/**
 * A value as a message shows it: its type where that says more than its text, and never more than a
 * short line.
 */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return shorten(`${value}n`)
  if (typeof value === 'function') return shorten(`function ${value.name || '(anonymous)'}`)
  if (typeof value !== 'object' || value === null || value instanceof RegExp)
    return shorten(String(value))
  if (Array.isArray(value))
    return value.length > 4 ? `an array of ${value.length}` : `[${value.map(showItem).join(', ')}]`
  return `an object (${value.constructor?.name ?? 'without prototype'})`
}

/** Not deeper: an array may hold itself. */
function showItem(value: unknown): string {
  return Array.isArray(value) ? `an array of ${value.length}` : show(value)
}

function quote(text: string): string {
  return JSON.stringify(shorten(text))
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
