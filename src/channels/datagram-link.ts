/**
 * Layer 5. DatagramLink: what connects one Datagram with one packet socket after the other.
 * Everything is reported to it.
 *
 * The way of a packet in: socket → received → (wait, while reads are held) → Senders, where there
 * is a delimiter → on_read The way of a packet out: write → Outbox (once a turn of the loop) →
 * socket → emptied → on_write
 *
 * Its methods stand in the order of a life: attach → opened → received / write / emptied → end →
 * failed → abort → closed.
 *
 * Rules:
 * 1. One read at a time, whoever sent it: what a hook sets off in the middle, the loop that is
 *    running sees.
 * 2. A packet socket cannot be paused. While reads are held packets wait here, within a bound;
 *    beyond it they are dropped, as the system does, but visibly.
 * 3. No packet says anything about another peer: what goes wrong with one is told, and the channel
 *    goes on.
 */

import { Buffer } from 'node:buffer'
import { formatAddress } from '../core/address.ts'
import { noop } from '../core/noop.ts'
import { isPromiseLike, Promises, type PromisesOwner } from '../core/promises.ts'
import type { Gauge } from '../core/tally.ts'
import type { Weighed } from '../core/weights.ts'
import {
  codeOf,
  ConnectError,
  ListenError,
  messageOf,
  OverflowError,
  ReadError,
  WriteError,
} from '../errors.ts'
import type { Endpoint, PacketSink, PacketSocket, SystemError } from '../transport.ts'
import type { Bytes, Cancel, Data, SocketAddress } from '../types.ts'
import type { Datagram } from './datagram.ts'
import { about, type PacketDropReason } from './datagram-error.ts'
import { type DatagramValues, isReading, PACKET_OVERHEAD } from './datagram-settings.ts'
import { Groups } from './groups.ts'
import type { Driver } from './hooks.ts'
import { type Life, LIFE } from './life.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import { receiveOverflow } from './overflow.ts'
import { isLive, type LiveSetting, tell } from './packet-options.ts'
import type { Past } from './past.ts'
import { Senders, type SendersOwner } from './senders.ts'

/** Why reads wait; they add up. */
type Hold = 'suspended' | 'promise' | 'closed'

/** Which hook is told when the socket fails, by how far it has come. */
const FAILURES = {
  on_listen_error: ListenError,
  on_connect_error: ConnectError,
  on_read_error: ReadError,
} as const

