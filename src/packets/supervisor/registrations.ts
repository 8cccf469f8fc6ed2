/**
 * Layer 9. Registrations: which parties have registered, and what the answer was. A party gets the
 * same answer however often it asks, even while the first answer is still being worked out.
 */

import { createHash } from 'node:crypto'
import { isPromiseLike } from '../../core/promises.ts'
import { PacketChannelError } from '../errors.ts'
import type { PacketData } from '../packet.ts'
import { ROUTER_ID } from '../packet-types.ts'
import type { AgentDetails } from './job.ts'

/** The most answers that are kept: each takes memory until the run ends. */
const MANY = 100_000

/** A longer key is kept as its hash. */
const LONGEST = 256

/** The party that asks. */
export interface Asking {
  /** The same for every request of one party. */
  readonly key: string
  /** The id that the party has already; undefined if the answer must give it one. */
  readonly id: string | undefined
}

type Answer = AgentDetails & { readonly agent_id: string }

export class Registrations {
  readonly #answers = new Map<string, Answer | Promise<Answer>>()
  #count = 0

  /** The answer; `register` is called for a party that asks for the first time. */
  answer(
    { key, id }: Asking,
    register: (agent_id: string) => AgentDetails | void | Promise<AgentDetails | void>,
  ): Answer | Promise<Answer> {
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    if (this.#answers.size >= MANY)
      throw new PacketChannelError('ERR_DROPPED', `more than ${MANY} agents have registered`)
    const agent_id = id ?? `agent-${++this.#count}`
    const result = register(agent_id)
    const answer = isPromiseLike(result)
      ? Promise.resolve(result).then(details => this.#keep(key, { agent_id, ...details }))
      : { agent_id, ...result }
    this.#answers.set(key, answer)
    // One that failed may ask again.
    if (isPromiseLike(answer)) answer.then(undefined, () => this.#answers.delete(key))
    return answer
  }

  #keep(key: string, answer: Answer): Answer {
    this.#answers.set(key, answer)
    return answer
  }
}

/**
 * Identifies a request. A router asks on behalf of a person who came by HTTP and has no id yet:
 * then what is known of the person tells the request from others.
 */
export function askingOf(from: string, data: PacketData): Asking {
  const { request_id } = data
  const provider_data = data.provider_data as PacketData | null | undefined
  if (from !== ROUTER_ID && from !== request_id) return { key: `id ${from}`, id: from }
  const said = provider_data?.agent_registration_id ?? provider_data?.worker_name ?? provider_data
  const text = JSON.stringify(said ?? undefined) ?? String(request_id)
  // A person may say a megabyte, and the key is kept until the run ends.
  const short = text.length > LONGEST ? createHash('sha256').update(text).digest('base64') : text
  return { key: `said ${short}`, id: undefined }
}
