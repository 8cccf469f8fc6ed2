/**
 * Layer 2. What is told of a connection of Bun's, while it is open and afterwards, and the options
 * of its socket. The base of BunTransport.
 */

import type { Socket } from 'node:net'
import { socketAddress } from '../../core/address.ts'
import { noop } from '../../core/noop.ts'
import type { Bytes, Milliseconds, Port, SocketAddress } from '../../types.ts'
import { descriptorOf } from '../descriptor.ts'
import { keepAlive, setKeepAlive } from '../keep-alive.ts'
import type { BunSocket } from './bun.ts'

/** Stands for the socket before there is one, and after. It answers as one that has closed. */
export const CLOSED: BunSocket = {
  data: undefined,
  fd: -1,
  write: () => -1,
  pause: noop,
  resume: noop,
  shutdown: noop,
  close: noop,
  setNoDelay: () => false,
  setKeepAlive: () => false,
  reload: noop,
}

export class BunFacts {
  handle = CLOSED
  /** The socket of node:net that connects, or that the handle was given to. */
  socket: Socket | undefined
  bytes_read: Bytes = 0
  bytes_written: Bytes = 0
  local_address: SocketAddress | undefined
  remote_address: SocketAddress | undefined

  /**
   * It is open. `local`, `remote`: addresses that are known already. The others are asked for now:
   * a socket that has closed has none.
   */
  opened(handle: BunSocket, local?: SocketAddress, remote?: SocketAddress): void {
    this.handle = handle
    this.local_address = local ?? addressOf(handle.localAddress, handle.localPort)
    this.remote_address = remote ?? addressOf(handle.remoteAddress, handle.remotePort)
  }

  get fileno(): number | undefined {
    if (this.socket !== undefined) return descriptorOf(this.socket)
    const { fd } = this.handle
    return fd < 0 ? undefined : fd
  }

  set_no_delay(on: boolean): void {
    if (this.socket !== undefined) this.socket.setNoDelay(on)
    else this.handle.setNoDelay(on)
  }

  set_keep_alive(after: Milliseconds | false): void {
    const how = keepAlive(after)
    if (this.socket !== undefined) setKeepAlive(this.socket, how)
    else this.handle.setKeepAlive(how[0], how[1])
  }
}

function addressOf(host: string | undefined, port: Port | undefined): SocketAddress | undefined {
  return host === undefined ? undefined : socketAddress(host, port as Port)
}
