/**
 * Layer 8. Line: the connection of a RedisRelay to its server.
 *
 * In the order of a life: 'opening' → 'standing' → 'away' → 'standing' … → 'closed'.
 *
 * Rules:
 * 1. It stands when it is connected and knows the run of the server: see `run`. Before that
 *    nothing is sent, so that nothing comes before what was sent earlier.
 * 2. Nothing waits in it: what cannot be sent at once is refused. Whoever wants to wait awaits
 *    `stands`.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { quiet } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import { messageOf } from '../../errors.ts'
import { RedisClient } from '../../protocols/redis/client.ts'
import type { Argument } from '../../protocols/redis/command.ts'
import { RedisError } from '../../protocols/redis/errors.ts'
import type { MessageHandler } from '../../protocols/redis/subscriber.ts'
import { type RedisOptions, targetOf } from '../../protocols/redis/target.ts'
import type { Milliseconds } from '../../types.ts'
import { closedError, RelayError } from '../relay.ts'

/** Codes of a server that is away, or not ready. All others are refusals. */
const AWAY =
  /^(ERR_(CLOSED|DISCONNECTED|TIMEOUT|CUT_OFF|OVERFLOW|PROTOCOL)|LOADING|BUSY|MASTERDOWN)$/

/** The wait before a call is repeated. */
const PAUSE: Milliseconds = 50

/** Is it only that the server is away? */
export function isAway(error: unknown): boolean {
  return error instanceof RelayError && error.code === 'ERR_RELAY_UNAVAILABLE'
}

export class Line {
  state: 'opening' | 'standing' | 'away' | 'closed' = 'opening'
  /**
   * What the life of the server is called: its run id. A server with an append-only file keeps what
   * it has when it is started again: there it is one life.
   */
  run = ''
  /** The number of the database: channels are not divided by it. */
  readonly db: number
  readonly #client: RedisClient
  /** Its strings are bytes. */
  readonly #bytes: ReturnType<RedisClient['with']>
  readonly #engine: Engine
  #stands = newStands()

  /**
   * `stood` is called each time that it stands; `isAgain` if it was away. Throws
   * InvalidAddressError and InvalidArgumentError.
   */
  constructor(
    url: string,
    options: RedisOptions & { engine: Engine },
    stood: (isAgain: boolean) => void,
  ) {
    const client = new RedisClient({ ...options, waiting: 'none' })
    this.#client = client
    this.#bytes = client.with({ encoding: null })
    this.#engine = options.engine
    this.db = targetOf(url, options).db
    client.on_connect = () => this.#meet(stood)
    client.on_disconnect = (error: RedisError) => this.#lost(error)
    client.on_close = () => this.#over()
    client.connect(url)
    client.ready.catch((error: RedisError) => this.#stands.reject(this.shown(error)))
  }

  /** Asks the server for its run. */
  async #meet(stood: (isAgain: boolean) => void): Promise<void> {
    try {
      const [server, persistence] = await Promise.all([
        this.#client.call<string>('INFO', 'server'),
        this.#client.call<string>('INFO', 'persistence'),
      ])
      const keeps = /^aof_enabled:1/m.test(persistence)
      this.run = keeps ? 'kept' : (/^run_id:(\w+)/m.exec(server)?.[1] ?? 'unknown')
    } catch (error) {
      const shown = this.shown(error)
      // Another attempt comes by itself.
      if (isAway(shown)) return
      this.#stands.reject(shown)
      this.tell(shown)
      return this.#client.close()
    }
    if (this.state === 'closed') return
    const isAgain = this.state === 'away'
    this.state = 'standing'
    this.#stands.resolve()
    stood(isAgain)
  }

  #lost(error: RedisError): void {
    if (this.state === 'standing' && !this.#client.connected) {
      this.state = 'away'
      this.#stands = newStands()
    }
    this.tell(error)
  }

  #over(): void {
    this.state = 'closed'
    this.#stands.reject(closedError())
  }

  /** Resolves when it stands. Rejects if it never will. */
  get stands(): Promise<void> {
    return this.#stands.promise
  }

  /** Logs what nobody awaits. */
  tell(error: Error): void {
    this.#engine.log(`a relay by Redis: ${messageOf(error)}`, error)
  }

  /** Throws RelayError if it is closed. */
  checkOpen(): void {
    if (this.state === 'closed') throw closedError()
  }

  publish(channel: string, bytes: Uint8Array): void {
    this.#client.publish(channel, bytes).catch(this.#unpublished)
  }

  /** A loss is what everybody must expect of `publish`. A refusal is not. */
  readonly #unpublished = (error: unknown): void => {
    const shown = this.shown(error)
    if (shown.code === 'ERR_RELAY_REFUSED') this.tell(shown)
  }

  /** Runs a script. Returns its reply, with Buffers if `isBytes`. Rejects with RelayError. */
  async call(
    script: string,
    keys: readonly string[],
    args: readonly Argument[],
    isBytes = false,
  ): Promise<any> {
    this.checkOpen()
    if (this.state !== 'standing') throw awayError()
    try {
      return await (isBytes ? this.#bytes : this.#client).eval(script, keys, args)
    } catch (error) {
      throw this.shown(error)
    }
  }

  /**
   * Calls as often as it takes while the server is only away, for `patience` at the longest. It is
   * for what may run twice.
   */
  async persist<Value>(call: () => Promise<Value>, patience = Infinity): Promise<Value> {
    if (this.state === 'opening') await this.stands
    const end = this.#engine.now + patience
    for (;;) {
      if (this.state === 'away') await this.#standsBy(end)
      try {
        return await call()
      } catch (error) {
        if (!isAway(error) || this.#engine.now >= end) throw error
        // It is not known to be away yet, or it is busy.
        await new Promise<void>(resolve => this.#engine.defer(PAUSE, resolve))
      }
    }
  }

  #standsBy(end: Milliseconds): Promise<void> {
    if (end === Infinity) return this.stands
    return new Promise((resolve, reject) => {
      const wait = Math.max(1, end - this.#engine.now)
      const cancel = this.#engine.defer(wait, () => reject(awayError()))
      this.stands.then(resolve, reject).finally(cancel)
    })
  }

  /** The handler gets bytes. Resolves when the subscription stands. */
  async subscribe(channel: string, handler: MessageHandler, on_gap: () => void): Promise<void> {
    try {
      await this.#bytes.subscribe(channel, handler, { on_gap })
    } catch (error) {
      throw this.shown(error)
    }
  }

  unsubscribe(channel: string): void {
    void this.#client.unsubscribe(channel)
  }

  /** What an error of Redis is to a relay. */
  shown(error: unknown): RelayError {
    if (this.state === 'closed' || !(error instanceof RedisError)) return closedError()
    const { message } = error
    return AWAY.test(error.code)
      ? new RelayError('ERR_RELAY_UNAVAILABLE', `the server is away: ${message}`, error)
      : new RelayError('ERR_RELAY_REFUSED', `the server refuses: ${message}`, error)
  }

  /** Resolves when what was sent has been answered, and the connection has ended. */
  async close(): Promise<void> {
    this.state = 'closed'
    this.#stands.reject(closedError())
    this.#client.end()
    await this.#client.closed
  }
}

function awayError(): RelayError {
  return new RelayError('ERR_RELAY_UNAVAILABLE', 'the server is away')
}

function newStands(): Deferred<void> {
  const stands = deferred<void>()
  quiet(stands.promise)
  return stands
}
