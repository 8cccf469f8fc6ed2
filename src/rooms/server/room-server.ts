/**
 * Layer 9. RoomServer: what a program sees of a server of rooms. This file has the calls and hooks;
 * the inside is in hall.ts, and what a member and a server say to each other in ../wire.ts.
 *
 * Where to find the rest of the class: its settings in room-server-settings.ts, how it opens and
 * closes in room-server-link.ts.
 */

import { Channel, type ChannelOptions } from '../../channels/channel.ts'
import { LIFE } from '../../channels/life.ts'
import { applyOptions, defineSettings, settingsFrom } from '../../channels/settings.ts'
import { checkBoolean, type Checks, instanceOf } from '../../core/checks.ts'
import type { AsOptions } from '../../core/option-types.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError, type ReportedError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import type { WebSocketServer } from '../../protocols/websocket/server.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Bytes } from '../../types.ts'
import { encodeFor } from '../wire.ts'
import { nameFault } from './incoming.ts'
import { Member } from './member.ts'
import { RoomServerLink } from './room-server-link.ts'
import {
  type HistoryOptions,
  ROOM_SERVER_CHECKS,
  type RoomServerSettings,
} from './room-server-settings.ts'

/** The options of a RoomServer. */
export interface RoomServerOptions extends ChannelOptions, AsOptions<RoomServerSettings> {
  /**
   * What makes the channels of `listen`. Its engine is the default for `engine`.
   *
   * @default `Context.instance()`
   */
  readonly context?: Context | undefined
}

/** How a message of the server itself is sent. */
export interface EmitOptions {
  /** A member that does not get it. It must be one of this process. */
  readonly except?: Member | undefined
  /** May slow members miss it? @default the setting `volatile` */
  readonly volatile?: boolean | undefined
}

const EMIT_CHECKS: Checks<EmitOptions> = { except: instanceOf(Member), volatile: checkBoolean }

/**
 * A server of rooms: members join rooms, and what one sends to a room goes to all others in there.
 * Members are the Channels of `sluice/rooms`, or any program that speaks their protocol, over any
 * transport.
 *
 * @example
 * class Chat extends RoomServer {
 *   override history = 100
 *   override on_join(member: Member, room: string) {
 *     if (room === 'staff') return member.connection instanceof Staff
 *   }
 * }
 * await new Chat().listen('ws://:8000/chat', 'tcp://:8001;frame=line').opened
 */
export class RoomServer extends Channel implements RoomServerSettings {
  // The settings. RoomServerSettings says what each of them means.
  declare relay: Relay | string
  declare history: boolean | number | HistoryOptions
  declare presence: boolean
  declare echo: boolean
  declare volatile: boolean
  declare rate: number
  declare member_buffer: Bytes
  declare room_name_size: number
  declare rooms_per_member: number
  declare max_rooms: number
  declare max_members: number
  declare topic: string

  readonly #link: RoomServerLink

  /**
   * Makes a server, which does not listen yet, and calls no hook. Throws InvalidArgumentError if an
   * option is unknown or invalid.
   */
  constructor(options: RoomServerOptions = {}) {
    const context = options?.context
    if (context !== undefined) instanceOf(Context)('new RoomServer: context', context)
    super(context ? { ...options, engine: options.engine ?? context.engine } : options)
    this.#link = new RoomServerLink(this, RoomServer.prototype)
    this[LIFE].driver = this.#link
    applyOptions(this, options, ['engine', 'name', 'context'])
    this.#link.context = context
  }

  static {
    defineSettings<RoomServer>(
      RoomServer.prototype,
      settingsFrom(
        ROOM_SERVER_CHECKS,
        server => server.#link.values,
        (server, name, value) => server.#link.assign(name, value),
      ),
    )
  }

  // ---- opening ----------------------------------------------------------------------------------

  /**
   * Lets members in at one or several places, and returns the server at once. Then `on_listen` or
   * `on_listen_error` is called. Members of all places are in the same rooms. It is allowed
   * whenever `state` is 'closed'.
   *
   * A place is the URL of a message channel (`mode=server` may be left out): `ws://:8000/chat`,
   * `tcp://:8001;frame=line`, `unix:///run/chat`, `mem://;name=chat`. Or it is a WebSocketServer,
   * whose class of connections decides in its `on_upgrade` who may connect. That server listens, or
   * is attached to another server, before or after this call. It is not closed with this one.
   *
   * Throws UrlError for an invalid URL, InvalidArgumentError for anything else that is not a place,
   * and for an invalid setting, and InvalidStateError if the server is not closed.
   */
  listen(...places: readonly (string | WebSocketServer)[]): this {
    this.#link.listen(places)
    return this
  }

  /** The URLs for clients of the places that were given as URLs, as soon as it listens. */
  get client_urls(): string[] {
    return this.#link.clientUrls
  }

