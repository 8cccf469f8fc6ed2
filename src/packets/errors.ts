/**
 * Layer 9. The errors of packets.
 */

import { ChannelError } from '../errors.ts'

/**
 * A packet is invalid: one that a program makes (thrown), or one that has arrived (reported). Code
 * ERR_PACKET.
 */
export class PacketError extends ChannelError {
  /** The name of the invalid field on the wire; '' if the packet as a whole is invalid. */
  readonly field: string

  constructor(field: string, message: string, cause?: unknown) {
    super('ERR_PACKET', message, cause)
    this.field = field
  }
}

/**
 * A channel of packets could not do its work. Reported to `on_error`, to
 * `on_catastrophic_disconnect`, or as the rejection of `register_job`.
 *
 * Codes:
 * - ERR_NOT_ALIVE: a channel was not connected within `start_death_time`
 * - ERR_LOST: the channel has given up: by its rules there is no hope of a connection
 * - ERR_CLOSED: the channel or its run was closed first
 * - ERR_UNKNOWN_TYPE: no handler takes packets of that type
 * - ERR_DROPPED: something was dropped because its limit was reached
 */
export class PacketChannelError extends ChannelError {}
