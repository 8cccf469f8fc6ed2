/**
 * Layer 7. NatsConsumer: takes messages of a stream, in portions that it asks for (what NATS calls
 * a pull consumer).
 *
 * The way of a portion: an inbox of its own → NEXT → messages … → the last one, or a status.
 *
 * Rules:
 * 1. Nothing comes that was not asked for: a slow program has at most one portion.
 * 2. A portion ends with its connection, and by our own clock if nobody answers. What has come by
 *    then is still given out: the program may be slow.
 * 3. What has come when a loop is left is given back at once, not after `ack_wait`.
 */

import { type Checks, wholeFrom } from '../../../core/checks.ts'
import { noop } from '../../../core/noop.ts'
import { checkOptions } from '../../../core/options.ts'
import type { Cancel, Milliseconds } from '../../../types.ts'
import { NatsError } from '../errors.ts'
import type { NatsMessage } from '../message.ts'
import type { NatsSubscription } from '../subscription.ts'
import { type Api, quietly } from './api.ts'
import { checkTime, type NatsConsumerConfig, type NatsConsumerInfo, unpack } from './config.ts'
import { NatsStoredMessage } from './stored-message.ts'

/** How much is fetched. */
export interface NatsFetchOptions {
  /**
   * How long to wait until all of them are there. 0: what is there now.
   *
   * - Unit: milliseconds.
   *
   * @default 5000 ms
   */
  readonly wait?: Milliseconds | undefined
}

const checkCount = wholeFrom(1)

const CHECKS: Checks<NatsFetchOptions> = { wait: checkTime }

/** One portion of a loop: a slow program holds no more, and must acknowledge them. */
const PORTION = 100

/** How long a portion may take. After it a loop asks again. */
const WAIT: Milliseconds = 5000

/** How often it is looked whether there is another connection. */
const LOOK: Milliseconds = 100

/** How much longer than its own time an answer may take. */
const GRACE: Milliseconds = 2000

/** The statuses that end a portion: nothing is there, and its time is over. */
const NOTHING = 404
const OVER = 408

/** A sign of life. */
const IDLE = 100

/**
 * Goes through a stream. It is made by `NatsJetStream`.
 *
 * @example
 * for await (const message of consumer) {
 *   console.log(message.seq, message.text)
 *   message.ack()
 * }
 */
export class NatsConsumer implements AsyncIterable<NatsStoredMessage> {
  /** The name of the stream. */
  readonly stream: string
  /** Its own name. */
  readonly name: string
  readonly #api: Api

  /** Made by `NatsJetStream`. */
  constructor(api: Api, stream: string, name: string) {
    this.#api = api
    this.stream = stream
    this.name = name
  }

  /**
   * Takes at most `count` messages. Resolves when they are there, or `wait` is over, to those that
   * have come. Rejects with InvalidArgumentError, or with a NatsError: ERR_NATS_JETSTREAM if there
   * is no such consumer.
   */
  fetch(count: number, options: NatsFetchOptions = {}): Promise<NatsStoredMessage[]> {
    return quietly(async () => {
      checkCount('fetch: count', count)
      checkOptions('fetch', options, CHECKS)
      const { wait = WAIT } = options
      const all: NatsStoredMessage[] = []
      for await (const message of this.#portion(count, wait)) all.push(message)
      return all
    })
  }

  /**
   * `for await` takes message after message, and waits for new ones, until it is left. Those that
   * were taken and not acknowledged are delivered again, to all who ask; those that a loop has not
   * given out when it is left, at once. If the client closes, the loop ends. It throws as `fetch`
   * rejects.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<NatsStoredMessage, void, undefined> {
    while (this.#api.client.state === 'active') yield* this.#portion(PORTION, WAIT)
  }

  /** What the server knows of it. Rejects with a NatsError. */
  info(): Promise<NatsConsumerInfo> {
    return quietly(async () => {
      return toConsumerInfo(await this.#api.call(`CONSUMER.INFO.${this.stream}.${this.name}`))
    })
  }

  /** Deletes it. Rejects with a NatsError. */
  delete(): Promise<void> {
    return quietly(async () => {
      await this.#api.call(`CONSUMER.DELETE.${this.stream}.${this.name}`)
    })
  }

  async *#portion(count: number, wait: Milliseconds): AsyncGenerator<NatsStoredMessage> {
    const { client } = this.#api
    const inbox = client.inbox()
    const messages = client.subscribe(inbox)
    const taken = messages[Symbol.asyncIterator]()
    let isSilent = false
    const cancel = this.#api.after(wait + GRACE, () => {
      isSilent = messages.received === 0
      finish(messages)
    })
    const cancelCheck = this.#onOther(() => finish(messages))
    this.#ask(inbox, count, wait)
    let left = count
    try {
      for (let next; left > 0 && !(next = await taken.next()).done;) {
        const status = statusOf(next.value)
        if (status === NOTHING || status === OVER) left = 0
        else if (status !== IDLE) {
          left--
          yield new NatsStoredMessage(client, next.value)
        }
      }
    } finally {
      cancel()
      cancelCheck()
      if (left === 0) messages.unsubscribe()
      else void this.#giveBack(messages, taken).catch(noop)
    }
    // Nobody answers for a consumer that is not there.
    if (isSilent && client.state === 'active') await this.info()
  }

  /** The loop was left before the portion had ended: others may have the rest. */
  async #giveBack(
    messages: NatsSubscription,
    taken: AsyncIterator<NatsMessage, undefined>,
  ): Promise<void> {
    void messages.drain()
    for (let next; !(next = await taken.next()).done;)
      if (!isStatus(next.value)) new NatsStoredMessage(this.#api.client, next.value).nak()
  }

  #ask(inbox: string, count: number, wait: Milliseconds): void {
    const how = wait === 0 ? { no_wait: true } : { expires: Math.round(wait * 1e6) }
    const next = this.#api.subject(`CONSUMER.MSG.NEXT.${this.stream}.${this.name}`)
    this.#api.client.publish(next, JSON.stringify({ batch: count, ...how }), { reply: inbox })
  }

  /** Calls back when there is another connection: its server knows nothing of the portion. */
  #onOther(callback: () => void): Cancel {
    const { client } = this.#api
    const before = client.server_info
    const look = (): void => {
      if (client.connected && client.server_info !== before) return callback()
      cancel = this.#api.after(LOOK, look)
    }
    let cancel = this.#api.after(LOOK, look)
    return () => cancel()
  }
}

/** No more comes. What has come is still given out. */
function finish(messages: NatsSubscription): void {
  messages.unsubscribe(messages.received || undefined)
}

/** What a server says of a consumer. */
export function toConsumerInfo(answer: any): NatsConsumerInfo {
  return { ...answer, config: unpack<NatsConsumerConfig>(answer.config) }
}

/** What the server says of the portion; 0 for a message. Throws what it refuses. */
function statusOf(message: NatsMessage): number {
  const status = isStatus(message) ? message.status : 0
  if ([0, NOTHING, OVER, IDLE].includes(status)) return status
  throw refused(message)
}

function isStatus({ data, status }: NatsMessage): boolean {
  return data.length === 0 && status !== 0
}

function refused({ status, description }: NatsMessage): NatsError {
  const what = `JetStream said: ${status} ${description}`
  return new NatsError('ERR_NATS_JETSTREAM', what, { status, said: description })
}
