/**
 * Layer 9. Seat: what the server knows and does about one member.
 *
 * The way in: receive → (its turn) → (a token of its rate) → heard. The way out: send → entrance.
 *
 * Rules:
 * 1. What a member sends is heard one message at a time: while a hook works on one, or the rate is
 *    used up, the next ones wait. Other members do not.
 * 2. What waits is bounded. A member that goes over it is sent away.
 */

import { randomBytes } from 'node:crypto'
import { pause } from '../../core/time/pause.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { TokenBucket } from '../../messages/prefixes/token-bucket.ts'
import { checkGoodbye } from '../../protocols/websocket/closing.ts'
import type { WebSocketConnection } from '../../protocols/websocket/connection.ts'
import type { Bytes } from '../../types.ts'
import { bytesOf, encode } from '../wire.ts'
import type { Entrance, Link } from './entrance.ts'
import { Member } from './member.ts'
import type { RoomServerValues } from './room-server-settings.ts'

/** What a seat needs of the server. */
export interface SeatOwner {
  readonly engine: Engine
  readonly values: RoomServerValues
  /** Does what a message asks for. The next one waits for the promise, which never rejects. */
  heard(seat: Seat, data: string | Buffer): Promise<void> | undefined
  /** The member was here before, over another connection, and had that `client`. */
  returned(seat: Seat, client: string): void
  /** It has gone. */
  left(seat: Seat, reason: string): void
}

/** A room, for a member in it. */
interface SeatRoom {
  leave(seat: Seat): void
  greet(seat: Seat): void
}

/** Where a member comes from. */
export interface Origin {
  readonly entrance: Entrance
  readonly link: Link
  readonly address: string
  readonly connection?: WebSocketConnection
}

/** How many messages of a member may wait. */
const WAITING_MAX = 1000
/** How many bytes they may have. (One message alone may have more.) */
const BYTES_MAX: Bytes = 1024 * 1024

/** Close codes of RFC 6455. The member has broken the rules; the member may come again later. */
const POLICY = 1008
export const TRY_LATER = 1013

export class Seat {
  readonly id: string
  readonly entrance: Entrance
  readonly link: Link
  readonly address: string
  readonly connection: WebSocketConnection | undefined
  readonly member = new Member(this)
  readonly rooms = new Map<string, SeatRoom>()
  name: string
  /** Its name over all its connections, which no other client can guess. */
  #client: string | undefined
  isHere = true
  readonly #owner: SeatOwner
  readonly #bucket: TokenBucket | undefined
  /** What waits; undefined: nothing is under way. */
  #waiting: (string | Buffer)[] | undefined
  #size: Bytes = 0
  #idle: Promise<void> | undefined
  /** Called when it takes messages again. */
  #ready: (() => void)[] = []
  /** Why it is sent away. */
  #goodbye = ''

  constructor(owner: SeatOwner, id: string, { entrance, link, address, connection }: Origin) {
    this.#owner = owner
    this.id = id
    this.name = id
    this.entrance = entrance
    this.link = link
    this.address = address
    this.connection = connection
    const { rate } = owner.values
    if (rate !== Infinity)
      this.#bucket = new TokenBucket(rate / 1000, 2 * rate, 2 * rate, owner.engine.now)
  }

  get client(): string {
    this.#client ??= randomBytes(9).toString('base64url')
    return this.#client
  }

  set client(client: string) {
    this.#owner.returned(this, client)
    this.#client = client
  }

  // ---- in ---------------------------------------------------------------------------------------

  /** Returns a promise if the next message should wait. */
  receive(data: string | Buffer): Promise<void> | undefined {
    if (this.#waiting !== undefined) return this.#wait(data)
    const busy = this.#hear(data)
    if (busy === undefined) return undefined
    this.#waiting = []
    this.#idle = busy.then(() => this.#next())
    return this.#idle
  }

  #wait(data: string | Buffer): Promise<void> | undefined {
    const waiting = this.#waiting as (string | Buffer)[]
    if (!this.isHere) return undefined
    waiting.push(data)
    this.#size += data.length
    if (waiting.length > WAITING_MAX || (this.#size > BYTES_MAX && waiting.length > 1))
      this.part(POLICY, 'too many messages at once')
    return this.#idle
  }

  async #next(): Promise<void> {
    for (;;) {
      const data = this.#waiting?.shift()
      if (data === undefined) break
      this.#size -= data.length
      await this.#hear(data)
    }
    this.#waiting = undefined
  }

  #hear(data: string | Buffer): Promise<void> | undefined {
    if (!this.isHere) return undefined
    const bucket = this.#bucket
    if (bucket === undefined) return this.#owner.heard(this, data)
    if (!bucket.has(1, this.#owner.engine.now)) return this.#hearLater(bucket, data)
    bucket.take(1)
    return this.#owner.heard(this, data)
  }

  async #hearLater(bucket: TokenBucket, data: string | Buffer): Promise<void> {
    const { engine } = this.#owner
    do if (!(await pause(engine[DRIVE], Math.ceil(bucket.wait(1))))) return
    while (!bucket.has(1, engine.now))
    bucket.take(1)
    if (this.isHere) await this.#owner.heard(this, data)
  }

  // ---- out --------------------------------------------------------------------------------------

  /** Sends a text. Returns false if it takes nothing, or has gone. */
  send(text: string): boolean {
    return this.isHere && this.entrance.post([text], [this.link]).length === 0
  }

  /** Sends a text that must not be lost. */
  answer(text: string): void {
    if (!this.send(text)) this.part(TRY_LATER, 'too slow')
  }

  reply(fields: object): void {
    this.answer(JSON.stringify(fields))
  }

  /** Sends a text as soon as it takes it. Resolves to false if it has gone. */
  async sendSurely(text: string): Promise<boolean> {
    while (this.isHere && !this.send(text))
      await new Promise<void>(resolve => this.#ready.push(resolve))
    return this.isHere
  }

  /** It takes messages again. */
  ready(): void {
    for (const resolve of this.#ready.splice(0)) resolve()
  }

  tell(message: unknown): boolean {
    if (bytesOf(message) !== undefined)
      throw new InvalidArgumentError('send: message', 'text, or what has JSON', message)
    let text
    try {
      text = encode(message) as string
    } catch (error) {
      throw new InvalidArgumentError(`send: ${(error as Error).message}`)
    }
    return this.send(text)
  }

  // ---- going ------------------------------------------------------------------------------------

  expel(room: string, reason: string): boolean {
    const inside = this.rooms.get(room)
    if (inside === undefined) return false
    inside.leave(this)
    this.reply({ status: 'refused', room, reason })
    return true
  }

  /** Sends it away: it leaves its rooms at once. */
  part(code: number, reason: string): void {
    checkGoodbye(code, reason)
    if (!this.isHere) return
    this.#goodbye = reason
    const { entrance, link } = this
    this.gone('')
    entrance.part(link, code, reason)
  }

  /** Its connection has ended, with this error if there is one. */
  gone(error: string): void {
    if (!this.isHere) return
    this.isHere = false
    if (this.#waiting !== undefined) this.#waiting.length = 0
    this.ready()
    this.#owner.left(this, this.#goodbye || error)
  }
}
