/**
 * Layer 0. Every error that sluice makes, each with a stable `code`.
 *
 * There are two families:
 * 1. Misuse by the program is thrown at the call. Its codes start with ERR_.
 * 2. A failure of the world (a peer, the network, a file) is reported to exactly one `on_*_error`
 *    hook. Its code is that of the system (ECONNREFUSED, EADDRINUSE, ENOENT …) if the system
 *    reported it, and starts with ERR_ if sluice found it.
 *
 * A message says what is wrong, with which value, and what to do. `cause` is the error underneath,
 * if there is one.
 */

import type { Bytes, CloseReason, Milliseconds, TimeoutKind } from './types.ts'

/** The class of every error of sluice: an Error with a `code`. */
export class ChannelError extends Error {
  /**
   * What a program tells errors apart by. It stays the same from release to release; the message is
   * for people and may change.
   */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
  }
}

/**
 * What `on_error` gets: an error of sluice, or what a hook threw, which need not have a `code`.
 */
export type ReportedError = Error & { readonly code?: string }

// ---- misuse: thrown at the call -----------------------------------------------------------------

/**
 * An argument or setting has the wrong type or is out of range, or an option does not exist. Code
 * ERR_INVALID_ARGUMENT.
 */
export class InvalidArgumentError extends ChannelError {
  /** The whole message, or its parts: what must be what, and the value that is not. */
  constructor(message: string)
  constructor(name: string, expected: string, value: unknown)
  constructor(name: string, expected?: string, value?: unknown) {
    const message =
      expected === undefined ? name : `${name} must be ${expected}; got ${show(value)}`
    super('ERR_INVALID_ARGUMENT', message)
  }
}

/** An address has none of the forms that `connect` and `listen` take. Code ERR_INVALID_ADDRESS. */
export class InvalidAddressError extends ChannelError {
  /** `forms`: what it may be, where that is a URL. */
  constructor(why: string, value: unknown, forms?: string) {
    const all = 'An address is a port, [host, port], { host, port }, a path or { path }'
    super('ERR_INVALID_ADDRESS', `${why}; got ${show(value)}. ${forms ?? all}`)
  }
}

/**
 * A value is not a valid `read_delimiter`. Code ERR_INVALID_DELIMITER.
 *
 * A delimiter that breaks its contract while reading is reported to `on_read_error` with the same
 * code.
 */
export class InvalidDelimiterError extends ChannelError {
  constructor(why: string, value: unknown) {
    super('ERR_INVALID_DELIMITER', `read_delimiter: ${why}; got ${show(value)}`)
  }
}

/**
 * A call came at the wrong moment: connecting twice, writing before connecting … Code
 * ERR_INVALID_STATE.
 */
export class InvalidStateError extends ChannelError {
  constructor(call: string, why: string, advice: string) {
    super('ERR_INVALID_STATE', `${call}: ${why}; ${advice}`)
  }
}

/**
 * This version of Node or this platform cannot honour an option. The message says what the option
 * needs. Code ERR_UNSUPPORTED_OPTION.
 */
export class UnsupportedOptionError extends ChannelError {
  constructor(option: string, needs: string) {
    super('ERR_UNSUPPORTED_OPTION', `${option} needs ${needs}`)
  }
}

/**
 * A format string of `Struct` or `NetStruct` is invalid, or a value does not fit its field. Code
 * ERR_STRUCT.
 */
export class StructError extends ChannelError {
  constructor(message: string) {
    super('ERR_STRUCT', message)
  }
}

/**
 * A connection does not begin with a valid header of the PROXY protocol. Code ERR_PROXY_HEADER. It
 * is not thrown: a server reports it as `on_drop('proxy_header', …)`.
 */
export class ProxyHeaderError extends ChannelError {
  constructor(fault: string) {
    super('ERR_PROXY_HEADER', `invalid header of the PROXY protocol: ${fault}`)
  }
}

