/**
 * Layer 9. Attendance: who is in one room, over all processes.
 *
 * Calls: open → add, delete → close. The relay tells who comes and goes, in this process as well.
 *
 * Rule: a name is there as long as one member has it. So a person who closes one of two windows is
 * not reported as gone. Nor is a person who is back before the old connection is known to be lost.
 */

import type { Engine } from '../../engine.ts'
import { insist } from '../../relay/insist.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Seat } from './seat.ts'

interface AttendanceOwner {
  readonly engine: Engine
  readonly relay: Relay
  readonly topic: string
  /** The names of those who came and went. */
  changed(came: readonly string[], went: readonly string[]): void
  failed(error: unknown): void
}

/** How many have come, to any room. */
let count = 0

export class Attendance {
  readonly #owner: AttendanceOwner
  /** The members of this process, by what the relay calls them. */
  readonly #own = new Map<Seat, string>()
  /** The names of all who are there, by what the relay calls them. */
  readonly #names = new Map<string, string>()
  /** How many members have each name. */
  readonly #counts = new Map<string, number>()
  #isOpen = true

  constructor(owner: AttendanceOwner) {
    this.#owner = owner
  }

  /** The names of all who are there. */
  get names(): string[] {
    return [...this.#counts.keys()]
  }

  /** Resolves when it is known who is there. */
  async open(): Promise<void> {
    const { engine, relay, topic } = this.#owner
    await insist(
      engine,
      () => this.#isOpen,
      () => relay.watch(topic, this.#listener),
    )
  }

  readonly #listener = (came: readonly string[], went: readonly string[]): void => {
    const names = new Set([...came.map(nameOf), ...went.map(nameOf)])
    const before = new Set([...names].filter(name => this.#counts.has(name)))
    for (const key of came) this.#comes(key)
    for (const key of went) this.#goes(key)
    const fresh = [...names].filter(name => this.#counts.has(name) && !before.has(name))
    const gone = [...before].filter(name => !this.#counts.has(name))
    if (fresh.length + gone.length > 0) this.#owner.changed(fresh, gone)
  }

  #comes(key: string): void {
    if (this.#names.has(key)) return
    const name = nameOf(key)
    this.#names.set(key, name)
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  #goes(key: string): void {
    const name = this.#names.get(key)
    if (name === undefined) return
    this.#names.delete(key)
    const left = (this.#counts.get(name) as number) - 1
    if (left === 0) this.#counts.delete(name)
    else this.#counts.set(name, left)
  }

  add(seat: Seat): void {
    const { relay, topic } = this.#owner
    // Each time it is another key: the relay may tell late that the last one has gone.
    const key = `${seat.id}/${++count} ${seat.name}`
    this.#own.set(seat, key)
    this.#tell(
      () => this.#own.get(seat) === key,
      () => relay.present(topic, key),
    )
  }

  delete(seat: Seat): void {
    const { relay, topic } = this.#owner
    const key = this.#own.get(seat) as string
    this.#own.delete(seat)
    // Even when no member is left here: other processes must not see it for ever.
    this.#tell(
      () => true,
      () => relay.absent(topic, key),
    )
  }

  /** Tells the relay, again and again as long as `isSo` returns true. */
  #tell(isSo: () => boolean, call: () => Promise<void>): void {
    insist(this.#owner.engine, isSo, call).catch((error: unknown) => {
      if (this.#isOpen && isSo()) this.#owner.failed(error)
    })
  }

  close(): void {
    this.#isOpen = false
    this.#owner.relay.unwatch(this.#owner.topic, this.#listener)
  }
}

/** An id has no blank. */
function nameOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1)
}