export class DatagramLink
  implements PacketSink, SendersOwner, OutboxOwner, PromisesOwner, Weighed, Driver
{
  readonly #datagram: Datagram<any>
  readonly #life: Life
  readonly #senders: Senders
  #socket: PacketSocket | undefined
  /** What is still told of the last socket when it is gone. */
  #past: Pick<PacketSocket, 'local_address' | 'remote_address'> | undefined
  /** The settings; a new object when one changes. */
  values: DatagramValues
  readonly groups = new Groups()
  /** The peer as `connect` was given it. */
  peer: Endpoint | undefined
  #failure: keyof typeof FAILURES = 'on_listen_error'
  readonly #holds = new Set<Hold>()
  #isReading = false
  /** Who sent what is being read. */
  sender: SocketAddress | undefined
  /** Packets that came while reads were held, and what they count. */
  #waiting: [data: Buffer, from: SocketAddress][] = []
  #waitingSize: Bytes = 0
  #isLookDue = false
  readonly outbox: Outbox
  /**
   * Is on_overflow_error being told that the queue is too long? It may write a last word all the
   * same.
   */
  #isOverflowing = false
  bytes_read: Bytes = 0
  packets_read = 0
  packets_dropped = 0
  /** How far closing has come. */
  #isEnding: 'no' | 'sending' | 'gone' | 'expired' = 'no'
  #stopWaiting: Cancel = noop
  /** Made when a hook of this opening returns one. */
  #promises: Promises | undefined

  constructor(datagram: Datagram<any>, values: DatagramValues) {
    this.#datagram = datagram
    this.#life = datagram[LIFE]
    this.values = values
    this.#senders = new Senders(this, values)
    this.outbox = new Outbox(this.#life.drive, this)
  }

  // ---- settings ---------------------------------------------------------------------------------

  assign<Name extends keyof DatagramValues>(name: Name, value: DatagramValues[Name]): void {
    if (value === this.values[name]) return
    if (isLive(name)) this.#configure(name, value)
    this.values = { ...this.values, [name]: value }
    if (!isReading(name)) return
    this.#senders.use(this.values)
    if (this.#senders.size === 0 || this.#isLookDue) return
    // Of what is buffered something may be a whole message now, or too much.
    this.#isLookDue = true
    this.#life.drive.wake({ turn: () => this.#look() })
  }

  /**
   * Null means the system's own choice, which an open socket cannot be given back: it holds from
   * the next opening on.
   */
  #configure(name: LiveSetting, value: unknown): void {
    if (value !== null) tell(this.openSocket, name, socket => socket.configure({ [name]: value }))
  }

  #look(): void {
    this.#isLookDue = false
    this.#senders.lookAgain()
    this.#proceed()
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
    return this.sender ?? (this.#socket ?? this.#past)?.remote_address
  }

  get fileno(): number | undefined {
    return this.#socket?.fileno
  }

  get bytes_written(): Bytes {
    return this.outbox.bytes_sent
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
    return this.#senders.bytes + this.#waitingSize + this.outbox.size
  }

  crowded(limit: Bytes): void {
    const message = `the channels of the engine hold more than ${limit} bytes (buffer_limit), and this one most: ${this.weight}`
    this.#life.warn(
      'on_overflow_error',
      about(undefined, new OverflowError('engine', limit, message)),
      'overflow',
    )
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** A new opening. */
  attach(socket: PacketSocket, peer: Endpoint | undefined): void {
    this.#socket = socket
    this.#past = undefined
    this.peer = peer
    this.#failure = peer === undefined ? 'on_listen_error' : 'on_connect_error'
    this.#isEnding = 'no'
    this.#promises?.abandon()
    this.#promises = undefined
    for (const hold of ['promise', 'closed'] as const) this.#holds.delete(hold)
    this.bytes_read = this.packets_read = this.packets_dropped = 0
    this.outbox.open(socket)
    socket.sink = this
  }

  opened(): void {
    const life = this.#life
    this.#failure = 'on_read_error'
    // It may be ending already: then it is open only to send what waits.
    if (life.state === 'opening') life.open(this.peer === undefined ? 'listen' : 'connect')
    if (life.state === 'active') life.call(this.peer === undefined ? 'on_listen' : 'on_connect')
  }

  // ---- receiving --------------------------------------------------------------------------------

  received(data: Buffer, from: SocketAddress): void {
    if (this.#holds.has('closed')) return
    this.bytes_read += data.length
    this.packets_read++
    if (this.isHeld) this.#wait(data, from)
    else {
      this.#isReading = true
      this.#read(data, from)
      this.#isReading = false
    }
    this.#life.drive.weigh(this)
  }

  /** The last of the holds is gone, or a setting has changed: delivers what waited. */
  #proceed(): void {
    this.#isReading = true
    while (!this.isHeld) {
      if (this.#senders.step()) this.#forgetSender()
      else if (this.#waiting.length > 0) {
        const [data, from] = this.#waiting.shift()!
        this.#waitingSize -= data.length + PACKET_OVERHEAD
        this.#read(data, from)
      } else break
    }
    this.#isReading = false
  }

  #read(data: Buffer, from: SocketAddress): void {
    const { read_delimiter, encoding } = this.values
    // Who has begun a message under a former delimiter is read in order.
    if (read_delimiter === null && this.#senders.size === 0)
      this.#readPacket(encoding === null ? data : data.toString(encoding), from)
    else this.#senders.receive(data, from)
    this.#forgetSender()
  }

  /** Without a delimiter a packet is a message, and nothing is kept of whoever sent it. */
  #readPacket(data: Buffer | string, from: SocketAddress): void {
    this.sender = from
    try {
      const result: unknown = this.#datagram.on_read(data, from)
      if (result !== undefined) this.hookReturned(result)
    } catch (error) {
      this.#life.hookFailed(error)
    }
  }

  /** The sender is known as long as the hook, or what it promised, is at work. */
  #forgetSender(): void {
    if (!this.#holds.has('promise')) this.sender = undefined
  }

  #wait(data: Buffer, from: SocketAddress): void {
    const size = data.length + PACKET_OVERHEAD
    if (this.#waitingSize + size > this.values.senders_buffer_size)
      return this.dropped('overload', from, data.length)
    this.#waiting.push([data, from])
    this.#waitingSize += size
  }

  // ---- what the senders report ------------------------------------------------------------------

  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  read(data: unknown[], from: SocketAddress): unknown {
    this.sender = from
    return this.#datagram.on_read(...data, from)
  }

  overflowed(limit: Bytes, size: Bytes | undefined, from: SocketAddress): void {
    this.sender = from
    const what = `a read from ${formatAddress(from)}`
    const error = receiveOverflow(limit, size, what, '; what it has sent is dropped')
    this.#life.warn('on_overflow_error', about(from, error), 'overflow')
  }

  broken(error: unknown, from: SocketAddress): void {
    this.sender = from
    const text = `${messageOf(error)} (in what ${formatAddress(from)} has sent, which is dropped)`
    this.#life.warn(
      'on_read_error',
      about(from, new ReadError(codeOf(error) || 'ERR_INVALID_DELIMITER', text, error)),
    )
  }

  dropped(reason: PacketDropReason, from: SocketAddress, bytes: Bytes): void {
    if (reason === 'overload') this.packets_dropped++
    this.#life.drive.note('drop', this.#datagram, { reason, address: from })
    this.#life.call('on_drop', reason, from, bytes)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  hookFailed(error: unknown): void {
    this.#life.hookFailed(error)
  }

  hookReturned(result: unknown): void {
    if (!isPromiseLike(result)) return
    this.#hold('promise')
    this.#promises ??= new Promises(this)
    void this.#promises.add(result)
  }

  promiseRejected(error: unknown, isLate: boolean): void {
    // What is left of an opening that is over must not close the next one.
    if (isLate) this.#life.log(error)
    else this.#life.hookFailed(error)
  }

  promisesSettled(): void {
    this.sender = undefined
    this.#release('promise')
  }

  suspended(): void {
    this.#hold('suspended')
  }

  resumed(): void {
    this.#release('suspended')
  }

  #hold(why: Hold): void {
    this.#holds.add(why)
    this.#senders.hold()
  }

  #release(why: Hold): void {
    this.#holds.delete(why)
    // Inside a hook the loop that is running goes on.
    if (this.isHeld) return
    if (this.#isReading) this.#senders.release()
    else this.#proceed()
  }

  // ---- sending ----------------------------------------------------------------------------------

  write(data: Data, to: Endpoint | undefined, flush: boolean): boolean {
    const { encoding, send_buffer_size, send_high_water } = this.values
    if (this.outbox.size > send_buffer_size && !this.#isOverflowing) return this.#overflow(to)
    this.outbox.write(
      typeof data === 'string' ? Buffer.from(data, encoding ?? 'utf8') : data,
      to,
      flush,
    )
    this.#life.drive.weigh(this)
    return this.outbox.size < send_high_water
  }

  #overflow(to: Endpoint | undefined): false {
    this.#isOverflowing = true
    const {
      outbox: { packets, bytes },
      values: { send_buffer_size: limit },
    } = this
    const message = `${packets} packets (${bytes} bytes) wait to be sent, more than send_buffer_size (${limit}); the write was dropped`
    this.#life.warn(
      'on_overflow_error',
      about(this.#addressOf(to), new OverflowError('send', limit, message)),
      'overflow',
    )
    this.#isOverflowing = false
    return false
  }

  /** From the socket: a packet that had been sent has come back as refused (ICMP). */
  refused(error: SystemError): void {
    this.send_failed(error, undefined)
  }

  send_failed(error: SystemError, to: Endpoint | undefined): void {
    this.#life.warn(
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
    this.#life.call('on_write')
    // Then nothing can have been written in there.
    if (this.#isEnding === 'sending') this.destroy()
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Closes politely. */
  end(): void {
    this.#life.beginClosing()
    // on_state may have closed it at once.
    if (this.#isGone()) return
    this.#isEnding = 'sending'
    this.#stopReading()
    if (this.outbox.packets === 0) return this.destroy()
    if (this.values.end_timeout !== Infinity)
      this.#stopWaiting = this.#life.drive.after(this.values.end_timeout, () => this.#expire())
  }

  #expire(): void {
    this.destroy()
    this.#isEnding = 'expired'
  }

  failed(error: SystemError): void {
    const hook = this.#failure
    this.#life.fail(hook, new FAILURES[hook](codeOf(error) || 'ERR_UNKNOWN', error.message, error))
  }

  /** Closes at once. */
  abort(): void {
    if (this.#life.state !== 'closing') this.#life.beginClosing()
    this.destroy()
  }

  destroy(): void {
    this.#stopWaiting()
    this.#stopReading()
    if (this.#isGone()) return
    this.#isEnding = 'gone'
    this.outbox.close()
    this.#life.drive.letGo(this)
    this.#socket?.destroy()
  }

  #stopReading(): void {
    this.#holds.add('closed')
    this.#senders.reset()
    this.#waiting = []
    this.#waitingSize = 0
  }

  closed(): void {
    const life = this.#life
    const { local_address, remote_address } = this.#socket as PacketSocket
    if (life.state !== 'closing') life.beginClosing('error')
    this.destroy()
    this.#past = { local_address, remote_address }
    this.#socket = undefined
    this.sender = undefined
    life.finishClosing(this.#isEnding === 'expired' ? 'timeout' : undefined)
  }
}
