/**
 * Layer 9. Switchboard: who is there, and the way of a packet through a router.
 *
 * A packet: heard → what the router does itself (alive, request_status, heartbeat, HTTP), or #route
 * → the member that it is for → its peer, or what waits for it.
 *
 * Rules:
 * 1. The first `alive` of a connection says who is there. That of the supervisor's id makes the
 *    connection the supervisor's. A newer connection with the same id takes the place of the older.
 * 2. A packet in the name of a party that is at another connection is dropped.
 * 3. A text is passed on as it came, apart from the timestamps of packets of today.
 * 4. The router does not confirm. It passes on what the two ends tell each other, and says when
 *    they must tell it again. So it may be killed at any moment.
 */

import type { Engine } from '../../engine.ts'
import { PacketChannelError } from '../errors.ts'
import { fromOf, Packet } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'
import { Greetings, STATUS_DISCONNECT } from './greetings.ts'
import type { Neighbours, NeighboursOwner } from './neighbours.ts'
import type { Peer, PeerOwner } from './peer.ts'
import { Roster, type RosterSettings } from './roster.ts'
import type { RosterMember } from './roster-member.ts'
import { heartbeatWord, statusesWord } from './words.ts'

/**
 * Why a router has dropped a packet, or refused a peer.
 * - 'invalid': it is not a packet
 * - 'refused': `on_alive` has returned false
 * - 'impostor': it is sent in the name of a party that is at another connection
 * - 'unknown': an agent sends to an id that the router has not heard of
 * - 'full': too much waits for its receiver
 * - 'agents': there are more agents than `agent_limit`
 * - 'forgotten': it has waited too long for a party that is away
 * - 'astray': it came from another router, and its receiver has moved to a third one
 */
export type RouterDropReason =
  'invalid' | 'refused' | 'impostor' | 'unknown' | 'full' | 'agents' | 'forgotten' | 'astray'

/** The router that it works for. */
interface SwitchboardOwner {
  /** May a peer at that address have the id that it claims? */
  admits(id: string, address: string): boolean
  /** Is it the answer to a request of HTTP? */
  answers(packet: Packet, text: string): boolean
  dropped(reason: RouterDropReason, from: string, to: string): void
  lost(id: string): void
  failed(error: Error): void
}

/** A connection is ended after this number of invalid packets. */
const INVALID_MAX = 100

export class Switchboard implements PeerOwner, NeighboursOwner {
  readonly #owner: SwitchboardOwner
  readonly #roster: Roster
  readonly #supervisor: RosterMember
  readonly #greetings: Greetings
  /** How many invalid packets a connection has sent. */
  readonly #invalid = new WeakMap<Peer, number>()
  /** By this stream a supervisor knows a router that passes on confirmations. */
  readonly #stream = `router-${Math.random().toString(36).slice(2, 10)}`
  #answers = 0
  #isClosed = false
  /** The other routers, if there is a relay. */
  neighbours: Neighbours | undefined
  /** For `stats`. */
  received = 0
  dropped = 0

