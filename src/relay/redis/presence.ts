/**
 * Layer 8. Presence: the members of a RedisRelay, each with a lease, and who watches them.
 *
 * Four times in a lease it renews its own members and looks at those that are watched. A lease on
 * the server ends after three quarters, so whoever does not renew is gone within one.
 *
 * A change is told on a channel, without saying which: whoever hears it looks. So what is told is
 * always what the server has, also after messages were lost; and a thousand changes at once are a
 * few looks.
 *
 * Rules:
 * 1. Its own members are present, whatever the server says: it may have lost them a moment ago.
 * 2. After an interruption nobody has gone until the others have had the time to renew.
 */

import { randomUUID } from 'node:crypto'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { quiet } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { checkListener, checkMember } from '../checks.ts'
import { Listeners } from '../listeners.ts'
import { closedError, type PresenceListener } from '../relay.ts'
import { isAway } from '../relay-line.ts'
import type { Line } from './line.ts'
import { ABSENT, MEMBERS, PRESENT } from './scripts.ts'

/** How often in a lease it is renewed. */
const RENEWALS = 4

/** How many members one script renews: it holds up the server meanwhile. */
const AT_ONCE = 1000

/** A topic that is watched. */
interface Watched {
  /** Those who were told last. */
  members: ReadonlySet<string>
  look: 'none' | 'asked' | 'asked, and changed'
}

/** One listener: has its first call been made? */
interface Watch {
  isTold: boolean
  readonly told: Deferred<void>
}

export class Presence {
  readonly #engine: Engine
  readonly #line: Line
  readonly #period: Milliseconds
  readonly #lease: Milliseconds
  /** What stands before its own members on the server. */
  readonly #id = `${randomUUID()} `
  readonly #channel: string
  /** What stands before a topic on the server. */
  readonly #key: string
  readonly #own = new Map<string, Set<string>>()
  readonly #watched = new Map<string, Watched>()
  readonly #watchers: Listeners<Parameters<PresenceListener>, Watch>
  #cancel: Cancel = noop
  #isRunning = false
  /** Until then nobody has gone. */
  #doubtUntil: Milliseconds = 0

