/**
 * Layer 5. DatagramOutbox: the packets that a Datagram has written and the system has not taken
 * yet.
 *
 * The way of a packet: write → turn (see flush-policy.ts) → socket → sent → emptied, if it was
 * the last.
 *
 * Rules:
 * 1. The packets of a turn go out together, after its reads (measured: 1.2 times as many a second).
 * 2. A packet counts from `write` until the socket reports what became of it, so that the bound
 *    also holds while a host name is looked up. (node:dgram queues without a limit meanwhile.)
 */

import type { Drive } from '../../core/drive.ts'
import type { Turn } from '../../core/time/turns.ts'
import type { Endpoint, PacketSocket, SystemError } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import { PACKET_OVERHEAD } from './datagram-settings.ts'

/** Gets the reports. */
export interface DatagramOutboxOwner {
  /** A packet could not be sent. */
  sendFailed(error: SystemError, to: Endpoint | undefined): void
  /** It was the last packet. */
  emptied(): void
}

interface Packet {
  readonly data: Uint8Array
  readonly to: Endpoint | undefined
}

export class DatagramOutbox implements Turn {
  /** Not yet taken by the system: waiting here, or with the socket. */
  packets = 0
  bytes: Bytes = 0
  /** Taken by the system since `open`. */
  packetsSent = 0
  bytesSent: Bytes = 0

  readonly #drive: Drive
  readonly #owner: DatagramOutboxOwner
  #socket: PacketSocket | undefined
  #queue: Packet[] = []
  #isTurnDue = false

  constructor(drive: Drive, owner: DatagramOutboxOwner) {
    this.#drive = drive
    this.#owner = owner
  }

  /** What counts towards a bound. */
  get size(): Bytes {
    return this.bytes + this.packets * PACKET_OVERHEAD
  }

  open(socket: PacketSocket): void {
    this.#socket = socket
    this.packetsSent = this.bytesSent = 0
  }

  write(data: Uint8Array, to: Endpoint | undefined, flush: boolean): void {
    this.#queue.push({ data, to })
    this.packets++
    this.bytes += data.length
    if (flush) return this.#flush()
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    this.#drive.flushing.queued(this)
  }

  turn(): void {
    this.#isTurnDue = false
    this.#flush()
  }

  #flush(): void {
    const queue = this.#queue
    this.#queue = []
    for (const packet of queue) this.#send(this.#socket as PacketSocket, packet)
  }

  #send(socket: PacketSocket, { data, to }: Packet): void {
    // A report that comes after `close` must not count for the next socket.
    socket.send(
      data,
      'utf8',
      to,
      error => socket === this.#socket && this.#sent(data.length, to, error),
    )
  }

  #sent(bytes: Bytes, to: Endpoint | undefined, error: SystemError | null): void {
    this.packets--
    this.bytes -= bytes
    if (error === null) {
      this.packetsSent++
      this.bytesSent += bytes
    } else this.#owner.sendFailed(error, to)
    // A hook may have written more, or closed.
    if (this.packets === 0 && this.#socket !== undefined) this.#owner.emptied()
  }

  /** Drops what is queued. */
  close(): void {
    this.#socket = undefined
    this.#queue = []
    this.packets = this.bytes = 0
  }
}
