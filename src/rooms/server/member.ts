/**
 * Layer 9. Member: what a program sees of one connected client of a room server. What happens
 * behind it is in seat.ts.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { WebSocketConnection } from '../../protocols/websocket/connection.ts'

/** The inner half of a member. */
interface MemberSeat {
  readonly id: string
  name: string
  readonly address: string
  readonly connection: WebSocketConnection | undefined
  readonly isHere: boolean
  readonly rooms: ReadonlyMap<string, unknown>
  tell(message: unknown): boolean
  expel(room: string, reason: string): boolean
  part(code: number, reason: string): void
}

/** One connected client of a RoomServer. The hooks of the server get it. */
export class Member {
  readonly #seat: MemberSeat

  /**
   * For whatever the program wants to know of this member, such as a user.
   *
   * @default undefined
   */
  data: any = undefined

  /** A RoomServer makes its members. */
  constructor(seat: MemberSeat) {
    this.#seat = seat
  }

  /** Its id, which no other member of any process has. After a reconnect it is a new one. */
  get id(): string {
    return this.#seat.id
  }

  /**
   * The name that others see in the presence of a room. It is the `name` that it last joined with,
   * or what the program assigns. A name that is assigned counts from the next join on.
   *
   * @default its `id`
   */
  get name(): string {
    return this.#seat.name
  }

  set name(name: string) {
    if (typeof name !== 'string') throw new InvalidArgumentError('member.name', 'a string', name)
    this.#seat.name = name
  }

  /** Where it is connected from, as text: `host:port`, or what its transport says. */
  get address(): string {
    return this.#seat.address
  }

  /**
   * The connection, if the member came through a WebSocketServer that was given to `listen`: of the
   * class of that server, with everything that its `on_upgrade` has assigned. Otherwise
   * `undefined`.
   */
  get connection(): WebSocketConnection | undefined {
    return this.#seat.connection
  }

  /** Is it connected? */
  get connected(): boolean {
    return this.#seat.isHere
  }

  /** The names of the rooms that it is in, in the order in which it joined. */
  get rooms(): string[] {
    return [...this.#seat.rooms.keys()]
  }

  /**
   * Sends a message to this member alone: text as it is, anything else as JSON. Returns false if
   * the message was dropped because the member is too slow, or has gone.
   *
   * Throws InvalidArgumentError for bytes, and for a value that has no JSON.
   */
  send(message: unknown): boolean {
    return this.#seat.tell(message)
  }

  /**
   * Takes it out of a room. It gets the reply 'refused' with the reason, and `on_leave` is called.
   * Returns false if it is not in the room.
   */
  expel(room: string, reason = 'removed'): boolean {
    return this.#seat.expel(room, reason)
  }

  /**
   * Ends its connection when everything has gone that was sent to it. The code is one of WebSocket.
   * If it has gone already, nothing happens.
   *
   * Throws InvalidArgumentError for a code that may not be sent, or a reason of more than 123
   * bytes.
   */
  disconnect(code = 1000, reason = ''): void {
    this.#seat.part(code, reason)
  }
}
