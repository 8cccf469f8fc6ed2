/**
 * Layer 9. Room: one room in this process. It is there as long as it has a member here.
 *
 * The way of a member: join → (it gets what it has missed) → enter → leave. The way of a message:
 * say → feed → heard → crowd.
 *
 * Rules:
 * 1. A member enters at the `position` of the feed. Messages up to there were sent to it, or are
 *    reported as a gap; later ones come live. Nothing is awaited in between.
 * 2. The room is gone when the last member has left, no other one is joining, and everything that
 *    was said is stored.
 */

import type { Engine } from '../../engine.ts'
import { insist } from '../../relay/insist.ts'
import type { Relay } from '../../relay/relay.ts'
import { Attendance } from './attendance.ts'
import { Crowd, type CrowdOwner } from './crowd.ts'
import { Feed, type FeedOwner } from './feed.ts'
import { type RoomRecord, unpackRecord } from './record.ts'
import type { RoomServerValues } from './room-server-settings.ts'
import { type Seat, TRY_LATER } from './seat.ts'

export interface RoomOwner {
  readonly engine: Engine
  readonly relay: Relay
  readonly values: RoomServerValues
  readonly hasHistory: boolean
  /** Does the program, or do the members, want to know who is there? */
  readonly hasPresence: boolean
  /** The member that has sent it, even if it has reconnected since. */
  speakerOf(record: RoomRecord): Seat | undefined
  /** The member has left. */
  hasLeft(seat: Seat, room: Room): void
  presenceChanged(room: Room, came: readonly string[], went: readonly string[]): void
  /** The last one has gone. */
  emptied(room: Room): void
  failed(error: unknown): void
}

/** How much of the history is read at once for one member. */
const PAGE = 200

export class Room implements FeedOwner, CrowdOwner {
  readonly name: string
  readonly crowd = new Crowd(this)
  readonly #owner: RoomOwner
  readonly #feed = new Feed(this)
  readonly #attendance: Attendance | undefined
  /** Undefined: it is open. */
  #opening: Promise<unknown> | undefined
  #joining = 0
  #isOpen = true

  constructor(owner: RoomOwner, name: string) {
    this.#owner = owner
    this.name = name
    if (owner.hasPresence) this.#attendance = new Attendance(this)
    this.#opening = Promise.all([this.#feed.open(), this.#attendance?.open()]).then(
      () => (this.#opening = undefined),
    )
    // A member that joins hears of it.
    this.#opening.catch(() => {})
  }

  get engine(): Engine {
    return this.#owner.engine
  }

  get relay(): Relay {
    return this.#owner.relay
  }

  get topic(): string {
    return this.#owner.values.topic + this.name
  }

  get hasHistory(): boolean {
    return this.#owner.hasHistory
  }

  /** The names of those who are there, over all processes. */
  get names(): string[] {
    return this.#attendance?.names ?? []
  }

  // ---- joining ----------------------------------------------------------------------------------

  /** `since`: the last number that the member has seen. Rejects if the relay refuses. */
  async join(seat: Seat, since: number | undefined): Promise<void> {
    this.#joining += 1
    try {
      while (this.#opening !== undefined) await this.#opening
      if (since !== undefined && this.hasHistory) {
        if (since > this.#feed.position) await this.#feed.catchUp()
        let at = since
        while (at < this.#feed.position && seat.isHere) at = await this.#replay(seat, at)
      }
      // A hook may send the member away meanwhile.
      this.crowd.flush()
      if (seat.isHere && this.#isOpen) this.#enter(seat)
    } finally {
      this.#joining -= 1
      this.#closeIfEmpty()
    }
  }

  /** Sends some of what comes after the number `at`. Returns how far it has come. */
  async #replay(seat: Seat, at: number): Promise<number> {
    const { entries, first } = await insist(
      this.engine,
      () => seat.isHere,
      () => this.relay.read_after(this.topic, at, PAGE),
    )
    const isNew = at === 0
    const from = at + 1
    if (entries.length === 0 || first > from) {
      at = entries.length === 0 ? this.#feed.position : first - 1
      if (!isNew) seat.reply({ status: 'gap', room: this.name, from, to: at })
    }
    for (const { seq, bytes } of entries) {
      // The rest comes live.
      if (seq > this.#feed.position) break
      at = seq
      const record = unpackRecord(bytes)
      if (record === undefined || (record.client !== '' && record.client === seat.client)) continue
      if (!(await seat.sendSurely(numbered(record.text, seq)))) break
    }
    return at
  }

  #enter(seat: Seat): void {
    this.crowd.add(seat)
    seat.rooms.set(this.name, this)
    this.#attendance?.add(seat)
    // If it is too slow for that, it leaves.
    this.greet(seat)
  }

  /** Says that it has joined, and who is there. */
  greet(seat: Seat): void {
    // Everything up to the number must be on its way before it is told that it has it.
    this.crowd.flush()
    const room = this.name
    const { presence } = this.#owner.values
    const { client } = seat
    const past = this.hasHistory ? { seq: this.#feed.position, client } : {}
    seat.reply({ status: 'joined', room, ...past })
    if (presence) seat.reply({ status: 'presence', room, came: this.names, went: [] })
  }

  // ---- messages ---------------------------------------------------------------------------------

  /** Returns false if there is no room for it. */
  say(record: RoomRecord): boolean {
    return this.#feed.say(record)
  }

  heard(record: RoomRecord, seq: number | undefined): void {
    const { isVolatile, text } = record
    const seat = this.#owner.speakerOf(record)
    this.crowd.say({
      text: seq === undefined ? text : numbered(text, seq),
      seq,
      except: seat?.rooms.has(this.name) === true ? seat : undefined,
      isVolatile: isVolatile || this.#owner.values.volatile,
    })
  }

  echo(seq: number): string {
    return JSON.stringify({ status: 'seen', room: this.name, seq })
  }

  lost(from: number, to: number): void {
    const text = JSON.stringify({ status: 'gap', room: this.name, from, to })
    this.crowd.say({ text, isVolatile: false })
  }

  slow(seat: Seat): void {
    seat.part(TRY_LATER, 'too slow')
  }

  changed(came: readonly string[], went: readonly string[]): void {
    if (this.#owner.values.presence) {
      const text = JSON.stringify({ status: 'presence', room: this.name, came, went })
      this.crowd.say({ text, isVolatile: false })
    }
    this.#owner.presenceChanged(this, came, went)
  }

  failed(error: unknown): void {
    this.#owner.failed(error)
  }

  // ---- leaving ----------------------------------------------------------------------------------

  /** The member must be in here. */
  leave(seat: Seat): void {
    this.crowd.delete(seat)
    // It may have left already: it was too slow for the last messages.
    if (!seat.rooms.delete(this.name)) return
    this.#attendance?.delete(seat)
    this.#closeIfEmpty()
    this.#owner.hasLeft(seat, this)
  }

  settled(): void {
    this.#closeIfEmpty()
  }

  #closeIfEmpty(): void {
    if (this.crowd.size + this.#joining === 0 && this.#feed.isSettled && this.#isOpen) this.close()
  }

  /** Ends the room, even if members are left. */
  close(): void {
    this.#isOpen = false
    this.#feed.close()
    this.#attendance?.close()
    this.#owner.emptied(this)
  }
}

/**
 * Adds the number to a message. Of two equal fields the last one counts, so it cannot be forged.
 */
export function numbered(text: string, seq: number): string {
  return `${text.slice(0, text.lastIndexOf('}'))},"_seq":${seq}}`
}
