/**
 * Layer 8. The relay by NATS: all processes that use the same servers. What is published goes by
 * core NATS; history and members need JetStream.
 *
 * The way of a message: `publish` → history.ts, if its topic has an entry under way → PREFIX.live.…
 * The way of an entry: `append` → history.ts → the stream → published again → PREFIX.live.…
 */

import { optionsOf } from '../../core/option-names.ts'
import { quiet } from '../../core/promises.ts'
import type { NatsClientOptions } from '../../protocols/nats/client.ts'
import { NATS_CHECKS } from '../../protocols/nats/nats-settings.ts'
import type { NatsMessage } from '../../protocols/nats/message.ts'
import type { NatsSubscription } from '../../protocols/nats/subscription.ts'
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
import { History } from './history.ts'
import { Line } from './line.ts'
import { tokenOf } from './names.ts'
import { Presence } from './presence.ts'

/** The options of a NatsRelay. */
export interface NatsRelayOptions extends RelayOptions {
  /** Options of the client: passwords, TLS … */
  readonly nats?: Omit<NatsClientOptions, 'engine' | 'name'>
}

/** How many entries `read_after` returns if it is not told. */
const LIMIT = 1000

/** How long a read waits for a server that is away. */
const READ_WAIT: Milliseconds = 5000

/** A subscription, and when it stands. */
interface Subscribed {
  readonly subscription: NatsSubscription
  readonly stands: Promise<void>
  hasStood: boolean
}

/**
 * A relay by NATS. Its URL is that of `NatsClient.connect`; several servers are one string with
 * commas.
 */
export class NatsRelay implements Relay {
  readonly opened: Promise<void>
  readonly #prefix: string
  readonly #line: Line
  readonly #history: History
  readonly #presence: Presence
  readonly #listeners: Listeners<Parameters<RelayListener>, SubscribeOptions>
  readonly #subscribed = new Map<string, Subscribed>()

  /** Throws InvalidArgumentError or InvalidAddressError if an option or the URL is invalid. */
  constructor(url: string, options: NatsRelayOptions = {}) {
    const own = { nats: optionsOf(NATS_CHECKS) }
    const { engine, history, age, lease, prefix } = relayValues('new NatsRelay', options, own)
    this.#prefix = prefix
    this.#listeners = new Listeners((message, error) => engine.log(message, error))
    this.#line = new Line(url, { ...options.nats, engine }, isAgain => this.#stood(isAgain))
    this.#history = new History(this.#line, this.#prefix, history, age)
    this.#presence = new Presence(engine, this.#line, this.#prefix, lease)
    this.opened = this.#line.stands
  }

  #stood(isAgain: boolean): void {
    this.#history.forget()
    this.#presence.stood(isAgain)
    if (!isAgain) return
    for (const [topic, { hasStood }] of this.#subscribed)
      if (hasStood) this.#listeners.each(topic, (_, { on_gap }) => on_gap?.())
  }

  // ---- messages ---------------------------------------------------------------------------------

  publish(topic: string, data: Data): boolean {
    checkTopic('publish', topic)
    const bytes = toBuffer('publish', data)
    if (this.#line.state !== 'standing') return false
    try {
      return this.#history.publish(topic, bytes)
    } catch (error) {
      throw this.#line.shown(error)
    }
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
    let subscribed = this.#subscribed.get(topic)
    if (subscribed === undefined) this.#subscribed.set(topic, (subscribed = this.#begin(topic)))
    try {
      await subscribed.stands
    } catch (error) {
      this.unsubscribe(topic, listener)
      throw this.#line.shown(error)
    }
  }

  #begin(topic: string): Subscribed {
    const subject = `${this.#prefix}.live.${tokenOf(topic)}`
    const subscription = this.#line.client.subscribe(subject, message =>
      this.#heard(topic, message),
    )
    const stands = this.#line.persist(async () => {
      await this.#line.client.flush()
      if (subscription.error !== undefined) throw subscription.error
      subscribed.hasStood = true
    })
    const subscribed = { subscription, stands: quiet(stands), hasStood: false }
    return subscribed
  }

  #heard(topic: string, message: NatsMessage): void {
    this.#listeners.call(topic, message.data, this.#history.heard(topic, message))
  }

  unsubscribe(topic: string, listener: RelayListener): void {
    checkListener('unsubscribe', topic, listener)
    if (!this.#listeners.delete(topic, listener)) return
    this.#subscribed.get(topic)?.subscription.unsubscribe()
    this.#subscribed.delete(topic)
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
    return this.#history.append(topic, bytes)
  }

  read_after(topic: string, seq: number, limit?: number): Promise<RelayHistory> {
    return quiet(this.#readAfter(topic, seq, limit))
  }

  async #readAfter(topic: string, seq: number, limit = LIMIT): Promise<RelayHistory> {
    checkReading(topic, seq, limit)
    return this.#line.persist(() => this.#history.read(topic, seq, limit), READ_WAIT)
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
