/**
 * Layer 7. Wire: one connection to one server. A NatsClient has one after the other.
 *
 * The way of a connection:
 *   connect → INFO → (TLS) → CONNECT, PING → PONG → ready → lost
 *
 * Rules:
 * 1. Nothing is sent before the INFO, and besides the login nothing before the first PONG: a server
 *    that refuses the login says so instead of it.
 * 2. Each PING gets one PONG, in order. A PONG that nobody waits for is a fault of the server.
 * 3. The session is told that the connection is ready at most once, and that it is lost exactly
 *    once, with why.
 */

import { Buffer } from 'node:buffer'
import { Client } from '../../channels/basic.ts'
import { LIFE } from '../../channels/life.ts'
import { linkOf } from '../../channels/streams/link-of.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import type { Engine } from '../../engine.ts'
import type { OverflowError, ReadError } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Bytes, Cancel, Data, Milliseconds } from '../../types.ts'
import { loginFields } from './credentials.ts'
import { disconnected, NatsError, serverError } from './errors.ts'
import { NatsMessage, type Publisher } from './message.ts'
import type { NatsValues } from './nats-settings.ts'
import { PUBLISH } from './packer.ts'
import { type Incoming, Info, type NatsServerInfo, Protocol } from './parser.ts'
import type { NatsServer } from './servers.ts'

/** The session that it is for. */
export interface WireOwner {
  readonly engine: Engine
  readonly name: string
  readonly values: NatsValues
  readonly publisher: Publisher
  ready(wire: Wire): void
  /** The server says something new about itself. */
  informed(wire: Wire): void
  deliver(message: NatsMessage): void
  /** The server has refused something, and the connection goes on. */
  refused(error: NatsError): void
  /** A message was dropped, because too much is queued. */
  overflowed(): void
  /** Everything that was written has gone. */
  emptied(): void
  lost(wire: Wire, error: Error): void
}

/** What may wait in any case: the login, and lines that the connection needs. */
const LEAST_QUEUE: Bytes = 64 * 1024

export class Wire extends Client {
  readonly #server: NatsServer
  readonly #owner: WireOwner
  #stage: 'info' | 'login' | 'ready' = 'info'
  #info: NatsServerInfo | undefined
  /** Those that wait for a PONG; undefined: a sign of life was asked for. */
  readonly #pongs: (Deferred<void> | undefined)[] = []
  /** How many signs of life were asked for and not given. */
  #silent = 0
  /** Was the last write dropped? */
  #isDropped = false
  #isFinishing = false
  /** Why it closes; or what the server has refused, before it is known whether it closes. */
  #error: Error | undefined
  #cancel: Cancel = noop

  constructor(owner: WireOwner, server: NatsServer) {
    const { engine, name, values } = owner
    super({
      engine,
      name,
      encoding: 'latin1',
      read_delimiter: new Protocol(owner.publisher, values.message_size),
      send_buffer_size: Math.max(LEAST_QUEUE, values.queue_size),
      connect_timeout: values.connect_timeout,
      tls: values.tls_first ? (values.tls ?? {}) : null,
    })
    this.#owner = owner
    this.#server = server
  }

  /** Not called `server`, and no field: `console.log` would show its password. */
  get target(): NatsServer {
    return this.#server
  }

  get isReady(): boolean {
    return this.#stage === 'ready' && this.connected
  }

  /** What the server has said of itself. */
  get info(): NatsServerInfo {
    return this.#info as NatsServerInfo
  }

  // ---- connect ----------------------------------------------------------------------------------

