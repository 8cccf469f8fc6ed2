/**
 * Layer 9. PacketHeartbeat: asks a peer that says nothing whether it is still there, by a packet.
 * WebSocket has pings of its own. Other carriers have nothing: without this, a peer whose machine
 * has lost power would count as connected for hours.
 *
 * Rules:
 * 1. It asks only a peer that was silent for a whole interval.
 * 2. A peer must answer only if it has answered before. A peer that knows no heartbeats does not
 *    answer, and keeps its connection.
 */
// Source: Mephisto, the `heartbeat` of its agents, which the router answers.

import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { ClosedError } from '../../errors.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { Packet } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID } from '../packet-types.ts'

interface Owner {
  /** Sends the question. */
  ask(text: string): void
  /** The peer has not answered. */
  silent(error: Error): void
}

/** The id in the question: it is the connection, not a party, that asks. */
const ASKING_ID = 'heartbeat'

const QUESTION = new Packet({
  packet_type: PACKET_TYPES.HEARTBEAT,
  sender_id: ASKING_ID,
  receiver_id: ROUTER_ID,
}).to_text()

export class PacketHeartbeat {
  readonly #engine: Engine
  readonly #every: Milliseconds
  readonly #owner: Owner
  #cancel: Cancel = noop
  #wasHeard = false
  #hasAsked = false
  #answers = false

  /** With Infinity it does nothing. */
  constructor(engine: Engine, every: Milliseconds, owner: Owner) {
    this.#engine = engine
    this.#every = every
    this.#owner = owner
  }

  /** There is a connection. */
  start(): void {
    this.stop()
    this.#answers = false
    this.#next()
  }

  #next(): void {
    this.#wasHeard = false
    this.#hasAsked = false
    if (this.#every !== Infinity)
      this.#cancel = this.#engine[DRIVE].after(this.#every, () => this.#look())
  }

  #look(): void {
    if (this.#wasHeard) return this.#next()
    if (this.#hasAsked && this.#answers)
      return this.#owner.silent(
        new ClosedError(`the peer was silent for ${2 * this.#every} ms`, 'timeout'),
      )
    this.#next()
    this.#hasAsked = true
    this.#owner.ask(QUESTION)
  }

  /** Something has arrived. */
  heard(): void {
    this.#wasHeard = true
  }

  /** Is this packet the answer? Then it is not passed on. */
  isAnswer({ type, receiver_id }: Packet): boolean {
    if (type !== PACKET_TYPES.HEARTBEAT || receiver_id !== ASKING_ID) return false
    this.#answers = true
    return true
  }

  stop(): void {
    this.#cancel()
    this.#cancel = noop
  }
}
