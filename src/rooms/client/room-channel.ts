/**
 * Layer 9. RoomChannel: what a program uses of a channel to a room server, in Node and in a
 * browser. A RoomSession does the work.
 *
 * Rules:
 * 1. What a call does, it does before it returns, so that calls take effect in their order. The
 *    promise only says how it went.
 * 2. A failed call rejects, and is reported to the handlers of `on_error`, too. A program that has
 *    such a handler need not await each call.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import { isSeq } from '../wire.ts'
import type { World } from './carrier.ts'
import { channelValues, type RoomChannelOptions } from './channel-options.ts'
import { type ChannelState, readyStateOf } from './channel-state.ts'
import { ChannelMessageError } from './errors.ts'
import { checkHandler, checkRoom, type Handlers } from './handlers.ts'
import type { Memberships } from './memberships.ts'
import { RoomSession } from './room-session.ts'
import type { Signal } from './signal.ts'

/** How a connection has ended, for the handlers of `on_close`. */
export interface RoomCloseEvent {
  /** The code of WebSocket; 1006 if the connection ended without a goodbye. */
  readonly code: number
  /** The reason that came with the code. */
  readonly reason: string
  /** False if it was an attempt to connect that failed. */
  readonly was_open: boolean
}

/** What the channel is about to do, for the handlers of `on_reconnecting`. */
export interface ReconnectingEvent {
  /** 1 for the first attempt. */
  readonly attempt: number
  /** How long it waits before the attempt. */
  readonly delay: Milliseconds
}

/** How a room is joined. */
export interface JoinOptions {
  /**
   * The last message of the room that the program has, see `last_seq`. The server sends what came
   * after it; with 0 all that it still has.
   *
   * @default only what comes from now on
   */
  readonly seq?: number | undefined
}

/** The longest reason that fits into a close frame. */
const LONGEST_REASON = 123

/**
 * Talks to a room server: sends messages, joins rooms, and connects again when the connection is
 * lost.
 *
 * Each `on_…` method registers a handler and returns it. Any number of handlers may be registered
 * for the same thing. What a handler throws goes to the handlers of `on_error`.
 *
 * A handler must be a function, and the name of a room a text of 1 to 900 characters. Otherwise a
 * call throws InvalidArgumentError. If it returns a promise, it rejects instead, with
 * ChannelMessageError (ERR_INVALID_ARGUMENT).
 */
// Source: Metafor `Channel`.
export abstract class RoomChannel {
  readonly #session: RoomSession
  readonly #readyState: Signal<number>

  /** The URL of the server. */
  readonly url: string

