/**
 * Layer 7. RedisClient: what a program uses. It connects, and tells what happens.
 *
 * Where to read on, in the order of a command: typed-commands.ts (its types), connections.ts (which
 * connection it takes), redis-session.ts (sending, and whose reply it is), pack.ts and
 * reply-parser.ts (the bytes).
 */

import { INSPECT, type Inspect, inspectFacts, type InspectOptions } from '../../channels/inspect.ts'
import { tellMisspeltNames } from '../../channels/misspelt-names.ts'
import { checkClosed } from '../../core/checks.ts'
import { DRIVE } from '../../core/drive.ts'
import { isPromiseLike, onRejection, quiet } from '../../core/promises.ts'
import { logSafely } from '../../engine.ts'
import { asError, codeOf, InvalidStateError } from '../../errors.ts'
import type { Address, CloseReason } from '../../types.ts'
import { Connections, type ConnectionsOwner, type RedisState } from './connections.ts'
import type { RedisError } from './errors.ts'
import type { Reply } from './reply.ts'
import { checkRedisOptions, type RedisOptions, type Target, targetOf } from './target.ts'
import { RedisView } from './view.ts'

/**
 * Calls the hooks of a client. What a hook throws, or its promise rejects with, is told to
 * `on_error`; what that throws is logged. Nothing of it gets in the way of a reply.
 */
function guarded(client: RedisClient, log: (error: unknown) => void): ConnectionsOwner {
  const fail = (error: unknown): void => {
    try {
      onRejection(client.on_error(asError(error)), log)
    } catch (second) {
      log(second)
    }
  }
  const call = (hook: () => unknown): Promise<unknown> | undefined => {
    try {
      const result = hook()
      return isPromiseLike(result) ? Promise.resolve(result).catch(fail) : undefined
    } catch (error) {
      fail(error)
      return undefined
    }
  }
  return {
    on_connect: () => void call(() => client.on_connect()),
    on_disconnect: error => void call(() => client.on_disconnect(error)),
    on_push: (kind, data) => call(() => client.on_push(kind, data)),
    on_error: fail,
    on_close: reason => void call(() => client.on_close(reason)),
  }
}

/** Where Redis listens by default. */
const DEFAULT_ADDRESS: Address = ['localhost', 6379]

/**
 * A client of Redis (or Valkey). Commands are methods, and `call` sends any of them. It connects
 * again by itself when its connection is lost, and subscribes again.
 *
 * @example
 * const redis = new RedisClient().connect('redis://localhost:6379')
 * await redis.set('greeting', 'hello')
 * console.log(await redis.get('greeting'))
 * redis.end()
 */
export class RedisClient extends RedisView {
  readonly #connections: Connections
  readonly #options: RedisOptions
  #target: Target | undefined

  /** Makes a client, which connects to nothing. Throws InvalidArgumentError for invalid options. */
  constructor(options: RedisOptions = {}) {
    checkRedisOptions(options)
    const connections = new Connections()
    super(connections, { timeout: undefined, encoding: 'utf8' })
    this.#connections = connections
    this.#options = options
    connections.owner = guarded(this, error => this.#log(error))
  }

  // ---- connecting -------------------------------------------------------------------------------

  /**
   * Connects, and returns the client at once. `ready` tells when it is connected; commands may be
   * called before that, and wait.
   *
   * The address is a URL, or one as of every client: `redis://user:password@host:6379/0`, `rediss:`
   * for TLS, `redis+unix:///path/of.sock?db=0`. What a URL says wins over the options.
   *
   * If it cannot connect, it tries again, see the option `reconnect`; `on_disconnect` is told each
   * time. If the server refuses the login the first time, it closes.
   *
   * Throws InvalidAddressError for an invalid address, and InvalidStateError if it is open or the
   * engine stops.
   */
  connect(address: Address | URL = DEFAULT_ADDRESS): this {
    checkClosed('connect()', 'client', this.state)
    const target = targetOf(address, this.#options)
    if (target.engine[DRIVE].isStopping)
      throw new InvalidStateError('connect()', 'the engine is stopping', 'await that first')
    this.#target = target
    tellMisspeltNames(this, RedisClient.prototype, target.engine)
    this.#connections.open(target)
    return this
  }

  /** 'closed', 'opening' (also while it connects again), 'active' or 'closing'. */
  get state(): RedisState {
    return this.#connections.state
  }

  /** Is there a connection, so that commands are sent at once? */
  get connected(): boolean {
    return this.state === 'active'
  }

  /**
   * Resolves with the client when it is connected and logged in; while it connects again, when that
   * is done. Rejects with a RedisError if it closes before that. Before `connect` it is the promise
   * of the next opening. You need not look at it: it never becomes an unhandled rejection.
   */
  get ready(): Promise<this> {
    return quiet(this.#connections.ready.then(() => this))
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Resolves when the client has closed, with the reason: 'local', 'drain' if the engine stopped,
   * 'remote' or 'error' if the connection was lost and is not made again. If it is not open, it
   * resolves at once. It never rejects.
   */
  get closed(): Promise<CloseReason> {
    return this.#connections.closed
  }

  /** Closes at once. Commands without a reply reject (ERR_CLOSED). They may have run. */
  close(): void {
    this.#connections.close(false)
  }

  /**
   * Closes when the replies have come that it waits for, but after 30 s in any case. Commands that
   * wait for a connection are sent when there is one. Those that block are not waited for, and no
   * message is delivered any more.
   */
  end(): void {
    this.#connections.close(true)
  }

  /** `await using redis = …` ends it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    await this.closed
  }

  /** What `console.log` shows. @hidden */
  [INSPECT](depth: number, options: InspectOptions, inspect: Inspect): string {
    const { state } = this
    const address = this.#target?.address
    return inspectFacts(this, { ...this, state, address }, depth, options, inspect)
  }

  #name(): string {
    const address = this.#target?.address
    const shown = Array.isArray(address) ? address.join(':') : JSON.stringify(address)
    return `${this.constructor.name} ${shown}`
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called each time that it is connected and logged in.
   *
   * By default it does nothing.
   */
  on_connect(): any {}

  /**
   * Called when a connection was lost, or could not be made, with the reason. It tries again by
   * itself, unless `state` is 'closing'. The connection may be that for messages: the server ends
   * it if handlers are too slow, most often in the middle of a message (ERR_CUT_OFF).
   *
   * By default it logs one line.
   */
  on_disconnect(error: RedisError): any {
    this.#log(error)
  }

  /**
   * Called with what a handler of messages threw, and with the refusal of a subscription.
   *
   * By default it logs one line.
   */
  on_error(error: Error): any {
    this.#log(error)
  }

  /**
   * Called with what the server says by itself on the connection for commands: 'invalidate' after
   * `CLIENT TRACKING ON`. If it returns a promise, the next call waits for it. Replies come
   * nevertheless: it may await commands.
   *
   * By default it does nothing.
   */
  on_push(_kind: string, _data: readonly Reply[]): any {}

  /**
   * Called once when it has closed, as the last hook. It may connect again in here.
   *
   * By default it does nothing.
   */
  on_close(_reason: CloseReason): any {}

  /** One line; what a program threw without a code comes with its stack. */
  #log(thrown: unknown): void {
    const error = asError(thrown)
    const code = codeOf(error)
    const text = code === '' ? error.stack : `${error.message} (${code})`
    logSafely(this.#target!.engine, `${this.#name()}: ${text}`, error)
  }
}
