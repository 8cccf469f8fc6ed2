/**
 * Layer 5. DatagramLink: what connects one Datagram with one packet socket after the other.
 * Everything is reported to it.
 *
 * The way of a packet in: socket → received → datagram-reading.ts → on_read
 * The way out: write → DatagramOutbox (once a turn of the loop) → socket → emptied → on_write
 *
 * Its methods stand in the order of a life: attach → opened → received / write / emptied → end →
 * failed → abort → closed.
 */

import type { Buffer } from 'node:buffer'
import { formatAddress } from '../../core/address.ts'
import { noop } from '../../core/noop.ts'
import type { Gauge } from '../../core/tally.ts'
import type { Weighed } from '../../core/weights.ts'
import { codeOf, ConnectError, ListenError, ReadError, WriteError } from '../../errors.ts'
import type { Endpoint, PacketSink, PacketSocket, SystemError } from '../../transport.ts'
import type { Bytes, Cancel, SocketAddress, StateSignal } from '../../types.ts'
import type { Driver } from '../hooks.ts'
import type { Life } from '../life.ts'
import { engineOverflow, sendOverflow } from '../overflow.ts'
import type { Past } from '../past.ts'
import { about } from './datagram-error.ts'
import { DatagramOutbox, type DatagramOutboxOwner } from './datagram-outbox.ts'
import { DatagramReading, type DatagramReadingOwner } from './datagram-reading.ts'
import { type DatagramValues, isReading } from './datagram-settings.ts'
import { Groups } from './groups.ts'
import { isLive, isOfSocket, type LiveSetting, tell } from './packet-options.ts'

/** The hook that gets a failure of the socket, by how far the opening has come. */
const FAILURES = {
  on_listen_error: ListenError,
  on_connect_error: ConnectError,
  on_read_error: ReadError,
} as const

