/**
 * Layer 7. The one class of errors of NATS: what a server refused, what got no answer, and what did
 * not fit. A wrong argument is an InvalidArgumentError, as everywhere.
 */

import { ChannelError } from '../../errors.ts'

/** The codes of a NatsError. The guide says what to do about each. */
export type NatsErrorCode =
  | 'ERR_NATS_AUTH'
  | 'ERR_NATS_CLOSED'
  | 'ERR_NATS_DISCONNECTED'
  | 'ERR_NATS_JETSTREAM'
  | 'ERR_NATS_MAX_PAYLOAD'
  | 'ERR_NATS_NO_RESPONDERS'
  | 'ERR_NATS_OVERFLOW'
  | 'ERR_NATS_PERMISSION'
  | 'ERR_NATS_PROTOCOL'
  | 'ERR_NATS_SERVER'
  | 'ERR_NATS_SLOW'
  | 'ERR_NATS_STALE'
  | 'ERR_NATS_TIMEOUT'
  | 'ERR_NATS_UNSUPPORTED'

/** What a NatsError tells besides its message. */
export interface NatsErrorDetails {
  /** The error underneath. */
  readonly cause?: unknown
  /** What the server said, word for word. */
  readonly said?: string
  /** The status of JetStream's answer, as of HTTP. */
  readonly status?: number
  /** The number of JetStream's error. */
  readonly err_code?: number
}

/** Something went wrong between a NatsClient and its servers. */
export class NatsError extends ChannelError {
  declare readonly code: NatsErrorCode
  /** What the server said, word for word; `''` if it said nothing. */
  readonly said: string
  /** The status of JetStream's answer, as of HTTP: 404, 503 …; 0 if it is not about JetStream. */
  readonly status: number
  /** The number of JetStream's error, such as 10059 for an unknown stream; 0 if there is none. */
  readonly err_code: number

  constructor(code: NatsErrorCode, message: string, details: NatsErrorDetails = {}) {
    super(code, message, details.cause)
    this.said = details.said ?? ''
    this.status = details.status ?? 0
    this.err_code = details.err_code ?? 0
  }
}

/** What each word of a server's `-ERR` is about. The first one that is in the text counts. */
const MEANINGS: readonly [said: RegExp, code: NatsErrorCode][] = [
  [/permissions violation/i, 'ERR_NATS_PERMISSION'],
  [/auth(?:orization|entication)|revoked|expired/i, 'ERR_NATS_AUTH'],
  [/maximum payload/i, 'ERR_NATS_MAX_PAYLOAD'],
  [/slow consumer/i, 'ERR_NATS_SLOW'],
  [/stale connection/i, 'ERR_NATS_STALE'],
]

/** The error for what a server said in an `-ERR`. */
export function serverError(said: string): NatsError {
  const code = MEANINGS.find(([pattern]) => pattern.test(said))?.[1] ?? 'ERR_NATS_SERVER'
  return new NatsError(code, `the server said: ${said}`, { said })
}

/** The connection was lost: what was written on it may have been lost, too. */
export function disconnected(cause?: unknown): NatsError {
  return new NatsError('ERR_NATS_DISCONNECTED', 'the connection to the server was lost', { cause })
}

/**
 * The client has closed, or closes. `fault`: why it has failed. A refused login keeps its code: it
 * is what has to be mended.
 */
export function clientClosed(fault?: Error): NatsError {
  if (fault === undefined) return new NatsError('ERR_NATS_CLOSED', 'the client has closed')
  const { code, said = '' } = fault as NatsError
  const details = { said, cause: fault }
  const shown = code === 'ERR_NATS_AUTH' ? code : 'ERR_NATS_CLOSED'
  return new NatsError(shown, `the client has closed: ${fault.message}`, details)
}
