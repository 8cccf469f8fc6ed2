/**
 * A relay whose messages are delayed: what goes out and what comes in each takes some turns of the
 * loop, at random, and stays in order. Whatever is promised must hold over it, too.
 */

import type {
  PresenceListener,
  Relay,
  RelayHistory,
  RelayListener,
  SubscribeOptions,
} from '../../src/relay/relay.ts'
import { turn } from '../kit.ts'

/** The longest delay, in turns. */
const LONGEST = 5

/** Does one thing after the other, each after a delay. */
class Lane {
  #last: Promise<unknown> = Promise.resolve()

  /** Resolves when it begins; the next one does not wait until it has ended. */
  pass(): Promise<void> {
    const passed = this.#last.then(async () => {
      for (let left = Math.floor(Math.random() * LONGEST); left > 0; left--) await turn()
    })
    this.#last = passed
    return passed
  }
}

export class DelayedRelay implements Relay {
  readonly opened: Promise<void>
  readonly #inner: Relay
  readonly #out = new Lane()
  readonly #in = new Lane()
  readonly #listeners = new Map<string, Map<RelayListener, RelayListener>>()
  readonly #watchers = new Map<string, Map<PresenceListener, PresenceListener>>()
  #closed: Promise<void> | undefined

  constructor(inner: Relay) {
    this.#inner = inner
    this.opened = inner.opened
  }

  async #call<Value>(call: () => Promise<Value>): Promise<Value> {
    if (this.#closed !== undefined) {
      await this.#closed
      return call()
    }
    await this.#out.pass()
    const value = await call()
    await this.#in.pass()
    return value
  }

  publish(topic: string, data: string | Uint8Array): boolean {
    // What the call itself refuses is refused at once.
    if (this.#closed !== undefined || typeof topic !== 'string' || !isData(data))
      return this.#inner.publish(topic, data)
    const bytes = Buffer.from(data as Uint8Array)
    void this.#out.pass().then(() => this.#inner.publish(topic, bytes))
    return true
  }

  append(topic: string, data: string | Uint8Array): Promise<number> {
    const bytes = isData(data) ? Buffer.from(data as Uint8Array) : data
    return this.#call(() => this.#inner.append(topic, bytes))
  }

  subscribe(topic: string, listener: RelayListener, options?: SubscribeOptions): Promise<void> {
    const of = wrapped(this.#listeners, topic)
    const given =
      of.get(listener) ?? (typeof listener === 'function' ? this.#later(of, listener) : listener)
    return this.#call(() => this.#inner.subscribe(topic, given, options))
  }

  #later(of: Map<RelayListener, RelayListener>, listener: RelayListener): RelayListener {
    const later: RelayListener = (bytes, seq) =>
      void this.#in.pass().then(() => {
        if (of.get(listener) === later && this.#closed === undefined)
          quietly(() => listener(bytes, seq))
      })
    of.set(listener, later)
    return later
  }

  unsubscribe(topic: string, listener: RelayListener): void {
    const of = wrapped(this.#listeners, topic)
    const later = of.get(listener)
    if (later === undefined) return
    of.delete(listener)
    void this.#out.pass().then(() => this.#inner.unsubscribe(topic, later))
  }

  read_after(topic: string, seq: number, limit?: number): Promise<RelayHistory> {
    return this.#call(() => this.#inner.read_after(topic, seq, limit))
  }

  present(topic: string, member: string): Promise<void> {
    return this.#call(() => this.#inner.present(topic, member))
  }

  absent(topic: string, member: string): Promise<void> {
    return this.#call(() => this.#inner.absent(topic, member))
  }

  watch(topic: string, listener: PresenceListener): Promise<void> {
    const of = wrapped(this.#watchers, topic)
    const later: PresenceListener = (came, went) =>
      void this.#in.pass().then(() => {
        if (of.get(listener) === later && this.#closed === undefined) listener(came, went)
      })
    if (typeof listener !== 'function') return this.#inner.watch(topic, listener)
    if (!of.has(listener)) of.set(listener, later)
    return this.#call(() => this.#inner.watch(topic, of.get(listener)!))
  }

  unwatch(topic: string, listener: PresenceListener): void {
    const of = wrapped(this.#watchers, topic)
    const later = of.get(listener)
    of.delete(listener)
    if (later !== undefined) void this.#out.pass().then(() => this.#inner.unwatch(topic, later))
  }

  close(): Promise<void> {
    this.#closed ??= this.#out.pass().then(() => this.#inner.close())
    return this.#closed
  }
}

function isData(data: unknown): boolean {
  return typeof data === 'string' || data instanceof Uint8Array
}

function quietly(call: () => void): void {
  try {
    call()
  } catch {
    // The relay would log it.
  }
}

function wrapped<Of>(all: Map<string, Map<Of, Of>>, topic: string): Map<Of, Of> {
  let of = all.get(topic)
  if (of === undefined) all.set(topic, (of = new Map()))
  return of
}