  constructor(engine: Engine, line: Line, prefix: string, lease: Milliseconds) {
    this.#engine = engine
    this.#line = line
    this.#period = Math.max(1, lease / RENEWALS)
    this.#lease = Math.max(1, Math.round(lease - this.#period))
    this.#channel = `${prefix}:${line.db}:members:`
    this.#key = `${prefix}:members:`
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
      // Unless it is absent by now.
      if (members.has(member)) await this.#renew(topic, [member])
    })
  }

  async absent(topic: string, member: string): Promise<void> {
    checkMember('absent', topic, member)
    this.#line.checkOpen()
    const members = this.#own.get(topic)
    if (members?.delete(member) !== true) return
    if (members.size === 0) this.#own.delete(topic)
    await this.#line.persist(async () => {
      if (this.#own.get(topic)?.has(member) !== true) await this.#remove(topic, [member])
    })
  }

  #renew(topic: string, members: readonly string[]): Promise<void> {
    const args = [this.#channel + topic, this.#lease, ...members.map(each => this.#id + each)]
    return this.#line.call(PRESENT, [this.#key + topic], args)
  }

  #remove(topic: string, members: readonly string[]): Promise<void> {
    const args = [this.#channel + topic, ...members.map(each => this.#id + each)]
    return this.#line.call(ABSENT, [this.#key + topic], args)
  }

  // ---- watching ---------------------------------------------------------------------------------

  async watch(topic: string, listener: PresenceListener): Promise<void> {
    checkListener('watch', topic, listener)
    this.#line.checkOpen()
    this.#watchers.add(topic, listener, newWatch())
    const { told } = this.#watchOf(topic, listener)!
    if (!this.#watched.has(topic)) this.#watched.set(topic, { members: new Set(), look: 'none' })
    this.#run()
    const look = (): void => this.#look(topic)
    try {
      await this.#line.subscribe(this.#channel + topic, this.#changed, look)
      look()
      await told.promise
    } catch (error) {
      this.unwatch(topic, listener)
      throw error
    }
  }

  #watchOf(topic: string, listener: PresenceListener): Watch | undefined {
    let found: Watch | undefined
    this.#watchers.each(topic, (each, watch) => {
      if (each === listener) found = watch
    })
    return found
  }

  unwatch(topic: string, listener: PresenceListener): void {
    checkListener('unwatch', topic, listener)
    this.#watchOf(topic, listener)?.told.resolve()
    if (!this.#watchers.delete(topic, listener)) return
    this.#watched.delete(topic)
    this.#line.unsubscribe(this.#channel + topic)
  }

  readonly #changed = (_: Buffer, channel: string): void =>
    this.#look(channel.slice(this.#channel.length))

  /** Asks for the members of a topic, but once at a time. */
  #look(topic: string): void {
    const watched = this.#watched.get(topic)
    if (watched === undefined || this.#line.state !== 'standing') return
    if (watched.look !== 'none') return void (watched.look = 'asked, and changed')
    watched.look = 'asked'
    void this.#ask(topic, watched)
  }

  async #ask(topic: string, watched: Watched): Promise<void> {
    const since = this.#engine.now
    try {
      const members: string[] = await this.#line.call(MEMBERS, [this.#key + topic], [])
      // The server was stopped, perhaps for longer than a lease.
      if (this.#engine.now - since > this.#period) this.#doubt()
      this.#tell(topic, watched, members)
    } catch (error) {
      // After a loss it looks again as soon as the line stands.
      if (!isAway(error)) this.#line.tell(error as Error)
    }
    const isChanged = watched.look === 'asked, and changed'
    watched.look = 'none'
    if (isChanged) this.#look(topic)
  }

  #tell(topic: string, watched: Watched, stored: readonly string[]): void {
    const before = watched.members
    const members = new Set(this.#own.get(topic))
    for (const each of stored) members.add(each.slice(this.#id.length))
    if (this.#engine.now < this.#doubtUntil) for (const each of before) members.add(each)
    watched.members = members
    const came = [...members].filter(each => !before.has(each))
    const went = [...before].filter(each => !members.has(each))
    this.#watchers.each(topic, (listener, watch) => {
      if (watch.isTold) return came.length + went.length > 0 && listener(came, went)
      watch.isTold = true
      watch.told.resolve()
      return listener([...members], [])
    })
  }

  // ---- leases -----------------------------------------------------------------------------------

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#cancel = this.#engine.cycle(this.#period, () => this.#turn())
  }

  /** The line stands. If it does so again, the server may have lost everything. */
  stood(isAgain: boolean): void {
    if (isAgain) this.#doubt()
    this.#turn()
  }

  #doubt(): void {
    this.#doubtUntil = this.#engine.now + this.#period
  }

  #turn(): void {
    if (this.#line.state !== 'standing') return
    for (const [topic, members] of this.#own)
      for (const some of parts([...members]))
        this.#renew(topic, some).catch(error => isAway(error) || this.#line.tell(error))
    for (const topic of this.#watched.keys()) this.#look(topic)
  }

  /** Its members are absent, if the server can be told. */
  close(): void {
    this.#cancel()
    if (this.#line.state === 'standing')
      for (const [topic, members] of this.#own)
        for (const some of parts([...members])) quiet(this.#remove(topic, some))
    this.#own.clear()
    for (const topic of this.#watchers.topics)
      this.#watchers.each(topic, (_, { told }) => told.reject(closedError()))
    this.#watchers.clear()
    this.#watched.clear()
  }
}

function newWatch(): Watch {
  const told = deferred<void>()
  quiet(told.promise)
  return { isTold: false, told }
}

function* parts(members: readonly string[]): Generator<string[]> {
  for (let at = 0; at < members.length; at += AT_ONCE) yield members.slice(at, at + AT_ONCE)
}
