/**
 * Layer 8. The listeners of a relay, by topic: what all relays have in common in one process.
 *
 * A listener that throws, or whose promise rejects, disturbs nobody.
 */

import { Callees } from '../core/callees.ts'
import { attempt } from '../core/promises.ts'
import { type Engine, logSafely } from '../engine.ts'
import { messageOf } from '../errors.ts'
import type { RelayListener, SubscribeOptions } from './relay.ts'

export class Listeners<Args extends readonly unknown[], Extra> {
  readonly #topics = new Map<string, Callees<(...args: Args) => void, Extra>>()
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
    const known = this.#topics.get(topic)
    if (known?.has(listener) === true) return false
    const listeners = known ?? new Callees()
    listeners.set(listener, extra)
    this.#topics.set(topic, listeners)
    return known === undefined
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
    const failed = (error: unknown): void => {
      const message = `a listener of ${JSON.stringify(topic)} threw: ${messageOf(error)}`
      logSafely(this.#engine, message, error)
    }
    const listeners = this.#topics.get(topic)
    listeners?.each((listener, extra) => attempt(() => callback(listener, extra), failed))
  }
}

/** Those who hear the messages of a relay. */
export class Subscribers extends Listeners<Parameters<RelayListener>, SubscribeOptions> {
  /** The subscription of a topic was interrupted, and stands again. */
  gap(topic: string): void {
    this.each(topic, (_, { on_gap }) => on_gap?.())
  }
}