  // ---- rooms and members ------------------------------------------------------------------------

  /** The rooms that have a member in this process, in the order in which they were made. */
  rooms(): string[] {
    return [...(this.#link.hall?.rooms.keys() ?? [])]
  }

  /**
   * The members of a room in this process; without a room, all members of this process. A room that
   * does not exist has none. Throws InvalidArgumentError for an invalid name.
   */
  members(room?: string): Member[] {
    if (room !== undefined) this.#checkName('members', room)
    const { hall } = this.#link
    const seats = room === undefined ? hall?.seats : hall?.rooms.get(room)?.crowd
    return Array.from(seats ?? [], ({ member }) => member)
  }

  /**
   * The names of the members of a room, in all processes. They are known if the room has a member
   * in this process, and if `presence` is set or `on_presence` overridden. Otherwise there are
   * none. Throws InvalidArgumentError for an invalid name.
   */
  names(room: string): string[] {
    this.#checkName('names', room)
    return this.#link.hall?.rooms.get(room)?.names ?? []
  }

  /**
   * Sends a message to all members of a room, in all processes. It arrives like one of a member:
   * `{"_room": …}` with the fields of an object, or with another value as `data` or `message`. With
   * `history` it is kept. If that fails, `on_error` is called.
   *
   * Throws InvalidArgumentError for an invalid name or option, and for bytes and other values that
   * have no JSON; InvalidStateError if the server does not listen.
   */
  emit(room: string, message: unknown, options: EmitOptions = {}): void {
    checkOptions('emit', options, EMIT_CHECKS)
    const { except, volatile = false } = options
    this.#checkName('emit', room)
    let text
    try {
      text = encodeFor(room, message)
    } catch (error) {
      throw new InvalidArgumentError(`emit: ${(error as Error).message}`)
    }
    this.#link.openHall('emit()').emit(room, text, except?.id ?? '', volatile)
  }

  #checkName(call: string, room: string): void {
    const fault = nameFault(room, this.room_name_size)
    if (fault !== undefined) throw new InvalidArgumentError(`${call}: ${fault}`)
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Closes at once: every member is disconnected. `close(true)` and `end()` first send what is
   * queued. If it is not open, nothing happens.
   */
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    this.#link.close(flush)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called once for each opening, when it listens at all places and the relay can be used.
   *
   * By default it does nothing.
   */
  on_listen(): any {}

  /**
   * Called if it cannot listen at one of its places, or the relay refuses.
   *
   * By default it calls `on_error`. Then the server closes, whatever this hook does.
   */
  on_listen_error(error: ReportedError): any {
    return this.on_error(error)
  }

  /**
   * Called with each member that has connected. It is in no room yet.
   *
   * By default it does nothing.
   */
  on_connect(_member: Member): any {}

  /**
   * Called when a member has gone, after it has left its rooms. `reason` is why it was sent away,
   * or the error of its connection; '' if it went by itself.
   *
   * By default it does nothing.
   */
  on_disconnect(_member: Member, _reason: string): any {}

  /**
   * Called when a member wants to join a room. It may be asynchronous: meanwhile nothing else of
   * this member is heard. If it returns false, or text as the reason, the member is refused. If it
   * throws, the member is refused as well, and `on_error` is called.
   *
   * If it is overridden, only members of a room may send to it. By default every member may join
   * every room, and may send to it.
   */
  on_join(_member: Member, _room: string): any {}

  /**
   * Called when a member has left a room, or was taken out of it, or has gone.
   *
   * By default it does nothing.
   */
  on_leave(_member: Member, _room: string): any {}

  /**
   * Called with each message of a member to a room, without its `_room`, before it is passed on. It
   * may change `data`, or return another message. If it returns false, the message is dropped. It
   * may be asynchronous: meanwhile nothing else of this member is heard. If it throws, the message
   * is dropped, and `on_error` is called.
   *
   * By default the message is passed on as it is.
   */
  on_room_message(_member: Member, _room: string, _data: Record<string, unknown>): any {}

  /**
   * Called with each message of a member without a room: the value of JSON, or else the text or the
   * bytes. If it returns false, nothing else is done. See `echo`.
   *
   * By default it does nothing.
   */
  on_message(_member: Member, _data: unknown): any {}

  /**
   * Called when members have come into a room or have left it, in any process, with their names. It
   * is not called for a room that has no member in this process.
   *
   * By default it does nothing.
   */
  on_presence(_room: string, _came: readonly string[], _went: readonly string[]): any {}

  /**
   * Called with every error whose own hook is not overridden: with what a hook threw, with an error
   * of the relay, and when a place turns a peer away.
   *
   * By default it logs one line. A server that listens does not close: its members have nothing to
   * do with that error.
   */
  override on_error(error: ReportedError): any {
    this[LIFE].log(error)
    if (this.state !== 'active') this.close()
  }
}