/**
 * The URL of a message channel, or one of its parameters, is invalid. The message marks the place.
 * Code ERR_INVALID_URL.
 */
export class UrlError extends ChannelError {
  /** The URL as it was given. */
  readonly url: string
  /** The index in `url` at which the invalid part begins. */
  readonly at: number
  /** The length of the invalid part, in characters. */
  readonly length: number

  constructor(why: string, url: string, at: number, length: number) {
    const shown = String(url).replace(/[\0-\x1f\x7f]/g, '·')
    super('ERR_INVALID_URL', `${why}\n  ${shown}\n  ${''.padEnd(at)}${'^'.padEnd(length, '^')}`)
    this.url = url
    this.at = at
    this.length = length
  }
}

// ---- the world: one hook each -------------------------------------------------------------------

/**
 * The connection could not be made. Reported to `on_connect_error`.
 *
 * Codes: those of the system (ECONNREFUSED, EHOSTUNREACH, ENOTFOUND …); ERR_TIMEOUT after
 * `connect_timeout`; ERR_ABORTED if `signal` aborted it.
 *
 * A message server tells `on_error` of a peer that it turned away: ERR_DROPPED, or ERR_OVERLOAD
 * near the limit of open files.
 */
export class ConnectError extends ChannelError {}

/**
 * Listening failed. Reported to `on_listen_error`.
 *
 * Codes: those of the system (EADDRINUSE, EACCES, EADDRNOTAVAIL …).
 */
export class ListenError extends ChannelError {}

/**
 * Receiving failed. Reported to `on_read_error`.
 *
 * Codes: those of the system (ECONNRESET …); if a delimiter threw, the code of what it threw, or
 * ERR_INVALID_DELIMITER if that has none.
 *
 * Of message channels: ERR_FRAME for an invalid frame, or one that the peer's end cuts off; ERR_PUB
 * for a peer that does not speak as `pub+` does; ERR_DIRECT if that of `direct://` has failed; of
 * files ERR_FILE_FORMAT for another format, ERR_FILE_CUT for an incomplete message.
 */
export class ReadError extends ChannelError {}

/**
 * Sending failed. Reported to `on_write_error`.
 *
 * Codes: those of the system (EPIPE, ENOENT, EISDIR, EMSGSIZE …); ERR_FILE_SHRANK if a file became
 * shorter while it was sent; ERR_SLOW for a subscriber of `pub+` that was disconnected because it
 * is too slow.
 */
export class WriteError extends ChannelError {}

/**
 * A TLS handshake failed. Reported to `on_tls_handshake_error`. (That hook gets a TimeoutError
 * instead if `handshake_timeout` ran out.) The message says which check failed and what to do.
 *
 * Codes: those of Node (DEPTH_ZERO_SELF_SIGNED_CERT, CERT_HAS_EXPIRED,
 * ERR_TLS_CERT_ALTNAME_INVALID …); those of OpenSSL (ERR_SSL_…); ECONNRESET; ERR_TLS_UNASKED if the
 * peer sent bytes in clear after the line that asks for TLS.
 */
export class TlsHandshakeError extends ChannelError {}

/**
 * TLS failed on an open connection: an invalid record came, or an alert. Reported to
 * `on_tls_error`.
 *
 * Codes: those of OpenSSL (ERR_SSL_…).
 */
export class TlsError extends ChannelError {}

/** A buffer went over its bound. Reported to `on_overflow_error`. Code ERR_OVERFLOW. */
export class OverflowError extends ChannelError {
  /**
   * Which bound:
   * - 'receive': that of bytes received and not delivered (`buffer_size`)
   * - 'send': that of bytes written and not sent (`send_buffer_size`)
   * - 'engine': that of both, over all channels of the engine (`buffer_limit`)
   */
  readonly buffer: 'receive' | 'send' | 'engine'
  /** The bound that was exceeded. */
  readonly limit: Bytes

  constructor(buffer: OverflowError['buffer'], limit: Bytes, message: string) {
    super('ERR_OVERFLOW', message)
    this.buffer = buffer
    this.limit = limit
  }
}

