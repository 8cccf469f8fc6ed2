/**
 * Layer 8. The relay by a Redis server: messages by its channels, history by its streams.
 *
 * The way of a message: `publish` or `append` → Line → the server → Line → the listeners of its
 * topic. On the channel, 'p' stands before what is published, and 'a', a seq and a blank before
 * what is appended.
 *
 * Rules:
 * 1. Everything is sent on one connection, in the order of the calls. So the server has it in this
 *    order, and its channels keep it.
 * 2. What may have been stored is not sent again.
 */

import { Buffer } from 'node:buffer'
import { quiet } from '../../core/promises.ts'
import { checkNestedRedis, type NestedRedisOptions } from '../../protocols/redis/target.ts'
import type { Data, Milliseconds } from '../../types.ts'
import { checkListener, checkReading, checkTopic, relayValues, toBuffer } from '../checks.ts'
import { Listeners } from '../listeners.ts'
import type {
  PresenceListener,
  Relay,
  RelayHistory,
  RelayListener,
  RelayOptions,
  SubscribeOptions,
} from '../relay.ts'
import { Line } from './line.ts'
import { Presence } from './presence.ts'
import { APPEND, READ } from './scripts.ts'

/** Options of a RedisRelay. */
export interface RedisRelayOptions extends RelayOptions {
  /** Options of its client, such as `tls` or `reconnect`. @default {} */
  readonly redis?: NestedRedisOptions
}

/** How many entries `read_after` returns if it is not told. */
const LIMIT = 1000

/** How long a read waits for a server that is away: `on_gap` may come before it can be asked. */
const READ_WAIT: Milliseconds = 5000

/** The last seq of a topic is known this much longer than its entries: one day. */
const SEQ_AGE: Milliseconds = 86_400_000

/** What stands before a message on its channel. */
const PUBLISHED = Buffer.from('p')
const APPENDED = 97
const BLANK = 32

/** A relay by Redis or Valkey. All that have the same server and database share its topics. */
export class RedisRelay implements Relay {
  readonly opened: Promise<void>
  readonly #prefix: string
  readonly #line: Line
  readonly #presence: Presence
  /** What APPEND is told about trimming. */
  readonly #trim: readonly number[]
  readonly #listeners: Listeners<Parameters<RelayListener>, SubscribeOptions>
  /** What the channels of topics begin with. */
  readonly #channel: string

  /**
   * The URL is one of RedisClient. Throws InvalidArgumentError if an option is unknown or invalid,
   * and InvalidAddressError if the URL is.
   */
  constructor(url: string, options: RedisRelayOptions = {}) {
    const own = { redis: checkNestedRedis }
    const { engine, history, age, lease, prefix } = relayValues('new RedisRelay', options, own)
    this.#trim = [history, age, age + SEQ_AGE]
    this.#prefix = prefix
    this.#listeners = new Listeners((message, error) => engine.log(message, error))
    this.#line = new Line(url, { ...options.redis, engine }, isAgain =>
      this.#presence.stood(isAgain),
    )
    this.#presence = new Presence(engine, this.#line, this.#prefix, lease)
    this.#channel = `${this.#prefix}:${this.#line.db}:topic:`
    this.opened = this.#line.stands
  }

  // ---- messages ---------------------------------------------------------------------------------

  publish(topic: string, data: Data): boolean {
    checkTopic('publish', topic)
    const bytes = toBuffer('publish', data)
    if (this.#line.state !== 'standing') return false
    this.#line.publish(this.#channel + topic, Buffer.concat([PUBLISHED, bytes]))
    return true
  }

  subscribe(topic: string, listener: RelayListener, options?: SubscribeOptions): Promise<void> {
    return quiet(this.#subscribe(topic, listener, options))
  }

  async #subscribe(
    topic: string,
    listener: RelayListener,
    options: SubscribeOptions = {},
  ): Promise<void> {
    checkListener('subscribe', topic, listener, options)
    this.#line.checkOpen()
    this.#listeners.add(topic, listener, options)
    const told = (): void => this.#listeners.each(topic, (_, { on_gap }) => on_gap?.())
    try {
      await this.#line.subscribe(this.#channel + topic, this.#heard, told)
    } catch (error) {
      this.#listeners.delete(topic, listener)
      throw error
    }
  }

  readonly #heard = (message: Buffer, channel: string): void => {
    const topic = channel.slice(this.#channel.length)
    if (message[0] !== APPENDED) return this.#listeners.call(topic, message.subarray(1), undefined)
    const blank = message.indexOf(BLANK)
    const seq = Number(message.toString('latin1', 1, blank))
    this.#listeners.call(topic, message.subarray(blank + 1), seq)
  }

  unsubscribe(topic: string, listener: RelayListener): void {
    checkListener('unsubscribe', topic, listener)
    if (this.#listeners.delete(topic, listener)) this.#line.unsubscribe(this.#channel + topic)
  }

  // ---- history ----------------------------------------------------------------------------------

  append(topic: string, data: Data): Promise<number> {
    return quiet(this.#append(topic, data))
  }

  async #append(topic: string, data: Data): Promise<number> {
    checkTopic('append', topic)
    const bytes = toBuffer('append', data)
    if (this.#line.state === 'opening') {
      this.#line.checkWaiting(bytes.length)
      // Awaiting more would let what is published after this overtake it.
      await this.#line.stands
    }
    const { run } = this.#line
    const args = [run, this.#channel + topic, bytes, ...this.#trim]
    return Number(await this.#line.call(APPEND, this.#keysOf(topic), args))
  }

  /** Where a topic and its history are stored. */
  #keysOf(topic: string): string[] {
    return ['topic', 'history'].map(what => `${this.#prefix}:${what}:${topic}`)
  }

  read_after(topic: string, seq: number, limit?: number): Promise<RelayHistory> {
    return quiet(this.#readAfter(topic, seq, limit))
  }

  async #readAfter(topic: string, seq: number, limit = LIMIT): Promise<RelayHistory> {
    checkReading(topic, seq, limit)
    return this.#line.persist(async () => {
      const args = [this.#line.run, `${seq + 1}-0`, limit]
      return historyOf(await this.#line.call(READ, this.#keysOf(topic), args, true))
    }, READ_WAIT)
  }

  // ---- members ----------------------------------------------------------------------------------

  present(topic: string, member: string): Promise<void> {
    return quiet(this.#presence.present(topic, member))
  }

  absent(topic: string, member: string): Promise<void> {
    return quiet(this.#presence.absent(topic, member))
  }

  watch(topic: string, listener: PresenceListener): Promise<void> {
    return quiet(this.#presence.watch(topic, listener))
  }

  unwatch(topic: string, listener: PresenceListener): void {
    this.#presence.unwatch(topic, listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    this.#presence.close()
    await this.#line.close()
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
