/**
 * Layer 9. Agents: what a run knows of the people at the other end: the channel of each, what they
 * registered with, and their status, which the router tells.
 */

import { isPromiseLike } from '../../core/promises.ts'
import type { Packet, PacketData } from '../packet.ts'
import type { AgentDetails, AgentRecord } from './job.ts'
import { askingOf, Registrations } from './registrations.ts'
import { UpdateIds } from './update-ids.ts'

/** The most agents of a run: each takes memory until the run ends. */
const MANY = 100_000

/** The status of an agent until the router tells it. */
const STATUS_NONE = 'none'

class Agent implements AgentRecord {
  readonly agent_id: string
  channel_id: string
  status = STATUS_NONE
  registration: PacketData | undefined
  /** Made when the agent sends a live update. */
  updates: UpdateIds | undefined

  constructor(agent_id: string, channel_id: string) {
    this.agent_id = agent_id
    this.channel_id = channel_id
  }
}

export class Agents {
  readonly #agents = new Map<string, Agent>()
  readonly #registrations = new Registrations()

  /** All of them, by id. */
  get all(): ReadonlyMap<string, AgentRecord> {
    return this.#agents
  }

  /** The channel that the agent was heard on last. */
  channelOf(id: string): string | undefined {
    return this.#agents.get(id)?.channel_id
  }

  /** The agent was heard on that channel. Undefined if there are too many. */
  heard(id: string, channel_id: string): AgentRecord | undefined {
    return this.#heard(id, channel_id)
  }

  #heard(id: string, channel_id: string): Agent | undefined {
    let agent = this.#agents.get(id)
    if (agent === undefined) {
      if (this.#agents.size >= MANY) return undefined
      agent = new Agent(id, channel_id)
      this.#agents.set(id, agent)
    }
    agent.channel_id = channel_id
    return agent
  }

  /** The router says how its agents are. Returns those that have changed. */
  update(statuses: PacketData): AgentRecord[] {
    const changed: AgentRecord[] = []
    for (const [id, status] of Object.entries(statuses)) {
      const agent = this.#agents.get(id)
      if (agent === undefined || typeof status !== 'string' || agent.status === status) continue
      agent.status = status
      changed.push(agent)
    }
    return changed
  }

  /** Was this live update of the agent seen before? */
  isRepeated(id: string, { data }: Packet): boolean {
    const { update_id: update } = data as PacketData
    const agent = this.#agents.get(id)
    if (agent === undefined || typeof update !== 'string') return false
    agent.updates ??= new UpdateIds()
    return !agent.updates.add(update)
  }

  /** The answer to an agent that registers. `register` is called the first time. */
  answer(
    from: string,
    channel_id: string,
    data: PacketData,
    register: (agent_id: string) => AgentDetails | void | Promise<AgentDetails | void>,
  ): AgentDetails | Promise<AgentDetails> {
    const answer = this.#registrations.answer(askingOf(from, data), register)
    const keep = (details: AgentDetails): AgentDetails => {
      const agent = this.#heard(details.agent_id as string, channel_id)
      if (agent !== undefined) agent.registration ??= data
      return details
    }
    return isPromiseLike(answer) ? Promise.resolve(answer).then(keep) : keep(answer)
  }
}
