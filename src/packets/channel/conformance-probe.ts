/**
 * Layer 9. Probe: a channel that is held to the promises of PacketChannel, and what it has called.
 * The fixture makes the channel, and does what is needed of the server's side.
 */

import { DRIVE, Engine } from '../../engine.ts'
import type { Milliseconds } from '../../types.ts'
import type { Packet, PacketDict } from '../packet.ts'
import {
  type OnCatastrophicDisconnect,
  type OnChannelOpen,
  type OnMessage,
  PacketChannel,
} from './packet-channel.ts'

type Make = (
  on_channel_open: OnChannelOpen,
  on_catastrophic_disconnect: OnCatastrophicDisconnect,
  on_message: OnMessage,
) => PacketChannel | Promise<PacketChannel>

/** What `check_packet_channel` is handed: your channel, and the other side of it. */
export interface ConformanceFixture {
  /** Makes a channel to a server that works. Called once for each check. */
  readonly make: Make
  /** Makes a channel that has no hope of a connection. It must give up soon. */
  readonly make_hopeless?: Make | undefined
  /** Every packet that has arrived at the server so far, in order. */
  readonly received?: (() => readonly PacketDict[]) | undefined
  /** Has the server send this packet to the channel, which may have connected only just now. */
  readonly push?: ((packet: PacketDict) => unknown) | undefined
  /** Breaks all connections, and refuses new ones until `restore`. */
  readonly drop?: (() => unknown) | undefined
  /** Ends what `drop` began. */
  readonly restore?: (() => unknown) | undefined
  /** The engine whose timers the checks use. @default Engine.instance() */
  readonly engine?: Engine | undefined
  /** How long something that must happen may take. @default 5000 ms */
  readonly timeout?: Milliseconds | undefined
  /** How long a check waits for what must not happen. @default 50 ms */
  readonly quiet?: Milliseconds | undefined
}

/** A channel under test, and what it has called. */
export class Probe {
  readonly opens: string[] = []
  readonly disconnects: string[] = []
  readonly messages: [id: string, packet: Packet][] = []
  /** Was it alive in the first on_channel_open? */
  wasAlive: boolean | undefined
  channel!: PacketChannel
  readonly #engine: Engine
  readonly #timeout: Milliseconds
  readonly #quiet: Milliseconds

  constructor({ engine = Engine.instance(), timeout = 5000, quiet = 50 }: ConformanceFixture) {
    this.#engine = engine
    this.#timeout = timeout
    this.#quiet = quiet
  }

  async make(make: Make): Promise<PacketChannel> {
    this.channel = await make(
      id => {
        this.opens.push(id)
        this.wasAlive ??= this.channel.is_alive()
      },
      id => void this.disconnects.push(id),
      (id, packet) => void this.messages.push([id, packet]),
    )
    if (!(this.channel instanceof PacketChannel)) fail('make() must return a PacketChannel')
    return this.channel
  }

  get calls(): number {
    return this.opens.length + this.disconnects.length + this.messages.length
  }

  async open(make: Make): Promise<PacketChannel> {
    const channel = await this.make(make)
    channel.open()
    await this.until('it must become alive', () => channel.is_alive() && this.opens.length > 0)
    return channel
  }

  #pause(delay: Milliseconds): Promise<void> {
    return new Promise(go => void this.#engine[DRIVE].after(delay, go))
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const end = this.#engine.now + this.#timeout
    while (!isSo()) {
      if (this.#engine.now >= end) fail(`${what}; it did not within ${this.#timeout} ms`)
      await this.#pause(2)
    }
  }

  quiet(): Promise<void> {
    return this.#pause(this.#quiet)
  }
}

/** Breaks off a check: a promise is broken. */
export function fail(why: string): never {
  throw new Error(why)
}

/** Breaks it off unless it is so. */
export function must(isSo: boolean, why: string): void {
  if (!isSo) fail(why)
}
