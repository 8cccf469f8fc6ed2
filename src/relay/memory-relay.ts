/**
 * Layer 8. The relay of one process: the default of rooms and envelopes.
 *
 * The way of a message: `publish` or `append` → the list of what is to be said → in the engine's
 * next turn to the listeners. What `append` has stored stays in its topic's history until it is
 * trimmed.
 *
 * Bounds: a topic holds `history` entries. All topics together hold `HISTORY_BYTES`; beyond that,
 * the topic that was not appended to for the longest time is forgotten.
 */

import type { Engine } from '../engine.ts'
import type { Bytes, Data, Milliseconds } from '../types.ts'
import {
  checkListener,
  checkMember,
  checkReading,
  checkTopic,
  relayValues,
  toBuffer,
} from './checks.ts'
import { Listeners } from './listeners.ts'
import {
  closedError,
  firstSeq,
  type PresenceListener,
  type Relay,
  type RelayHistory,
  type RelayListener,
  type RelayOptions,
  type SubscribeOptions,
} from './relay.ts'

/** 64 MiB: 64 000 entries of a kilobyte. */
const HISTORY_BYTES = 64 * 1024 * 1024

/** What an entry costs beside its bytes: the Buffer, its time, its places in two arrays. */
const ENTRY_BYTES = 200

/** What a topic costs without an entry, beside its name. */
const TOPIC_BYTES: Bytes = 500

/** The last seq of a topic is known this much longer than its entries: one day, as with Redis. */
const SEQ_AGE: Milliseconds = 86_400_000

/** How many entries `read_after` returns if it is not told. */
const LIMIT = 1000

/** The history of one topic. The entry at `index` has the seq `first + index`. */
class Topic {
  first = firstSeq()
  size: Bytes
  /** When it was appended to last. */
  since: Milliseconds = 0
  readonly bytes: Buffer[] = []
  readonly times: Milliseconds[] = []

  constructor(name: string) {
    this.size = TOPIC_BYTES + 2 * name.length
  }

  get next(): number {
    return this.first + this.bytes.length
  }

  push(bytes: Buffer, now: Milliseconds): void {
    this.bytes.push(bytes)
    this.times.push(now)
    this.since = now
    this.size += bytes.length + ENTRY_BYTES
  }

  /** Drops the oldest entry. */
  shift(): void {
    this.first += 1
    this.times.shift()
    this.size -= this.bytes.shift()!.length + ENTRY_BYTES
  }
}

/** Has the first call of a watcher been made? */
interface Watch {
  isTold: boolean
}

/** A relay in memory. Whoever has the same object shares its topics. */
export class MemoryRelay implements Relay {
  readonly opened: Promise<void> = Promise.resolve()

  readonly #engine: Engine
  readonly #history: number
  readonly #age: Milliseconds
  readonly #listeners: Listeners<Parameters<RelayListener>, undefined>
  readonly #watchers: Listeners<Parameters<PresenceListener>, Watch>
  /** Those with a history, from the one that was not appended to for longest. */
  readonly #topics = new Map<string, Topic>()
  #size = 0
  readonly #members = new Map<string, Set<string>>()
  /** What is said in the next turn. */
  #said: (() => void)[] = []
  #isClosed = false

  /** Throws InvalidArgumentError if an option is unknown or invalid. */
  constructor(options: RelayOptions = {}) {
    const { engine, history, age } = relayValues('new MemoryRelay', options)
    this.#engine = engine
    this.#history = history
    this.#age = age
    const log = (message: string, error: unknown): void => this.#engine.log(message, error)
    this.#listeners = new Listeners(log)
    this.#watchers = new Listeners(log)
  }

