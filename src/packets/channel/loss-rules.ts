/**
 * Layer 9. LossRules: when a channel without a connection gives up.
 *
 * Calls: `connected` when there is a connection; `failed` after each attempt that has failed. It
 * returns the reason to give up, if there is one.
 *
 * | rule | default | gives up |
 * |---|---|---|
 * | `max_attempts` | Infinity | after this number of failed attempts in a row |
 * | `max_outage` | 60 000 ms | after this time without a connection |
 * | `refusals` | 401, 403, 404, 410 | when the server refuses with such a status |
 * | `certificates` | true | when the server's certificate is not trusted |
 * | none | | when the URL cannot be connected to: it has no address, or an invalid one |
 *
 * None of these passes within seconds, and trying again would only hide it. Any other failure may
 * pass.
 */

import {
  checkBoolean,
  checkDuration,
  type Checks,
  countFrom,
  listOf,
  wholeFrom,
} from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { codeOf, messageOf } from '../../errors.ts'
import { HandshakeError } from '../../protocols/websocket/errors.ts'
import type { Milliseconds } from '../../types.ts'
import { PacketChannelError } from '../errors.ts'

/** When a channel declares itself lost. */
export interface LossOptions {
  /** After this number of failed attempts in a row. @default Infinity: no limit */
  readonly max_attempts?: number | undefined
  /**
   * After this time without a connection, counted from `open` or from the loss.
   *
   * @default 60 000 ms
   */
  readonly max_outage?: Milliseconds | undefined
  /** The statuses of a WebSocket server that will not change. @default [401, 403, 404, 410] */
  readonly refusals?: readonly number[] | undefined
  /** Is a certificate that is not trusted a reason? @default true */
  readonly certificates?: boolean | undefined
}

export const LOSS_CHECKS: Checks<LossOptions> = {
  max_attempts: countFrom(1),
  max_outage: checkDuration,
  refusals: listOf(wholeFrom(0), 'statuses'),
  certificates: checkBoolean,
}

/** What Node and OpenSSL say of a certificate. Other failures of a handshake may pass. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|INVALID_CA|ALTNAME/

/** What the program has given is invalid. */
const INVALID = new Set(['ERR_INVALID_URL', 'ERR_INVALID_ADDRESS', 'ERR_INVALID_ARGUMENT'])

export class LossRules {
  readonly maxOutage: Milliseconds
  readonly #maxAttempts: number
  readonly #refusals: readonly number[]
  readonly #certificates: boolean
  #attempts = 0

  /** Throws InvalidArgumentError for an option that is invalid or does not exist. */
  constructor(options: LossOptions = {}) {
    checkOptions('lost', options, LOSS_CHECKS)
    const {
      max_attempts = Infinity,
      max_outage = 60_000,
      refusals = [401, 403, 404, 410],
      certificates = true,
    } = options
    this.maxOutage = max_outage
    this.#maxAttempts = max_attempts
    this.#refusals = refusals
    this.#certificates = certificates
  }

  connected(): void {
    this.#attempts = 0
  }

  /** An attempt has failed with this error. Returns why there is no hope; undefined if there is. */
  failed(error: Error | undefined): PacketChannelError | undefined {
    this.#attempts++
    if (error instanceof HandshakeError && this.#refusals.includes(error.status))
      return lost(`the server refuses it (${error.status})`, error)
    if (this.#certificates && error !== undefined && CERTIFICATE.test(codeOf(error)))
      return lost(`the server's certificate is not trusted: ${messageOf(error)}`, error)
    if (INVALID.has(codeOf(error))) return lost('its URL cannot be connected to', error)
    if (this.#attempts >= this.#maxAttempts)
      return lost(`${this.#attempts} attempts to connect have failed`, error)
    return undefined
  }

  /** There was no connection for `maxOutage`. */
  overdue(error: Error | undefined): PacketChannelError {
    return lost(`there was no connection for ${this.maxOutage} ms`, error)
  }
}

function lost(why: string, cause: Error | undefined): PacketChannelError {
  const last = cause === undefined ? '' : `; the last error: ${messageOf(cause)}`
  return new PacketChannelError('ERR_LOST', `the channel is lost: ${why}${last}`, cause)
}
