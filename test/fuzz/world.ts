/**
 * A world of channels whose hooks make random calls: what they do, what they throw and return, and
 * what must be so whatever they do.
 */

import type { Channel } from '../../src/channels/channel.ts'
import type { Engine } from '../../src/engine.ts'
import { ChannelError } from '../../src/errors.ts'
import { Order } from './order.ts'
import { pick, type Random } from './target.ts'

/** What a call may throw: the codes of a mistake of the program, and those of the system. */
const CODES =
  /^(ERR_(INVALID_(STATE|ARGUMENT|DELIMITER|ADDRESS)|STRUCT|UNSUPPORTED_OPTION)|E[A-Z]+)$/

/** How what hooks throw and reject with begins. */
const ON_PURPOSE = 'on purpose'

// prettier-ignore
const HOOKS = [
  'on_state', 'on_connect', 'on_read', 'on_write', 'on_read_end', 'on_connect_error',
  'on_read_error', 'on_write_error', 'on_overflow_error', 'on_timeout', 'on_tls_handshake',
  'on_tls_handshake_error', 'on_tls_error', 'on_error', 'on_close', 'on_listen', 'on_listen_error',
  'on_accept', 'on_drop', 'on_overload',
]

/** A random call on a channel. */
export type Call = (world: World, channel: Channel) => unknown

export class World {
  readonly random: Random
  readonly engine: Engine
  readonly wrong: string[] = []
  readonly channels: Channel[] = []
  readonly #orders = new Map<Channel, Order>()
  readonly #calls: readonly Call[]
  /** How many more calls hooks may make; 0: they do what they do by default. */
  #left: number
  #promises = 0

  /** `calls`: those that may be made, each with the same chance. */
  constructor(random: Random, engine: Engine, calls: readonly Call[], most: number) {
    this.random = random
    this.engine = engine
    this.#calls = calls
    this.#left = most
  }

  // ---- calls ------------------------------------------------------------------------------------

  /** A random call on this channel or another one. */
  act(channel: Channel = this.any()): void {
    if (this.#left-- <= 0) return
    const call = pick(this.random, this.#calls)
    const one = this.random(2) === 0 ? channel : this.any()
    try {
      call(this, one)
    } catch (error) {
      const isCoded = error instanceof ChannelError && CODES.test(error.code)
      if (!isCoded) this.complain(`${one.name} ${String(call)}: ${(error as Error)?.stack}`)
    }
  }

  any(): Channel {
    return pick(this.random, this.channels)
  }

  /** Nothing random happens any more. */
  calm(): void {
    this.#left = 0
  }

  /** It is closed or ended by a call. */
  stopped(channel: Channel): void {
    this.#orders.get(channel)?.stopped()
  }

  /** May it be opened now? Not by on_state after closing: the old on_close is still to come. */
  mayOpen(channel: Channel): boolean {
    return this.#orders.get(channel)?.isOver !== false
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /** Its hooks are watched, and make calls. */
  add<Of extends Channel>(channel: Of): Of {
    const name = `${channel.constructor.name} ${this.channels.push(channel)}`
    channel.name = name
    const order = new Order(name, fault => this.complain(fault))
    this.#orders.set(channel, order)
    const hooks = channel as unknown as Record<
      string,
      ((...args: unknown[]) => unknown) | undefined
    >
    for (const hook of HOOKS) {
      const original = hooks[hook]
      if (original === undefined) continue
      hooks[hook] = (...args) => {
        order.told(hook, args)
        if (/error/.test(hook)) this.#checkError(`${name} ${hook}`, args[0])
        return this.#behave(channel, hook, () => original.apply(channel, args))
      }
    }
    return channel
  }

  #behave(channel: Channel, hook: string, original: () => unknown): unknown {
    const { random } = this
    if (this.#left <= 0) return original()
    for (let n = random(3); n > 0; n--) this.act(channel)
    // on_accept makes the connection; without the others a channel may go on, or hang.
    const result = hook === 'on_accept' || random(3) > 0 ? original() : undefined
    // It may be left out below, as a program may.
    if (result instanceof Promise) result.catch(() => {})
    const order = this.#orders.get(channel)!
    switch (random(24)) {
      case 0:
        order.failing(hook)
        throw pick<unknown>(random, [new Error(`${ON_PURPOSE} in ${hook}`), ON_PURPOSE, undefined])
      case 1:
        order.failing(hook)
        return this.#later(channel, hook, true)
      case 2:
      case 3:
        return this.#later(channel, hook, false)
      default:
        return result
    }
  }

  /** A promise that settles in some turns, and may make a call before. */
  async #later(channel: Channel, hook: string, isRejected: boolean): Promise<void> {
    this.#promises++
    for (let n = this.random(6); n > 0; n--) await new Promise(setImmediate)
    this.#promises--
    if (this.random(2) === 0) this.act(channel)
    if (!isRejected) return
    const text = `${ON_PURPOSE} by the promise of ${hook}`
    throw this.random(2) === 0 ? new Error(text) : text
  }

  /** Do promises of hooks wait? */
  get isWaiting(): boolean {
    return this.#promises > 0
  }

  // ---- what must be so --------------------------------------------------------------------------

  complain(fault: string): void {
    if (this.wrong.length < 10) this.wrong.push(fault)
  }

  /** What is logged, or told to a hook. */
  #checkError(where: string, error: unknown): void {
    const { message = '' } = (error ?? {}) as Partial<Error>
    const isKnown = error instanceof ChannelError || message.startsWith(ON_PURPOSE)
    if (!isKnown) this.complain(`${where} gets ${(error as Error)?.stack ?? String(error)}`)
  }

  /** For the engine. */
  readonly log = (message: string, error?: unknown): void => {
    if (/bug in sluice/.test(message)) this.complain(message)
    const { name, code } = (error ?? {}) as { name?: string; code?: unknown }
    if (/^(Type|Range|Reference|Syntax)Error$/.test(name ?? '') && code === undefined)
      this.complain(`${message}: ${(error as Error).stack}`)
  }

  /** Everything is over and nothing is left. */
  end(): void {
    for (const order of this.#orders.values()) order.end()
    for (const { state, name } of this.channels)
      if (state !== 'closed') this.complain(`${name} is ${state}`)
    const { engine } = this
    if (engine.channels.size > 0) this.complain(`${engine.channels.size} channels are left`)
    const stats = engine.stats()
    if (stats.bytes_held !== 0) this.complain(`${stats.bytes_held} bytes are held`)
  }
}
