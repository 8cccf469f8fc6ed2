/**
 * Layer 5. ServerLink: what connects one StreamServer with one listener after the other, and with
 * the door that its connections come through. Everything is reported to it.
 *
 * The way of a connection: listener → accepted → Door → turnedAway, or offer → on_accept → take →
 * childClosed
 *
 * Its methods stand in the order of a life: attach → listening → accepted … childClosed → end →
 * failed → abort → closed.
 *
 * Rules:
 * 1. A connection that was accepted, and that no channel has taken over yet, counts, and is closed
 *    with the server.
 * 2. Nothing that a hook does to one connection disturbs the server or another connection.
 * 3. The server has closed when its socket and all its connections have.
 */

import type { Duplex } from 'node:stream'
import { formatAddress } from '../../core/address.ts'
import type { Owned } from '../../core/drive.ts'
import { noop } from '../../core/noop.ts'
import { isPromiseLike, onRejection, Promises } from '../../core/promises.ts'
import type { Gauge } from '../../core/tally.ts'
import { ListenError } from '../../errors.ts'
import { InvalidStateError } from '../../errors.ts'
import type { Listener, ListenerSink, SystemError, TlsContext, Transport } from '../../transport.ts'
import type { Cancel, DropReason, Milliseconds, SocketAddress } from '../../types.ts'
import type { Driver } from '../hooks.ts'
import { type Life, LIFE } from '../life.ts'
import type { Stream } from '../streams/stream.ts'
import type { TlsDemand } from '../streams/tls-start.ts'
import { Accepted } from './accepted.ts'
import { Door, type DoorOwner } from './door.ts'
import { SERVER_DEFAULTS, type ServerValues } from './server-settings.ts'
import type { StreamServer } from './stream-server.ts'

/**
 * The number of descriptors that connections may not use: they are for files, names to be resolved,
 * other servers. If the process has few, it is an eighth of them.
 */
const RESERVE = 64

export class ServerLink implements ListenerSink, DoorOwner, Driver {
  readonly #server: StreamServer
  readonly #life: Life
  readonly #door: Door
  /** The settings; a new object when one changes. */
  values: ServerValues = SERVER_DEFAULTS
  /** The TLS options of connections that are accepted now. */
  tls: TlsContext | undefined
  lastFileno = Infinity
  #listener: Listener | undefined
  /** Where the last listener was, kept when it is gone. */
  #past: SocketAddress | undefined
  /** Ends the wait for end_timeout. */
  #stopWaiting: Cancel = noop
  /** Ends the wait for the next batch. */
  #stopBatches: Cancel = noop
  /** Made when a hook of this opening returns one. */
  #promises: Promises | undefined
  /** Did end_timeout run out? */
  #hasExpired = false

  constructor(server: StreamServer) {
    this.#server = server
    this.#life = server[LIFE]
    this.#door = new Door(this)
  }

  assign(name: string, value: unknown): void {
    this.values = { ...this.values, [name]: value }
    if (name === 'max_connections_per_address') this.#door.recount()
  }

  // ---- what is told -----------------------------------------------------------------------------

  get local_address(): SocketAddress | undefined {
    return this.#listener?.local_address ?? this.#past
  }

  get fileno(): number | undefined {
    return this.#listener?.fileno
  }

  address(): string {
    const { local_address } = this
    return local_address === undefined ? '' : formatAddress(local_address)
  }

