/**
 * Layer 9. SendQueue: what waits to be sent, in order, within three bounds.
 *
 * Rules:
 * 1. A message leaves the queue when it is handed over, once. If the connection is lost after that,
 *    it is not sent again: it may have arrived.
 * 2. Commands (joins and leaves) belong to one connection. They count for no bound, and are dropped
 *    with the connection; the next one makes its own.
 */

import type { Bytes, Milliseconds } from '../../types.ts'

/** The bounds of a queue. */
interface QueueBounds {
  readonly max_queued: number
  readonly max_queued_bytes: Bytes
  readonly max_queued_age: Milliseconds
}

/** What waits. */
export interface Waiting {
  readonly data: string | Uint8Array
  readonly room: string | undefined
  /** undefined: a command. */
  readonly bytes: Bytes | undefined
  /** When it came. */
  readonly since: Milliseconds
}

const UTF8 = new TextEncoder()

export class SendQueue {
  readonly #bounds: QueueBounds
  /** In their order. */
  #waiting = new Set<Waiting>()
  /** How many messages wait; commands are not counted. */
  length = 0
  #bytes: Bytes = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Adds a message. Returns the name of the bound if that leaves no room for it. */
  add(
    data: string | Uint8Array,
    room: string | undefined,
    since: Milliseconds,
  ): keyof QueueBounds | undefined {
    const bytes = typeof data === 'string' ? UTF8.encode(data).length : data.length
    if (this.length >= this.#bounds.max_queued) return 'max_queued'
    if (this.#bytes + bytes > this.#bounds.max_queued_bytes) return 'max_queued_bytes'
    // The program may change its bytes as soon as `send` has returned.
    const kept = typeof data === 'string' ? data : Uint8Array.from(data)
    this.#waiting.add({ data: kept, room, bytes, since })
    this.length++
    this.#bytes += bytes
    return undefined
  }

  addCommand(data: string): void {
    this.#waiting.add({ data, room: undefined, bytes: undefined, since: 0 })
  }

  /** A connection begins with these commands, before everything else. */
  begin(commands: readonly string[]): void {
    const messages = this.#waiting
    this.#waiting = new Set()
    for (const each of commands) this.addCommand(each)
    for (const each of messages) this.#waiting.add(each)
  }

  /** Takes out what is first. */
  take(): Waiting | undefined {
    const [first] = this.#waiting
    if (first !== undefined) this.#remove(first)
    return first
  }

  /** The connection is gone, and its commands with it. */
  dropCommands(): void {
    for (const each of this.#waiting) if (each.bytes === undefined) this.#remove(each)
  }

  /** Takes out what has waited too long. */
  dropOld(now: Milliseconds): Waiting[] {
    const old = [...this.#waiting].filter(
      ({ bytes, since }) => bytes !== undefined && now - since > this.#bounds.max_queued_age,
    )
    for (const each of old) this.#remove(each)
    return old
  }

  #remove(one: Waiting): void {
    this.#waiting.delete(one)
    if (one.bytes === undefined) return
    this.length--
    this.#bytes -= one.bytes
  }
}
