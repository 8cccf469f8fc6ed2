/**
 * Layer 8. The relay by a Redis server: messages by its channels, history by its streams.
 *
 * The way of a message: `publish` or `append` → RedisLine → the server → RedisLine → the listeners
 * of its topic. On the channel, 'p' stands before what is published, and 'a', a seq and a blank
 * before what is appended.
 *
 * Rules:
 * 1. Everything is sent on one connection, in the order of the calls. So the server has it in this
 *    order, and its channels keep it.
 * 2. What may have been stored is not sent again.
 */

import { checkNestedRedis, type NestedRedisOptions } from '../../protocols/redis/target.ts'
import type { Milliseconds } from '../../types.ts'
import { CarriedRelay, type Carrier } from '../carried-relay.ts'
import { Subscribers } from '../listeners.ts'
import type { RelayHistory, RelayOptions } from '../relay.ts'
import { relayValues, type RelayValues } from '../relay-checks.ts'
import { RedisLine } from './redis-line.ts'
import { RedisPresence } from './redis-presence.ts'
import { APPEND, READ } from './scripts.ts'

/** Options of a RedisRelay. */
export interface RedisRelayOptions extends RelayOptions {
  /** Options of its client, such as `tls` or `reconnect`. @default {} */
  readonly redis?: NestedRedisOptions | undefined
}

/** The last seq of a topic is known this much longer than its entries: one day. */
const SEQ_AGE: Milliseconds = 86_400_000

/** What stands before a message on its channel. */
const PUBLISHED = Buffer.from('p')
const APPENDED = 97
const BLANK = 32

/** A relay by Redis or Valkey. All that have the same server and database share its topics. */
export class RedisRelay extends CarriedRelay {
  /**
   * The URL is one of RedisClient. Throws InvalidArgumentError if an option is unknown or invalid,
   * and InvalidAddressError if the URL is.
   */
  constructor(url: string, options: RedisRelayOptions = {}) {
    const own = { redis: checkNestedRedis }
    const values = relayValues('new RedisRelay', options, own)
    super(new RedisCarrier(url, values, options.redis))
  }
}

class RedisCarrier implements Carrier {
  readonly line: RedisLine
  readonly presence: RedisPresence
  readonly subscribers: Subscribers
  readonly #prefix: string
  /** What the channels of topics begin with. */
  readonly #channel: string
  /** What APPEND is told about trimming. */
  readonly #trim: readonly number[]

  constructor(url: string, values: RelayValues, options: NestedRedisOptions | undefined) {
    const { engine, history, age, lease, prefix } = values
    this.subscribers = new Subscribers(engine)
    this.line = new RedisLine(url, { ...options, engine }, isAgain => this.presence.stood(isAgain))
    this.presence = new RedisPresence(engine, this.line, prefix, lease)
    this.#prefix = prefix
    this.#channel = `${prefix}:${this.line.db}:topic:`
    this.#trim = [history, age, age + SEQ_AGE]
  }

  publish(topic: string, bytes: Buffer): boolean {
    return this.line.publish(this.#channel + topic, Buffer.concat([PUBLISHED, bytes]))
  }

  subscribe(topic: string): Promise<void> {
    const gap = (): void => this.subscribers.gap(topic)
    return this.line.subscribe(this.#channel + topic, this.#heard, gap)
  }

  readonly #heard = (message: Buffer, channel: string): void => {
    const topic = channel.slice(this.#channel.length)
    if (message[0] !== APPENDED) return this.subscribers.call(topic, message.subarray(1), undefined)
    const blank = message.indexOf(BLANK)
    const seq = Number(message.toString('latin1', 1, blank))
    this.subscribers.call(topic, message.subarray(blank + 1), seq)
  }

  unsubscribe(topic: string): void {
    this.line.unsubscribe(this.#channel + topic)
  }

  async append(topic: string, bytes: Buffer): Promise<number> {
    const args = [this.line.run, this.#channel + topic, bytes, ...this.#trim]
    return Number(await this.line.call(APPEND, this.#keysOf(topic), args))
  }

  async read(topic: string, seq: number, limit: number): Promise<RelayHistory> {
    const args = [this.line.run, `${seq + 1}-0`, limit]
    return historyOf(await this.line.call(READ, this.#keysOf(topic), args, true))
  }

  /** Where a topic and its history are stored. */
  #keysOf(topic: string): string[] {
    return ['topic', 'history'].map(what => `${this.#prefix}:${what}:${topic}`)
  }

  close(): Promise<void> {
    return this.line.close()
  }
}

/** What READ returns. */
type Read = [
  last: Buffer,
  count: number,
  entries: [id: Buffer, fields: [name: Buffer, bytes: Buffer]][],
]

function historyOf([lastText, count, entries]: Read): RelayHistory {
  const last = Number(lastText)
  return {
    entries: entries.map(([id, [, bytes]]) => ({
      seq: parseInt(id.toString('latin1'), 10),
      bytes,
    })),
    first: last + 1 - count,
    last,
  }
}