  publish(topic: string, data: Data): boolean {
    checkTopic('publish', topic)
    const bytes = toBuffer('publish', data)
    if (this.#isClosed) return false
    this.#say(() => this.#listeners.call(topic, bytes, undefined))
    return true
  }

  async append(topic: string, data: Data): Promise<number> {
    checkTopic('append', topic)
    const bytes = toBuffer('append', data)
    this.#checkOpen()
    let history = this.#topics.get(topic)
    if (history !== undefined) this.#size -= history.size
    else history = new Topic(topic)
    const seq = history.next
    history.push(bytes, this.#engine.now)
    this.#trim(history)
    this.#size += history.size
    this.#topics.delete(topic)
    this.#topics.set(topic, history)
    this.#forget()
    this.#say(() => this.#listeners.call(topic, bytes, seq))
    return seq
  }

  /** Drops what the options do not want kept. */
  #trim(history: Topic): void {
    const oldest = this.#engine.now - this.#age
    while (history.bytes.length > this.#history || history.times[0]! < oldest) history.shift()
  }

  /**
   * Drops whole topics: those that were not appended to for long, and more until the rest fits. The
   * last one is that which was just appended to.
   */
  #forget(): void {
    const oldest = this.#engine.now - this.#age - SEQ_AGE
    for (const [name, { size, since }] of this.#topics) {
      const isKept = this.#size <= HISTORY_BYTES && since >= oldest
      if (isKept || this.#topics.size === 1) break
      this.#topics.delete(name)
      this.#size -= size
    }
  }

  async read_after(topic: string, seq: number, limit = LIMIT): Promise<RelayHistory> {
    checkReading(topic, seq, limit)
    this.#checkOpen()
    const history = this.#topics.get(topic)
    if (history === undefined) return { entries: [], first: 1, last: 0 }
    this.#size -= history.size
    this.#trim(history)
    this.#size += history.size
    const { first, next } = history
    const from = Math.max(0, seq + 1 - first)
    const entries = history.bytes
      .slice(from, from + limit)
      .map((bytes, index) => ({ seq: first + from + index, bytes }))
    return { entries, first, last: next - 1 }
  }

  async subscribe(
    topic: string,
    listener: RelayListener,
    options: SubscribeOptions = {},
  ): Promise<void> {
    checkListener('subscribe', topic, listener, options)
    this.#checkOpen()
    this.#listeners.add(topic, listener, undefined)
  }

  unsubscribe(topic: string, listener: RelayListener): void {
    checkListener('unsubscribe', topic, listener)
    this.#listeners.delete(topic, listener)
  }

  async present(topic: string, member: string): Promise<void> {
    checkMember('present', topic, member)
    this.#checkOpen()
    let members = this.#members.get(topic)
    if (members === undefined) this.#members.set(topic, (members = new Set()))
    if (members.has(member)) return
    members.add(member)
    this.#say(() => this.#tell(topic, [member], []))
  }

  async absent(topic: string, member: string): Promise<void> {
    checkMember('absent', topic, member)
    this.#checkOpen()
    const members = this.#members.get(topic)
    if (members?.delete(member) !== true) return
    if (members.size === 0) this.#members.delete(topic)
    this.#say(() => this.#tell(topic, [], [member]))
  }

  async watch(topic: string, listener: PresenceListener): Promise<void> {
    checkListener('watch', topic, listener)
    this.#checkOpen()
    this.#watchers.add(topic, listener, { isTold: false })
    const present = [...(this.#members.get(topic) ?? [])]
    await new Promise<void>(resolve => {
      this.#say(() => {
        this.#watchers.each(topic, (each, watch) => {
          if (each !== listener || watch.isTold) return
          watch.isTold = true
          each(present, [])
        })
        resolve()
      })
    })
  }

  unwatch(topic: string, listener: PresenceListener): void {
    checkListener('unwatch', topic, listener)
    this.#watchers.delete(topic, listener)
  }

  /** Tells the watchers, except those whose first call comes yet: it has this already. */
  #tell(topic: string, came: readonly string[], went: readonly string[]): void {
    this.#watchers.each(topic, (listener, { isTold }) => {
      if (isTold) listener(came, went)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    this.#watchers.clear()
    this.#topics.clear()
    this.#members.clear()
    this.#size = 0
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedError()
  }

  #say(what: () => void): void {
    if (this.#said.push(what) > 1) return
    this.#engine.callback(() => {
      const said = this.#said
      this.#said = []
      for (const each of said) each()
    })
  }
}
