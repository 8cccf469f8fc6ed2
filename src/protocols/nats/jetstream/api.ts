/**
 * Layer 7. Api: the requests by which JetStream is asked. Each is JSON to a subject, and so is the
 * answer.
 */

import { LIFE } from '../../../channels/life.ts'
import { quiet } from '../../../core/promises.ts'
import type { Cancel, Milliseconds } from '../../../types.ts'
import type { NatsClient } from '../client.ts'
import { NatsError } from '../errors.ts'

/** What a server answers. */
export type Answer = any

/** The numbers of the errors of JetStream that have a meaning here. */
export const NO_MESSAGE = 10037
export const WRONG_LAST_SEQUENCE = 10071

export class Api {
  readonly client: NatsClient
  readonly #prefix: string
  readonly #timeout: Milliseconds | undefined

  constructor(client: NatsClient, domain: string, timeout: Milliseconds | undefined) {
    this.client = client
    this.#prefix = domain === '' ? '$JS.API' : `$JS.${domain}.API`
    this.#timeout = timeout
  }

  subject(name: string): string {
    return `${this.#prefix}.${name}`
  }

  /** Asks, and rejects with a NatsError if the answer is an error. */
  async call(name: string, body?: object): Promise<Answer> {
    const data = body === undefined ? '' : JSON.stringify(body)
    const { client } = this
    try {
      const answer = await client.request(this.subject(name), data, { timeout: this.#timeout })
      return readAnswer(answer.text)
    } catch (error) {
      throw (error as NatsError).code === 'ERR_NATS_NO_RESPONDERS' ? noJetStream(error) : error
    }
  }

  /** Calls back after that time, by the engine's clock. */
  after(ms: Milliseconds, callback: () => void): Cancel {
    return this.client[LIFE].drive.after(ms, callback)
  }
}

/** The promise of some work, which a program may leave alone. */
export function quietly<Value>(work: () => Promise<Value>): Promise<Value> {
  return quiet(work())
}

/** Throws NatsError if it is an error. */
export function readAnswer(text: string): Answer {
  let answer: Answer
  try {
    answer = JSON.parse(text)
  } catch {
    // Below.
  }
  if (typeof answer !== 'object' || answer === null)
    throw new NatsError('ERR_NATS_JETSTREAM', 'the answer of JetStream is no JSON', { said: text })
  const { error } = answer
  if (error === undefined) return answer
  throw new NatsError('ERR_NATS_JETSTREAM', `JetStream said: ${error.description}`, {
    said: error.description,
    status: error.code,
    err_code: error.err_code,
  })
}

function noJetStream(cause: unknown): NatsError {
  const what = 'the server has no JetStream, or this account may not use it'
  return new NatsError('ERR_NATS_JETSTREAM', what, { cause, status: 503 })
}
