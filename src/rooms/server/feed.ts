/**
 * Layer 9. Feed: the messages of one room, as this process hears them from the relay. With a
 * history each message is heard once, in the order of the numbers. What is gone for good is
 * reported.
 *
 * Calls: open → say, catchUp → close. The way of a message: say → the relay → heard, in each
 * process that has the room, this one among them.
 *
 * Rules:
 * 1. `position` is the number up to which everything was heard. It only grows. While it is 0, the
 *    feed is not open, or has no history.
 * 2. A message with a number beyond the next one is not heard. Instead the history is read from
 *    `position` on. The same is done when the subscription was interrupted.
 * 3. If there is no history, and the server of the relay is away, this process still hears what it
 *    says itself.
 */

import { deferred } from '../../core/deferred.ts'
import type { Engine } from '../../engine.ts'
import { insist } from '../../relay/insist.ts'
import type { Relay } from '../../relay/relay.ts'
import { HistoryOutbox, type HistoryOutboxOwner } from './history-outbox.ts'
import { BEGINNING, packRecord, type RoomRecord, unpackRecord } from './record.ts'

export interface FeedOwner {
  readonly engine: Engine
  readonly relay: Relay
  readonly topic: string
  readonly hasHistory: boolean
  heard(record: RoomRecord, seq: number | undefined): void
  /** The messages from … to are gone for good. */
  lost(from: number, to: number): void
  failed(error: unknown): void
  /** All that was said is stored. */
  settled(): void
}

/** How many entries are read at once. */
const PAGE = 500

export class Feed implements HistoryOutboxOwner {
  readonly #owner: FeedOwner
  readonly #outbox = new HistoryOutbox(this)
  isOpen = true
  position = 0
  /** The highest number that has come while the history was read. */
  #announced = 0
  #reading: Promise<void> | undefined

  constructor(owner: FeedOwner) {
    this.#owner = owner
  }

  get engine(): Engine {
    return this.#owner.engine
  }

  readonly #isOpen = (): boolean => this.isOpen

  /** Resolves when everything that is said from now on is heard. */
  async open(): Promise<void> {
    const { relay, topic, hasHistory } = this.#owner
    const { promise, resolve } = deferred<void>()
    // What comes now waits until `position` is known.
    if (hasHistory) this.#reading = promise
    const options = { on_gap: () => this.#interrupted() }
    try {
      await insist(this.engine, this.#isOpen, () => relay.subscribe(topic, this.#listener, options))
      if (!hasHistory) return
      // Nothing is appended before: what is stored up to here is not looked at again.
      this.position = await this.#begin()
    } catch (error) {
      this.#outbox.giveUp(error)
      throw error
    } finally {
      this.#reading = undefined
      resolve()
    }
    this.#outbox.begin()
    if (this.#announced > this.position) await this.catchUp()
  }

  /** The last number of the room. A room that has none gets its first. */
  async #begin(): Promise<number> {
    const { relay, topic } = this.#owner
    const asked = <Value>(call: () => Promise<Value>): Promise<Value> =>
      insist(this.engine, this.#isOpen, call)
    const { last } = await asked(() => relay.read_after(topic, 0, 1))
    return last > 0 ? last : asked(() => relay.append(topic, BEGINNING))
  }

  readonly #listener = (bytes: Buffer, seq: number | undefined): void => {
    if (seq === undefined || !this.#owner.hasHistory) return this.#hear(bytes, undefined)
    if (seq <= this.position) return
    if (this.#reading === undefined && seq === this.position + 1) return this.#hear(bytes, seq)
    this.#announced = Math.max(this.#announced, seq)
    this.#interrupted()
  }

  #hear(bytes: Buffer, seq: number | undefined): void {
    if (seq !== undefined) this.position = seq
    const record = unpackRecord(bytes)
    if (record === undefined) return
    if (seq !== undefined) this.#outbox.stored(record.id)
    this.#owner.heard(record, seq)
  }

  /** Returns false if there is no room for it. */
  say(record: RoomRecord): boolean {
    const { relay, topic, hasHistory } = this.#owner
    const data = packRecord(record)
    if (hasHistory) return this.#outbox.add(record.id, data)
    if (!relay.publish(topic, data)) {
      const bytes = Buffer.from(data)
      queueMicrotask(() => {
        if (this.isOpen) this.#hear(bytes, undefined)
      })
    }
    return true
  }

  append(data: string): Promise<number> {
    return this.#owner.relay.append(this.#owner.topic, data)
  }

  failed(error: unknown): void {
    if (this.isOpen) this.#owner.failed(error)
  }

  /** Is all that was said stored? */
  get isSettled(): boolean {
    return this.#outbox.isEmpty
  }

  settled(): void {
    this.#owner.settled()
  }

  // ---- after a gap ------------------------------------------------------------------------------

  #interrupted(): void {
    if (!this.#owner.hasHistory || this.#reading !== undefined) return
    this.catchUp().catch((error: unknown) => this.failed(error))
  }

  /** Resolves when everything that is in the history has been heard. */
  catchUp(): Promise<void> {
    this.#reading ??= this.#read()
    return this.#reading
  }

  async #read(): Promise<void> {
    try {
      while (await this.#readPage());
    } finally {
      // Not later: whatever comes from now on must be looked at.
      this.#reading = undefined
    }
  }

  /** Returns true if there may be more. */
  async #readPage(): Promise<boolean> {
    const { relay, topic } = this.#owner
    const { entries, first, last } = await insist(this.engine, this.#isOpen, () =>
      relay.read_after(topic, this.position, PAGE),
    )
    if (!this.isOpen) return false
    if (first > this.position + 1) {
      this.#owner.lost(this.position + 1, first - 1)
      this.position = first - 1
    }
    for (const { bytes, seq } of entries) if (seq > this.position) this.#hear(bytes, seq)
    return entries.length > 0 && this.position < Math.max(last, this.#announced)
  }

  close(): void {
    this.isOpen = false
    this.#owner.relay.unsubscribe(this.#owner.topic, this.#listener)
  }
}
