/**
 * Layer 5. DatagramReading: the way in of one Datagram, from a packet to on_read.
 *
 * The way of a packet: DatagramLink → receive → (wait, while reads are held) → Senders, if there is
 * a delimiter → on_read
 *
 * Rules:
 * 1. One read at a time over all senders. What a hook causes meanwhile, the loop that is running
 *    handles.
 * 2. A packet socket cannot be paused. While reads are held, packets wait here, within a bound.
 *    Beyond it they are dropped, as the system does, but visibly.
 * 3. No packet says anything about another peer: an error that one causes is told, and the channel
 *    goes on.
 */

import type { Buffer } from 'node:buffer'
import { formatAddress } from '../../core/address.ts'
import { isPromiseLike, Promises } from '../../core/promises.ts'
import { codeOf, messageOf, ReadError } from '../../errors.ts'
import type { Bytes, SocketAddress } from '../../types.ts'
import type { Life } from '../life.ts'
import { receiveOverflow } from '../overflow.ts'
import { about, type PacketDropReason } from './datagram-error.ts'
import { type DatagramValues, PACKET_OVERHEAD } from './datagram-settings.ts'
import { Senders, type SendersOwner } from './senders.ts'

/** Why reads wait; they add up. */
type Hold = 'suspended' | 'promise' | 'closed'

/** Gets the reads: the Datagram. */
interface PacketTarget {
  on_read(...data: any[]): any
}

/** The link of the datagram. */
export interface DatagramReadingOwner {
  readonly life: Life
  /** The settings. */
  readonly values: DatagramValues
}

export class DatagramReading implements SendersOwner {
  readonly #owner: DatagramReadingOwner
  readonly #senders: Senders
  readonly #holds = new Set<Hold>()
  #isReading = false
  /** The sender of what is being read. */
  sender: SocketAddress | undefined
  /** Packets that came while reads were held, and what they count. */
  #waiting: [data: Buffer, from: SocketAddress][] = []
  #waitingSize: Bytes = 0
  #isLookDue = false
  /** Made when a hook of this opening returns one. */
  #promises: Promises | undefined
  // Of this opening, or the last one.
  bytes_read: Bytes = 0
  packets_read = 0
  packets_dropped = 0

  constructor(owner: DatagramReadingOwner) {
    this.#owner = owner
    this.#senders = new Senders(this, owner.values)
  }

  /** Bytes that were received and not delivered, with what their packets count. */
  get bytes(): Bytes {
    return this.#senders.bytes + this.#waitingSize
  }

  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  /** A new opening begins. */
  begin(): void {
    this.#promises?.abandon()
    this.#promises = undefined
    for (const hold of ['promise', 'closed'] as const) this.#holds.delete(hold)
    this.bytes_read = this.packets_read = this.packets_dropped = 0
  }

  /** The opening is over, and so is whatever its promises hold. Rejections are only logged now. */
  end(): void {
    this.#promises?.abandon()
    this.#promises = undefined
    this.sender = undefined
  }

  /** A setting has changed that says how packets are read. */
  use(values: DatagramValues): void {
    this.#senders.use(values)
    if (this.#senders.size === 0 || this.#isLookDue) return
    // Of what is buffered something may be a whole message now, or too much.
    this.#isLookDue = true
    this.#owner.life.drive.wake({ turn: () => this.#look() })
  }

  #look(): void {
    this.#isLookDue = false
    this.#senders.lookAgain()
    this.#proceed()
  }

  // ---- receiving --------------------------------------------------------------------------------

  receive(data: Buffer, from: SocketAddress): void {
    if (this.#holds.has('closed')) return
    this.bytes_read += data.length
    this.packets_read++
    if (this.isHeld) return this.#wait(data, from)
    this.#isReading = true
    this.#read(data, from)
    this.#isReading = false
  }

  #wait(data: Buffer, from: SocketAddress): void {
    const size = data.length + PACKET_OVERHEAD
    if (this.#waitingSize + size > this.#owner.values.senders_buffer_size)
      return this.dropped('overload', from, data.length)
    this.#waiting.push([data, from])
    this.#waitingSize += size
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
    const { read_delimiter, encoding } = this.#owner.values
    // A sender that has begun a message under a former delimiter is read in order.
    if (read_delimiter === null && this.#senders.size === 0)
      this.#readPacket(encoding === null ? data : data.toString(encoding), from)
    else this.#senders.receive(data, from)
    this.#forgetSender()
  }

  /** Without a delimiter a packet is a message, and nothing is kept of its sender. */
  #readPacket(data: Buffer | string, from: SocketAddress): void {
    try {
      const result = this.read([data], from)
      if (result !== undefined) this.hookReturned(result)
    } catch (error) {
      this.hookFailed(error)
    }
  }

  /** The sender is known as long as the hook, or what it promised, is at work. */
  #forgetSender(): void {
    if (!this.#holds.has('promise')) this.sender = undefined
  }

  // ---- what the senders report ------------------------------------------------------------------

  read(data: unknown[], from: SocketAddress): unknown {
    this.sender = from
    return (this.#owner.life.channel as unknown as PacketTarget).on_read(...data, from)
  }

  overflowed(limit: Bytes, size: Bytes | undefined, from: SocketAddress): void {
    this.sender = from
    const what = `a read from ${formatAddress(from)}`
    const error = receiveOverflow(limit, size, what, '; what it has sent is dropped')
    this.#owner.life.warn('on_overflow_error', about(from, error), 'overflow')
  }

  broken(error: unknown, from: SocketAddress): void {
    this.sender = from
    const code = codeOf(error) || 'ERR_INVALID_DELIMITER'
    const text = `${messageOf(error)} (in what ${formatAddress(from)} has sent, which is dropped)`
    this.#owner.life.warn('on_read_error', about(from, new ReadError(code, text, error)))
  }

  dropped(reason: PacketDropReason, from: SocketAddress, bytes: Bytes): void {
    const { life } = this.#owner
    if (reason === 'overload') this.packets_dropped++
    life.drive.note('drop', life.channel, { reason, address: from })
    life.call('on_drop', reason, from, bytes)
  }

  // ---- holds ------------------------------------------------------------------------------------

  hookFailed(error: unknown): void {
    this.#owner.life.hookFailed(error, 'on_read')
  }

  /** If the result is a promise, nothing is read before it has settled. */
  hookReturned(result: unknown): void {
    if (!isPromiseLike(result)) return
    this.hold('promise')
    this.#promises ??= new Promises(this.#owner.life, () => this.#settled())
    void this.#promises.add(result)
  }

  #settled(): void {
    this.sender = undefined
    this.release('promise')
  }

  hold(why: Hold): void {
    this.#holds.add(why)
    this.#senders.hold()
  }

  release(why: Hold): void {
    this.#holds.delete(why)
    // Inside a hook the loop that is running goes on.
    if (this.isHeld) return
    if (this.#isReading) this.#senders.release()
    else this.#proceed()
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Drops what was received; nothing more is read. */
  stop(): void {
    this.#holds.add('closed')
    this.#senders.reset()
    this.#waiting = []
    this.#waitingSize = 0
  }
}
