/**
 * Layer 8. NatsLine: the connection of a NatsRelay to its servers. When it stands is in
 * relay-line.ts.
 *
 * Rules:
 * 1. What is sent while it stands keeps its order.
 * 2. A stream is made when it is first needed, and looked after again with each connection: the
 *    server may have lost it.
 */

import { quiet } from '../../core/promises.ts'
import type { Engine } from '../../engine.ts'
import { NatsClient, type NatsClientOptions } from '../../protocols/nats/client.ts'
import { NatsError } from '../../protocols/nats/errors.ts'
import type { NatsStreamConfig } from '../../protocols/nats/jetstream/config.ts'
import { NatsJetStream } from '../../protocols/nats/jetstream/jetstream.ts'
import { RelayError } from '../relay.ts'
import { RelayLine } from '../relay-line.ts'

/** What is wrong if the server is away, or has gone in the middle. */
const AWAY = ['ERR_NATS_DISCONNECTED', 'ERR_NATS_TIMEOUT', 'ERR_NATS_OVERFLOW', 'ERR_NATS_STALE']

/** JetStream: the stream has another configuration. */
const OTHER_CONFIG = 10058

/**
 * JetStream: its subjects are those of another stream. The server says so, too, of the same stream
 * that somebody else makes at this moment.
 */
const OVERLAP = 10065

const NOT_FOUND = 404

export class NatsLine extends RelayLine {
  readonly client: NatsClient
  readonly streams: NatsJetStream
  /** Those that were made or found on this connection, by name. */
  readonly #ensured = new Map<string, Promise<void>>()

  /** Throws InvalidAddressError and InvalidArgumentError. */
  constructor(
    url: string,
    options: NatsClientOptions & { engine: Engine },
    stood: (isAgain: boolean) => void,
  ) {
    super(options.engine, 'NATS', stood)
    const client = new NatsClient({
      ...options,
      wait_for_first: options.wait_for_first ?? true,
      echo: true,
    })
    this.client = client
    this.streams = new NatsJetStream(client)
    client.on_connect = () => {
      this.#ensured.clear()
      this.arrived()
    }
    client.on_disconnect = (error: Error) => {
      if (this.state === 'standing') this.lost()
      this.failed(error)
    }
    client.on_connect_error = client.on_error = (error: Error) => {
      if (client.state !== 'active') this.refused(this.shown(error))
      this.tell(error)
    }
    client.on_close = () => this.over()
    client.connect(url)
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
      if (![OTHER_CONFIG, OVERLAP].includes((error as NatsError).err_code)) throw error
      const { config: found } = await this.streams.stream_info(config.name).catch(second => {
        throw (second as NatsError).status === NOT_FOUND ? error : second
      })
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

  override shown(error: unknown): Error {
    if (error instanceof RelayError) return error
    if (!(error instanceof NatsError)) return error as Error
    const { code, err_code, status, message } = error
    if (this.state === 'closed' || code === 'ERR_NATS_CLOSED') return this.fate
    const isNotReady = status === 503 && err_code > 0
    return AWAY.includes(code) || isNotReady
      ? new RelayError('ERR_RELAY_UNAVAILABLE', `the server is away: ${message}`, error)
      : new RelayError('ERR_RELAY_REFUSED', `the server refuses: ${message}`, error)
  }

  /** Resolves when what was sent has arrived, and the connection has ended. */
  async close(): Promise<void> {
    this.shut()
    this.client.end()
    await this.client.closed
  }
}

/** The larger one of two limits; without a limit is the largest. */
function larger(one = 0, two = 0): number {
  return one <= 0 || two <= 0 ? Math.min(one, two) : Math.max(one, two)
}
