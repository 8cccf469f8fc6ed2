/**
 * Layer 9. Greetings: what a router says when a party comes. So the supervisor and each agent know
 * whether the other one confirms.
 *
 * Rules:
 * 1. An agent that confirms is asked by the router that it is at, and again by that of the
 *    supervisor when it becomes known there. So it does not matter which of the two knows first.
 * 2. An agent that confirms is answered at once, before everything else. So it knows what the
 *    router is, even while the supervisor, or the relay between two routers, stands still.
 * 3. An agent that does not confirm is announced by the router of the supervisor.
 */

import { ROUTER_ID, SUPERVISOR_ID } from '../packet-types.ts'
import type { Roster } from './roster.ts'
import type { RosterMember } from './roster-member.ts'
import { aliveWord } from './words.ts'

const STATUS_CONNECTED = 'connected'
export const STATUS_DISCONNECT = 'disconnect'

export class Greetings {
  readonly #roster: Roster

  constructor(roster: Roster) {
    this.#roster = roster
  }

  /** Here, or at another router. */
  supervisorCame(): void {
    const { supervisor, agents } = this.#roster
    for (const member of agents) {
      if (!member.confirms) {
        if (supervisor.confirms) this.#announce(member)
      } else if (member.isHere) {
        if (supervisor.confirms) this.ask(member)
        else this.#say(member, {})
      }
    }
  }

  /** An agent has come here, and has said this. */
  agentCame(member: RosterMember, text: string): void {
    connected(member)
    const { supervisor } = this.#roster
    const isThere = supervisor.peer !== undefined
    if (member.confirms) {
      const data = isThere && !supervisor.confirms ? {} : { confirms: null, waits: true }
      member.greet(aliveWord(SUPERVISOR_ID, member.id, data), ROUTER_ID)
    }
    if (isThere && supervisor.confirms) supervisor.send(text, member.id)
  }

  /** An agent is at another router. */
  agentElsewhere(member: RosterMember): void {
    connected(member)
    const { supervisor } = this.#roster
    if (!supervisor.isHere || !supervisor.confirms) return
    if (member.confirms) this.ask(member)
    else this.#announce(member)
  }

  #announce({ id, peer }: RosterMember): void {
    const { supervisor } = this.#roster
    if (peer !== undefined && supervisor.isHere) supervisor.send(aliveWord(id, SUPERVISOR_ID), id)
  }

  /** Something may be lost between routers: those at different ones say how far they are. */
  interrupted(): void {
    const { supervisor, agents } = this.#roster
    if (supervisor.peer === undefined || !supervisor.confirms) return
    for (const member of agents)
      if (member.confirms && member.isHere !== supervisor.isHere) this.ask(member)
  }

  /** The member must say how far it is. */
  ask(member: RosterMember | undefined): void {
    if (member?.peer !== undefined) this.#say(member, { confirms: null })
  }

  #say(member: RosterMember, data: object): void {
    member.send(aliveWord(SUPERVISOR_ID, member.id, data), ROUTER_ID)
  }
}

/** The member is there. A status that the supervisor has given to it stays. */
function connected(member: RosterMember): void {
  const isAway = member.status === 'none' || member.status === STATUS_DISCONNECT
  if (isAway) member.status = STATUS_CONNECTED
}
