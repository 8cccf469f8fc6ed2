/**
 * Layer 9. The two ends of a stream of packets that is confirmed: Outgoing numbers the packets and
 * keeps each until the other end has it; Incoming takes each number once, in order.
 *
 * A packet stays in Outgoing while it waits and while it is on its way. If the way breaks (a router
 * dies), the two ends tell each other how far they are, and Outgoing goes on from there. So nothing
 * is lost, nothing comes twice, and whatever stands between them needs no memory.
 *
 * Rules:
 * 1. No more than WINDOW packets, and WINDOW_SIZE bytes, are on their way: what stands between the
 *    ends holds no more of one stream.
 * 2. A gap, or a stream that was not introduced, is never accepted: the ends must tell again how
 *    far they are.
 */

import { Deque } from '../../core/deque.ts'
import type { Bytes } from '../../types.ts'
import type { Packet, PacketPlace } from '../packet.ts'
import type { Budget } from './budget.ts'

/** The most that may be on its way: enough for a round trip of 5 ms at 100 000 packets a second. */
const WINDOW = 512
const WINDOW_SIZE: Bytes = 1024 * 1024

/** How far a stream has come: the number of the last packet that has arrived; 0: none. */
export type Progress = PacketPlace

export class Outgoing {
  readonly stream: string
  readonly #budget: Budget
  /** First what is on its way, then what waits. */
  readonly #packets = new Deque<Packet>()
  /** The number of the last packet that the other end has. */
  #confirmed = 0
  /** The number of the last packet that was ever handed on, on any connection. */
  #handed = 0
  /** How many are on their way on this connection, to an end that confirms. */
  #onWay = 0
  #bytesOnWay: Bytes = 0

  constructor(stream: string, budget: Budget) {
    this.stream = stream
    this.#budget = budget
  }

  /** How many packets wait or are on their way. */
  get size(): number {
    return this.#packets.size
  }

  /** How many have not begun their way. */
  get waiting(): number {
    return this.#packets.size - this.#onWay
  }

  get progress(): Progress {
    return { stream: this.stream, number: this.#confirmed }
  }

  /** Adds a packet. Returns false if the budget has no room for it. */
  push(packet: Packet): boolean {
    const placed = this.#placed(packet)
    if (!this.#budget.take(placed.size)) return false
    this.#packets.push(placed)
    return true
  }

  /** Adds a packet that the budget had room for until now. */
  move(packet: Packet): void {
    const placed = this.#placed(packet)
    this.#budget.retake(placed.size)
    this.#packets.push(placed)
  }

  #placed(packet: Packet): Packet {
    const number = this.#confirmed + this.#packets.size + 1
    return packet.at({ stream: this.stream, number })
  }

  /** The packet to be sent next; undefined if none waits, or the window is full. Then `sent`. */
  next(): Packet | undefined {
    if (this.#onWay >= WINDOW || (this.#onWay > 0 && this.#bytesOnWay >= WINDOW_SIZE))
      return undefined
    return this.#packets.at(this.#onWay)
  }

  /** The packet that `next` returned was handed on. */
  sent(packet: Packet): void {
    this.#onWay++
    this.#bytesOnWay += packet.size
    this.handed(packet)
  }

  /** The first packet that was never handed on. Then `handed`. */
  fresh(): Packet | undefined {
    return this.#packets.at(this.#unconfirmed)
  }

  /** The packet that `fresh` returned was handed on. */
  handed({ place }: Packet): void {
    this.#handed = Math.max(this.#handed, (place as PacketPlace).number)
  }

  /** How many were handed on, and are not confirmed. */
  get #unconfirmed(): number {
    return Math.max(this.#handed - this.#confirmed, 0)
  }

  /** The other end has everything up to that number. */
  confirm({ stream, number }: Progress): void {
    if (stream !== this.stream) return
    const last = this.#confirmed + this.#packets.size
    for (const end = Math.min(number, last); this.#confirmed < end; this.#confirmed++) {
      const packet = this.#packets.shift() as Packet
      const bytes = packet.size
      this.#budget.free(bytes)
      if (this.#onWay === 0) continue
      this.#onWay--
      this.#bytesOnWay -= bytes
    }
  }

  /** The other end says how far it is: everything after that begins its way again. */
  resume(at: Progress | undefined): void {
    if (at !== undefined) this.confirm(at)
    this.#onWay = 0
    this.#bytesOnWay = 0
  }

  /**
   * Takes out what was never handed on, without places: the other end does not confirm, and may
   * have the rest.
   */
  drain(): Packet[] {
    const packets = [...this.#packets].slice(this.#unconfirmed).map(packet => packet.at(undefined))
    this.clear()
    return packets
  }

  clear(): void {
    for (const packet of this.#packets) this.#budget.free(packet.size)
    this.#confirmed += this.#packets.size
    this.#packets.clear()
    this.#onWay = 0
    this.#bytesOnWay = 0
  }
}

export class Incoming {
  #stream: string | undefined
  /** The last number that was taken, and the last that was dealt with. */
  #taken = 0
  #done = 0

  /** How far it is; undefined: no stream was introduced. */
  get progress(): Progress | undefined {
    return this.#stream === undefined ? undefined : { stream: this.#stream, number: this.#done }
  }

  /** The other end says which stream comes, and how much of it is confirmed. */
  introduce({ stream, number }: Progress): void {
    const isKnown = stream === this.#stream
    this.#stream = stream
    // Usually this end is further: its last confirmation was lost. But the other one may have given
    // packets up.
    this.#taken = isKnown ? Math.max(this.#taken, number) : number
    this.#done = isKnown ? Math.max(this.#done, number) : number
  }

  /** 'next': it is to be delivered; 'again': it was; 'gap': something before it is missing. */
  take({ stream, number }: Progress): 'next' | 'again' | 'gap' {
    if (stream !== this.#stream || number > this.#taken + 1) return 'gap'
    if (number <= this.#taken) return 'again'
    this.#taken = number
    return 'next'
  }

  /**
   * The same without confirmations: what is missing never comes, so a later packet is the next one.
   * Returns false if it was there before.
   */
  pass({ stream, number }: Progress): boolean {
    if (stream === this.#stream && number <= this.#taken) return false
    this.#stream = stream
    this.#taken = this.#done = number
    return true
  }

  /** The packet was delivered: it may be confirmed. */
  done({ stream, number }: Progress): void {
    if (stream === this.#stream) this.#done = Math.max(this.#done, number)
  }
}

/**
 * Reads what a peer says about a stream. Undefined if that is invalid: a peer may send anything.
 */
export function progressOf(value: unknown): Progress | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { stream, number } = value as { stream?: unknown; number?: unknown }
  const isValid =
    typeof stream === 'string' &&
    stream !== '' &&
    stream.length <= 256 &&
    Number.isSafeInteger(number) &&
    (number as number) >= 0
  return isValid ? { stream, number: number as number } : undefined
}
