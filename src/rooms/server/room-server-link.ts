/**
 * Layer 9. RoomServerLink: what connects one RoomServer with its places, its relay and its hall,
 * over one opening after the other.
 *
 * In the order of an opening: listen → (the relay and all channels are open) → ready → close →
 * (all channels have closed) → finished.
 */

import type { Driver } from '../../channels/hooks.ts'
import { LIFE, type Living } from '../../channels/life.ts'
import { adoptFields } from '../../channels/settings.ts'
import { checkClosed } from '../../core/checks.ts'
import { onRejection } from '../../core/promises.ts'
import type { Gauge } from '../../core/tally.ts'
import type { Engine } from '../../engine.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { serverUrl } from '../../messages/server-url.ts'
import type { Url } from '../../messages/url.ts'
import { WebSocketServer } from '../../protocols/websocket/server.ts'
import { open_relay } from '../../relay/open-relay.ts'
import type { Relay } from '../../relay/relay.ts'
import { ChannelEntrance } from './channel-entrance.ts'
import type { Entrance } from './entrance.ts'
import { Hall, type HallOwner } from './hall.ts'
import { ROOM_SERVER_DEFAULTS, type RoomServerValues } from './room-server-settings.ts'
import { WebSocketEntrance } from './websocket-entrance.ts'

const GAUGE: Gauge = { kind: 'server', bytes_read: 0, bytes_written: 0, bytes_held: 0 }

/** Carriers whose queue of a peer is bounded by `send-buffer-size`. */
const STREAMS = /(^|\+)(tcp|unix|wss?)$/

/** The hooks that cost something if the program has them. */
interface Hearing {
  on_join: unknown
  on_room_message: unknown
  on_presence: unknown
}

/** The server. */
interface Face extends Living, Hearing {
  readonly engine: Engine
}

export class RoomServerLink implements Driver, HallOwner {
  readonly #server: Face
  /** The hooks as they are by default. */
  readonly #base: Hearing
  values: RoomServerValues = ROOM_SERVER_DEFAULTS
  context: Context | undefined
  hall: Hall | undefined
  #channels: MessageChannel[] = []
  #entrances: Entrance[] = []
  /** What is to be closed with the server. */
  #ownRelay: Relay | undefined

  constructor(server: Face, base: Hearing) {
    this.#server = server
    this.#base = base
  }

  get engine(): Engine {
    return this.#server.engine
  }

  assign(name: string, value: unknown): void {
    this.values = { ...this.values, [name]: value }
  }

  /** The hall, if it listens. Throws InvalidStateError. */
  openHall(call: string): Hall {
    const { state } = this.#server
    if (this.hall === undefined || state !== 'active')
      throw new InvalidStateError(call, `the server is ${state}`, 'listen() and await `opened`')
    return this.hall
  }

  get clientUrls(): string[] {
    return this.#channels.flatMap(({ client_url }) => client_url ?? [])
  }

  // ---- opening ----------------------------------------------------------------------------------

