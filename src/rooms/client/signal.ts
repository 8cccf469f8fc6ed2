/**
 * Layer 9. Signal: a value that changes, and tells its subscribers.
 *
 * Rules:
 * 1. Subscribers are told of each change later, as microtasks, in order. Refused: at once. A
 *    subscriber that closes the channel would do so in the middle of its change.
 * 2. A value that is set again is no change.
 */

import type { Cancel } from '../../types.ts'
import { checkHandler } from './handlers.ts'

/** A value that changes: call it to get the value, or subscribe to be told of changes. */
export interface Signal<Value> {
  (): Value
  /**
   * Calls `subscriber` with each new value, soon after it has changed. Returns the function that
   * ends the subscription. Throws InvalidArgumentError unless it is a function.
   */
  subscribe(subscriber: (value: Value) => unknown): Cancel
}

/** A signal, and the function that sets its value. `failed` gets what a subscriber throws. */
export function createSignal<Value>(
  value: Value,
  failed: (error: unknown) => void,
): [Signal<Value>, (value: Value) => void] {
  const subscribers = new Map<object, (value: Value) => unknown>()
  const signal = Object.assign(() => value, {
    subscribe(subscriber: (value: Value) => unknown): Cancel {
      checkHandler(subscriber)
      const key = {}
      subscribers.set(key, subscriber)
      return () => void subscribers.delete(key)
    },
  })
  const set = (next: Value): void => {
    if (next === value) return
    value = next
    for (const key of subscribers.keys())
      Promise.resolve()
        .then(() => subscribers.get(key)?.(next))
        .catch(failed)
  }
  return [signal, set]
}
