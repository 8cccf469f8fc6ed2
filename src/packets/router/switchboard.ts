/**
 * Layer 9. Switchboard: who is there, and the way of a packet through a router.
 *
 * A packet: heard → what the router does itself (alive, request_status, heartbeat, HTTP), or #route
 * → the member that it is for → its peer, or what waits for it.
 *
 * Rules:
 * 1. The first `alive` of a connection says who is there. That of the supervisor's id makes the
 *    connection the supervisor's. A newer connection with the same id takes the place of the older.
 * 2. Nobody speaks for somebody else who is there on another connection.
 * 3. A text is passed on as it came, but for the timestamps of today's packets.
 * 4. The router does not confirm. It passes on what the two ends say to each other, and tells them
 *    when they must say it again; so it may be killed at any moment.
 */

import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { PacketChannelError } from '../errors.ts'
import { fromOf, Packet } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'
import type { Member } from './member.ts'
import type { Peer, PeerOwner } from './peer.ts'
import { Roster, type RosterSettings } from './roster.ts'

/**
 * Why a router has dropped a packet, or refused somebody.
 * - 'invalid': it is no packet
 * - 'refused': `on_alive` has returned false
 * - 'impostor': it is sent in the name of somebody who is there on another connection
 * - 'unknown': an agent sends to an id that the router has not heard of
 * - 'full': too much waits for the one whom it is for
 * - 'agents': there are more agents than `agent_limit`
 * - 'forgotten': it waited too long for somebody who is away
 */
export type RouterDropReason =
  'invalid' | 'refused' | 'impostor' | 'unknown' | 'full' | 'agents' | 'forgotten'

/** The router that it works for. */
export interface SwitchboardOwner {
  /** May somebody at that address be who he says he is? */
  admits(id: string, address: string): boolean
  /** Is it the answer to a request of HTTP? */
  answers(packet: Packet, text: string): boolean
  dropped(reason: RouterDropReason, from: string, to: string): void
  lost(id: string): void
  failed(error: Error): void
}

/** After so many packets that are invalid, a connection is ended. */
const INVALID_MAX = 100

/** A supervisor that confirms says so within this time after its first `alive`. */
const SETTLED: Milliseconds = 1000

const STATUS_CONNECTED = 'connected'
const STATUS_DISCONNECT = 'disconnect'

export class Switchboard implements PeerOwner {
  readonly #engine: Engine
  readonly #owner: SwitchboardOwner
  readonly #roster: Roster
  readonly #supervisor: Member
  /** How many invalid packets a connection has sent. */
  readonly #invalid = new WeakMap<Peer, number>()
  /** A supervisor tells a router that passes on confirmations by this. */
  readonly #stream = `router-${Math.random().toString(36).slice(2, 10)}`
  #answers = 0
  #cancelSettled: Cancel = noop
  #isClosed = false
  /** For whoever watches. */
  received = 0
  dropped = 0

