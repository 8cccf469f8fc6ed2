/**
 * Layer 9. PacketRouter: the server between agents and their supervisor. It lets peers in by its
 * doors (channel-door.ts, http-door.ts); what they send goes through its switchboard.
 */
// Source: Mephisto, `abstractions/architects/router/node/server.js`. Differs: every type of packet
// is passed on, and a packet goes at once, not in a round of 50 ms.

import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { INSPECT, type Inspect, inspectFacts, type InspectOptions } from '../../channels/inspect.ts'
import { tellMisspeltNames } from '../../channels/misspelt-names.ts'
import {
  checkDuration,
  checkFunction,
  type Checks,
  countFrom,
  having,
  instanceOf,
} from '../../core/checks.ts'
import { noop } from '../../core/noop.ts'
import { checkOptions } from '../../core/options.ts'
import { attempt, isPromiseLike, onRejection } from '../../core/promises.ts'
import { type Engine, logSafely } from '../../engine.ts'
import { InvalidArgumentError, InvalidStateError, messageOf } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import { open_relay } from '../../relay/open-relay.ts'
import type { Relay } from '../../relay/relay.ts'
import { checkRelay } from '../../relay/relay-checks.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { PacketChannelError } from '../errors.ts'
import { takeHooks } from '../given-hooks.ts'
import { ChannelDoor } from './channel-door.ts'
import { HttpDoor } from './http-door.ts'
import { HttpRequests } from './http-requests.ts'
import { Neighbours } from './neighbours.ts'
import { type RouterDropReason, Switchboard } from './switchboard.ts'

/** The options of a PacketRouter. */
export interface PacketRouterOptions {
  /** Makes the servers of `listen`, and has the engine. @default Context.instance() */
  readonly context?: Context | undefined
  /** How long an agent may be away before the supervisor is told. @default 10 000 ms */
  readonly grace?: Milliseconds | undefined
  /** How long packets wait for a party that is away. @default 600 000 ms */
  readonly keep?: Milliseconds | undefined
  /**
   * The most packets that wait for one agent, or of one agent for the supervisor.
   *
   * @default 10 000
   */
  readonly queue_limit?: number | undefined
  /**
   * The most characters that wait for one agent. Ten times as many may wait for the supervisor.
   *
   * @default 16 Mi
   */
  readonly queue_size?: Bytes | undefined
  /** How many agents the router remembers. @default 100 000 */
  readonly agent_limit?: number | undefined
  /**
   * What connects it to other routers, for example `redis://localhost`. It shares agents and the
   * supervisor with them. A relay that is given as an object is not closed with the router.
   *
   * @default none: this router only
   */
  readonly relay?: Relay | string | undefined
  /** The hook `on_alive`. */
  readonly on_alive?: PacketRouter['on_alive'] | undefined
  /** The hook `on_drop`. */
  readonly on_drop?: PacketRouter['on_drop'] | undefined
  /** The hook `on_lost`. */
  readonly on_lost?: PacketRouter['on_lost'] | undefined
  /** The hook `on_error`. */
  readonly on_error?: PacketRouter['on_error'] | undefined
}

const CHECKS: Checks<PacketRouterOptions> = {
  context: instanceOf(Context),
  grace: checkDuration,
  keep: checkDuration,
  queue_limit: countFrom(1),
  queue_size: countFrom(1),
  agent_limit: countFrom(1),
  relay: checkRelay,
  on_alive: checkFunction,
  on_drop: checkFunction,
  on_lost: checkFunction,
  on_error: checkFunction,
}

const checkRequest = having<IncomingMessage>('on', 'a request of node:http')
const checkResponse = having<ServerResponse>('writeHead', 'a response of node:http')

/** What a router says about one party. */
export interface RouterMember {
  /** Its id. */
  readonly id: string
  /** Is it connected? */
  readonly is_there: boolean
  /** What the supervisor is told about it. */
  readonly status: string
  /** How many packets wait for it. */
  readonly waiting: number
}

