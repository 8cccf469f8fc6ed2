/**
 * Layer 8. The relay by NATS: all processes that use the same servers. What is published goes by
 * core NATS; history and members need JetStream.
 *
 * The way of a message: `publish` → history.ts, if its topic has an entry under way → PREFIX.live.…
 * The way of an entry: `append` → history.ts → the stream → published again → PREFIX.live.…
 */

import { optionsOf } from '../../core/options.ts'
import { quiet } from '../../core/promises.ts'
import type { NatsClientOptions } from '../../protocols/nats/client.ts'
import type { NatsMessage } from '../../protocols/nats/message.ts'
import { NATS_CHECKS } from '../../protocols/nats/nats-settings.ts'
import type { NatsSubscription } from '../../protocols/nats/subscription.ts'
import { CarriedRelay, type Carrier } from '../carried-relay.ts'
import { Subscribers } from '../listeners.ts'
import type { RelayHistory, RelayOptions } from '../relay.ts'
import { relayValues, type RelayValues } from '../relay-checks.ts'
import { History } from './history.ts'
import { tokenOf } from './names.ts'
import { NatsLine } from './nats-line.ts'
import { NatsPresence } from './nats-presence.ts'

type NestedOptions = Omit<NatsClientOptions, 'engine' | 'name'>

/** The options of a NatsRelay. */
export interface NatsRelayOptions extends RelayOptions {
  /** Options of the client: passwords, TLS … */
  readonly nats?: NestedOptions | undefined
}

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
export class NatsRelay extends CarriedRelay {
  /** Throws InvalidArgumentError or InvalidAddressError if an option or the URL is invalid. */
  constructor(url: string, options: NatsRelayOptions = {}) {
    const own = { nats: optionsOf(NATS_CHECKS) }
    const values = relayValues('new NatsRelay', options, own)
    super(new NatsCarrier(url, values, options.nats))
  }
}

class NatsCarrier implements Carrier {
  readonly line: NatsLine
  readonly presence: NatsPresence
  readonly subscribers: Subscribers
  readonly #prefix: string
  readonly #history: History
  readonly #subscribed = new Map<string, Subscribed>()

  constructor(url: string, values: RelayValues, options: NestedOptions | undefined) {
    const { engine, history, age, lease, prefix } = values
    this.subscribers = new Subscribers(engine)
    this.line = new NatsLine(url, { ...options, engine }, isAgain => this.#stood(isAgain))
    this.presence = new NatsPresence(engine, this.line, prefix, lease)
    this.#prefix = prefix
    this.#history = new History(this.line, prefix, history, age)
  }

  #stood(isAgain: boolean): void {
    this.#history.forget()
    this.presence.stood(isAgain)
    if (!isAgain) return
    for (const [topic, { hasStood }] of this.#subscribed) if (hasStood) this.subscribers.gap(topic)
  }

  publish(topic: string, bytes: Buffer): boolean {
    try {
      return this.#history.publish(topic, bytes)
    } catch (error) {
      throw this.line.shown(error)
    }
  }

  subscribe(topic: string): Promise<void> {
    const subscribed = this.#subscribed.get(topic) ?? this.#begin(topic)
    return subscribed.stands
  }

  #begin(topic: string): Subscribed {
    const subject = `${this.#prefix}.live.${tokenOf(topic)}`
    const subscription = this.line.client.subscribe(subject, message => this.#heard(topic, message))
    const stands = this.line.persist(async () => {
      await this.line.client.flush()
      if (subscription.error !== undefined) throw subscription.error
      subscribed.hasStood = true
    })
    const subscribed = { subscription, stands: quiet(stands), hasStood: false }
    this.#subscribed.set(topic, subscribed)
    return subscribed
  }

  #heard(topic: string, message: NatsMessage): void {
    this.subscribers.call(topic, message.data, this.#history.heard(topic, message))
  }

  unsubscribe(topic: string): void {
    this.#subscribed.get(topic)?.subscription.unsubscribe()
    this.#subscribed.delete(topic)
  }

  append(topic: string, bytes: Buffer): Promise<number> {
    return this.#history.append(topic, bytes)
  }

  read(topic: string, seq: number, limit: number): Promise<RelayHistory> {
    return this.#history.read(topic, seq, limit)
  }

  close(): Promise<void> {
    return this.line.close()
  }
}