  listen(places: readonly (string | WebSocketServer)[]): void {
    checkClosed('listen()', 'server', this.#server.state, 'give all places to one call')
    if (places.length === 0)
      throw new InvalidArgumentError('listen: it needs a place, such as ws://:8000')
    adoptFields(this.#server)
    const channels = this.#makeChannels(places)
    const life = this.#server[LIFE]
    try {
      this.#makeHall()
      this.#entrances = this.#makeEntrances(places, channels)
      life.beginOpening()
    } catch (error) {
      this.#undo(channels)
      throw error
    }
    this.#channels = channels
    life.announceSoon()
    void this.#open()
  }

  /** Throws if a URL is invalid. No channel is left then. */
  #makeChannels(places: readonly (string | WebSocketServer)[]): MessageChannel[] {
    const context = this.context ?? Context.instance()
    const channels: MessageChannel[] = []
    try {
      for (const place of places) {
        if (place instanceof WebSocketServer) continue
        if (typeof place !== 'string')
          throw new InvalidArgumentError('listen: place', 'a URL or a WebSocketServer', place)
        channels.push(context.init(serverUrl(place, this.#buffer), { engine: this.engine }))
      }
    } catch (error) {
      for (const each of channels) each.destroy()
      throw error
    }
    return channels
  }

  readonly #buffer = ({ protocol }: Url): string =>
    STREAMS.test(protocol) ? `;send-buffer-size=${this.values.member_buffer}b` : ''

  #makeHall(): void {
    const { relay, history } = this.values
    const { count, age } =
      typeof history === 'number' ? { count: history } : typeof history === 'object' ? history : {}
    this.#ownRelay =
      typeof relay === 'string'
        ? open_relay(relay, { engine: this.engine, history: count, history_age: age })
        : undefined
    this.hall = new Hall(this, this.#ownRelay ?? (relay as Relay))
  }

  /** Has the program a hook of its own? It may assign one at any time. */
  overrides(hook: 'on_join' | 'on_room_message' | 'on_presence'): boolean {
    return this.#server[hook] !== this.#base[hook]
  }

  #makeEntrances(places: readonly unknown[], channels: readonly MessageChannel[]): Entrance[] {
    const hall = this.hall as Hall
    const servers = places.filter(place => place instanceof WebSocketServer)
    return [
      ...channels.map(each => new ChannelEntrance(each, hall)),
      ...servers.map(each => new WebSocketEntrance(each, hall)),
    ]
  }

  /** It could not begin to open. */
  #undo(channels: readonly MessageChannel[]): void {
    for (const each of this.#entrances) each.shut(true)
    for (const each of channels) each.destroy()
    void this.#ownRelay?.close()
    this.#entrances = []
    this.hall = this.#ownRelay = undefined
  }

  async #open(): Promise<void> {
    const { hall } = this
    const channels = this.#channels
    try {
      for (const each of channels) this.#watch(each)
      await Promise.all([hall?.relay.opened, ...channels.map(each => each.open().opened)])
    } catch (error) {
      if (this.hall === hall) this.#server[LIFE].fail('on_listen_error', error as Error)
      return
    }
    const life = this.#server[LIFE]
    if (this.hall !== hall || life.state !== 'opening') return
    life.open('listen')
    if (this.#isActive) life.call('on_listen')
  }

  get #isActive(): boolean {
    return this.#server.state === 'active'
  }

  /** Reports what happens to a channel later: a peer is turned away, or the whole channel fails. */
  #watch(channel: MessageChannel): void {
    channel.on_error = error => {
      if (!this.#isActive) return
      if (channel.state === 'error') this.#server[LIFE].fail('on_error', error)
      else this.failed(error)
    }
    channel.callback_add(() => this.#closedOne(channel), 'state')
  }

  // ---- what is told -----------------------------------------------------------------------------

  call(hook: `on_${string}`, ...args: unknown[]): unknown {
    return this.#server[LIFE].call(hook, ...args)
  }

  failed(error: unknown): void {
    this.#server[LIFE].call('on_error', error)
  }

  /** What a promise of a hook rejects with goes to on_error. */
  hookReturned(result: unknown): void {
    onRejection(result, error => this.#server[LIFE].hookFailed(error))
  }

  address(): string {
    return this.clientUrls[0] ?? ''
  }

  gauge(): Gauge {
    return GAUGE
  }

  suspended(): void {
    for (const each of this.#channels) each.suspend()
  }

  resumed(): void {
    for (const each of this.#channels) each.resume()
  }

  // ---- closing ----------------------------------------------------------------------------------

  close(flush: boolean): void {
    const { state } = this.#server
    if (state === 'closed' || (state === 'closing' && flush)) return
    this.#server[LIFE].beginClosing()
    for (const each of this.#entrances) each.shut(!flush)
    for (const each of this.#channels) this.#closedOne(each)
    this.#finishIfAllClosed()
  }

  /** A channel that has failed is closed, too. */
  #closedOne(channel: MessageChannel): void {
    if (this.#server.state !== 'closing') return
    if (channel.state === 'error') channel.close(true)
    if (channel.state === 'closed') this.#finishIfAllClosed()
  }

  #finishIfAllClosed(): void {
    const { hall } = this
    if (hall === undefined || this.#channels.some(each => each.state !== 'closed')) return
    this.hall = undefined
    hall.close()
    this.#entrances = []
    const channels = this.#channels
    for (const each of channels) each.destroy()
    Promise.resolve(this.#ownRelay?.close()).then(
      () => this.#finish(),
      (error: unknown) => {
        this.#server[LIFE].log(error)
        this.#finish()
      },
    )
  }

  #finish(): void {
    this.#channels = []
    this.#ownRelay = undefined
    this.#server[LIFE].finishClosing()
  }
}
