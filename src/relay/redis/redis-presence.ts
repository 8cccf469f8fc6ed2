/**
 * Layer 8. RedisPresence: the members of a RedisRelay, each with a lease. Who watches them is in
 * relay-presence.ts.
 *
 * Four times in a lease it renews its own members and looks at those that are watched. A lease on
 * the server ends after three quarters, so a member that does not renew is gone within one.
 *
 * A change is told on a channel, without saying which: a watcher that hears it looks. So what is
 * told is always what the server has, also after messages were lost; and a thousand changes at
 * once are a few looks.
 *
 * Rules:
 * 1. Its own members are present, whatever the server says: it may have lost them a moment ago.
 * 2. After an interruption nobody has gone until the others have had the time to renew.
 */

import { randomUUID } from 'node:crypto'
import { noop } from '../../core/noop.ts'
import { quiet } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { isAway } from '../relay-line.ts'
import { RelayPresence } from '../relay-presence.ts'
import type { RedisLine } from './redis-line.ts'
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

export class RedisPresence extends RelayPresence {
  readonly #engine: Engine
  readonly #line: RedisLine
  readonly #period: Milliseconds
  readonly #lease: Milliseconds
  /** What stands before its own members on the server. */
  readonly #id = `${randomUUID()} `
  readonly #channel: string
  /** What stands before a topic on the server. */
  readonly #key: string
  readonly #watched = new Map<string, Watched>()
  #cancel: Cancel = noop
  /** Until then nobody has gone. */
  #doubtUntil: Milliseconds = 0

  constructor(engine: Engine, line: RedisLine, prefix: string, lease: Milliseconds) {
    super(engine, line)
    this.#engine = engine
    this.#line = line
    this.#period = Math.max(1, lease / RENEWALS)
    this.#lease = Math.max(1, Math.round(lease - this.#period))
    this.#channel = `${prefix}:${line.db}:members:`
    this.#key = `${prefix}:members:`
  }

  // ---- members of this relay --------------------------------------------------------------------

  store(topic: string, member: string, isPresent: boolean): Promise<void> {
    this.#run()
    return isPresent ? this.#renew(topic, [member]) : this.#remove(topic, [member])
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

  async listen(topic: string): Promise<void> {
    if (!this.#watched.has(topic)) this.#watched.set(topic, { members: new Set(), look: 'none' })
    this.#run()
    const look = (): void => this.#look(topic)
    await this.#line.subscribe(this.#channel + topic, this.#changed, look)
    await this.#line.persist(() => this.#ask(topic))
  }

  unlisten(topic: string): void {
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
    void this.#ask(topic)
      .catch(this.#failed)
      .then(() => {
        const isChanged = watched.look === 'asked, and changed'
        watched.look = 'none'
        if (isChanged) this.#look(topic)
      })
  }

  /** After a loss everything is repeated as soon as the line stands. */
  readonly #failed = (error: Error): void => {
    if (!isAway(error)) this.#line.tell(error)
  }

  async #ask(topic: string): Promise<void> {
    const since = this.#engine.now
    const stored: string[] = await this.#line.call(MEMBERS, [this.#key + topic], [])
    // The server was stopped, perhaps for longer than a lease.
    if (this.#engine.now - since > this.#period) this.#doubt()
    const watched = this.#watched.get(topic)
    if (watched === undefined) return
    const before = watched.members
    const members = new Set(this.own.get(topic))
    for (const each of stored) members.add(each.slice(this.#id.length))
    if (this.#engine.now < this.#doubtUntil) for (const each of before) members.add(each)
    watched.members = members
    const came = [...members].filter(each => !before.has(each))
    const went = [...before].filter(each => !members.has(each))
    this.tell(topic, members, came, went)
  }

  // ---- leases -----------------------------------------------------------------------------------

  #run(): void {
    if (this.#cancel === noop) this.#cancel = this.#engine.cycle(this.#period, () => this.#turn())
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
    for (const [topic, members] of this.own)
      for (const some of parts([...members])) this.#renew(topic, some).catch(this.#failed)
    for (const topic of this.#watched.keys()) this.#look(topic)
  }

  /** Its members are absent, if the server can be told. */
  override close(): void {
    this.#cancel()
    if (this.#line.state === 'standing')
      for (const [topic, members] of this.own)
        for (const some of parts([...members])) quiet(this.#remove(topic, some))
    this.#watched.clear()
    super.close()
  }
}

function* parts(members: readonly string[]): Generator<string[]> {
  for (let at = 0; at < members.length; at += AT_ONCE) yield members.slice(at, at + AT_ONCE)
}
