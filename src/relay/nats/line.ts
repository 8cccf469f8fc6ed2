/**
 * Layer 8. Line: the connection of a NatsRelay to its servers.
 *
 * In the order of a life: 'opening' → 'standing' → 'away' → 'standing' … → 'closed'.
 *
 * Rules:
 * 1. What is sent while it stands keeps its order. Nothing waits in it: what cannot be sent at once
 *    is refused. Whoever wants to wait awaits `stands`.
 * 2. A stream is made when it is first needed, and looked after again with each connection: the
 *    server may have lost it.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { quiet } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import { messageOf } from '../../errors.ts'
import { NatsClient, type NatsClientOptions } from '../../protocols/nats/client.ts'
import { NatsError } from '../../protocols/nats/errors.ts'
import type { NatsStreamConfig } from '../../protocols/nats/jetstream/config.ts'
import { NatsJetStream } from '../../protocols/nats/jetstream/jetstream.ts'
import type { Milliseconds } from '../../types.ts'
import { closedError, RelayError } from '../relay.ts'

/** What is wrong if the server is away, or has gone in the middle. */
const AWAY = ['ERR_NATS_DISCONNECTED', 'ERR_NATS_TIMEOUT', 'ERR_NATS_OVERFLOW', 'ERR_NATS_STALE']

/** JetStream: the stream has another configuration. */
const OTHER_CONFIG = 10058

/** The wait before a call is repeated. */
const PAUSE: Milliseconds = 50

/** Is it only that the server is away? */
export function isAway(error: unknown): boolean {
  return error instanceof RelayError && error.code === 'ERR_RELAY_UNAVAILABLE'
}

export class Line {
  state: 'opening' | 'standing' | 'away' | 'closed' = 'opening'
  readonly client: NatsClient
  readonly streams: NatsJetStream
  readonly #engine: Engine
  #stands = newStands()
  /** Those that were made or found on this connection, by name. */
  readonly #ensured = new Map<string, Promise<void>>()

  /**
   * `stood` is called each time that it stands; `isAgain` if it was away. Throws
   * InvalidAddressError and InvalidArgumentError.
   */
  constructor(
    url: string,
    options: NatsClientOptions & { engine: Engine },
    stood: (isAgain: boolean) => void,
  ) {
    const client = new NatsClient({ wait_for_first: true, ...options, echo: true })
    this.client = client
    this.streams = new NatsJetStream(client)
    this.#engine = options.engine
    client.on_connect = () => {
      const isAgain = this.state === 'away'
      this.state = 'standing'
      this.#ensured.clear()
      this.#stands.resolve()
      stood(isAgain)
    }
    client.on_disconnect = (error: Error) => this.#lost(error)
    client.on_connect_error = client.on_error = (error: Error) => {
      if (client.state !== 'active') this.#stands.reject(this.shown(error))
      this.tell(error)
    }
    client.on_close = () => this.#over()
    client.connect(url)
  }

  #lost(error: Error): void {
    if (this.state === 'standing') {
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
    this.#engine.log(`a relay by NATS: ${messageOf(error)}`, error)
  }

  /** Throws RelayError if it is closed. */
  checkOpen(): void {
    if (this.state === 'closed') throw closedError()
  }

  /** Does it, if the line stands. Rejects with RelayError. */
  async call<Value>(work: () => Promise<Value>): Promise<Value> {
    this.checkOpen()
    if (this.state !== 'standing') throw awayError()
    try {
      return await work()
    } catch (error) {
      throw this.shown(error)
    }
  }

  /**
   * Does it as often as it takes while the server is only away, for `patience` at the longest. It
   * is for what may run twice.
   */
  async persist<Value>(work: () => Promise<Value>, patience = Infinity): Promise<Value> {
    if (this.state === 'opening') await this.stands
    const end = this.#engine.now + patience
    for (;;) {
      if (this.state === 'away') await this.#standsBy(end)
      try {
        return await this.call(work)
      } catch (error) {
        if (!isAway(error) || this.#engine.now >= end) throw error
        // It is not known to be away yet, or JetStream is not ready.
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

  // ---- streams ----------------------------------------------------------------------------------

  /** Resolves when there is a stream that keeps at least so much. */
  ensure(config: NatsStreamConfig): Promise<void> {
    let ensured = this.#ensured.get(config.name)
    if (ensured === undefined) {
      ensured = quiet(this.#ensure(config))
      this.#ensured.set(config.name, ensured)
      ensured.catch(() => this.forget(config.name))
    }
    return ensured
  }

  async #ensure(config: NatsStreamConfig): Promise<void> {
    try {
      await this.streams.create_stream(config)
    } catch (error) {
      if ((error as NatsError).err_code !== OTHER_CONFIG) throw error
      const { config: found } = await this.streams.stream_info(config.name)
      await this.streams.update_stream({
        ...config,
        max_age: larger(found.max_age, config.max_age),
        max_msgs_per_subject: larger(found.max_msgs_per_subject, config.max_msgs_per_subject),
      })
    }
  }

  /** The stream is not there any more. */
  forget(name: string): void {
    this.#ensured.delete(name)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** What an error of NATS is to a relay. */
  shown(error: unknown): Error {
    if (error instanceof RelayError) return error
    if (this.state === 'closed' || !(error instanceof NatsError)) return asRelayError(error)
    const { code, err_code, status, message } = error
    if (code === 'ERR_NATS_CLOSED') return closedError()
    const isNotReady = status === 503 && err_code > 0
    return AWAY.includes(code) || isNotReady
      ? new RelayError('ERR_RELAY_UNAVAILABLE', `the server is away: ${message}`, error)
      : new RelayError('ERR_RELAY_REFUSED', `the server refuses: ${message}`, error)
  }

  /** Resolves when what was sent has arrived, and the connection has ended. */
  async close(): Promise<void> {
    this.state = 'closed'
    this.#stands.reject(closedError())
    this.client.end()
    await this.client.closed
  }
}

/** The larger one of two limits; without a limit is the largest. */
function larger(one = 0, two = 0): number {
  return one <= 0 || two <= 0 ? Math.min(one, two) : Math.max(one, two)
}

function asRelayError(error: unknown): Error {
  return error instanceof NatsError ? closedError() : (error as Error)
}

function awayError(): RelayError {
  return new RelayError('ERR_RELAY_UNAVAILABLE', 'the server is away')
}

function newStands(): Deferred<void> {
  const stands = deferred<void>()
  quiet(stands.promise)
  return stands
}