export class DatagramLink
  implements PacketSink, DatagramReadingOwner, DatagramOutboxOwner, Weighed, Driver
{
  readonly life: Life
  readonly reading: DatagramReading
  readonly outbox: DatagramOutbox
  readonly groups = new Groups()
  #socket: PacketSocket | undefined
  /** What is told of the last socket, kept when it is gone. */
  #past: Pick<PacketSocket, 'local_address' | 'remote_address'> | undefined
  /** The settings; a new object when one changes. */
  values: DatagramValues
  /** The values with which the next opening begins. */
  #lasting: DatagramValues
  /** The peer as `connect` was given it. */
  peer: Endpoint | undefined
  #failure: keyof typeof FAILURES = 'on_listen_error'
  /**
   * Is on_overflow_error being told that the queue is too long? The hook may write a last word all
   * the same.
   */
  #isOverflowing = false
  /** How far closing has come. */
  #isEnding: 'no' | 'sending' | 'gone' | 'expired' = 'no'
  #stopWaiting: Cancel = noop

  constructor(life: Life, values: DatagramValues) {
    this.life = life
    this.values = this.#lasting = values
    this.reading = new DatagramReading(this)
    this.outbox = new DatagramOutbox(life.drive, this)
  }

  // ---- settings ---------------------------------------------------------------------------------

  assign<Name extends keyof DatagramValues>(name: Name, value: DatagramValues[Name]): void {
    if (value === this.values[name]) return
    if (isLive(name)) this.#configure(name, value)
    const { state } = this.life
    const isLasting = state === 'closed' || state === 'opening' || isOfSocket(name)
    if (isLasting) this.#lasting = { ...this.#lasting, [name]: value }
    this.values = { ...this.values, [name]: value }
    if (isReading(name)) this.reading.use(this.values)
  }

  /**
   * Null means the choice of the system. An open socket cannot be given that back, so null takes
   * effect with the next opening.
   */
  #configure(name: LiveSetting, value: unknown): void {
    if (value !== null) tell(this.openSocket, name, socket => socket.configure({ [name]: value }))
  }

  // ---- what is told -----------------------------------------------------------------------------

  get told(): Past {
    return this
  }

  get local_address(): SocketAddress | undefined {
    return (this.#socket ?? this.#past)?.local_address
  }

  /** The sender while one is being read, or the connected peer. */
  get remote_address(): SocketAddress | undefined {
    return this.reading.sender ?? (this.#socket ?? this.#past)?.remote_address
  }

  get fileno(): number | undefined {
    return this.#socket?.fileno
  }

  get bytes_read(): Bytes {
    return this.reading.bytes_read
  }

  get bytes_written(): Bytes {
    return this.outbox.bytesSent
  }

  get bytes_queued(): Bytes {
    return this.outbox.bytes
  }

  /** Was it open, or opening, at any time? */
  get wasAttached(): boolean {
    return this.#socket !== undefined || this.#past !== undefined
  }

  get openSocket(): PacketSocket | undefined {
    return this.#isGone() ? undefined : this.#socket
  }

  #isGone(): boolean {
    return this.#isEnding === 'gone' || this.#isEnding === 'expired'
  }

  address(): string {
    const address = this.peer ?? this.local_address
    return address === undefined ? '' : formatAddress(address)
  }

  gauge(): Gauge {
    const { bytes_read, bytes_written } = this
    return { kind: 'datagram', bytes_read, bytes_written, bytes_held: this.weight }
  }

  get weight(): Bytes {
    return this.reading.bytes + this.outbox.size
  }

  crowded(limit: Bytes): void {
    const error = engineOverflow(limit, this.weight)
    this.life.warn('on_overflow_error', about(undefined, error), 'overflow')
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** A new opening. */
  attach(socket: PacketSocket, peer: Endpoint | undefined): void {
    this.#socket = socket
    this.#past = undefined
    this.peer = peer
    this.#failure = peer === undefined ? 'on_listen_error' : 'on_connect_error'
    this.#isEnding = 'no'
    this.reading.begin()
    this.outbox.open(socket)
    socket.sink = this
  }

  opened(): void {
    const life = this.life
    this.#failure = 'on_read_error'
    // It may be ending already: then it is open only to send what waits.
    if (life.state === 'opening') life.open(this.peer === undefined ? 'listen' : 'connect')
    if (life.state === 'active') life.call(this.peer === undefined ? 'on_listen' : 'on_connect')
  }

  // ---- while it is open -------------------------------------------------------------------------

  received(data: Buffer, from: SocketAddress): void {
    this.reading.receive(data, from)
    this.life.drive.weigh(this)
  }

  hookReturned(result: unknown): void {
    this.reading.hookReturned(result)
  }

  suspended(): void {
    this.reading.hold('suspended')
  }

  resumed(): void {
    this.reading.release('suspended')
  }

  // ---- sending ----------------------------------------------------------------------------------

  write(data: Uint8Array, to: Endpoint | undefined, flush: boolean): boolean {
    const { send_buffer_size, send_high_water } = this.values
    if (this.outbox.size > send_buffer_size && !this.#isOverflowing) return this.#overflow(to)
    this.outbox.write(data, to, flush)
    this.life.drive.weigh(this)
    return this.outbox.size < send_high_water
  }

  #overflow(to: Endpoint | undefined): false {
    this.#isOverflowing = true
    const { packets, bytes } = this.outbox
    const error = sendOverflow(this.values.send_buffer_size, `${packets} packets (${bytes} bytes)`)
    this.life.warn('on_overflow_error', about(this.#addressOf(to), error), 'overflow')
    this.#isOverflowing = false
    return false
  }

  /** From the socket: a packet that had been sent has come back as refused (ICMP). */
  refused(error: SystemError): void {
    this.sendFailed(error, undefined)
  }

  sendFailed(error: SystemError, to: Endpoint | undefined): void {
    this.life.warn(
      'on_write_error',
      about(
        this.#addressOf(to),
        new WriteError(codeOf(error) || 'ERR_WRITE', error.message, error),
      ),
    )
  }

  #addressOf(to: Endpoint | undefined): SocketAddress | undefined {
    const { host, port } = (to ?? this.peer ?? {}) as Partial<Extract<Endpoint, { kind: 'ip' }>>
    return host === undefined ? undefined : [host, port as number]
  }

  emptied(): void {
    this.life.call('on_write')
    // Then nothing can have been written in there.
    if (this.#isEnding === 'sending') this.destroy()
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** One that closes reads no more; on_state may already try. */
  stateChanged(state: StateSignal): void {
    if (state === 'closing') this.reading.stop()
  }

  /** Closes politely. */
  end(): void {
    this.life.beginClosing()
    // on_state may have closed it at once.
    if (this.#isGone()) return
    this.#isEnding = 'sending'
    if (this.outbox.packets === 0) return this.destroy()
    // on_state, told of 'opening' by now, may have ended it first.
    this.#stopWaiting()
    if (this.values.end_timeout !== Infinity)
      this.#stopWaiting = this.life.drive.after(this.values.end_timeout, () => this.#expire())
  }

  #expire(): void {
    this.destroy()
    this.#isEnding = 'expired'
  }

  failed(error: SystemError): void {
    const hook = this.#failure
    this.life.fail(hook, new FAILURES[hook](codeOf(error) || 'ERR_UNKNOWN', error.message, error))
  }

  /** Closes at once. */
  abort(): void {
    if (this.life.state !== 'closing') this.life.beginClosing()
    this.destroy()
  }

  destroy(): void {
    this.#stopWaiting()
    if (this.#isGone()) return
    this.#isEnding = 'gone'
    this.outbox.close()
    this.life.drive.letGo(this)
    this.#socket?.destroy()
  }

  closed(): void {
    const life = this.life
    const { local_address, remote_address } = this.#socket as PacketSocket
    if (life.state !== 'closing') life.beginClosing('error')
    this.destroy()
    this.#past = { local_address, remote_address }
    this.#socket = undefined
    this.reading.end()
    this.values = this.#lasting
    this.reading.use(this.values)
    life.finishClosing(this.#isEnding === 'expired' ? 'timeout' : undefined)
  }
}
