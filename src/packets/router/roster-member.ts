/**
 * Layer 9. RosterMember: a party that a router knows, there or away, and what waits for it.
 *
 * Rules:
 * 1. What cannot be sent waits, in order, within limits. Beyond them the newest is dropped, and the
 *    router is told.
 * 2. One sender may fill only its part: a flood of one agent leaves room for the others.
 * 3. Packets with places do not wait for a member that confirms and is away: their sender keeps
 *    them.
 */

import { Deque } from '../../core/deque.ts'
import { noop } from '../../core/noop.ts'
import type { Bytes, Cancel } from '../../types.ts'
import type { Peer } from './peer.ts'

/** Limits of what waits for one member. */
export interface MemberLimits {
  /** The most packets. */
  readonly count: number
  /** The most characters. */
  readonly size: Bytes
  /** The most packets of one sender. */
  readonly ofOne: number
}

interface Waiting {
  readonly text: string
  readonly from: string
}

export class RosterMember {
  readonly id: string
  peer: Peer | undefined
  /** Did it say, in its `alive`, that it confirms? */
  confirms = false
  /** As the router says it to the supervisor. */
  status = 'none'
  /** Ends the time in which it may come back. */
  cancel: Cancel = noop
  /** Was it reported that there is no room for it, and has there been none since? */
  isFull = false
  /** Senders that keep a packet that was dropped here: each must say again how far it is. */
  readonly missed = new Set<string>()
  readonly #limits: MemberLimits
  readonly #waiting = new Deque<Waiting>()
  readonly #counts = new Map<string, number>()
  #bytes: Bytes = 0

  constructor(id: string, limits: MemberLimits) {
    this.id = id
    this.#limits = limits
  }

  /** Is it at a connection of this router itself? */
  get isHere(): boolean {
    return this.peer !== undefined && this.peer.isRouter !== true
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Sends it, or keeps it until that is possible. Returns false if there is no room for it. */
  send(text: string, from: string): boolean {
    if (this.#waiting.size === 0 && this.peer?.send(text, from, this.id) === true) return true
    return this.#keep(text, from)
  }

  /** Sends it before everything that waits. */
  greet(text: string, from: string): void {
    if (this.peer?.send(text, from, this.id) !== true) this.#keep(text, from)
  }

  #keep(text: string, from: string): boolean {
    const { count, size, ofOne } = this.#limits
    const counted = this.#counts.get(from) ?? 0
    if (this.#waiting.size >= count || this.#bytes + text.length > size || counted >= ofOne)
      return false
    this.#waiting.push({ text, from })
    this.#counts.set(from, counted + 1)
    this.#bytes += text.length
    return true
  }

  /** Sends what waits, as far as the peer takes it. Returns how many have gone. */
  flush(): number {
    let gone = 0
    for (let first = this.#waiting.at(0); first !== undefined; first = this.#waiting.at(0)) {
      if (this.peer?.send(first.text, first.from, this.id) !== true) break
      this.#taken(first)
      gone++
    }
    return gone
  }

  #taken({ text, from }: Waiting): void {
    this.#waiting.shift()
    this.#bytes -= text.length
    const left = (this.#counts.get(from) as number) - 1
    if (left === 0) this.#counts.delete(from)
    else this.#counts.set(from, left)
  }

  /** Forgets what waits. Returns how much it was. */
  clear(): number {
    const { size } = this.#waiting
    this.#waiting.clear()
    this.#counts.clear()
    this.#bytes = 0
    return size
  }
}
