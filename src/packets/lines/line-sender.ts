/**
 * Layer 9. LineSender: what waits for one channel, and when it goes.
 *
 * The way: `queue` or `ready` → wake → at the end of the turn #flush: confirmations, then the
 * queue, then the streams of the parties, in turns → channel.send.
 *
 * Rule: a packet that the channel does not take goes back to the front. Nothing is sent until the
 * channel says that it takes packets again, or RETRY has passed and it is alive.
 */

import { Deque } from '../../core/deque.ts'
import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { PacketChannel } from '../channel/packet-channel.ts'
import type { Packet } from '../packet.ts'
import type { Budget } from './budget.ts'
import type { Party } from './party.ts'

/** The original tries again every 0.1 s. */
const RETRY: Milliseconds = 100

/** The most packets of one party that are sent before it is the next party's turn. */
const BATCH = 16

export interface SenderOwner {
  /** May packets go? Confirmations always may. */
  isOpen(): boolean
  /** The packet that confirms what has arrived; `isAnswer`: and says how far this end is. */
  confirmation(party: Party, isAnswer: boolean): Packet
}

export class LineSender {
  readonly channel: PacketChannel
  readonly budget: Budget
  /** For `stats`. */
  sent = 0
  retries = 0
  readonly #engine: Engine
  readonly #owner: SenderOwner
  readonly #queue = new Deque<Packet>()
  /** The parties whose streams may have something to send. */
  readonly #ready = new Set<Party>()
  /** The parties that something is to be confirmed to. */
  readonly #confirm = new Map<Party, boolean>()
  #isBlocked = false
  #isOver = false
  #cancelRetry: Cancel = noop
  #cancelFlush: Cancel | undefined

  constructor(channel: PacketChannel, budget: Budget, engine: Engine, owner: SenderOwner) {
    this.channel = channel
    this.budget = budget
    this.#engine = engine
    this.#owner = owner
    channel.on_send_ready = () => this.#unblock()
  }

  // ---- what is to be sent -----------------------------------------------------------------------

  /** Queues a packet. Returns false if there is no room. */
  queue(packet: Packet): boolean {
    if (!this.budget.take(packet.size)) return false
    this.#queue.push(packet)
    this.wake()
    return true
  }

  /** Queues a packet that there was room for until now. */
  move(packet: Packet): void {
    this.budget.retake(packet.size)
    this.#queue.push(packet)
    this.wake()
  }

  /** The stream of that party may go. */
  ready(party: Party): void {
    this.#ready.add(party)
    this.wake()
  }

  /** What has arrived from that party is to be confirmed. */
  confirm(party: Party, isAnswer = false): void {
    this.#confirm.set(party, isAnswer || this.#confirm.get(party) === true)
    this.wake()
  }

  /** Takes back the packets in the queue, in order. */
  takeBack(): Packet[] {
    const packets = this.#queue.takeAll()
    for (const packet of packets) this.budget.free(packet.size)
    return packets
  }

  // ---- sending ----------------------------------------------------------------------------------

  /** Sends what waits, at the end of this turn. */
  wake(): void {
    if (this.#cancelFlush !== undefined || this.#isBlocked || this.#isOver) return
    this.#cancelFlush = this.#engine.callback(() => {
      this.#cancelFlush = undefined
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#isBlocked || this.#isOver || !this.channel.is_alive()) return
    const isDone =
      this.#flushConfirmations() &&
      (!this.#owner.isOpen() || (this.#flushQueue() && this.#flushStreams()))
    if (isDone) return
    this.retries++
    this.#block()
  }

  #flushConfirmations(): boolean {
    for (const [party, isAnswer] of this.#confirm) {
      if (!this.channel.send(this.#owner.confirmation(party, isAnswer))) return false
      this.#confirm.delete(party)
      party.confirmed()
    }
    return true
  }

  #flushQueue(): boolean {
    for (let packet = this.#queue.shift(); packet !== undefined; packet = this.#queue.shift()) {
      if (!this.channel.send(packet)) {
        this.#queue.unshift(packet)
        return false
      }
      this.sent++
      this.budget.free(packet.size)
    }
    return true
  }

  #flushStreams(): boolean {
    for (const party of this.#ready) {
      this.#ready.delete(party)
      for (let count = 0; ; count++) {
        const packet = party.next()
        if (packet === undefined) break
        const isTaken = count < BATCH && this.channel.send(packet)
        // It comes last now: a Set is walked through in the order of adding.
        if (!isTaken) this.#ready.add(party)
        if (!isTaken && count < BATCH) return false
        if (!isTaken) break
        this.sent++
        party.sent(packet)
      }
    }
    return true
  }

  /** The channel took no more. It says when it does, or else is tried again. */
  #block(): void {
    this.#isBlocked = true
    this.#cancelRetry = this.#engine[DRIVE].after(RETRY, () => this.#unblock())
  }

  #unblock(): void {
    if (!this.#isBlocked || this.#isOver) return
    this.#cancelRetry()
    this.#isBlocked = false
    if (this.channel.is_alive()) this.#flush()
    else this.#block()
  }

  // ---- connections ------------------------------------------------------------------------------

  /** There is another connection: what the parties have said on the last one does not count. */
  forget(): void {
    this.#ready.clear()
    this.#confirm.clear()
  }

  /** The connection may be used. */
  go(): void {
    this.#cancelRetry()
    this.#isBlocked = false
    this.#flush()
  }

  /** Nothing is sent any more. */
  end(): void {
    this.#isOver = true
    this.#cancelRetry()
    this.#cancelFlush?.()
    this.#queue.clear()
    this.budget.release()
  }
}
