/**
 * Layer 8. ListeningSocket: accepts the peers of a server of messages.
 */

import type { StreamServerOptions } from '../../../channels/servers/server-options.ts'
import { StreamServer } from '../../../channels/servers/stream-server.ts'
import { formatAddress } from '../../../core/address.ts'
import { ConnectError } from '../../../errors.ts'
import type { Transport } from '../../../transport.ts'
import type { DropReason, SocketAddress } from '../../../types.ts'

/** What the listening socket reports. */
export interface ListeningSocketOwner {
  listening(): void
  accepted(server: ListeningSocket, socket: Transport): void
  /** It goes on listening if it is active: a peer has failed, or was turned away. */
  failed(server: ListeningSocket, error: Error): void
  closed(server: ListeningSocket): void
}

export class ListeningSocket extends StreamServer {
  readonly #owner: ListeningSocketOwner

  constructor(owner: ListeningSocketOwner, options: StreamServerOptions) {
    super(options)
    this.#owner = owner
  }

  override on_listen(): void {
    this.#owner.listening()
  }

  override on_accept(socket: Transport): void {
    this.#owner.accepted(this, socket)
  }

  override on_drop(reason: DropReason, address: SocketAddress): void {
    // Near the limit of descriptors every peer is turned away: on_overload tells it once.
    if (reason === 'overload') return
    const peer = formatAddress(address)
    this.#owner.failed(this, new ConnectError('ERR_DROPPED', `${peer} was turned away: ${reason}`))
  }

  override on_overload(): void {
    this.#owner.failed(
      this,
      new ConnectError(
        'ERR_OVERLOAD',
        'peers are turned away: the process is near its limit of open files (see ulimit -n)',
      ),
    )
  }

  override on_error(error: Error): void {
    this.#owner.failed(this, error)
  }

  override on_close(): void {
    this.#owner.closed(this)
  }
}
