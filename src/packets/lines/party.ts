/**
 * Layer 9. Party: the other end of a line, as this end knows it. A supervisor has one for each
 * agent, and an agent has one, its supervisor.
 *
 * | state | what is sent to it |
 * |---|---|
 * | away | nothing: it waits until the party says how far it is |
 * | guessed | packets with places, each once and kept: it may confirm or not |
 * | plain | packets as in the original: handed on, and forgotten |
 * | confirming | packets with places, each kept until it is confirmed |
 *
 * Packets of one party are delivered one after the other: if a handler returns a promise, the next
 * one waits in the inbox.
 */

import { Deque } from '../../core/deque.ts'
import type { Packet } from '../packet.ts'
import type { Budget } from './budget.ts'
import { Incoming, Outgoing } from './stream-ends.ts'

/** More than a window: only a peer that does not confirm can fill it. */
const INBOX = 1024

/** After this many packets they are confirmed at once. Fewer are confirmed a little later. */
const CONFIRM_COUNT = 64

/** The line that leads to the party. */
export interface PartyOwner {
  /** Hands a packet to its handler. The promise never rejects. */
  deliver(party: Party, packet: Packet): Promise<void> | undefined
  /** The packet has been dealt with. */
  delivered(party: Party, packet: Packet): void
  /** Too many packets wait for their handler: this one is dropped. `isFirst`: none was before. */
  dropped(party: Party, isFirst: boolean): void
}

export class Party {
  readonly id: string
  readonly outgoing: Outgoing
  readonly incoming = new Incoming()
  state: 'away' | 'guessed' | 'plain' | 'confirming' = 'away'
  /** Was it asked how far it is, because something was missing? */
  isAsked = false
  readonly #owner: PartyOwner
  /** How many packets have arrived since something was confirmed. */
  #count = 0
  /** What waits for its handler; undefined: none is at work. */
  #inbox: Deque<Packet> | undefined
  #isFlooded = false

  constructor(id: string, stream: string, budget: Budget, owner: PartyOwner) {
    this.id = id
    this.outgoing = new Outgoing(stream, budget)
    this.#owner = owner
  }

  /** The packet of its stream that may be sent now; undefined if there is none. Then `sent`. */
  next(): Packet | undefined {
    if (this.state === 'guessed') return this.outgoing.fresh()
    return this.state === 'confirming' ? this.outgoing.next() : undefined
  }

  /** The packet that `next` returned was handed on. */
  sent(packet: Packet): void {
    if (this.state === 'guessed') this.outgoing.handed(packet)
    else this.outgoing.sent(packet)
  }

  /** A packet with a place has been dealt with. Returns true if it is time to confirm. */
  count(): boolean {
    return ++this.#count >= CONFIRM_COUNT
  }

  /** What has arrived so far is being confirmed. */
  confirmed(): void {
    this.#count = 0
  }

  /** Delivers the packet, now or when those before it have been dealt with. */
  enter(packet: Packet): void {
    const inbox = this.#inbox
    if (inbox === undefined) return this.#deliver(packet)
    if (inbox.size < INBOX) return inbox.push(packet)
    this.#owner.dropped(this, !this.#isFlooded)
    this.#isFlooded = true
  }

  #deliver(packet: Packet): void {
    const result = this.#owner.deliver(this, packet)
    if (result === undefined) return this.#owner.delivered(this, packet)
    this.#inbox ??= new Deque()
    void result.then(() => {
      this.#owner.delivered(this, packet)
      this.#goOn()
    })
  }

  #goOn(): void {
    const inbox = this.#inbox as Deque<Packet>
    this.#inbox = undefined
    // The next one that returns a promise makes an inbox, which the others follow into.
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) this.enter(next)
    this.#isFlooded = false
  }
}
