/**
 * Layer 8. Roll: who is present on one topic, from what was heard of each member by each relay.
 *
 * Rules:
 * 1. What was heard on this connection is newer than what is read.
 * 2. A member that was not heard for `BEATS` beats has gone.
 */

/** How many beats a lease has. */
export const BEATS = 4

/** What was heard last of a member by one relay. */
interface Heard {
  readonly member: string
  readonly isHere: boolean
  /** In beats. */
  age: number
  /** Was it heard on this connection? */
  isFresh: boolean
}

/** Those who came and went. */
interface Changes {
  readonly came: readonly string[]
  readonly went: readonly string[]
}

export class Roll {
  /** By member and relay. */
  readonly #heard = new Map<string, Heard>()
  /** Those who are here: by how many relays. */
  readonly #here = new Map<string, number>()
  /** Since the last `take`: true for those who came. */
  readonly #changed = new Map<string, boolean>()

  /** `said`: + or -, and the name. `key`: of the member and the relay. */
  hear(key: string, said: string): void {
    this.#note(key, said, true)
  }

  /** The same from the stream. */
  read(key: string, said: string): void {
    if (this.#heard.get(key)?.isFresh !== true) this.#note(key, said, false)
  }

  #note(key: string, said: string, isFresh: boolean): void {
    const isHere = said.startsWith('+')
    const member = said.slice(1)
    const wasHere = this.#heard.get(key)?.isHere === true
    this.#heard.set(key, { member, isHere, age: 0, isFresh })
    if (isHere !== wasHere) this.#count(member, isHere ? 1 : -1)
  }

  #count(member: string, more: number): void {
    const before = this.#here.get(member) ?? 0
    const after = before + more
    if (after === 0) this.#here.delete(member)
    else this.#here.set(member, after)
    if (before > 0 && after > 0) return
    // Who came and went at once has done neither.
    if (!this.#changed.delete(member)) this.#changed.set(member, after > 0)
  }

  /** A beat was answered: a member that was not heard for BEATS of them has gone. */
  beat(): void {
    for (const [key, heard] of this.#heard) {
      if (++heard.age < BEATS) continue
      this.#heard.delete(key)
      if (heard.isHere) this.#count(heard.member, -1)
    }
  }

  /** Another connection: nobody was heard on it yet. Each has its lease from now on. */
  renew(): void {
    for (const heard of this.#heard.values()) {
      heard.age = 0
      heard.isFresh = false
    }
  }

  /** What has changed since the last time. */
  take(): Changes {
    const came: string[] = []
    const went: string[] = []
    for (const [member, isHere] of this.#changed) (isHere ? came : went).push(member)
    this.#changed.clear()
    return { came, went }
  }

  /** Those who are here. */
  [Symbol.iterator](): Iterator<string> {
    return this.#here.keys()
  }
}