  gauge(): Gauge {
    return { kind: 'server', bytes_read: 0, bytes_written: 0, bytes_held: 0 }
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** A new opening. */
  attach(listener: Listener, tls: TlsContext | undefined): void {
    const { file_limit = Infinity } = this.#life.drive.network
    this.lastFileno = file_limit - Math.min(RESERVE, file_limit / 8)
    this.tls = tls
    this.#hasExpired = false
    this.#past = undefined
    this.#listener = listener
    listener.sink = this
  }

  listening(): void {
    this.#life.open('listen')
    if (this.#life.state === 'active') this.#life.call('on_listen')
  }

  // ---- accepting --------------------------------------------------------------------------------

  accepted(transport: Transport): void {
    if (this.#life.state === 'active') this.#door.accepted(transport)
    else transport.destroy()
  }

  /** The program has a socket already. */
  adopt(socket: Duplex, head: Uint8Array | undefined): void {
    const { state, drive } = this.#life
    if (state !== 'active')
      throw new InvalidStateError('adopt()', `the server is ${state}`, 'listen() first')
    this.accepted(drive.adopt(socket, head))
  }

  get isSuspended(): boolean {
    return this.#server.suspended
  }

  get channels(): ReadonlySet<Stream> {
    return this.#server.channels
  }

  get demand(): TlsDemand | undefined {
    return this.tls && { context: this.tls, host: '' }
  }

  offer(connection: Accepted): void {
    try {
      const address = connection.remote_address as SocketAddress
      const result: unknown = this.#server.on_accept(connection, address)
      onRejection(result, () => connection.refuse())
      this.hookReturned(result)
    } catch (error) {
      connection.refuse()
      this.#life.hookFailed(error)
    }
    // The hook may have closed the server, which did not know this connection yet.
    const isOurs = connection.owner === undefined || connection.owner === this.#door
    if (isOurs && this.#life.state !== 'active') connection.refuse('drain')
  }

  turnedAway(transport: Transport, reason: DropReason): void {
    const address = transport.remote_address as SocketAddress
    transport.destroy()
    this.#life.drive.note('drop', this.#server, { reason, address })
    this.#life.call('on_drop', reason, address)
  }

  overloaded(): void {
    this.#life.call('on_overload')
  }

  after(delay: Milliseconds, callback: () => void): Cancel {
    return this.#life.drive.after(delay, callback)
  }

  /** This channel takes over a connection that was accepted. */
  take(socket: Transport, stream: Stream<any>): void {
    this.#door.take(Accepted.of(socket))
    this.#life.addChild(stream)
  }

  childClosed(child: Owned): void {
    this.#door.left(child as Stream)
    this.#finishIfAllClosed()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  hookFailed(error: unknown): void {
    this.#life.hookFailed(error)
  }

  hookReturned(result: unknown): void {
    if (!isPromiseLike(result)) return
    this.#promises ??= new Promises(this.#life, noop)
    void this.#promises.add(result)
  }

  suspended(): void {}

  resumed(): void {
    this.#door.resumed()
  }

  // ---- the end ----------------------------------------------------------------------------------

  /**
   * Ends the connections politely: `batch` of them at once, and as many again after each interval.
   * If the server is closing already, the rest end at once.
   */
  end(batch: number, interval: Milliseconds): void {
    const isFirst = this.#life.state !== 'closing'
    if (isFirst) {
      this.#stopListening()
      this.#limitEnding()
    }
    this.#endSome([...this.#server.channels], isFirst ? batch : Infinity, interval)
  }

  #limitEnding(): void {
    const { end_timeout } = this.values
    // If a hook has closed it, or if it had no connections, it may have closed already.
    if (this.#life.state !== 'closing' || end_timeout === Infinity) return
    // on_state, told of 'opening' by now, may have ended it first.
    this.#stopWaiting()
    this.#stopWaiting = this.after(end_timeout, () => this.#expire())
  }

  #endSome(channels: Stream[], batch: number, interval: Milliseconds): void {
    this.#stopBatches()
    for (const channel of channels.splice(0, batch)) channel[LIFE].drain(true)
    if (channels.length > 0)
      this.#stopBatches = this.after(interval, () => this.#endSome(channels, batch, interval))
  }

  #expire(): void {
    this.#hasExpired = true
    this.#server.close()
  }

  failed(error: SystemError): void {
    this.#life.fail(
      'on_listen_error',
      new ListenError(error.code ?? 'ERR_UNKNOWN', error.message, error),
    )
  }

  /** Closes at once. */
  abort(): void {
    if (this.#life.state !== 'closing') this.#stopListening()
    this.#stopEnding()
    for (const channel of [...this.#server.channels]) channel[LIFE].drain(false)
  }

  #stopListening(): void {
    this.#life.beginClosing()
    this.#listener?.close()
    this.#door.shut()
  }

  #stopEnding(): void {
    this.#stopWaiting()
    this.#stopBatches()
  }

  closed(): void {
    this.#past = this.#listener?.local_address
    this.#listener = undefined
    if (this.#life.state !== 'closing') this.#server.close()
    this.#finishIfAllClosed()
  }

  #finishIfAllClosed(): void {
    if (
      this.#life.state !== 'closing' ||
      this.#listener !== undefined ||
      this.#server.channels.size > 0
    )
      return
    this.#stopEnding()
    // A promise that is left and rejects is logged: on_close is the last hook.
    this.#promises?.abandon()
    this.#promises = undefined
    this.#life.finishClosing(this.#hasExpired ? 'timeout' : undefined)
  }
}

/** This channel takes over a connection that the server accepted, and is a child of it now. */
export function takeOver(server: StreamServer, socket: Transport, stream: Stream<any>): void {
  ;(server[LIFE].driver as ServerLink).take(socket, stream)
}
