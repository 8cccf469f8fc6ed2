/**
 * Layer 9. Memberships: the rooms that a client is in, or wants to be in, and what it has seen of
 * each.
 *
 * Rules:
 * 1. A message with a number is new only if the number is larger than the last one. So each is
 *    delivered once, however often a server sends it.
 * 2. What was seen of a room lasts as long as the membership, across connections.
 */

import { type Command, type Fields, isSeq, type Reply } from '../wire.ts'
import type { Faults } from './errors.ts'
import type { Handlers } from './handlers.ts'

/** The highest number of names that are kept: a server could send names for ever. */
const NAMES_MAX = 1e5

interface Membership {
  /** The last number that was seen; undefined: none. */
  seq: number | undefined
  /** Who is there. */
  readonly names: Set<string>
  /** Are the next names those of all members, and not only of those that have come? */
  isAwaited: boolean
}

export class Memberships {
  readonly #name: string | undefined
  readonly #handlers: Handlers
  readonly #faults: Faults
  readonly #rooms = new Map<string, Membership>()
  /** The name that the server has given to this client. */
  #client: string | undefined
  /**
   * The rooms whose leave is not answered yet. What the server says of them until then is ignored.
   */
  readonly #leaving: string[] = []

  constructor(name: string | undefined, handlers: Handlers, faults: Faults) {
    this.#name = name
    this.#handlers = handlers
    this.#faults = faults
  }

  /** False: it is there already. */
  add(room: string, seq: number | undefined): boolean {
    if (this.#rooms.has(room)) return false
    this.#rooms.set(room, { seq, names: new Set(), isAwaited: true })
    return true
  }

  has(room: string): boolean {
    return this.#rooms.has(room)
  }

  /** False: it is not there. */
  delete(room: string): boolean {
    return this.#rooms.delete(room)
  }

  all(): string[] {
    return [...this.#rooms.keys()]
  }

  names(room: string): string[] {
    return [...(this.#rooms.get(room)?.names ?? [])]
  }

  lastSeq(room: string): number | undefined {
    return this.#rooms.get(room)?.seq
  }

  // ---- what is sent -----------------------------------------------------------------------------

  /** What a new connection begins with. */
  joins(): string[] {
    this.#leaving.length = 0
    return this.all().map(room => this.joinOf(room))
  }

  /** The command that joins a room. */
  joinOf(room: string): string {
    const membership = this.#rooms.get(room) as Membership
    membership.isAwaited = true
    const { seq } = membership
    // JSON leaves out what is undefined.
    return JSON.stringify({ type: '_join', room, seq, client: this.#client, name: this.#name })
  }

  leaveOf(room: string): string {
    this.#leaving.push(room)
    return JSON.stringify({ type: '_leave', room } satisfies Command)
  }

  // ---- what comes -------------------------------------------------------------------------------

  /** Was the message of the room not delivered yet? `_room` and `_seq` are taken off. */
  isNew(room: string, fields: Fields): boolean {
    const { _seq } = fields
    delete fields['_room']
    if (!isSeq(_seq)) return true
    delete fields['_seq']
    const membership = this.#rooms.get(room)
    if (membership === undefined) return true
    if (this.#leaving.includes(room)) return false
    if (membership.seq !== undefined && _seq <= membership.seq) return false
    membership.seq = _seq
    return true
  }

  replied(reply: Exclude<Reply, { status: 'closing' | 'dropped' }>): void {
    const { room } = reply
    const membership = this.#rooms.get(room)
    const at = this.#leaving.indexOf(room)
    if (at >= 0 && reply.status === 'left') this.#leaving.splice(at, 1)
    if (at >= 0 || membership === undefined) return
    switch (reply.status) {
      case 'joined':
        return this.#joined(membership, reply)
      case 'seen':
        membership.seq = Math.max(membership.seq ?? 0, reply.seq)
        return
      case 'gap':
        membership.seq = reply.to
        return this.#handlers.call('gap', room, reply.from, reply.to)
      case 'presence':
        return this.#present(membership, reply)
      case 'refused':
        this.#rooms.delete(room)
        return this.#handlers.report(this.#faults.refused(room, reply.reason))
    }
  }

  #joined(membership: Membership, { room, seq, client }: Reply & { status: 'joined' }): void {
    if (client !== undefined) this.#client = client
    if (seq === undefined) return
    const last = membership.seq ?? 0
    membership.seq = seq
    // The numbers have begun anew. What came before this one is missed.
    if (seq < last) this.#handlers.call('gap', room, 1, seq)
  }

  /** Reports what has changed since the last report, which may have been before a reconnect. */
  #present(membership: Membership, reply: Reply & { status: 'presence' }): void {
    const { names, isAwaited } = membership
    membership.isAwaited = false
    const there = new Set(reply.came)
    const leaving = isAwaited ? [...names].filter(name => !there.has(name)) : reply.went
    const went = leaving.filter(name => names.delete(name))
    const came = [...there].filter(
      name => names.size < NAMES_MAX && !names.has(name) && names.add(name),
    )
    if (came.length + went.length > 0) this.#handlers.call('presence', reply.room, came, went)
  }
}
