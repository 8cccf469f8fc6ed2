/**
 * Layer 2. What is told of a connection on a handle, while it is open and afterwards, and the
 * options of its socket. The base of FastTransport.
 */

import type { Socket } from 'node:net'
import { socketAddress } from '../../core/address.ts'
import type { KeepAliveProbes } from '../../transport.ts'
import type { Bytes, Milliseconds, SocketAddress } from '../../types.ts'
import { keepAlive, setKeepAlive } from '../keep-alive.ts'
import type { Handle, HandleAddress } from './handles.ts'

/** Stands for the handle before there is one, and after. */
const NO_HANDLE = { bytesRead: 0, bytesWritten: 0, writeQueueSize: 0, fd: -1 } as Handle

export class HandleFacts {
  handle: Handle = NO_HANDLE
  /** The socket that connects. It has the handle until it has connected. */
  socket: Socket | undefined
  #local: SocketAddress | undefined
  #remote: SocketAddress | undefined
  /** What was counted, once the handle is not asked any more. */
  #read: Bytes | undefined
  #written: Bytes = 0

  /** Addresses that need not be asked for. */
  told(local: SocketAddress | undefined, remote: SocketAddress | undefined): void {
    this.#local = local
    this.#remote = remote
  }

  /** Asks the handle a last time, while it is open. */
  keep(): void {
    void this.remote_address
    void this.local_address
    this.#written = this.bytes_written
    this.#read = this.bytes_read
  }

  /** The handle is closed, or about to be, and asked nothing more. */
  forget(): void {
    this.handle = NO_HANDLE
  }

  get local_address(): SocketAddress | undefined {
    if (this.#local === undefined) {
      const address: HandleAddress = {}
      this.handle.getsockname?.(address)
      this.#local = addressOf(address)
    }
    return this.#local
  }

  get remote_address(): SocketAddress | undefined {
    if (this.#remote === undefined) {
      const address: HandleAddress = {}
      this.handle.getpeername?.(address)
      this.#remote = addressOf(address)
    }
    return this.#remote
  }

  get fileno(): number | undefined {
    const { fd } = this.handle
    return fd < 0 ? undefined : fd
  }

  get bytes_read(): Bytes {
    return this.#read ?? this.handle.bytesRead
  }

  get bytes_written(): Bytes {
    if (this.#read !== undefined) return this.#written
    return this.handle.bytesWritten - this.handle.writeQueueSize
  }

  set_no_delay(on: boolean): void {
    if (this.socket !== undefined) this.socket.setNoDelay(on)
    else this.handle.setNoDelay?.(on)
  }

  set_keep_alive(after: Milliseconds | false, probes?: KeepAliveProbes): void {
    const how = keepAlive(after, probes)
    if (this.socket !== undefined) return setKeepAlive(this.socket, how)
    const [isOn, delay, interval, count] = how
    // The system takes whole seconds.
    const every = interval && Math.floor(interval / 1000)
    this.handle.setKeepAlive?.(isOn, Math.floor(delay / 1000), every, count)
  }
}

function addressOf({ address, port }: HandleAddress): SocketAddress | undefined {
  return address === undefined ? undefined : socketAddress(address, port as number)
}
