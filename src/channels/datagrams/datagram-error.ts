/**
 * Layer 4. What the hooks of a Datagram are told: which peer an error is about, and why something
 * was dropped.
 */

import type { ChannelError } from '../../errors.ts'
import type { SocketAddress } from '../../types.ts'

/**
 * An error of a Datagram. `remote_address` is the peer that it is about, or `undefined` if it is
 * about none. Errors of opening have no such member.
 */
export type DatagramError = ChannelError & { readonly remote_address?: SocketAddress | undefined }

/**
 * Why a Datagram dropped something that it had received.
 *
 * - 'max_senders', 'senders_buffer_size': the bound that was reached. The unfinished message of the
 *   sender silent for longest was dropped.
 * - 'overload': a packet came while reads were held (by `suspend` or a promise of a hook), and
 *   there was no room for it to wait in.
 * - 'incomplete': with `whole_packets`, a packet ended within a message, or was empty.
 */
export type PacketDropReason = 'max_senders' | 'senders_buffer_size' | 'overload' | 'incomplete'

/** The same error, with the peer that it is about. */
export function about(address: SocketAddress | undefined, error: ChannelError): DatagramError {
  return Object.assign(error, { remote_address: address })
}
