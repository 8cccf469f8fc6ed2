/**
 * Layer 8. NatsPresence: the members of a NatsRelay, each with a lease. Who watches them is in
 * relay-presence.ts.
 *
 * A member is the last message of a subject of its own, `+name`, in a stream that forgets what is
 * older than a lease. It is published again with every beat, a quarter of a lease; `-name` ends it.
 * Watchers hear these messages as they are published, and read the stream once, when they begin.
 *
 * Rule: only beats count that the server has answered. While it is away or stopped, nobody goes.
 */

import { randomBytes } from 'node:crypto'
import { noop } from '../../core/noop.ts'
import type { Engine } from '../../engine.ts'
import type { NatsStreamConfig } from '../../protocols/nats/jetstream/config.ts'
import type { NatsMessage } from '../../protocols/nats/message.ts'
import type { NatsSubscription } from '../../protocols/nats/subscription.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { RelayPresence } from '../relay-presence.ts'
import { tokenOf } from './names.ts'
import type { NatsLine } from './nats-line.ts'
import { BEATS, Roll } from './roll.ts'

/** How many messages of a read come at a time. */
const PORTION = 1000

/** A consumer that we could not delete goes by itself. */
const UNUSED: Milliseconds = 10_000

/** A topic that is watched. */
interface Watched {
  readonly subscription: NatsSubscription
  readonly roll: Roll
  /** Was it read? */
  isRead: boolean
}

export class NatsPresence extends RelayPresence {
  readonly #engine: Engine
  readonly #line: NatsLine
  readonly #prefix: string
  readonly #config: NatsStreamConfig
  readonly #beat: Milliseconds
  /** What the names of its own members end with. */
  readonly #id = randomBytes(9).toString('hex')
  readonly #watched = new Map<string, Watched>()
  /** Counts the connections. */
  #connection = 0
  #isBeating = false
  #cancel: Cancel = noop

  constructor(engine: Engine, line: NatsLine, prefix: string, lease: Milliseconds) {
    super(engine, line)
    this.#engine = engine
    this.#line = line
    this.#prefix = prefix
    this.#beat = Math.max(1, Math.round(lease / BEATS))
    this.#config = {
      name: `${prefix}_members`,
      subjects: [`${prefix}.members.*.*.*`],
      storage: 'memory',
      max_msgs_per_subject: 1,
      max_age: lease,
    }
  }

  // ---- members of this relay --------------------------------------------------------------------

  async store(topic: string, member: string, isPresent: boolean): Promise<void> {
    this.#run()
    await this.#line.ensure(this.#config)
    const sign = isPresent ? '+' : '-'
    await this.#line.streams.publish(this.#subject(topic, member), sign + member)
  }

  #subject(topic: string, member: string): string {
    return `${this.#prefix}.members.${tokenOf(topic)}.${tokenOf(member)}.${this.#id}`
  }

  /** Says all of them once more. */
  #renew(): void {
    for (const [topic, members] of this.own)
      for (const member of members)
        this.#line.client.publish(this.#subject(topic, member), `+${member}`)
  }

  // ---- watching ---------------------------------------------------------------------------------

  async listen(topic: string): Promise<void> {
    const watched = this.#watched.get(topic) ?? this.#begin(topic)
    this.#run()
    await this.#line.persist(() => this.#read(topic, watched))
    this.#tell(topic)
  }

  #begin(topic: string): Watched {
    const subject = `${this.#prefix}.members.${tokenOf(topic)}.*.*`
    const roll = new Roll()
    const subscription = this.#line.client.subscribe(subject, message => {
      roll.hear(keyOf(message), message.text)
      this.#tell(topic)
    })
    const watched: Watched = { subscription, roll, isRead: false }
    this.#watched.set(topic, watched)
    return watched
  }

  unlisten(topic: string): void {
    this.#watched.get(topic)?.subscription.unsubscribe()
    this.#watched.delete(topic)
  }

  /** Reads who was there before we began to listen. */
  async #read(topic: string, watched: Watched): Promise<void> {
    if (watched.isRead) return
    const { streams } = this.#line
    await this.#line.ensure(this.#config)
    const consumer = await streams.create_consumer(this.#config.name, {
      filter_subject: watched.subscription.subject,
      deliver_policy: 'last_per_subject',
      ack_policy: 'none',
      mem_storage: true,
      inactive_threshold: UNUSED,
    })
    try {
      for (;;) {
        const portion = await consumer.fetch(PORTION, { wait: 0 })
        for (const { message } of portion) watched.roll.read(keyOf(message), message.text)
        if (portion.length === 0 || portion.at(-1)!.pending === 0) break
      }
    } finally {
      void consumer.delete()
    }
    const { error } = watched.subscription
    if (error !== undefined) throw error
    watched.isRead = true
    this.#tell(topic)
  }

  #tell(topic: string): void {
    const watched = this.#watched.get(topic)
    if (watched?.isRead !== true) return
    const { came, went } = watched.roll.take()
    this.tell(topic, watched.roll, came, went)
  }

  // ---- leases -----------------------------------------------------------------------------------

  #run(): void {
    if (this.#cancel === noop) this.#cancel = this.#engine.cycle(this.#beat, () => this.#beats())
  }

  async #beats(): Promise<void> {
    if (this.#isBeating || this.#line.state !== 'standing') return
    if (this.own.size + this.#watched.size === 0) return
    this.#isBeating = true
    const connection = this.#connection
    this.#renew()
    // Whatever was said before has come when this is answered.
    await this.#line.client.flush().catch(noop)
    this.#isBeating = false
    if (connection !== this.#connection || this.#line.state !== 'standing') return
    for (const [topic, { roll }] of this.#watched) {
      roll.beat()
      this.#tell(topic)
    }
  }

  /** The line stands. If it does so again, nobody has been heard for a while. */
  stood(isAgain: boolean): void {
    if (!isAgain) return
    this.#connection++
    for (const { roll } of this.#watched.values()) roll.renew()
    this.#restore().catch(error => error.code === 'ERR_RELAY_CLOSED' || this.#line.tell(error))
  }

  /** The server may have lost them all. And it knows who came and went meanwhile. */
  async #restore(): Promise<void> {
    if (this.own.size + this.#watched.size === 0) return
    await this.#line.persist(() => this.#line.ensure(this.#config))
    this.#renew()
    for (const [topic, watched] of this.#watched) {
      watched.isRead = false
      await this.#line.persist(() => this.#read(topic, watched))
    }
  }

  /** Its members are absent, if the server can be told. */
  override close(): void {
    this.#cancel()
    if (this.#line.state === 'standing')
      for (const [topic, members] of this.own)
        for (const member of members)
          this.#line.client.publish(this.#subject(topic, member), `-${member}`)
    this.#watched.clear()
    super.close()
  }
}

/** Member and relay. */
function keyOf({ subject }: NatsMessage): string {
  return subject.split('.').slice(3).join('.')
}
