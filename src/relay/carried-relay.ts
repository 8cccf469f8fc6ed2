/**
 * Layer 8. CarriedRelay: what every relay does, whatever carries it. It checks what it is given,
 * and knows who listens. A carrier does the rest: those of memory-relay.ts, redis/redis-relay.ts
 * and nats/nats-relay.ts.
 *
 * Its promises are quiet: a rejection that nobody handles does not end the process.
 */

import { quiet } from '../core/promises.ts'
import type { Data, Milliseconds } from '../types.ts'
import type { Subscribers } from './listeners.ts'
import type {
  PresenceListener,
  Relay,
  RelayHistory,
  RelayListener,
  SubscribeOptions,
} from './relay.ts'
import { checkListener, checkReading, checkTopic, toBuffer } from './relay-checks.ts'
import type { RelayLine } from './relay-line.ts'
import type { RelayPresence } from './relay-presence.ts'

/** How many entries `read_after` returns if it is not told. */
const LIMIT = 1000

/** How long a read waits for a server that is away: `on_gap` may come before it can be asked. */
const READ_WAIT: Milliseconds = 5000

/** What carries a relay. What it is given has been checked, and the relay is open. */
export interface Carrier {
  readonly line: RelayLine
  readonly presence: RelayPresence
  /** It calls them with what it hears. */
  readonly subscribers: Subscribers

  /** The line stands. Returns false if it is dropped all the same. */
  publish(topic: string, bytes: Buffer): boolean

  /** A topic has one more subscriber. Resolves when what is sent from then on is heard. */
  subscribe(topic: string): Promise<void>

  /** The last subscriber of a topic has gone. */
  unsubscribe(topic: string): void

  /** The line stands, or did a moment ago. */
  append(topic: string, bytes: Buffer): Promise<number>

  /** The line stands. It may be called again. */
  read(topic: string, seq: number, limit: number): Promise<RelayHistory>

  /** Resolves when all that was sent has left. */
  close(): Promise<void>
}

export class CarriedRelay implements Relay {
  readonly opened: Promise<void>
  readonly #carrier: Carrier
  readonly #line: RelayLine
  readonly #presence: RelayPresence
  readonly #subscribers: Subscribers

  constructor(carrier: Carrier) {
    this.#carrier = carrier
    this.#line = carrier.line
    this.#presence = carrier.presence
    this.#subscribers = carrier.subscribers
    this.opened = carrier.line.stands
  }

  // ---- messages ---------------------------------------------------------------------------------

  publish(topic: string, data: Data): boolean {
    checkTopic('publish', topic)
    const bytes = toBuffer('publish', data)
    this.#line.checkRefused()
    return this.#line.state === 'standing' && this.#carrier.publish(topic, bytes)
  }

  subscribe(topic: string, listener: RelayListener, options: SubscribeOptions = {}): Promise<void> {
    return quietly(async () => {
      checkListener('subscribe', topic, listener, options)
      this.#line.checkOpen()
      this.#subscribers.add(topic, listener, options)
      try {
        await this.#carrier.subscribe(topic)
      } catch (error) {
        this.unsubscribe(topic, listener)
        throw this.#line.shown(error)
      }
    })
  }

  unsubscribe(topic: string, listener: RelayListener): void {
    checkListener('unsubscribe', topic, listener)
    if (this.#subscribers.delete(topic, listener)) this.#carrier.unsubscribe(topic)
  }

  // ---- history ----------------------------------------------------------------------------------

  append(topic: string, data: Data): Promise<number> {
    return quietly(async () => {
      checkTopic('append', topic)
      const bytes = toBuffer('append', data)
      this.#line.checkOpen()
      if (this.#line.state === 'opening') {
        this.#line.checkWaiting(bytes.length)
        // Awaiting more would let what is published after this overtake it.
        await this.#line.stands
      }
      return this.#carrier.append(topic, bytes)
    })
  }

  read_after(topic: string, seq: number, limit = LIMIT): Promise<RelayHistory> {
    return quietly(async () => {
      checkReading(topic, seq, limit)
      return this.#line.persist(() => this.#carrier.read(topic, seq, limit), READ_WAIT)
    })
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
    this.#subscribers.clear()
    this.#presence.close()
    await this.#carrier.close()
  }
}

function quietly<Value>(work: () => Promise<Value>): Promise<Value> {
  return quiet(work())
}
