/**
 * Layer 1. Deque: a queue of any length, whose items may also be put back at the front. (`shift` of
 * a long array moves all of it.)
 */

/** After this many taken items the array is cut, if they are half of it. */
const MANY = 1000

export class Deque<Item> {
  #items: (Item | undefined)[] = []
  /** This many items at the beginning are taken. Shifting each would be slow. */
  #taken = 0

  get size(): number {
    return this.#items.length - this.#taken
  }

  /** The item at that index, from the front. */
  at(index: number): Item | undefined {
    return this.#items[this.#taken + index]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    if (this.#taken === this.#items.length) return undefined
    const item = this.#items[this.#taken]
    this.#items[this.#taken++] = undefined
    if (this.#taken === this.#items.length) this.clear()
    else if (this.#taken >= MANY && this.#taken >= this.#items.length / 2) {
      this.#items = this.#items.slice(this.#taken)
      this.#taken = 0
    }
    return item
  }

  /** Puts an item back at the front. */
  unshift(item: Item): void {
    if (this.#taken > 0) this.#items[--this.#taken] = item
    else this.#items.unshift(item)
  }

  clear(): void {
    this.#items = []
    this.#taken = 0
  }

  /** Removes all items. Returns them in their order. */
  takeAll(): Item[] {
    const all = this.#items.slice(this.#taken) as Item[]
    this.clear()
    return all
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let at = this.#taken; at < this.#items.length; at++) yield this.#items[at] as Item
  }
}
