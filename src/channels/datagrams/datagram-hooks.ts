/**
 * Layer 5. The hooks of a Datagram, and what each does by default. Those that a Stream has too are
 * in data-channel.ts.
 */

import type { ReadArguments, ReadDelimiter } from '../../core/delimiters.ts'
import type { ListenError, ReportedError } from '../../errors.ts'
import type { Bytes, SocketAddress } from '../../types.ts'
import { DataChannel } from '../data-channel.ts'
import { LIFE } from '../life.ts'
import type { DatagramError, PacketDropReason } from './datagram-error.ts'

/**
 * The arguments that `on_read` of a Datagram gets: those that the delimiter makes, then the address
 * of the sender.
 */
export type DatagramArguments<By extends ReadDelimiter> = ReadDelimiter extends By
  ? any[]
  : [...data: ReadArguments<By>, remote_address: SocketAddress]

export abstract class DatagramHooks<
  By extends ReadDelimiter = ReadDelimiter,
> extends DataChannel<DatagramError> {
  /**
   * Called once for each opening by `listen` (or by `write`), when packets can be received.
   *
   * By default it does nothing.
   */
  // Source: the guide of Pants promises it.
  on_listen(): any {}

  /**
   * Called with each read, as `read_delimiter` cuts them, and the address of its sender:
   * `on_read(data, remote_address)`. A Struct delivers its fields as arguments, then the address.
   *
   * Anything may be done in here. No further read, of any sender, is delivered before this hook
   * returns; if it returns a promise, none is delivered before that settles. What comes meanwhile
   * waits, up to `senders_buffer_size`.
   *
   * By default it drops the data.
   */
  // Source: Pants `Datagram.on_read`.
  on_read(..._data: DatagramArguments<By>): any {}

  /**
   * Called when something that had been received was dropped: why, whose it was, and how many
   * bytes.
   *
   * By default it does nothing.
   */
  on_drop(_reason: PacketDropReason, _remote_address: SocketAddress, _bytes: Bytes): any {}

  /**
   * Called when the address cannot be listened on: it is in use, or there is no permission.
   *
   * By default it calls `on_error`. Then the datagram closes, whatever this hook does.
   */
  on_listen_error(error: ListenError): any {
    return this.on_error(error)
  }

  /**
   * Called with every error whose own hook is not overridden, and with what a hook threw or its
   * promise rejected with.
   *
   * By default it logs one line. Unlike other channels the datagram does not close: what one sender
   * sent, or made a hook throw, must not end the service of the others.
   */
  override on_error(error: ReportedError): any {
    this[LIFE].log(error)
  }
}
