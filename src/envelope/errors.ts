/**
 * Layer 9. ValidationError: an error that is thrown and never sent. Errors that are sent are
 * messages: see error-message.ts.
 */

import { ChannelError } from '../errors.ts'
import type { Fault } from './schema/faults.ts'

/**
 * A message, or its payload, does not match its schema. Thrown by `parse`, `unpack`, `pack` and the
 * constructor of a message. Code ERR_VALIDATION.
 *
 * A consumer never throws it for a message of its peer. It answers with `error.validation` instead.
 */
export class ValidationError extends ChannelError {
  /** Everything that is wrong; at most 100 items. */
  readonly errors: readonly Fault[]

  /** `what`: the subject, for the message. */
  constructor(what: string, errors: readonly Fault[]) {
    const shown = errors
      .slice(0, 3)
      .map(({ loc, msg }) => (loc.length > 0 ? `${loc.join('.')}: ${msg}` : msg))
    const more = errors.length > 3 ? ` (and ${errors.length - 3} more)` : ''
    super('ERR_VALIDATION', `${what}: ${shown.join('; ')}${more}`)
    this.errors = errors
  }
}