  /** Connects. All of it, to the first PONG, must be done within `connect_timeout`. */
  dial(): void {
    const { connect_timeout } = this.#owner.values
    const { host, port } = this.#server
    this.connect([host, port])
    if (connect_timeout === Infinity) return
    this.#cancel = this[LIFE].drive.after(connect_timeout, () =>
      this.fail(new NatsError('ERR_NATS_TIMEOUT', `connecting took over ${connect_timeout} ms`)),
    )
  }

  override on_read(incoming: Incoming): void {
    if (incoming instanceof NatsMessage) this.#owner.deliver(incoming)
    else if (incoming === 'ping') this.line('PONG\r\n')
    else if (incoming === 'pong') this.#pong()
    else if (incoming instanceof Info) this.#informed(incoming.info)
    else if (incoming !== 'ok') this.#refused(serverError(incoming.said))
  }

  #informed(info: NatsServerInfo): void {
    this.#info = info
    if (this.#stage !== 'info') return this.#owner.informed(this)
    const { tls, tls_first } = this.#owner.values
    const isWanted = tls !== undefined || this.#server.isSecure
    if (tls_first || !(isWanted || info.tls_required)) return this.#login()
    if (info.tls_required || info.tls_available) this.#secure(tls ?? {})
    else this.fail(new NatsError('ERR_NATS_UNSUPPORTED', 'the server has no TLS'))
  }

  #secure(options: TlsOptions): void {
    this.#stage = 'login'
    this.start_tls(options)
  }

  override on_tls_handshake(): void {
    if (this.#stage === 'login') this.#login()
  }

  #login(): void {
    this.#stage = 'login'
    let fields: Record<string, string>
    try {
      fields = this.#credentials()
    } catch (error) {
      return this.fail(error as Error)
    }
    const { name, values } = this.#owner
    const connect = {
      verbose: false,
      pedantic: false,
      protocol: 1,
      headers: true,
      no_responders: this.info.headers,
      echo: values.echo,
      tls_required: this.tls !== undefined,
      lang: 'sluice',
      name,
      ...fields,
    }
    this.write(Buffer.from(`CONNECT ${JSON.stringify(connect)}\r\n`))
    this.roundTrip().then(() => this.#ready(), noop)
  }

  /** As whom it logs in: as its URL says, or as the options do. Throws if the key is invalid. */
  #credentials(): Record<string, string> {
    const { values } = this.#owner
    const { user = values.user, password = values.password } = this.#server
    // A URL with one word before the @ has a token.
    const isToken = this.#server.user !== undefined && this.#server.password === undefined
    const given = isToken
      ? { ...values, user: undefined, password: undefined, token: this.#server.user }
      : { ...values, user, password }
    return loginFields(given, this.info.nonce)
  }

  #ready(): void {
    if (!this.connected) return
    this.#stage = 'ready'
    this.#cancel()
    this.#cancel = this.#keepAlive()
    this.#owner.ready(this)
  }

  // ---- what is sent -----------------------------------------------------------------------------

  /** Returns false if it is better to wait, and undefined if the message was dropped. */
  publish(
    subject: string,
    reply: string,
    header: Uint8Array | undefined,
    data: Data,
  ): boolean | undefined {
    this.#isDropped = false
    const link = linkOf(this)
    const hasRoom = link.writable().writePacked(PUBLISH, [subject, reply, header, data])
    return this.#isDropped ? undefined : hasRoom
  }

  /** A line that the connection is of no use without. */
  line(text: string): void {
    this.#isDropped = false
    this.write(text)
    if (this.#isDropped) this.fail(overflow())
  }

  /** Resolves when the server has processed everything that was sent before. */
  roundTrip(): Promise<void> {
    const pong = deferred<void>()
    pong.promise.catch(noop)
    if (!this.connected) pong.reject(disconnected())
    else {
      this.#pongs.push(pong)
      this.line('PING\r\n')
    }
    return pong.promise
  }

  #pong(): void {
    if (this.#pongs.length === 0)
      return this.fail(new NatsError('ERR_NATS_PROTOCOL', 'the server sent a PONG without a PING'))
    this.#silent = 0
    this.#goesOn()
    this.#pongs.shift()?.resolve()
  }

  /** Asks for a sign of life every `ping_interval`. */
  #keepAlive(): Cancel {
    const { ping_interval, ping_max } = this.#owner.values
    if (ping_interval === Infinity) return noop
    let cancel: Cancel = noop
    const wait = (): void => {
      cancel = this[LIFE].drive.after(ping_interval, () => {
        wait()
        // While nothing is read, a silence is our own.
        if (this.suspended) return
        if (this.#silent >= ping_max) return this.fail(stale(ping_interval * ping_max))
        this.#silent++
        this.#pongs.push(undefined)
        this.line('PING\r\n')
      })
    }
    wait()
    return () => cancel()
  }

  override on_write(): void {
    this.#owner.emptied()
  }

  // ---- what goes wrong --------------------------------------------------------------------------

  /** It does not say whether it closes the connection now. A PONG says that it does not. */
  #refused(error: NatsError): void {
    this.#goesOn()
    this.#error = error
    if (this.#stage !== 'ready' || this.#pongs.length > 0) return
    this.#pongs.push(undefined)
    this.line('PING\r\n')
  }

  #goesOn(): void {
    const error = this.#error as NatsError | undefined
    this.#error = undefined
    if (error !== undefined) this.#owner.refused(error)
  }

  override on_overflow_error(error: OverflowError): void {
    if (error.buffer !== 'send') return this.fail(error)
    this.#isDropped = true
    this.#owner.overflowed()
  }

  /** What the parser threw, or what the system reported. */
  override on_read_error(error: ReadError): void {
    this.fail(error.cause as Error)
  }

  override on_error(error: Error): void {
    this.fail(error)
  }

  /** The server has ended its side: nothing that we say arrives any more. */
  override on_read_end(): void {
    this.close()
  }

  /** Closes it because of this, unless something else was wrong before. */
  fail(error: Error): void {
    this.#error ??= error
    this.close()
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Sends what is queued, then closes. */
  finish(): void {
    this.#isFinishing = true
    this.end()
  }

  /** An engine that stops ends all its channels. Its client does that itself, when it is done. */
  override close(flush = false): void {
    if (!flush || this.#isFinishing) super.close(flush)
  }

  override on_close(): void {
    this.#cancel()
    const error = this.#error ?? disconnected()
    for (const pong of this.#pongs.splice(0)) pong?.reject(disconnected(error))
    this.#owner.lost(this, error)
  }
}

function overflow(): NatsError {
  return new NatsError('ERR_NATS_OVERFLOW', 'more than queue_size bytes wait to be sent')
}

function stale(silence: Milliseconds): NatsError {
  return new NatsError('ERR_NATS_STALE', `the server gave no sign of life for ${silence} ms`)
}
