/**
 * Layer 9. Roster: the parties that a router knows, each at its connection, or away for some time.
 *
 *     there → the connection goes: away → `grace`: lost → `keep`: forgotten
 *       └──────◄── an alive ────────┴───────┘
 */

import { noop } from '../../core/noop.ts'
import { Pause } from '../../core/time/pause.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import { SUPERVISOR_ID } from '../packet-types.ts'
import type { Peer } from './peer.ts'
import { RosterMember, type MemberLimits } from './roster-member.ts'

/** The settings of a router. */
export interface RosterSettings {
  readonly grace: Milliseconds
  readonly keep: Milliseconds
  /** The most packets and characters that wait for one agent. */
  readonly count: number
  readonly size: Bytes
  /** The most agents. */
  readonly agents: number
}

interface RosterOwner {
  /** The member was away for `grace`. */
  lost(member: RosterMember): void
  /** The member was away for too long, and what waited for it was dropped. */
  forgotten(member: RosterMember): void
}

/** The supervisor gets what all agents send. */
const SUPERVISOR_SHARE = 10

export class Roster {
  readonly supervisor: RosterMember
  readonly #engine: Engine
  readonly #settings: RosterSettings
  readonly #owner: RosterOwner
  readonly #limits: MemberLimits
  readonly #agents = new Map<string, RosterMember>()
  /** The members at each connection. */
  readonly #peers = new Map<Peer, Set<RosterMember>>()

  constructor(engine: Engine, settings: RosterSettings, owner: RosterOwner) {
    const { count, size } = settings
    this.#engine = engine
    this.#settings = settings
    this.#owner = owner
    this.#limits = { count, size, ofOne: count }
    this.supervisor = new RosterMember(SUPERVISOR_ID, {
      count: count * SUPERVISOR_SHARE,
      size: size * SUPERVISOR_SHARE,
      ofOne: count,
    })
  }

  get agents(): Iterable<RosterMember> {
    return this.#agents.values()
  }

  /** All members. The supervisor is among them if it is connected, or if something waits for it. */
  get all(): RosterMember[] {
    const { supervisor } = this
    const wasThere = supervisor.peer !== undefined || supervisor.waiting > 0
    return [...(wasThere ? [supervisor] : []), ...this.#agents.values()]
  }

  get(id: string): RosterMember | undefined {
    return id === SUPERVISOR_ID ? this.supervisor : this.#agents.get(id)
  }

  /** Undefined if there are too many. */
  findOrMake(id: string): RosterMember | undefined {
    const known = this.get(id)
    if (known !== undefined || this.#agents.size >= this.#settings.agents) return known
    const member = new RosterMember(id, this.#limits)
    this.#agents.set(id, member)
    // A member that never comes is forgotten, too.
    this.#forgetLater(member)
    return member
  }

  /** The members at that connection. */
  at(peer: Peer): Iterable<RosterMember> {
    return this.#peers.get(peer) ?? []
  }

  // ---- coming and going -------------------------------------------------------------------------

  /** The member is at that connection now, and at no other. */
  came(member: RosterMember, peer: Peer): void {
    const { peer: older } = member
    if (older !== undefined && older !== peer) this.#leave(member, older)
    member.cancel()
    member.peer = peer
    const others = this.#peers.get(peer)
    if (others === undefined) this.#peers.set(peer, new Set([member]))
    else others.add(member)
  }

  /** A connection with no member left is ended. */
  #leave(member: RosterMember, peer: Peer): void {
    const others = this.#peers.get(peer)
    others?.delete(member)
    if (others?.size !== 0) return
    this.#peers.delete(peer)
    peer.end()
  }

  /** The connection has gone. */
  gone(peer: Peer): void {
    const members = this.at(peer)
    this.#peers.delete(peer)
    for (const member of members) this.#away(member)
  }

  /** The member is not at that connection any more; others may be. */
  went(member: RosterMember, peer: Peer): void {
    if (member.peer !== peer) return
    this.#leave(member, peer)
    this.#away(member)
  }

  #away(member: RosterMember): void {
    member.peer = undefined
    member.cancel = this.#later(this.#settings.grace, () => {
      this.#forgetLater(member)
      this.#owner.lost(member)
    })
  }

  #forgetLater(member: RosterMember): void {
    member.cancel = this.#later(this.#settings.keep, () => {
      if (member.clear() > 0) this.#owner.forgotten(member)
      this.#agents.delete(member.id)
    })
  }

  /** An engine that stops ends the wait, which may be ten minutes, and nothing follows. */
  #later(wait: Milliseconds, over: () => void): Cancel {
    const pause = new Pause(this.#engine[DRIVE], wait, over, noop)
    return () => pause.cancel()
  }

  close(): void {
    for (const member of [this.supervisor, ...this.#agents.values()]) {
      member.cancel()
      member.clear()
      member.peer = undefined
    }
    this.#agents.clear()
    this.#peers.clear()
  }
}
