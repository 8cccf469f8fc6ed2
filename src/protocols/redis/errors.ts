/**
 * Layer 7. RedisError: the one error of this protocol, whoever found the fault.
 */

import { ChannelError, codeOf } from '../../errors.ts'

/**
 * A command has failed, or the connection to the server has. Promises reject with it, and a list of
 * replies may contain it as a value (a command of a transaction that has failed).
 *
 * The `code` of what the server says is the first word of its message: ERR, WRONGTYPE, NOAUTH,
 * NOPERM, OOM, LOADING, MOVED, EXECABORT … A client whose login was refused has closed, and keeps
 * that code for all calls. These codes are found here:
 * - ERR_CLOSED: the client is closed, or the connection was lost before the reply. The command may
 *   have run.
 * - ERR_DISCONNECTED: there is no connection just now, and the command does not wait for one. It
 *   has not run.
 * - ERR_TIMEOUT: no reply came in time. The command may have run.
 * - ERR_OVERFLOW: too many commands wait, or a reply is larger than allowed.
 * - ERR_PROTOCOL: what came is no RESP, or a reply that nobody has asked for.
 * - ERR_STALE: the server gave no sign of life, so the connection was closed. The command may have
 *   run.
 * - ERR_CUT_OFF: the server ended a connection in the middle of a message, as it does with a
 *   subscriber that reads too slowly.
 * - ERR_WATCHED: a key that was watched (WATCH) has changed, or may have, since the connection was
 *   lost that watched it. So the transaction has not run.
 * - ERR_UNSUPPORTED: this client cannot send such a command; the message says what to do.
 */
export class RedisError extends ChannelError {
  /** The name of the command, in upper case; `''` if it is about the connection. */
  readonly command: string

  constructor(code: string, message: string, command = '', cause?: unknown) {
    super(code, message, cause)
    this.command = command
  }
}

/** Where the server would have us go, and why we do not. */
const CLUSTER = 'the key is on another node of a cluster, and this client does not follow'

/** What the server says after a `-` or a `!`. */
export function serverError(text: string): RedisError {
  const code = /^[^\s]+/.exec(text)?.[0] ?? 'ERR'
  const message = code === 'MOVED' || code === 'ASK' ? `${text} (${CLUSTER})` : text
  return new RedisError(code, message)
}

/** The server does not speak as it must. */
export function protocolError(why: string): RedisError {
  return new RedisError('ERR_PROTOCOL', `this is not RESP: ${why}`)
}

/** Was only the connection lost? */
export function isLoss(error: unknown): boolean {
  return /^ERR_(CLOSED|CUT_OFF|DISCONNECTED|STALE)$/.test(codeOf(error))
}

/** Says which command an error is about. */
export function about(error: RedisError, command: string): RedisError {
  if (error.command === '') (error as { command: string }).command = command
  return error
}
