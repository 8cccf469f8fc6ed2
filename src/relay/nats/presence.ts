/**
 * Layer 8. Presence: the members of a NatsRelay, each with a lease, and who watches them.
 *
 * A member is the last message of a subject of its own, `+name`, in a stream that forgets what is
 * older than a lease. It is published again with every beat, a quarter of a lease; `-name` ends it.
 * Watchers hear these messages as they are published, and read the stream once, when they begin.
 *
 * Rule: only beats count that the server has answered. While it is away or stopped, nobody goes.
 */

import { randomBytes } from 'node:crypto'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { quiet } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import type { NatsStreamConfig } from '../../protocols/nats/jetstream/config.ts'
import type { NatsMessage } from '../../protocols/nats/message.ts'
import type { NatsSubscription } from '../../protocols/nats/subscription.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { checkListener, checkMember } from '../checks.ts'
import { Listeners } from '../listeners.ts'
import { closedError, type PresenceListener } from '../relay.ts'
import type { Line } from './line.ts'
import { tokenOf } from './names.ts'
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

/** One listener: has its first call been made? */
interface Watch {
  isTold: boolean
  readonly told: Deferred<void>
}

export class Presence {
  readonly #engine: Engine
  readonly #line: Line
  readonly #prefix: string
  readonly #config: NatsStreamConfig
  readonly #beat: Milliseconds
  /** What stands behind its own members. */
  readonly #id = randomBytes(9).toString('hex')
  readonly #own = new Map<string, Set<string>>()
  readonly #watched = new Map<string, Watched>()
  readonly #watchers: Listeners<Parameters<PresenceListener>, Watch>
  /** Counts the connections. */
  #connection = 0
  #isBeating = false
  #cancel: Cancel = noop

  constructor(engine: Engine, line: Line, prefix: string, lease: Milliseconds) {
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
    this.#watchers = new Listeners((message, error) => engine.log(message, error))
  }

  // ---- members of this relay --------------------------------------------------------------------

  async present(topic: string, member: string): Promise<void> {
    checkMember('present', topic, member)
    this.#line.checkOpen()
    let members = this.#own.get(topic)
    if (members === undefined) this.#own.set(topic, (members = new Set()))
    members.add(member)
    this.#run()
    await this.#line.persist(async () => {
      if (members.has(member)) await this.#store(topic, member, '+')
    })
  }

  async absent(topic: string, member: string): Promise<void> {
    checkMember('absent', topic, member)
    this.#line.checkOpen()
    const members = this.#own.get(topic)
    if (members?.delete(member) !== true) return
    if (members.size === 0) this.#own.delete(topic)
    await this.#line.persist(async () => {
      if (this.#own.get(topic)?.has(member) !== true) await this.#store(topic, member, '-')
    })
  }

  async #store(topic: string, member: string, sign: '+' | '-'): Promise<void> {
    await this.#line.ensure(this.#config)
    await this.#line.streams.publish(this.#subject(topic, member), sign + member)
  }

  #subject(topic: string, member: string): string {
    return `${this.#prefix}.members.${tokenOf(topic)}.${tokenOf(member)}.${this.#id}`
  }

  /** Says all of them once more. */
  #renew(): void {
    for (const [topic, members] of this.#own)
      for (const member of members)
        this.#line.client.publish(this.#subject(topic, member), `+${member}`)
  }

  // ---- watching ---------------------------------------------------------------------------------

  async watch(topic: string, listener: PresenceListener): Promise<void> {
    checkListener('watch', topic, listener)
    this.#line.checkOpen()
    const watch: Watch = { isTold: false, told: deferred() }
    quiet(watch.told.promise)
    if (this.#watchers.add(topic, listener, watch)) this.#begin(topic)
    this.#run()
    const watched = this.#watched.get(topic) as Watched
    try {
      await this.#line.persist(() => this.#read(topic, watched))
    } catch (error) {
      this.unwatch(topic, listener)
      throw error
    }
    this.#engine.callback(() => {
      this.#tell(topic)
      // It may not be a watcher any more.
      watch.told.resolve()
    })
    await watch.told.promise
  }

  #begin(topic: string): void {
    const subject = `${this.#prefix}.members.${tokenOf(topic)}.*.*`
    const roll = new Roll()
    const subscription = this.#line.client.subscribe(subject, message => {
      roll.hear(keyOf(message), message.text)
      this.#tell(topic)
    })
    const watched: Watched = { subscription, roll, isRead: false }
    this.#watched.set(topic, watched)
  }

  unwatch(topic: string, listener: PresenceListener): void {
    checkListener('unwatch', topic, listener)
    if (!this.#watchers.delete(topic, listener)) return
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

  // ---- telling ----------------------------------------------------------------------------------

  /** Tells what has changed, and all of it to a listener that was told nothing yet. */
  #tell(topic: string): void {
    const watched = this.#watched.get(topic)
    if (watched?.isRead !== true) return
    const { came, went } = watched.roll.take()
    this.#watchers.each(topic, (listener, watch) => {
      if (watch.isTold) return came.length + went.length > 0 && listener(came, went)
      watch.isTold = true
      watch.told.resolve()
      return listener(watched.roll.members, [])
    })
  }

  // ---- leases -----------------------------------------------------------------------------------

  #run(): void {
    if (this.#cancel === noop) this.#cancel = this.#engine.cycle(this.#beat, () => this.#beats())
  }

  async #beats(): Promise<void> {
    if (this.#isBeating || this.#line.state !== 'standing') return
    if (this.#own.size + this.#watched.size === 0) return
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
    if (this.#own.size + this.#watched.size === 0) return
    await this.#line.persist(() => this.#line.ensure(this.#config))
    this.#renew()
    for (const [topic, watched] of this.#watched) {
      watched.isRead = false
      await this.#line.persist(() => this.#read(topic, watched))
    }
  }

  /** Its members are absent. */
  close(): void {
    this.#cancel()
    if (this.#line.state === 'standing')
      for (const [topic, members] of this.#own)
        for (const member of members)
          this.#line.client.publish(this.#subject(topic, member), `-${member}`)
    for (const topic of this.#watched.keys())
      this.#watchers.each(topic, (_, { told }) => told.reject(closedError()))
    this.#watchers.clear()
    this.#watched.clear()
    this.#own.clear()
  }
}

/** Member and relay. */
function keyOf({ subject }: NatsMessage): string {
  return subject.split('.').slice(3).join('.')
}
