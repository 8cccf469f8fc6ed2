/**
 * Layer 1. Pool: objects that are idle and can be used again, instead of making new ones.
 *
 * For what nearly every channel needs, but hardly any at the same moment: a channel takes one when
 * bytes come or go, and gives it back when it has none left.
 */

export class Pool<Item> {
  readonly #idle: Item[] = []
  readonly #max: number

  /** Keeps at most `max` idle objects. */
  constructor(max: number) {
    this.#max = max
  }

  /** An idle object, or undefined if there is none: then make one. */
  take(): Item | undefined {
    return this.#idle.pop()
  }

  /** Keeps an object for the next `take`. If the pool is full, the object is dropped. */
  give(item: Item): void {
    if (this.#idle.length < this.#max) this.#idle.push(item)
  }
}