/** What `PacketRouter.stats` returns. */
export interface RouterStats {
  /** How many of its members are connected, including the supervisor. */
  readonly there: number
  /** How many are not, and not forgotten yet. */
  readonly away: number
  /** Packets that wait for a member. */
  readonly waiting: number
  /** Texts that have arrived. */
  readonly received: number
  /** Packets that were dropped, and peers that were refused. */
  readonly dropped: number
}

/**
 * Passes packets between agents and a supervisor.
 *
 * @example
 * const router = new PacketRouter()
 * await router.listen('ws://127.0.0.1:8080/socket;mode=server')
 */
export class PacketRouter {
  readonly #context: Context
  readonly #engine: Engine
  readonly #switchboard: Switchboard
  readonly #doors = new Set<{ close(): Promise<void> }>()
  readonly #requests: HttpRequests
  /** Its own relay, which it closes. */
  #relay: Relay | undefined
  #isClosed = false

  /**
   * Resolves when the relay can be used and the other routers are known; without a relay at once.
   * Rejects with a RelayError if the relay refuses.
   */
  readonly opened: Promise<void>

  /**
   * Opens nothing but the relay. Throws InvalidArgumentError if an option is invalid or does not
   * exist.
   */
  constructor(options: PacketRouterOptions = {}) {
    checkOptions('new PacketRouter', options, CHECKS)
    const { context = Context.instance(), on_alive, on_drop, on_lost, on_error } = options
    takeHooks(this, { on_alive, on_drop, on_lost, on_error })
    this.#context = context
    this.#engine = context.engine
    const { grace = 10_000, keep = 600_000, queue_limit: count = 10_000 } = options
    const { queue_size: size = 16 * 1024 * 1024, agent_limit: agents = 100_000 } = options
    this.#switchboard = new Switchboard(
      this.#engine,
      { grace, keep, count, size, agents },
      {
        admits: (id, address) => this.#admits(id, address),
        answers: (packet, text) => this.#requests.answer(packet, text),
        dropped: (...drop) => attempt(() => this.on_drop(...drop), this.#log),
        lost: id => attempt(() => this.on_lost(id), this.#log),
        failed: error => attempt(() => this.on_error(error), this.#log),
      },
    )
    this.#requests = new HttpRequests(this.#engine, packet =>
      this.#switchboard.toSupervisor(packet),
    )
    this.opened = this.#join(options.relay)
    this.opened.catch(noop)
  }

  /** Joins the other routers. */
  #join(relay: Relay | string | undefined): Promise<void> {
    if (relay === undefined) return Promise.resolve()
    if (typeof relay === 'string') this.#relay = open_relay(relay, { engine: this.#engine })
    const neighbours = new Neighbours(
      this.#relay ?? (relay as Relay),
      this.#engine,
      this.#switchboard,
    )
    this.#switchboard.neighbours = neighbours
    return neighbours.open()
  }

