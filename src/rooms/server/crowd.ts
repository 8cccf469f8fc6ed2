/**
 * Layer 9. Crowd: the members of one room in this process, and what is said to them.
 *
 * The way of a message: say → (what else is said in this turn) → flush → one post for each
 * entrance.
 *
 * Rules:
 * 1. What is said in one turn is packed once, and written once to each member.
 * 2. Everything is flushed before a member comes or leaves. So a new member gets nothing of what
 *    was said before it came, and one that leaves gets all that was said before.
 * 3. A member that does not take a message is reported to `slow`, and holds up no other one. If the
 *    message is volatile, the member only misses it.
 */

import type { Entrance, Link } from './entrance.ts'
import type { Seat } from './seat.ts'

/** What is said. */
export interface Said {
  readonly text: string
  /** Its number in the history; undefined if there is none. */
  readonly seq?: number | undefined
  /** The member that has said it, and does not get it. */
  readonly except?: Seat | undefined
  readonly isVolatile?: boolean
}

export interface CrowdOwner {
  /** The member did not take a message. */
  slow(seat: Seat): void
  /** What a member that has spoken gets after the messages of others; undefined: nothing. */
  echo(seq: number): string
}

export class Crowd {
  readonly #owner: CrowdOwner
  readonly #seats = new Map<Entrance, Map<Link, Seat>>()
  #said: Said[] = []
  #size = 0

  constructor(owner: CrowdOwner) {
    this.#owner = owner
  }

  get size(): number {
    return this.#size
  }

  /** All members, in the order in which they came. */
  *[Symbol.iterator](): IterableIterator<Seat> {
    for (const seats of this.#seats.values()) yield* seats.values()
  }

  add(seat: Seat): void {
    this.flush()
    const { entrance, link } = seat
    let seats = this.#seats.get(entrance)
    if (seats === undefined) this.#seats.set(entrance, (seats = new Map()))
    seats.set(link, seat)
    this.#size += 1
  }

  /** It must be in here. */
  delete(seat: Seat): void {
    this.flush()
    const seats = this.#seats.get(seat.entrance)
    // It may have left in the flush, because it was too slow.
    if (seats?.delete(seat.link) !== true) return
    if (seats.size === 0) this.#seats.delete(seat.entrance)
    this.#size -= 1
  }

  /** Sends it at the end of what runs now. */
  say(said: Said): void {
    if (this.#size === 0) return
    // Otherwise a member could miss a message that is not volatile.
    if (this.#said.length > 0 && this.#said[0]!.isVolatile !== said.isVolatile) this.flush()
    if (this.#said.push(said) === 1) queueMicrotask(() => this.flush())
  }

  /** Sends at once what was said so far. */
  flush(): void {
    const said = this.#said
    if (said.length === 0) return
    this.#said = []
    const texts = said.map(each => each.text)
    const speakers = new Set<Seat>()
    for (const { except } of said) if (except !== undefined) speakers.add(except)
    for (const [entrance, seats] of [...this.#seats]) {
      const links: Iterable<Link> = speakers.size === 0 ? seats.keys() : without(seats, speakers)
      this.#refused(seats, entrance.post(texts, links), said)
    }
    for (const seat of speakers) this.#tell(seat, said)
  }

  /** A member that has spoken gets what others said, and that its own has been passed on. */
  #tell(seat: Seat, said: readonly Said[]): void {
    const seats = this.#seats.get(seat.entrance)
    if (seats?.get(seat.link) !== seat) return
    const texts = said.filter(({ except }) => except !== seat).map(({ text }) => text)
    const { seq } = said.at(-1) as Said
    if (seq !== undefined) texts.push(this.#owner.echo(seq))
    if (texts.length > 0) this.#refused(seats, seat.entrance.post(texts, [seat.link]), said)
  }

  #refused(seats: ReadonlyMap<Link, Seat>, links: readonly Link[], [first]: readonly Said[]): void {
    if (first?.isVolatile === true) return
    for (const link of links) {
      const seat = seats.get(link)
      if (seat !== undefined) this.#owner.slow(seat)
    }
  }
}

function without(seats: ReadonlyMap<Link, Seat>, some: ReadonlySet<Seat>): Link[] {
  const links: Link[] = []
  for (const [link, seat] of seats) if (!some.has(seat)) links.push(link)
  return links
}