  constructor(
    url: string,
    options: RoomChannelOptions,
    others: readonly string[],
    world: (values: { readonly protocols: readonly string[] }) => World,
  ) {
    if (typeof url !== 'string' || url === '')
      throw new InvalidArgumentError('new Channel: url', 'text that is not empty', url)
    const values = channelValues(options, others)
    this.url = url
    this.#session = new RoomSession(url, values, world(values))
    const { state } = this.#session
    this.#readyState = Object.assign(() => readyStateOf(state()), {
      subscribe: (subscriber: (value: number) => unknown) => {
        checkHandler(subscriber)
        return state.subscribe(value => subscriber(readyStateOf(value)))
      },
    })
  }

  get #handlers(): Handlers {
    return this.#session.handlers
  }

  // ---- connecting -------------------------------------------------------------------------------

  /**
   * Connects. Resolves when the channel is open; at once if it is open already. While it connects,
   * another call waits for the same attempt. While it waits to connect again, the call tries now.
   *
   * Rejects with ChannelConnectionError if that fails; at once if the server refuses, and at the
   * latest after `connect_timeout`. With `auto_reconnect` the channel connects again after a
   * connection that was lost, not after a first attempt that failed.
   */
  connect(): Promise<void> {
    return this.#handlers.told(this.#session.connect())
  }

  /**
   * Closes the connection, and does not connect again. Rooms and waiting messages are kept for the
   * next `connect()`. Resolves when the channel is closed, at the latest after `close_timeout`.
   *
   * Rejects with ChannelMessageError (ERR_INVALID_ARGUMENT) for a code other than 1000 and 3000 to
   * 4999, and for a reason of more than 123 bytes. Nothing has happened then.
   */
  close(code = 1000, reason = 'Normal closure'): Promise<void> {
    return this.#call(() => {
      if (code !== 1000 && !(Number.isInteger(code) && code >= 3000 && code < 5000))
        throw new InvalidArgumentError('close: code', '1000, or 3000 to 4999', code)
      if (typeof reason !== 'string' || new TextEncoder().encode(reason).length > LONGEST_REASON)
        throw new InvalidArgumentError('close: reason', 'text of at most 123 bytes', reason)
      return this.#session.close(code, reason)
    })
  }

  /** What the channel does at the moment. */
  get state(): ChannelState {
    return this.#session.state()
  }

  /** The state as a signal. */
  get state_signal(): Signal<ChannelState> {
    return this.#session.state
  }

  /** Is the state OPEN? */
  get is_connected(): boolean {
    return this.ready_state === 1
  }

  /** Is the state CONNECTING? */
  get is_connecting(): boolean {
    return this.ready_state === 0
  }

  /** The state as WebSocket numbers it: 0 connecting, 1 open, 2 closing, 3 closed. */
  get ready_state(): number {
    return this.#readyState()
  }

  /** `ready_state` as a signal. */
  get ready_state_signal(): Signal<number> {
    return this.#readyState
  }

  // ---- sending ----------------------------------------------------------------------------------

  /**
   * Sends a message, to a room or to the server. Objects and arrays are sent as JSON, text and
   * bytes as they are, other values as text.
   *
   * A message to a room is an object with the name of the room as `_room`: text becomes
   * `{ message, _room }`, another value `{ data, _room }`, and text that is an object in JSON that
   * object. Bytes are refused. An empty `room` is no room.
   *
   * With `auto_reconnect` a message waits if the channel is not open; it is sent after the rooms
   * were joined. A message that was handed to a connection is not sent again: if the connection is
   * lost, it may be lost, but it never arrives twice.
   *
   * Rejects with ChannelMessageError, see there.
   */
  send(message: unknown, room?: string): Promise<void> {
    return this.#call(() => {
      if (room !== undefined && typeof room !== 'string')
        throw new InvalidArgumentError('send: room', 'text', room)
      this.#session.send(message, room)
    })
  }

  /** Sends a message to a room, as `send(message, room)`. */
  send_to(room: string, message: unknown): Promise<void> {
    return this.send(message, room)
  }

  /** How many messages wait to be sent. */
  get queued(): number {
    return this.#session.queue.length
  }

  // ---- rooms ------------------------------------------------------------------------------------

  /**
   * Joins a room; does nothing if it is joined already. It is joined again on each new connection,
   * until `leave`. Does not wait for the server's answer, which comes as a message of the room:
   * `{ status: 'joined', room }`.
   *
   * Rejects with ChannelMessageError if the channel is not open and does not connect by itself. The
   * room is joined nevertheless as soon as it is open.
   */
  join(room: string, options: JoinOptions = {}): Promise<void> {
    return this.#call(() => {
      checkRoom(room)
      const seq = options?.seq
      const [, other] = Object.keys({ seq, ...options })
      if (other !== undefined) throw new InvalidArgumentError('join: options', '{ seq }', other)
      if (seq !== undefined && !isSeq(seq))
        throw new InvalidArgumentError('join: seq', 'a whole number, 0 or more', seq)
      this.#session.join(room, seq)
    })
  }

  /**
   * Leaves a room, and removes its handlers. Does nothing if the room is not joined.
   *
   * Rejects with ChannelMessageError if it could not be sent. The room is left nevertheless.
   */
  leave(room: string): Promise<void> {
    return this.#call(() => {
      checkRoom(room)
      this.#session.leave(room)
    })
  }

  /** Is the room joined, or will it be as soon as the channel is open? */
  is_in_room(room: string): boolean {
    return this.#rooms(room).has(room)
  }

  /** The rooms that are joined, or will be. */
  get_rooms(): string[] {
    return this.#session.rooms.all()
  }

  /** The names of those who are in the room. There are none unless the server has presence. */
  get_members(room: string): string[] {
    return this.#rooms(room).names(room)
  }

  /**
   * The number of the last message of the room that was delivered, if the server keeps history. A
   * program that is started again goes on with it: `join(room, { seq })`.
   */
  last_seq(room: string): number | undefined {
    return this.#rooms(room).lastSeq(room)
  }

  // ---- handlers ---------------------------------------------------------------------------------

  /** Called when the channel is open, after rooms were joined and waiting messages were sent. */
  on_open<Of extends () => unknown>(handler: Of): Of {
    return this.#handlers.add('open', handler)
  }

  /** Called when a connection has ended, and when an attempt to connect has failed. */
  on_close<Of extends (event: RoomCloseEvent) => unknown>(handler: Of): Of {
    return this.#handlers.add('close', handler)
  }

  /** Called with each message, also of rooms: the value of its JSON, or else text or bytes. */
  on_message<Of extends (message: any) => unknown>(handler: Of): Of {
    return this.#handlers.add('message', handler)
  }

  /**
   * Called with the messages of a room, before the handlers of `on_message`. It gets what the
   * server marks with the room: as `_room`, which is taken off, or as `room`, which stays.
   */
  on_room_message<Of extends (message: any) => unknown>(room: string, handler: Of): Of {
    return this.#handlers.addRoom(room, handler)
  }

  /**
   * Called with each error: ChannelConnectionError, ChannelMessageError, or what a handler has
   * thrown. Without a handler, errors that no call rejects with are logged.
   */
  on_error<Of extends (error: Error) => unknown>(handler: Of): Of {
    return this.#handlers.add('error', handler)
  }

  /** Called when messages of a room are lost for good: those with the numbers `from` to `to`. */
  on_gap<Of extends (room: string, from: number, to: number) => unknown>(handler: Of): Of {
    return this.#handlers.add('gap', handler)
  }

  /** Called when members have come into a room, or have gone, if the server has presence. */
  on_presence<
    Of extends (room: string, came: readonly string[], went: readonly string[]) => unknown,
  >(handler: Of): Of {
    return this.#handlers.add('presence', handler)
  }

  /** Called before each wait for the next attempt to connect. */
  on_reconnecting<Of extends (event: ReconnectingEvent) => unknown>(handler: Of): Of {
    return this.#handlers.add('reconnecting', handler)
  }

  /**
   * Removes a handler: of each kind the first occurrence, but not of rooms. Returns false if there
   * was none.
   */
  remove_handler(handler: (...args: any[]) => unknown): boolean {
    return this.#handlers.remove(handler)
  }

  /** Removes a handler of a room. Returns false if there was none. */
  remove_room_handler(room: string, handler: (...args: any[]) => unknown): boolean {
    return this.#handlers.removeRoom(room, handler)
  }

  /** Removes all handlers, those of rooms included. */
  clear_handlers(): void {
    this.#handlers.clear()
  }

  /** Removes the handlers of a room; by default of all rooms. */
  clear_room_handlers(room?: string): void {
    if (room !== undefined) checkRoom(room)
    this.#handlers.clearRooms(room)
  }

  // ---- helpers ----------------------------------------------------------------------------------

  /** The memberships, for a call that asks about one. */
  #rooms(room: string): Memberships {
    checkRoom(room)
    return this.#session.rooms
  }

  /** Makes a call. If it fails, the promise rejects, and the handlers are told. */
  #call(action: () => Promise<void> | void): Promise<void> {
    try {
      return this.#handlers.told(Promise.resolve(action()))
    } catch (thrown) {
      const error = thrown instanceof InvalidArgumentError ? this.#misuse(thrown) : thrown
      this.#handlers.report(error, true)
      return this.#handlers.told(Promise.reject(error))
    }
  }

  #misuse(error: InvalidArgumentError): ChannelMessageError {
    const message = `${this.url} (${this.state}): ${error.message}; nothing has happened`
    return new ChannelMessageError(error.code, message, { cause: error })
  }
}
