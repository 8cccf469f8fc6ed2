/**
 * Layer 9. Dispatch: what a run does with the packets that arrive, and what it says itself.
 *
 * received → alive, confirm, return_status: dealt with here
 *          → everything else: the line (its number, its turn) → deliver → a handler, or #register
 *
 * A packet whose type has no handler is reported, and disturbs nothing.
 */

import { isPromiseLike } from '../../core/promises.ts'
import { PacketChannelError } from '../errors.ts'
import type { PacketLine, LineOwner } from '../lines/packet-line.ts'
import { fromOf, Packet, type PacketData, toOf } from '../packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'
import { Agents } from './agents.ts'
import type { JobHooks } from './job-hooks.ts'

/** The one type whose packets have ids of their own. */
const LIVE_UPDATE = PACKET_TYPES.MEPHISTO_BOUND_LIVE_UPDATE

/** What the supervisor adds to its `alive`, as agents do. Routers of another make ignore it. */
const CONFIRMS = { confirms: null }

export class Dispatch implements LineOwner {
  readonly agents = new Agents()
  readonly #hooks: JobHooks
  readonly #shape: '2020' | 'today'

  constructor(hooks: JobHooks, shape: '2020' | 'today') {
    this.#hooks = hooks
    this.#shape = shape
  }

  // ---- what the supervisor says itself ----------------------------------------------------------

  greet(line: PacketLine): void {
    this.#say(line, PACKET_TYPES.ALIVE, CONFIRMS)
    this.askStatus(line)
  }

  /** Every router answers this question. */
  knock(line: PacketLine): void {
    this.askStatus(line)
  }

  readonly partyOf = partyOf

  /** Asks the router how its agents are. */
  askStatus(line: PacketLine): void {
    const { REQUEST_STATUS, REQUEST_STATUSES } = PACKET_TYPES
    this.#say(line, this.#shape === '2020' ? REQUEST_STATUS : REQUEST_STATUSES, {})
  }

  /** Sends a packet to the router. One of today names the supervisor itself. */
  #say({ channel }: PacketLine, type: string, data: object): void {
    channel.send(this.word(type, this.#shape === '2020' ? channel.channel_id : SUPERVISOR_ID, data))
  }

  word(packet_type: string, to: string, data: object): Packet {
    return new Packet(
      this.#shape === '2020'
        ? { packet_type, sender_id: SUPERVISOR_ID, receiver_id: to, data }
        : { packet_type, subject_id: to, data },
    )
  }

  report(error: Error): void {
    this.#hooks.report(error)
  }

  // ---- packets in -------------------------------------------------------------------------------

  /** A packet has arrived on that line. */
  received(line: PacketLine, packet: Packet): void {
    const from = fromOf(packet)
    switch (packet.type) {
      case PACKET_TYPES.ALIVE:
        return this.#alive(line, from, packet)
      case PACKET_TYPES.CONFIRM:
        return this.#confirmed(line, from, packet)
      case PACKET_TYPES.RETURN_STATUS:
      case PACKET_TYPES.RETURN_STATUSES:
        return this.#statuses(line, packet)
    }
    // A router that asks on behalf of a person is no party itself.
    if (from === ROUTER_ID || from === packet.data.request_id) {
      line.received++
      void this.deliver(line, from, packet)
      return
    }
    this.agents.heard(from, line.channel.channel_id)
    line.receive(packet, from)
  }

  /** A router has passed on the `alive` of an agent: the agent is there. */
  #alive(line: PacketLine, from: string, { data }: Packet): void {
    const party = from === ROUTER_ID ? undefined : line.party(from)
    if (party === undefined) return
    this.agents.heard(from, line.channel.channel_id)
    line.becomeConfirming()
    line.said(party, data, true)
  }

  #confirmed(line: PacketLine, from: string, { data }: Packet): void {
    const party = line.parties.get(from)
    if (party !== undefined) line.said(party, data, false)
  }

  /** A router that numbers what it says about its agents passes on confirmations. */
  #statuses(line: PacketLine, { place, data }: Packet): void {
    if (place === undefined) line.becomePlain()
    else line.becomeConfirming()
    const { job, run } = this.#hooks
    for (const agent of this.agents.update(data))
      this.#hooks.call(() => job.on_status?.(agent, run))
  }

  /** Packets of one agent come in order. The promise of a handler holds the next one. */
  deliver(line: PacketLine, from: string, packet: Packet): Promise<void> | undefined {
    const { type } = packet
    if (type === LIVE_UPDATE && this.agents.isRepeated(from, packet)) return undefined
    if (this.#hooks.handles(type)) return this.#hooks.handle(packet)
    if (type === PACKET_TYPES.REGISTER_AGENT || type === PACKET_TYPES.REGISTER_WORKER)
      return this.#hooks.call(() => this.#register(line, from, packet))
    if (type !== PACKET_TYPES.HEARTBEAT)
      this.#hooks.report(
        new PacketChannelError(
          'ERR_UNKNOWN_TYPE',
          `channel ${line.channel.channel_id}: nobody handles ${String(packet)}`,
        ),
      )
    return undefined
  }

  #register(line: PacketLine, from: string, packet: Packet): void | Promise<void> {
    const { data } = packet
    const { job, run } = this.#hooks
    const answer = (details: object): void => this.#answer(line, from, packet, details)
    const details = this.agents.answer(from, line.channel.channel_id, data, agent_id =>
      job.on_register?.(agent_id, data, run),
    )
    if (!isPromiseLike(details)) return answer(details)
    return Promise.resolve(details).then(answer)
  }

  #answer(line: PacketLine, to: string, { data, subject_id }: Packet, details: object): void {
    const { request_id } = data as PacketData
    const content = { ...details, ...(request_id !== undefined && { request_id }) }
    const packet = new Packet(
      subject_id === undefined
        ? {
            packet_type: PACKET_TYPES.PROVIDER_DETAILS,
            sender_id: SUPERVISOR_ID,
            receiver_id: to,
            data: content,
          }
        : { packet_type: PACKET_TYPES.AGENT_DETAILS, subject_id: to, data: content },
    )
    if (!line.send(packet, partyOf(packet)))
      this.#hooks.report(
        new PacketChannelError('ERR_DROPPED', `the queue is full: no answer to ${to}`),
      )
  }
}

/** A router that asks on behalf of a person is no party itself: what is for it is in no stream. */
export function partyOf(packet: Packet): string | undefined {
  const to = toOf(packet)
  return to === ROUTER_ID || to === (packet.data as PacketData).request_id ? undefined : to
}