  constructor(engine: Engine, settings: RosterSettings, owner: SwitchboardOwner) {
    this.#owner = owner
    this.#roster = new Roster(engine, settings, {
      lost: member => this.#lost(member),
      forgotten: ({ id }) => this.#drop('forgotten', ROUTER_ID, id),
    })
    this.#supervisor = this.#roster.supervisor
    this.#greetings = new Greetings(this.#roster)
  }

  /** All parties that are known; see `Roster.all`. */
  get members(): RosterMember[] {
    return this.#roster.all
  }

  #drop(reason: RouterDropReason, from: string, to: string): void {
    this.dropped++
    this.#owner.dropped(reason, from, to)
  }

  /** Nothing is passed on any more. */
  close(): void {
    this.#isClosed = true
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
    const members = [...this.#roster.at(peer)]
    this.#roster.gone(peer)
    for (const { id } of members) this.neighbours?.gone(id)
  }

  /** A member has not come back. */
  #lost(member: RosterMember): void {
    if (member !== this.#supervisor) {
      member.status = STATUS_DISCONNECT
      // Each router knows it. That of the supervisor says it.
      if (this.#supervisor.isHere)
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
        if (isSupervisor && packet.receiver_id === ROUTER_ID && this.neighbours !== undefined)
          return this.neighbours.toAll(from, ROUTER_ID, text)
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

  /** Does it speak for a party that is at another connection? */
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
    this.#deliver(member, packet, this.#stamped(packet, text), from)
  }

  #deliver(member: RosterMember, packet: Packet, text: string, from: string): void {
    // The party that sent it keeps it until it is confirmed.
    if (member.peer === undefined && packet.place !== undefined && member.confirms) return
    if (member.send(text, from)) return
    if (packet.place !== undefined && this.#roster.get(from) !== undefined) member.missed.add(from)
    if (member.isFull) this.dropped++
    else this.#drop('full', from, member.id)
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

  #flush(member: RosterMember): void {
    member.flush()
    if (member.waiting > 0) return
    member.isFull = false
    for (const id of member.missed) this.#greetings.ask(this.#roster.get(id))
    member.missed.clear()
  }

  // ---- who is there -----------------------------------------------------------------------------

  #alive(peer: Peer, packet: Packet, text: string): void {
    const id = fromOf(packet)
    // First: a peer that is refused must not take the place of an agent.
    if (!this.#owner.admits(id, peer.address)) {
      this.#drop('refused', id, peer.address)
      return peer.end()
    }
    const member = this.#roster.findOrMake(id)
    if (member === undefined) return this.#drop('agents', id, ROUTER_ID)
    const confirms = (packet.data as { confirms?: unknown }).confirms !== undefined
    // The supervisor says it once on each connection; an agent, whenever it is asked.
    const isNew = member.peer !== peer || member.confirms !== confirms
    this.#roster.came(member, peer)
    member.confirms = confirms
    if (isNew) this.neighbours?.came(id, confirms)
    if (member === this.#supervisor) {
      // By the first word that it hears it knows the router.
      if (confirms) member.greet(this.#allStatuses(packet).to_text(), ROUTER_ID)
      this.#greetings.supervisorCame()
    } else {
      this.#greetings.agentCame(member, this.#stamped(packet, text))
    }
    this.#flush(member)
  }

  // ---- other routers ----------------------------------------------------------------------------

  elsewhere(id: string, peer: Peer, confirms: boolean, isOld: boolean): void {
    const member = this.#roster.findOrMake(id)
    if (member === undefined) return this.#drop('agents', id, ROUTER_ID)
    if (member.isHere && isOld) return
    if (member.isHere) this.neighbours?.moved(id)
    this.#roster.came(member, peer)
    member.confirms = confirms
    if (member === this.#supervisor) this.#greetings.supervisorCame()
    else this.#greetings.agentElsewhere(member)
    this.#flush(member)
  }

  left(id: string, peer: Peer): void {
    const member = this.#roster.get(id)
    if (member !== undefined) this.#roster.went(member, peer)
  }

  relayed(peer: Peer | undefined, from: string, to: string, text: string): void {
    this.received++
    let packet: Packet
    try {
      packet = Packet.from_text(text)
    } catch (error) {
      return this.#owner.failed(error as Error)
    }
    const { type, place } = packet
    if (to === ROUTER_ID) return void this.#owner.answers(packet, text)
    // It is asked again when it is known to be there.
    const isAlive = type === PACKET_TYPES.ALIVE
    if (isAlive && to === SUPERVISOR_ID && this.#roster.get(from)?.peer !== peer) return
    if (type === PACKET_TYPES.UPDATE_STATUS && from === SUPERVISOR_ID) this.#updateStatus(packet)
    const member = this.#roster.get(to)
    if (member === undefined) return this.#drop('unknown', from, to)
    if (member.peer?.isRouter !== true) return this.#deliver(member, packet, text, from)
    // The two ends keep these, or say them again.
    if (place !== undefined || isAlive || type === PACKET_TYPES.CONFIRM) return
    this.#drop('astray', from, to)
  }

  interrupted(): void {
    this.#greetings.interrupted()
  }

  // ---- what the router answers itself -----------------------------------------------------------

  #answerStatus(peer: Peer, packet: Packet): void {
    if (peer === this.#supervisor.peer) this.toSupervisor(this.#allStatuses(packet))
  }

  /** How all agents are; in the shape of the packet that asks. */
  #allStatuses({ subject_id }: Packet): Packet {
    const all: Record<string, string> = {}
    for (const { id, status } of this.#roster.agents) all[id] = status
    return this.#statuses(all, subject_id !== undefined)
  }

  #statuses(data: Record<string, string>, isToday = false): Packet {
    return statusesWord(data, { stream: this.#stream, number: ++this.#answers }, isToday)
  }

  /** Sends a packet of the router. Returns false if the supervisor is away, or has no room. */
  toSupervisor(packet: Packet): boolean {
    return this.#supervisor.peer !== undefined && this.#supervisor.send(packet.to_text(), ROUTER_ID)
  }

  #answerHeartbeat(peer: Peer, packet: Packet): void {
    const from = fromOf(packet)
    peer.send(heartbeatWord(packet, this.#roster.get(from)?.status ?? 'none'), ROUTER_ID, from)
  }

  #updateStatus(packet: Packet): void {
    const { agent_status, status = agent_status } = packet.data as Record<string, unknown>
    const member = this.#roster.findOrMake((packet.receiver_id ?? packet.subject_id) as string)
    if (member !== undefined && typeof status === 'string') member.status = status
  }
}

/**
 * The party whose progress an `alive` of the supervisor asks for; undefined if it asks none, and
 * says that the supervisor is there.
 */
function toOfAlive({ receiver_id, subject_id, data }: Packet): string | undefined {
  const isQuestion = (data as { sends?: unknown }).sends !== undefined
  return isQuestion ? (receiver_id ?? subject_id) : undefined
}