  /**
   * All parties that the router knows. The supervisor is among them if it is connected, or if
   * something waits for it.
   */
  get members(): RouterMember[] {
    return this.#switchboard.members.map(({ id, peer, status, waiting }) => ({
      id,
      is_there: peer !== undefined,
      status,
      waiting,
    }))
  }

  /** What `console.log` shows. @hidden */
  [INSPECT](depth: number, options: InspectOptions, inspect: Inspect): string {
    return inspectFacts(this, this.stats(), depth, options, inspect)
  }

  /** How the router is doing. */
  stats(): RouterStats {
    const { received, dropped } = this.#switchboard
    const { members } = this
    return {
      there: members.filter(({ is_there }) => is_there).length,
      away: members.filter(({ is_there }) => !is_there).length,
      waiting: members.reduce((sum, { waiting }) => sum + waiting, 0),
      received,
      dropped,
    }
  }

  // ---- doors ------------------------------------------------------------------------------------

  /**
   * Lets peers in by a message channel: `ws://127.0.0.1:8080/socket;mode=server`, `tcp://…`,
   * `unix://…`, `mem://…`. May be called several times. Resolves with the URL of its clients when
   * it listens; rejects if it cannot, or if the relay refuses. Throws UrlError, and
   * InvalidStateError after `close`.
   */
  async listen(url: string): Promise<string> {
    this.#checkOpen('listen()')
    tellMisspeltNames(this, PacketRouter.prototype, this.#engine)
    const door = new ChannelDoor(url, this.#context, this.#switchboard)
    this.#doors.add(door)
    try {
      await this.opened
      return await door.open()
    } catch (error) {
      this.#doors.delete(door)
      await door.close()
      throw error
    }
  }

  /**
   * Lets peers in by a server of `node:http` or `node:https`, as WebSocket at `path` (by default
   * `/socket`), and answers its requests as `handle` does. A request that the router does not know
   * is left to the other listeners of the server; without one it is answered with 404. The server
   * stays the program's.
   */
  attach(http: HttpServer, options: { readonly path?: string | undefined } = {}): this {
    checkOptions('attach', options, ['path'])
    this.#checkOpen('attach()')
    tellMisspeltNames(this, PacketRouter.prototype, this.#engine)
    this.#doors.add(
      new HttpDoor(http, options.path ?? '/socket', this.#engine, {
        owner: this.#switchboard,
        handle: (request, response) => this.handle(request, response),
      }),
    )
    return this
  }

  /**
   * Answers a request of `node:http`. Returns false, and does nothing, if it is none of these:
   * - `GET /is_alive`: 200
   * - `POST /request_agent`, `/register_worker`, `/initial_task_data`, `/submit_onboarding`: asks
   *   the supervisor, and answers with its packet; 504 if none comes within 30 s
   *
   * Throws InvalidArgumentError for anything else than a request and its response.
   */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    checkRequest('handle: request', request)
    checkResponse('handle: response', response)
    return this.#requests.handle(request, response)
  }

  #checkOpen(call: string): void {
    if (this.#isClosed)
      throw new InvalidStateError(call, 'the router is closed', 'make another one')
  }

  /** Closes all connections. What waits is dropped. The promise never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    const left = this.#switchboard.neighbours?.close()
    this.#requests.close()
    this.#switchboard.close()
    const doors = [...this.#doors]
    this.#doors.clear()
    await Promise.all(doors.map(door => door.close()))
    await left
    await this.#relay?.close()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called when a peer says which party is at its connection. That may be the supervisor
   * ('mephisto'). `false` refuses it and closes the connection. So does a promise, because the
   * answer is needed at once. By default every peer is believed.
   */
  on_alive(_id: string, _address: string): unknown {
    return true
  }

  /** Called when an agent, or the supervisor, was away for `grace`. By default it does nothing. */
  on_lost(_id: string): unknown {
    return undefined
  }

  /**
   * Called when a packet is dropped or a peer is refused. If a party has no room, it is called
   * once, and again only after the party has had room. By default it calls `on_error`.
   */
  on_drop(reason: RouterDropReason, from: string, to: string): unknown {
    return this.on_error(
      new PacketChannelError(
        'ERR_DROPPED',
        `a packet from ${from} to ${to} was dropped: ${reason}`,
      ),
    )
  }

  /** Called with each error of a connection or of a hook. By default it logs one line. */
  on_error(error: Error): unknown {
    return logSafely(this.#engine, `router: ${messageOf(error)}`, error)
  }

  /** A peer that cannot be judged at once is refused. */
  #admits(id: string, address: string): boolean {
    try {
      const answer = this.on_alive(id, address)
      if (!isPromiseLike(answer)) return answer !== false
      onRejection(answer, noop)
      throw new InvalidArgumentError('on_alive', 'a hook that answers at once', answer)
    } catch (error) {
      this.#log(error)
      return false
    }
  }

  readonly #log = (error: unknown): void =>
    logSafely(this.#engine, `router: ${messageOf(error)}`, error)
}
