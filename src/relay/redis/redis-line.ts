/**
 * Layer 8. RedisLine: the connection of a RedisRelay to its server. When it stands is in
 * relay-line.ts.
 *
 * It stands when it is connected and knows the run of the server: see `run`. Before that nothing is
 * sent, so that nothing comes before what was sent earlier.
 */

import type { Engine } from '../../engine.ts'
import { RedisClient } from '../../protocols/redis/client.ts'
import type { Argument } from '../../protocols/redis/command.ts'
import { RedisError } from '../../protocols/redis/errors.ts'
import type { MessageHandler } from '../../protocols/redis/subscriber.ts'
import { type RedisOptions, targetOf } from '../../protocols/redis/target.ts'
import type { Bytes } from '../../types.ts'
import { isRefused, RelayError } from '../relay.ts'
import { isAway, RelayLine, WAITING } from '../relay-line.ts'

/** Codes of a server that is away, or not ready. All others are refusals. */
const AWAY =
  /^(ERR_(CLOSED|DISCONNECTED|STALE|TIMEOUT|CUT_OFF|OVERFLOW|PROTOCOL)|LOADING|BUSY|MASTERDOWN)$/

/** What a command counts beside its bytes: fewer wait than a client lets wait by default. */
const COMMAND: Bytes = 200

export class RedisLine extends RelayLine {
  /**
   * What the life of the server is called: its run id. A server with an append-only file keeps what
   * it has when it is started again: there it is one life.
   */
  run = ''
  /** The number of the database: channels are not divided by it. */
  readonly db: number
  readonly #client: RedisClient
  /** The bytes of what was published and has no reply yet. */
  #unanswered: Bytes = 0
  /** Its strings are bytes. */
  readonly #bytes: ReturnType<RedisClient['with']>

  /** Throws InvalidAddressError and InvalidArgumentError. */
  constructor(
    url: string,
    options: RedisOptions & { engine: Engine },
    stood: (isAgain: boolean) => void,
  ) {
    super(options.engine, 'Redis', stood)
    const client = new RedisClient({ ...options, waiting: 'none' })
    this.#client = client
    this.#bytes = client.with({ encoding: null })
    this.db = targetOf(url, options).db
    client.on_connect = () => this.#meet()
    client.on_disconnect = (error: RedisError) => {
      if (this.state === 'standing' && !client.connected) this.lost()
      this.failed(error)
    }
    client.on_close = () => this.over()
    client.connect(url)
    client.ready.catch((error: RedisError) => this.refused(this.shown(error)))
  }

  /** Asks the server for its run. */
  async #meet(): Promise<void> {
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
      this.refused(shown)
      this.tell(shown)
      return this.#client.close()
    }
    this.arrived()
  }

  /** Returns false if the server is so slow that too much waits for it. */
  publish(channel: string, bytes: Uint8Array): boolean {
    const size = bytes.length + COMMAND
    if (this.#unanswered + size > WAITING) return false
    this.#unanswered += size
    this.#client.publish(channel, bytes).then(
      () => this.#published(size),
      error => this.#published(size, error),
    )
    return true
  }

  /** A loss is what everybody must expect of `publish`. A refusal is not. */
  #published(size: Bytes, error?: unknown): void {
    this.#unanswered -= size
    if (error === undefined) return
    const shown = this.shown(error)
    if (isRefused(shown)) this.tell(shown)
  }

  /** Runs a script. Returns its reply, with Buffers if `isBytes`. Rejects with RelayError. */
  call(
    script: string,
    keys: readonly string[],
    args: readonly Argument[],
    isBytes = false,
  ): Promise<any> {
    return this.attempt(() => (isBytes ? this.#bytes : this.#client).eval(script, keys, args))
  }

  /** The handler gets bytes. Resolves when the subscription stands. */
  subscribe(channel: string, handler: MessageHandler, on_gap: () => void): Promise<void> {
    return this.#bytes.subscribe(channel, handler, { on_gap })
  }

  unsubscribe(channel: string): void {
    void this.#client.unsubscribe(channel)
  }

  override shown(error: unknown): Error {
    if (error instanceof RelayError) return error
    if (this.state === 'closed' || !(error instanceof RedisError)) return this.fate
    const { message } = error
    return AWAY.test(error.code)
      ? new RelayError('ERR_RELAY_UNAVAILABLE', `the server is away: ${message}`, error)
      : new RelayError('ERR_RELAY_REFUSED', `the server refuses: ${message}`, error)
  }

  /** Resolves when what was sent has been answered, and the connection has ended. */
  async close(): Promise<void> {
    this.shut()
    this.#client.end()
    await this.#client.closed
  }
}
