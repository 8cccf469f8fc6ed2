/**
 * Layer 9. PacketChannel: the contract between a supervisor and whatever carries its packets.
 *
 * Call order: the constructor → open → on_channel_open, each time it becomes alive → send and
 * on_message, any number → close. on_catastrophic_disconnect may come at any point after `open`,
 * and nothing follows it.
 *
 * Rules, which `check_packet_channel` holds every implementation to:
 * 1. `is_alive` is false until there is a connection, and false again when it is lost.
 * 2. `is_closed` is true only after `close`, or after the channel has given up.
 * 3. `send` never throws and never waits. True: the packet was handed on. False: it was not, and
 *    the caller keeps it.
 * 4. After `close` no callback is called, and nothing of the channel is left running.
 */
// Source: Mephisto, `abstractions/channel.py`.

import { noop } from '../../core/noop.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Packet } from '../packet.ts'

/** Called each time a channel becomes alive: its packets will arrive from now on. */
export type OnChannelOpen = (channel_id: string) => void

/**
 * Called once when a channel gives up: it can no longer reach its server. `error` says why, if the
 * channel knows. No other callback follows.
 */
export type OnCatastrophicDisconnect = (channel_id: string, error?: Error) => void

/** Called with each packet that arrives. */
export type OnMessage = (channel_id: string, packet: Packet) => void

/**
 * Carries the packets of a supervisor to and from a server. `WebsocketChannel` is one for every URL
 * of message channels; a program that reaches its server in another way writes its own.
 *
 * @example
 * class Loopback extends PacketChannel {
 *   #state: 'new' | 'open' | 'closed' = 'new'
 *   open() {
 *     this.#state = 'open'
 *     queueMicrotask(() => this.is_alive() && this.on_channel_open(this.channel_id))
 *   }
 *   is_alive = () => this.#state === 'open'
 *   is_closed = () => this.#state === 'closed'
 *   close() { this.#state = 'closed' }
 *   send(packet: Packet) {
 *     if (this.is_alive()) queueMicrotask(() => this.on_message(this.channel_id, packet))
 *     return this.is_alive()
 *   }
 * }
 */
export abstract class PacketChannel {
  /** The name of the channel in all its callbacks. */
  readonly channel_id: string
  /** To be called each time the channel becomes alive. */
  readonly on_channel_open: OnChannelOpen
  /** To be called once, if there is no hope of a connection any more. */
  readonly on_catastrophic_disconnect: OnCatastrophicDisconnect
  /** To be called with each packet that arrives. */
  readonly on_message: OnMessage

  /**
   * The largest packet that the channel can carry: its text in UTF-8. A supervisor refuses a larger
   * one at once, with a PacketError. Otherwise the channel would refuse it each time it is tried,
   * and whatever comes after it would wait.
   *
   * @default 1 000 000 bytes
   */
  packet_size: Bytes = 1_000_000

  /**
   * To be called when `send` has returned false and will now take packets again, although the
   * channel was alive all the time. A supervisor assigns it. A channel need not call it: the
   * supervisor tries again every 100 ms.
   *
   * @default does nothing
   */
  on_send_ready: (channel_id: string) => void = noop

  /**
   * Opens nothing. Throws InvalidArgumentError for an empty id, or a callback that is not a
   * function.
   */
  constructor(
    channel_id: string,
    on_channel_open: OnChannelOpen,
    on_catastrophic_disconnect: OnCatastrophicDisconnect,
    on_message: OnMessage,
  ) {
    if (typeof channel_id !== 'string' || channel_id === '')
      throw new InvalidArgumentError('channel_id', 'a text that is not empty', channel_id)
    const callbacks = { on_channel_open, on_catastrophic_disconnect, on_message }
    for (const [name, callback] of Object.entries(callbacks))
      if (typeof callback !== 'function')
        throw new InvalidArgumentError(name, 'a function', callback)
    this.channel_id = channel_id
    this.on_channel_open = on_channel_open
    this.on_catastrophic_disconnect = on_catastrophic_disconnect
    this.on_message = on_message
  }

  /**
   * Begins to connect, and returns at once. `on_channel_open` is called when there is a connection,
   * never inside this call.
   */
  abstract open(): void

  /** Is there a connection? */
  abstract is_alive(): boolean

  /** Closes the channel for ever. It may be called at any time, and any number of times. */
  abstract close(): void

  /** Was it closed, or has it given up? */
  abstract is_closed(): boolean

  /**
   * Hands a packet on. Returns false if that is impossible now: the caller keeps the packet, and
   * tries again when the channel is alive. A failure that ends the connection also makes `is_alive`
   * false.
   */
  abstract send(packet: Packet): boolean
}
