/**
 * Layer 9. PacketAgent: an agent that is a program. It talks to a supervisor through a router. It
 * says who it is, and confirms what it gets if the router and the supervisor take confirmations.
 */

import { tellMisspeltNames } from '../channels/misspelt-names.ts'
import {
  checkFunction,
  checkName,
  type Checks,
  countFrom,
  instanceOf,
  oneOf,
} from '../core/checks.ts'
import { type Deferred, deferred } from '../core/deferred.ts'
import { noop } from '../core/noop.ts'
import { checkOptions, optionsOf } from '../core/options.ts'
import { attempt, isPromiseLike } from '../core/promises.ts'
import { Engine, logSafely } from '../engine.ts'
import { asError, messageOf } from '../errors.ts'
import { Context } from '../messages/context.ts'
import type { Bytes } from '../types.ts'
import { PacketChannel } from './channel/packet-channel.ts'
import { WebsocketChannel } from './channel/websocket-channel.ts'
import { CHANNEL_CHECKS, type WebsocketChannelOptions } from './channel/websocket-options.ts'
import { PacketChannelError } from './errors.ts'
import { takeHooks } from './given-hooks.ts'
import { Budget } from './lines/budget.ts'
import type { ChannelStats } from './lines/channel-stats.ts'
import { PacketLine, type LineOwner, type Said } from './lines/packet-line.ts'
import { Packet, type PacketData } from './packet.ts'
import { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from './packet-types.ts'

/** The options of a PacketAgent. */
export interface PacketAgentOptions {
  /** The shape of its packets. @default '2020' */
  readonly shape?: '2020' | 'today' | undefined
  /** Makes the message channel, and has the engine. @default Context.instance() */
  readonly context?: Context | undefined
  /** The options of its WebsocketChannel. */
  readonly channel?: Omit<WebsocketChannelOptions, 'context'> | undefined
  /** The most packets that wait, including those that are not confirmed yet. @default 100 000 */
  readonly queue_limit?: number | undefined
  /** The most bytes of them, as JSON. @default 64 MiB */
  readonly queue_size?: Bytes | undefined
  /** The hook `on_packet`. */
  readonly on_packet?: PacketAgent['on_packet'] | undefined
  /** The hook `on_lost`. */
  readonly on_lost?: PacketAgent['on_lost'] | undefined
  /** The hook `on_error`. */
  readonly on_error?: PacketAgent['on_error'] | undefined
}

const CHECKS: Checks<PacketAgentOptions> = {
  shape: oneOf('2020', 'today'),
  context: instanceOf(Context),
  channel: optionsOf(CHANNEL_CHECKS, 'context'),
  queue_limit: countFrom(1),
  queue_size: countFrom(1),
  on_packet: checkFunction,
  on_lost: checkFunction,
  on_error: checkFunction,
}

/**
 * An agent that talks to a supervisor through a router.
 *
 * @example
 * const ann = new PacketAgent('ann', 'ws://127.0.0.1:8080/socket', {
 *   on_packet: packet => console.log(packet.type, packet.data),
 * })
 * ann.open()
 * ann.send('agent_action', { text: 'hello' })
 */
export class PacketAgent {
  /** Its id in packets. */
  readonly agent_id: string
  readonly #engine: Engine
  readonly #shape: '2020' | 'today'
  readonly #channel: PacketChannel
  readonly #line: PacketLine
  #state: 'new' | 'open' | 'closed' = 'new'
  readonly #opened: Deferred<void> = deferred()

  /**
   * Opens nothing. Throws UrlError for an invalid URL, InvalidArgumentError if an option is invalid
   * or does not exist.
   */
  constructor(agent_id: string, url: string, options: PacketAgentOptions = {}) {
    checkName('new PacketAgent: agent_id', agent_id)
    checkOptions('new PacketAgent', options, CHECKS)
    const { shape = '2020', context = Context.instance(), channel = {} } = options
    const { queue_limit = 100_000, queue_size = 64 * 1024 * 1024 } = options
    const { on_packet, on_lost, on_error } = options
    takeHooks(this, { on_packet, on_lost, on_error })
    this.agent_id = agent_id
    this.#shape = shape
    this.#opened.promise.catch(noop)
    this.#engine = context.engine
    this.#channel = new WebsocketChannel(
      agent_id,
      () => this.#line.becomeAlive(),
      (_, error) => this.#lost(error as Error),
      (_, packet) => this.#received(packet),
      url,
      { on_error: (_, error) => this.#report(error), ...channel, context },
    )
    this.#line = new PacketLine(this.#channel, this.#lineOwner, {
      engine: this.#engine,
      budget: new Budget(queue_limit, queue_size, this.#channel.packet_size),
      stream: `${agent_id.slice(0, 100)}.${Math.random().toString(36).slice(2, 10)}`,
    })
  }

  /** Is it connected to the router? */
  get is_alive(): boolean {
    return this.#channel.is_alive()
  }

  /** Packets that wait, or are not confirmed yet. */
  get queued(): number {
    return this.#line.budget.count
  }

  /** Do the router and the supervisor confirm? 'asking': that is not known yet. */
  get mode(): ChannelStats['mode'] {
    return this.#line.mode
  }

  /** How its channel is doing. The id of the channel is that of the agent. */
  stats(): ChannelStats {
    return this.#line.stats
  }

  /** Resolves when it is connected for the first time. Rejects if that will never happen. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  /**
   * Begins to connect, and connects again after each loss, until `close`. Throws InvalidStateError
   * the second time.
   */
  open(): this {
    tellMisspeltNames(this, PacketAgent.prototype, this.#engine)
    this.#channel.open()
    this.#state = 'open'
    return this
  }

  /**
   * Sends a packet to the supervisor. It may be called before `open`. Returns false if there is no
   * room in the queue, which `ready()` waits for, or after `close`. Throws PacketError (ERR_PACKET)
   * if the packet is invalid.
   */
  send(packet_type: string, data: PacketData = {}): boolean {
    return (
      this.#state !== 'closed' && this.#line.send(this.#packet(packet_type, data), SUPERVISOR_ID)
    )
  }

  #packet(packet_type: string, data: object): Packet {
    const { agent_id } = this
    return new Packet(
      this.#shape === '2020'
        ? { packet_type, sender_id: agent_id, receiver_id: SUPERVISOR_ID, data }
        : { packet_type, subject_id: agent_id, data, client_timestamp: Date.now() / 1000 },
    )
  }

  /** Resolves when at least half of the queue is free, and after `close`. */
  ready(): Promise<void> {
    return this.#line.budget.half()
  }

  /**
   * Resolves when nothing waits and everything is confirmed, and after `close`. It does not resolve
   * while the router says nothing: until then it is not known whether the router confirms, so what
   * it was handed is kept.
   */
  idle(): Promise<void> {
    return this.#line.budget.empty()
  }

  readonly #lineOwner: LineOwner = {
    greet: line => {
      const party = line.party(SUPERVISOR_ID)!
      line.channel.send(this.#packet(PACKET_TYPES.ALIVE, line.stateOf(party)))
      this.#opened.resolve()
    },
    knock: ({ channel }) => {
      // The router of 2020 answers it.
      const fields = { sender_id: this.agent_id, receiver_id: ROUTER_ID }
      if (this.#shape === '2020')
        channel.send(new Packet({ packet_type: PACKET_TYPES.HEARTBEAT, ...fields }))
    },
    partyOf: () => SUPERVISOR_ID,
    deliver: (_, __, packet) => this.#deliver(packet),
    word: (type, _, data) => this.#packet(type, data),
    report: error => this.#report(error),
  }

  #received(packet: Packet): void {
    const line = this.#line
    const party = line.party(SUPERVISOR_ID)!
    const said = packet.data as Said & { readonly waits?: unknown }
    if (packet.type === PACKET_TYPES.CONFIRM) {
      if (said.sends !== undefined) line.becomeConfirming()
      line.said(party, said, false)
    } else if (packet.type === PACKET_TYPES.HEARTBEAT) line.heardAnother()
    else if (packet.type !== PACKET_TYPES.ALIVE) line.receive(packet, SUPERVISOR_ID)
    else if (said.waits === true) line.waitForOthers()
    else if (said.confirms === undefined) line.becomePlain()
    else this.#lineOwner.greet(line)
  }

  #deliver(packet: Packet): Promise<void> | undefined {
    try {
      const result = this.on_packet(packet)
      if (!isPromiseLike(result)) return undefined
      return Promise.resolve(result).then(noop, error => this.#report(error))
    } catch (error) {
      this.#report(error)
      return undefined
    }
  }

  #lost(error: Error): void {
    this.#opened.reject(error)
    this.close()
    attempt(
      () => this.on_lost(error),
      thrown => this.#report(thrown),
    )
  }

  /** Closes the connection for ever. Returns how many packets were not sent or not confirmed. */
  close(): number {
    if (this.#state === 'closed') return 0
    this.#state = 'closed'
    this.#opened.reject(new PacketChannelError('ERR_CLOSED', `agent ${this.agent_id} was closed`))
    this.#channel.close()
    return this.#line.end()
  }

  /**
   * Called with each packet from the supervisor, in order. If it returns a promise, the next one
   * waits. By default it does nothing.
   */
  on_packet(_packet: Packet): unknown {
    return undefined
  }

  /**
   * Called once if the router is lost for good. The agent has been closed by then. By default it
   * calls `on_error`.
   */
  on_lost(error: Error): unknown {
    return this.#report(error)
  }

  /** Called with each error that ends nothing. By default it logs one line. */
  on_error(error: Error): unknown {
    return logSafely(this.#engine, `agent ${this.agent_id}: ${messageOf(error)}`, error)
  }

  #report(thrown: unknown): void {
    const error = asError(thrown)
    attempt(
      () => this.on_error(error),
      late => logSafely(this.#engine, messageOf(late), late),
    )
  }
}
