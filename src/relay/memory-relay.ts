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
import type { Bytes, Milliseconds } from '../types.ts'
import { CarriedRelay, type Carrier } from './carried-relay.ts'
import { Subscribers } from './listeners.ts'
import { firstSeq, type RelayHistory, type RelayOptions } from './relay.ts'
import { relayValues, type RelayValues } from './relay-checks.ts'
import { RelayLine } from './relay-line.ts'
import { RelayPresence } from './relay-presence.ts'

/** 64 MiB: 64 000 entries of a kilobyte. */
const HISTORY_BYTES = 64 * 1024 * 1024

/** What an entry costs beside its bytes: the Buffer, its time, its places in two arrays. */
const ENTRY_BYTES = 200

/** What a topic costs without an entry, beside its name. */
const TOPIC_BYTES: Bytes = 500

/** The last seq of a topic is known this much longer than its entries: one day, as with Redis. */
const SEQ_AGE: Milliseconds = 86_400_000

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

/** Has it done in the engine's next turn, after what was said before. */
type Say = (what: () => void) => void

class MemoryPresence extends RelayPresence {
  readonly #say: Say
  /** Those of whom it was told that they are present. */
  readonly #members = new Map<string, Set<string>>()

  constructor(engine: Engine, line: RelayLine, say: Say) {
    super(engine, line)
    this.#say = say
  }

  async store(topic: string, member: string, isPresent: boolean): Promise<void> {
    this.#say(() => {
      const members = this.#members.get(topic) ?? new Set()
      if (members.has(member) === isPresent) return
      if (isPresent) this.#members.set(topic, members.add(member))
      else if (members.delete(member) && members.size === 0) this.#members.delete(topic)
      this.tell(topic, members, isPresent ? [member] : [], isPresent ? [] : [member])
    })
  }

  async listen(topic: string): Promise<void> {
    this.#say(() => this.tell(topic, this.#members.get(topic) ?? [], [], []))
  }

  unlisten(): void {}
}

/** A relay in memory. All that have the same object share its topics. */
export class MemoryRelay extends CarriedRelay {
  /** Throws InvalidArgumentError if an option is unknown or invalid. */
  constructor(options: RelayOptions = {}) {
    super(new MemoryCarrier(relayValues('new MemoryRelay', options)))
  }
}

class MemoryCarrier implements Carrier {
  readonly line: RelayLine
  readonly presence: MemoryPresence
  readonly subscribers: Subscribers
  readonly #engine: Engine
  readonly #history: number
  readonly #age: Milliseconds
  /** Those with a history, from the one that was not appended to for longest. */
  readonly #topics = new Map<string, Topic>()
  #size: Bytes = 0
  /** What is said in the next turn. */
  #said: (() => void)[] = []

  constructor({ engine, history, age }: RelayValues) {
    this.#engine = engine
    this.#history = history
    this.#age = age
    this.line = new RelayLine(engine, 'memory')
    this.line.arrived()
    this.presence = new MemoryPresence(engine, this.line, what => this.#say(what))
    this.subscribers = new Subscribers(engine)
  }

  publish(topic: string, bytes: Buffer): boolean {
    this.#say(() => this.subscribers.call(topic, bytes, undefined))
    return true
  }

  async subscribe(): Promise<void> {}

  unsubscribe(): void {}

  async append(topic: string, bytes: Buffer): Promise<number> {
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
    this.#say(() => this.subscribers.call(topic, bytes, seq))
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

  async read(topic: string, seq: number, limit: number): Promise<RelayHistory> {
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

  async close(): Promise<void> {
    this.line.over()
    this.#topics.clear()
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
