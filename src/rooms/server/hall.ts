/**
 * Layer 9. Hall: the inside of a RoomServer while it is open. It knows the members and the rooms.
 *
 * The way of a member: enter → heard … → left. The way of a message: incoming.ts → say → its room.
 */

import { randomBytes } from 'node:crypto'
import { noop } from '../../core/noop.ts'
import { isPromiseLike } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import { ChannelError, show } from '../../errors.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Entrance, Link } from './entrance.ts'
import { hear, type IncomingOwner } from './incoming.ts'
import { packRecord, type RoomRecord } from './record.ts'
import { Room, type RoomOwner } from './room.ts'
import type { RoomServerValues } from './room-server-settings.ts'
import { type Origin, Seat, type SeatOwner, TRY_LATER } from './seat.ts'

/** What the hall needs of the server. */
export interface HallOwner {
  readonly engine: Engine
  readonly values: RoomServerValues
  /** Has the program a hook of its own? */
  overrides(hook: 'on_join' | 'on_room_message' | 'on_presence'): boolean
  /** Calls a hook of the program. */
  call(hook: `on_${string}`, ...args: unknown[]): unknown
  failed(error: unknown): void
}

export class Hall implements SeatOwner, RoomOwner, IncomingOwner {
  readonly engine: Engine
  readonly relay: Relay
  readonly rooms = new Map<string, Room>()
  readonly #owner: HallOwner
  /** The beginning of the ids of its members and messages. */
  readonly #id = randomBytes(6).toString('base64url')
  readonly #seats = new Map<string, Seat>()
  /** Members that were here before, by their `client`. */
  readonly #returned = new Map<string, Seat>()
  #count = 0

  constructor(owner: HallOwner, relay: Relay) {
    this.#owner = owner
    this.engine = owner.engine
    this.relay = relay
  }

  get values(): RoomServerValues {
    return this.#owner.values
  }

  overrides(hook: 'on_join' | 'on_room_message' | 'on_presence'): boolean {
    return this.#owner.overrides(hook)
  }

  get hasHistory(): boolean {
    return this.values.history !== false
  }

  get hasPresence(): boolean {
    return this.values.presence || this.overrides('on_presence')
  }

  /** All members. */
  get seats(): Iterable<Seat> {
    return this.#seats.values()
  }

  get size(): number {
    return this.#seats.size
  }

  #nextId(): string {
    this.#count += 1
    return `${this.#id}-${this.#count}`
  }

  // ---- members ----------------------------------------------------------------------------------

  /** A member has come. Returns undefined if there are too many: then it is sent away. */
  enter(origin: Origin): Seat | undefined {
    if (this.#seats.size >= this.values.max_members) {
      origin.entrance.part(origin.link, TRY_LATER, 'too many members')
      return undefined
    }
    const seat = new Seat(this, this.#nextId(), origin)
    this.#seats.set(seat.id, seat)
    this.call('on_connect', seat.member)
    return seat.isHere ? seat : undefined
  }

  speakerOf({ from, client }: RoomRecord): Seat | undefined {
    return this.#seats.get(from) ?? this.#returned.get(client)
  }

  returned(seat: Seat, client: string): void {
    this.#forget(seat)
    this.#returned.set(client, seat)
  }

  #forget(seat: Seat): void {
    const isKnown = this.#returned.size > 0 && this.#returned.get(seat.client) === seat
    if (isKnown) this.#returned.delete(seat.client)
  }

  heard(seat: Seat, data: string | Buffer): Promise<void> | undefined {
    return hear(this, seat, data)
  }

  left(seat: Seat, reason: string): void {
    this.#seats.delete(seat.id)
    this.#forget(seat)
    for (const room of [...seat.rooms.values()]) room.leave(seat)
    this.call('on_disconnect', seat.member, reason)
  }

  // ---- rooms ------------------------------------------------------------------------------------

  roomFor(name: string): Room | undefined {
    let room = this.rooms.get(name)
    if (room !== undefined) return room
    if (this.rooms.size >= this.values.max_rooms) return undefined
    room = new Room(this, name)
    this.rooms.set(name, room)
    return room
  }

  hasLeft(seat: Seat, { name }: Room): void {
    this.call('on_leave', seat.member, name)
  }

  emptied(room: Room): void {
    this.rooms.delete(room.name)
  }

  presenceChanged({ name }: Room, came: readonly string[], went: readonly string[]): void {
    this.call('on_presence', name, came, went)
  }

  // ---- messages ---------------------------------------------------------------------------------

  say(name: string, from: Seat, text: string): string | undefined {
    const isVolatile = false
    return this.#say(name, {
      id: '',
      from: from.id,
      client: this.hasHistory ? from.client : '',
      isVolatile,
      text,
    })
  }

  /** A message of the server itself. */
  emit(name: string, text: string, except: string, isVolatile: boolean): void {
    try {
      const fault = this.#say(name, { id: '', from: except, client: '', isVolatile, text })
      if (fault !== undefined)
        this.failed(new ChannelError('ERR_OVERFLOW', `emit to ${show(name)}: ${fault}`))
    } catch (error) {
      // The relay refuses it.
      this.failed(error)
    }
  }

  #say(name: string, record: RoomRecord): string | undefined {
    const whole = { ...record, id: this.#nextId() }
    const room = this.rooms.get(name)
    if (room !== undefined) return room.say(whole) ? undefined : 'too much waits to be stored'
    const topic = this.values.topic + name
    const data = packRecord(whole)
    if (this.hasHistory)
      this.relay.append(topic, data).catch((error: unknown) => this.failed(error))
    // The room has no member here: the message is for other processes, if there are any.
    else this.relay.publish(topic, data)
    return undefined
  }

  sayToAll(from: Seat, text: string): void {
    const links = new Map<Entrance, Link[]>()
    for (const { entrance, link } of this.#seats.values()) {
      if (link === from.link && entrance === from.entrance) continue
      const some = links.get(entrance)
      if (some === undefined) links.set(entrance, [link])
      else some.push(link)
    }
    // A member that does not take it misses it: it belongs to no room, and to no history.
    for (const [entrance, some] of links) entrance.post([text], some)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  call(hook: `on_${string}`, ...args: unknown[]): unknown {
    const result = this.#owner.call(hook, ...args)
    // A caller that awaits it hears of a rejection, too.
    if (isPromiseLike(result)) Promise.resolve(result).catch(noop)
    return result
  }

  failed(error: unknown): void {
    this.#owner.failed(error)
  }

  /** All rooms and members are gone. */
  close(): void {
    for (const seat of [...this.#seats.values()]) seat.gone('')
    for (const room of [...this.rooms.values()]) room.close()
  }
}
