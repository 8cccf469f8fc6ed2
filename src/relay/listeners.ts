/**
 * Layer 8. The listeners of a relay, by topic: what all relays have in common in one process.
 *
 * A listener that throws, or whose promise rejects, disturbs nobody. While a message is delivered,
 * one that is removed is not called any more, and one that is added is not called yet.
 */

import { attempt } from '../core/promises.ts'
import { type Engine, logSafely } from '../engine.ts'
import { messageOf } from '../errors.ts'
import type { RelayListener, SubscribeOptions } from './relay.ts'

export class Listeners<Args extends readonly unknown[], Extra> {
  readonly #topics = new Map<string, Map<(...args: Args) => void, Extra>>()
  readonly #engine: Pick<Engine, 'log'>

  /** `engine`: logs what a listener throws. */
  constructor(engine: Pick<Engine, 'log'>) {
    this.#engine = engine
  }

  /** The topics that have a listener. */
  get topics(): Iterable<string> {
    return this.#topics.keys()
  }

  /** Returns true if it is the first one of its topic. A listener is there once. */
  add(topic: string, listener: (...args: Args) => void, extra: Extra): boolean {
    const listeners = this.#topics.get(topic)
    if (listeners !== undefined) {
      if (!listeners.has(listener)) listeners.set(listener, extra)
      return false
    }
    this.#topics.set(topic, new Map([[listener, extra]]))
    return true
  }

  /** Returns true if it was the last one of its topic. */
  delete(topic: string, listener: (...args: Args) => void): boolean {
    const listeners = this.#topics.get(topic)
    if (listeners?.delete(listener) !== true || listeners.size > 0) return false
    return this.#topics.delete(topic)
  }

  /** What it was added with. */
  get(topic: string, listener: (...args: Args) => void): Extra | undefined {
    return this.#topics.get(topic)?.get(listener)
  }

  clear(): void {
    for (const listeners of this.#topics.values()) listeners.clear()
    this.#topics.clear()
  }

  /** Calls the listeners of a topic. */
  call(topic: string, ...args: Args): void {
    this.each(topic, listener => listener(...args))
  }

  /** Calls back for each listener of a topic. */
  each(
    topic: string,
    callback: (listener: (...args: Args) => void, extra: Extra) => unknown,
  ): void {
    const listeners = this.#topics.get(topic)
    if (listeners === undefined) return
    let left = listeners.size
    for (const [listener, extra] of listeners) {
      if (left-- === 0) break
      attempt(
        () => callback(listener, extra),
        error => {
          const message = `a listener of ${JSON.stringify(topic)} threw: ${messageOf(error)}`
          logSafely(this.#engine, message, error)
        },
      )
    }
  }
}

/** Those who hear the messages of a relay. */
export class Subscribers extends Listeners<Parameters<RelayListener>, SubscribeOptions> {
  /** The subscription of a topic was interrupted, and stands again. */
  gap(topic: string): void {
    this.each(topic, (_, { on_gap }) => on_gap?.())
  }
}
