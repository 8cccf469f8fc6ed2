/**
 * Layer 8. RelayPresence: who is present, and who watches them, whatever carries the relay. The
 * Presence of each carrier says how members are stored and heard of; the rest is here.
 *
 * Rules:
 * 1. What is stored is what was said last, also if it had to wait for the server.
 * 2. The first call of a watcher has all who are present. It is called again when somebody came or
 *    went.
 */

import { type Deferred, deferred } from '../core/deferred.ts'
import type { Engine } from '../engine.ts'
import { Listeners } from './listeners.ts'
import { closedError, type PresenceListener } from './relay.ts'
import { checkListener, checkMember } from './relay-checks.ts'
import type { RelayLine } from './relay-line.ts'

/** One watcher. */
interface Watch {
  /** Settles when its first call has been made, or will not be. */
  readonly told: Deferred<void>
  isTold: boolean
}

export abstract class RelayPresence {
  /** The members of this relay, by topic. */
  readonly own = new Map<string, Set<string>>()
  readonly #line: RelayLine
  readonly #watchers: Listeners<Parameters<PresenceListener>, Watch>

  constructor(engine: Engine, line: RelayLine) {
    this.#line = line
    this.#watchers = new Listeners(engine)
  }

  /** Stores that a member of this relay is present, or not. It may be called again. */
  abstract store(topic: string, member: string, isPresent: boolean): Promise<void>

  /** A topic has one more watcher. Resolves when `tell` was called, and is at each change. */
  abstract listen(topic: string): Promise<void>

  /** The last watcher of a topic has gone. */
  abstract unlisten(topic: string): void

  async present(topic: string, member: string): Promise<void> {
    checkMember('present', topic, member)
    this.#line.checkOpen()
    const members = this.own.get(topic)
    if (members === undefined) this.own.set(topic, new Set([member]))
    else members.add(member)
    await this.#store(topic, member, true)
  }

  async absent(topic: string, member: string): Promise<void> {
    checkMember('absent', topic, member)
    this.#line.checkOpen()
    const members = this.own.get(topic)
    if (members?.delete(member) !== true) return
    if (members.size === 0) this.own.delete(topic)
    await this.#store(topic, member, false)
  }

  #store(topic: string, member: string, isPresent: boolean): Promise<void> {
    return this.#line.persist(async () => {
      const members = this.own.get(topic)
      if ((members?.has(member) === true) === isPresent) await this.store(topic, member, isPresent)
    })
  }

  async watch(topic: string, listener: PresenceListener): Promise<void> {
    checkListener('watch', topic, listener)
    this.#line.checkOpen()
    this.#watchers.add(topic, listener, { told: deferred(), isTold: false })
    const { told } = this.#watchers.get(topic, listener) as Watch
    this.listen(topic).catch(told.reject)
    try {
      await told.promise
    } catch (error) {
      this.unwatch(topic, listener)
      throw this.#line.shown(error)
    }
  }

  unwatch(topic: string, listener: PresenceListener): void {
    checkListener('unwatch', topic, listener)
    this.#watchers.get(topic, listener)?.told.resolve()
    if (this.#watchers.delete(topic, listener)) this.unlisten(topic)
  }

  /** Tells what has changed, and all `members` to a watcher that was told nothing yet. */
  tell(
    topic: string,
    members: Iterable<string>,
    came: readonly string[],
    went: readonly string[],
  ): void {
    this.#watchers.each(topic, (listener, watch) => {
      if (watch.isTold) return came.length + went.length > 0 && listener(came, went)
      watch.isTold = true
      watch.told.resolve()
      return listener([...members], [])
    })
  }

  /** No watcher is called any more. */
  close(): void {
    this.own.clear()
    for (const topic of this.#watchers.topics)
      this.#watchers.each(topic, (_, { told }) => told.reject(closedError()))
    this.#watchers.clear()
  }
}