/**
 * A timeout ran out. `on_timeout` is called with its kind. The default of that hook passes this
 * error to `on_error`, or to `on_tls_handshake_error` if the kind is 'handshake'. Code ERR_TIMEOUT.
 *
 * `connect_timeout` is the exception: its error is a ConnectError with the same code.
 */
export class TimeoutError extends ChannelError {
  /** Which timeout. */
  readonly kind: TimeoutKind
  /** The name of its setting. */
  readonly setting: string
  /** The value of that setting. */
  readonly after: Milliseconds

  constructor(kind: TimeoutKind, setting: string, after: Milliseconds, what: string) {
    super('ERR_TIMEOUT', `${what} ${setting}, ${after} ms`)
    this.kind = kind
    this.setting = setting
    this.after = after
  }
}

/**
 * The channel closed before what was awaited has come: `opened`, `ready` or `read()` reject with
 * it. Code ERR_CLOSED.
 */
export class ClosedError extends ChannelError {
  /** Why it closed; 'remote' also if the peer has ended its side. */
  readonly reason: CloseReason

  constructor(message: string, reason: CloseReason = 'local') {
    super('ERR_CLOSED', message)
    this.reason = reason
  }
}

/**
 * A request got no answer; see `Requests`. Its promise rejects with it.
 *
 * Codes: ERR_TIMEOUT, ERR_CLOSED, ERR_OVERFLOW. An answer without a request throws one with the
 * code ERR_STRAY_ANSWER.
 */
export class RequestError extends ChannelError {
  /** Why the channel closed, if it did. */
  readonly reason: CloseReason | undefined

  constructor(code: string, message: string, reason?: CloseReason) {
    super(code, message)
    this.reason = reason
  }
}

/**
 * A hook threw a value that is not an Error, or its promise rejected with one. Reported to
 * `on_error`, with the value as `cause`. Code ERR_HOOK.
 */
export class HookError extends ChannelError {
  constructor(thrown: unknown) {
    super('ERR_HOOK', `a hook threw ${show(thrown)}: throw an Error instead`, thrown)
  }
}

// ---- helpers ------------------------------------------------------------------------------------

/** The code of an error of Node or of sluice; '' if it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/**
 * What was thrown, as an error that can be read. (The getters of what a program throws may throw,
 * too, and its message may be no text. Its stack is read by `stackOf` only: that is expensive.)
 */
export function asError(thrown: unknown): Error {
  try {
    codeOf(thrown)
    if (thrown instanceof Error && typeof thrown.message === 'string') return thrown
  } catch {
    // A getter has thrown.
  }
  return new HookError(thrown)
}

/** The message of an Error; of any other value that was thrown, what `show` makes of it. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : show(thrown)
  } catch {
    return show(thrown)
  }
}

/** The stack of an Error; '' if there is none. */
export function stackOf(thrown: unknown): string {
  try {
    return String((thrown as Partial<Error> | null)?.stack ?? '')
  } catch {
    return ''
  }
}

/**
 * A value as an error message shows it, in one short line. An object is shown by its type, which
 * says more than its text.
 */
export function show(value: unknown): string {
  try {
    return shown(value)
  } catch {
    return `an unreadable ${typeof value}`
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return shorten(`${value}n`)
  if (typeof value === 'function') return shorten(`function ${value.name || '(anonymous)'}`)
  if (typeof value !== 'object' || value === null || value instanceof RegExp)
    return shorten(String(value))
  if (Array.isArray(value))
    return value.length > 4 ? `an array of ${value.length}` : `[${value.map(showItem).join(', ')}]`
  return `an object (${value.constructor?.name ?? 'without prototype'})`
}

/** One level only: an array may contain itself. */
function showItem(value: unknown): string {
  return Array.isArray(value) ? `an array of ${value.length}` : show(value)
}

function quote(text: string): string {
  return JSON.stringify(shorten(text))
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