  constructor(engine: Engine, settings: RosterSettings, owner: SwitchboardOwner) {
    this.#engine = engine
    this.#owner = owner
    this.#roster = new Roster(engine, settings, {
      lost: member => this.#lost(member),
      forgotten: ({ id }) => this.#drop('forgotten', ROUTER_ID, id),
    })
    this.#supervisor = this.#roster.supervisor
  }

  /** Everybody that is known, the supervisor among them if it has been there. */
  get members(): Member[] {
    return this.#roster.all
  }

  #drop(reason: RouterDropReason, from: string, to: string): void {
    this.dropped++
    this.#owner.dropped(reason, from, to)
  }

  /** Nothing is passed on any more. */
  close(): void {
    this.#isClosed = true
    this.#cancelSettled()
    this.#roster.close()
  }

  // ---- peers ------------------------------------------------------------------------------------

  failed(error: Error): void {
    this.#owner.failed(error)
  }

  ready(peer: Peer): void {
    for (const member of this.#roster.at(peer)) this.#flush(member)
  }

  gone(peer: Peer): void {
    this.#roster.gone(peer)
  }

  /** Somebody has not come back. */
  #lost(member: Member): void {
    if (member !== this.#supervisor) {
      member.status = STATUS_DISCONNECT
      this.toSupervisor(this.#statuses({ [member.id]: STATUS_DISCONNECT }))
    }
    this.#owner.lost(member.id)
  }

  // ---- a packet ---------------------------------------------------------------------------------

  heard(peer: Peer, text: string): void {
    if (this.#isClosed) return
    this.received++
    let packet: Packet
    try {
      packet = Packet.from_text(text)
    } catch (error) {
      return this.#refuse(peer, error as Error)
    }
    const isSupervisor = this.#supervisor.peer === peer
    const from = isSupervisor && packet.subject_id !== undefined ? SUPERVISOR_ID : fromOf(packet)
    if (this.#isImpostor(peer, from, packet)) return this.#drop('impostor', from, peer.address)
    switch (packet.type) {
      case PACKET_TYPES.ALIVE:
        if (isSupervisor && toOfAlive(packet) !== undefined) break
        return this.#alive(peer, packet, text)
      case PACKET_TYPES.REQUEST_STATUS:
      case PACKET_TYPES.REQUEST_STATUSES:
        return this.#answerStatus(peer, packet)
      case PACKET_TYPES.HEARTBEAT:
        return this.#answerHeartbeat(peer, packet)
      case PACKET_TYPES.PROVIDER_DETAILS:
      case PACKET_TYPES.AGENT_DETAILS:
      case PACKET_TYPES.INIT_DATA:
        if (isSupervisor && this.#owner.answers(packet, text)) return
        break
      case PACKET_TYPES.UPDATE_STATUS:
        if (isSupervisor) this.#updateStatus(packet)
    }
    this.#route(packet, text, from, isSupervisor)
  }

  #refuse(peer: Peer, error: Error): void {
    const count = (this.#invalid.get(peer) ?? 0) + 1
    this.#invalid.set(peer, count)
    if (count === 1) {
      this.#drop('invalid', peer.address, ROUTER_ID)
      this.#owner.failed(
        new PacketChannelError('ERR_DROPPED', `${peer.address}: ${error.message}`, error),
      )
    }
    if (count >= INVALID_MAX) peer.end()
  }

  /** Does it speak for somebody who is there, elsewhere? */
  #isImpostor(peer: Peer, from: string, { type }: Packet): boolean {
    if (type === PACKET_TYPES.ALIVE) return false
    if (from === SUPERVISOR_ID) return this.#supervisor.peer !== peer
    const at = this.#roster.get(from)?.peer
    return at !== undefined && at !== peer && this.#supervisor.peer !== peer
  }

  #route(packet: Packet, text: string, from: string, isSupervisor: boolean): void {
    const to = isSupervisor
      ? (packet.receiver_id ?? (packet.subject_id as string))
      : (packet.receiver_id ?? SUPERVISOR_ID)
    // Only the supervisor knows who will come: an agent could fill the roster with ids.
    const member = isSupervisor ? this.#roster.findOrMake(to) : this.#roster.get(to)
    if (member === undefined) return this.#drop(isSupervisor ? 'agents' : 'unknown', from, to)
    // Whoever sent it keeps it until it is confirmed.
    if (member.peer === undefined && packet.place !== undefined) return
    if (member.send(this.#stamped(packet, text), from)) return
    if (packet.place !== undefined && this.#roster.get(from) !== undefined) member.missed.add(from)
    if (member.isFull) this.dropped++
    else this.#drop('full', from, to)
    member.isFull = true
  }

  /** A packet of today says when it was here. */
  #stamped(packet: Packet, text: string): string {
    if (packet.timestamps === undefined) return text
    const now = Date.now() / 1000
    const dict = packet.to_sendable_dict()
    dict.router_incoming_timestamp = now
    dict.router_outgoing_timestamp = now
    return JSON.stringify(dict)
  }

  #flush(member: Member): void {
    member.flush()
    if (member.waiting > 0) return
    member.isFull = false
    for (const id of member.missed) this.#askAgain(this.#roster.get(id))
    member.missed.clear()
  }

  // ---- who is there -----------------------------------------------------------------------------

  #alive(peer: Peer, packet: Packet, text: string): void {
    const id = fromOf(packet)
    const member = this.#roster.findOrMake(id)
    if (member === undefined) return this.#drop('agents', id, ROUTER_ID)
    if (!this.#owner.admits(id, peer.address)) {
      this.#drop('refused', id, peer.address)
      return peer.end()
    }
    this.#roster.came(member, peer)
    member.confirms = (packet.data as { confirms?: unknown }).confirms !== undefined
    if (member === this.#supervisor) this.#supervisorCame()
    else this.#agentCame(member, packet, text)
    this.#flush(member)
  }

  /** Every agent that confirms says how far it is; of the others it is said that they are there. */
  #supervisorCame(): void {
    this.#cancelSettled()
    this.#cancelSettled = noop
    if (!this.#supervisor.confirms) {
      this.#cancelSettled = this.#engine[DRIVE].after(SETTLED, () => this.#settle())
      return
    }
    for (const member of this.#roster.agents) {
      if (member.confirms) this.#askAgain(member)
      else if (member.peer !== undefined) this.#announce(member)
    }
  }

  /** It does not confirm: nobody need wait for it. */
  #settle(): void {
    this.#cancelSettled = noop
    for (const member of this.#roster.agents)
      if (member.peer !== undefined && member.confirms) this.#say(member, {})
  }

  #agentCame(member: Member, packet: Packet, text: string): void {
    if (member.status === 'none' || member.status === STATUS_DISCONNECT)
      member.status = STATUS_CONNECTED
    const supervisor = this.#supervisor
    if (supervisor.confirms && supervisor.peer !== undefined)
      return void supervisor.send(this.#stamped(packet, text), member.id)
    if (!member.confirms) return
    const isSettled = supervisor.peer !== undefined && this.#cancelSettled === noop
    this.#say(member, isSettled ? {} : { confirms: null, waits: true })
  }

  #announce({ id }: Member): void {
    this.#supervisor.send(
      new Packet({
        packet_type: PACKET_TYPES.ALIVE,
        sender_id: id,
        receiver_id: SUPERVISOR_ID,
      }).to_text(),
      id,
    )
  }

  /** The member must say how far it is. */
  #askAgain(member: Member | undefined): void {
    if (member?.peer !== undefined) this.#say(member, { confirms: null })
  }

  #say(member: Member, data: object): void {
    member.send(
      new Packet({
        packet_type: PACKET_TYPES.ALIVE,
        sender_id: SUPERVISOR_ID,
        receiver_id: member.id,
        data,
      }).to_text(),
      ROUTER_ID,
    )
  }

  // ---- what the router answers itself -----------------------------------------------------------

  #answerStatus(peer: Peer, { subject_id }: Packet): void {
    if (peer !== this.#supervisor.peer) return
    const all: Record<string, string> = {}
    for (const { id, status } of this.#roster.agents) all[id] = status
    this.toSupervisor(this.#statuses(all, subject_id !== undefined))
  }

  #statuses(data: Record<string, string>, isToday = false): Packet {
    const place = { stream: this.#stream, number: ++this.#answers }
    return isToday
      ? new Packet(
          { packet_type: PACKET_TYPES.RETURN_STATUSES, subject_id: SUPERVISOR_ID, data },
          place,
        )
      : new Packet(
          {
            packet_type: PACKET_TYPES.RETURN_STATUS,
            sender_id: ROUTER_ID,
            receiver_id: SUPERVISOR_ID,
            data,
          },
          place,
        )
  }

  /** Sends a packet of the router. Returns false if the supervisor is away, or has no room. */
  toSupervisor(packet: Packet): boolean {
    return this.#supervisor.peer !== undefined && this.#supervisor.send(packet.to_text(), ROUTER_ID)
  }

  #answerHeartbeat(peer: Peer, packet: Packet): void {
    const from = fromOf(packet)
    const data = { status: this.#roster.get(from)?.status ?? 'none' }
    const answer =
      packet.subject_id === undefined
        ? packet.copy({ sender_id: packet.receiver_id as string, receiver_id: from, data })
        : packet.copy({ data })
    peer.send(answer.to_text())
  }

  #updateStatus(packet: Packet): void {
    const { agent_status, status = agent_status } = packet.data as Record<string, unknown>
    const member = this.#roster.findOrMake((packet.receiver_id ?? packet.subject_id) as string)
    if (member !== undefined && typeof status === 'string') member.status = status
  }
}

/** Whom the supervisor asks how far it is, by an `alive`; undefined: it says that it is there. */
function toOfAlive({ receiver_id, subject_id, data }: Packet): string | undefined {
  const isQuestion = (data as { sends?: unknown }).sends !== undefined
  return isQuestion ? (receiver_id ?? subject_id) : undefined
}
