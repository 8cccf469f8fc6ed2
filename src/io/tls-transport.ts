/**
 * Layer 2. One connection under TLS: a transport on a TLSSocket of node:tls, over any transport.
 *
 * new (the handshake begins) → #watch → #secured, or #failed → the reports of every transport →
 * closed.
 *
 * Rules:
 * 1. Over a socket of Node's, node:tls works on the handle of that socket, and no stream of
 *    JavaScript stands in between. Any other transport becomes a Duplex first (duplex.ts).
 * 2. Nothing is read or written before the handshake is done and the peer is verified.
 * 3. A peer that ends without close_notify has ended, as in Node. A protocol that must know whether
 *    it has everything must say so itself.
 * 4. All sockets share the same listener functions, as in tcp.ts. Closures of its own would cost
 *    every idle connection 1 KiB.
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26 on Linux):
 * - `_destroy` is replaced on each socket, to count once more before Node counts what was dropped
 *   as written. Node documents it for subclasses.
 * - A certificate that Node's server refuses is reported as a plain ECONNRESET; the reason is in
 *   `authorizationError` of the socket. Without it, the error says only that the peer closed the
 *   connection.
 * - `bytesWritten` of a TLSSocket counts what was written to it, without the records of TLS, and
 *   at once: what is queued, too.
 */

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { TransportOver } from '../core/transport-over.ts'
import type { SystemError, TlsInfo, Transport } from '../transport.ts'
import type { Bytes, Encoding } from '../types.ts'
import { TransportDuplex } from './duplex/transport-duplex.ts'
import { mustBeCut, writePieces } from './runtimes/pieces.ts'
import { flow } from './runtimes/tls-flow.ts'
import { tlsError } from './tls-advice.ts'
import { stateAtOnce, TlsState } from './tls-state.ts'

/** What a handshake reports. */
export interface HandshakeSink {
  /** Which socket it is: a client's at the start, a server's when the handshake is over. */
  known(socket: TLSSocket): void
  /** `session`: the one that a client can resume later, if it is known already. */
  secured(socket: TLSSocket, session?: Buffer): void
  failed(error: SystemError): void
}

/** A transport of this folder that has a socket of Node's, or can make one of what it has. */
export interface SocketBacked {
  /** Hands it over. From then on the transport tells its addresses, and does nothing else. */
  toSocket(): Socket
}

function isBacked(transport: Transport): transport is Transport & SocketBacked {
  return typeof (transport as Partial<SocketBacked>).toSocket === 'function'
}

/** Begins a handshake over `below`. */
export type Handshake = (below: Duplex, sink: HandshakeSink) => void

const TRANSPORT: unique symbol = Symbol('tls transport')

/** A socket with its transport. */
type Owned = Duplex & { [TRANSPORT]: TlsTransport }

export class TlsTransport extends TransportOver implements HandshakeSink {
  readonly #below: Socket | TransportDuplex
  /** The name of the other side in error messages. */
  readonly #peer: string
  /** What went in clear before. */
  readonly #readBefore: Bytes
  readonly #writtenBefore: Bytes
  #socket: TLSSocket | undefined
  #state: 'opening' | 'open' | 'failed' | 'destroyed' | 'closed' = 'opening'
  #read: Bytes = 0
  /** What had gone when the socket was destroyed. Later figures of Node are wrong. */
  #sent: Bytes | undefined
  /** Did `write` return false since `drained` was last reported? */
  #isFull = false
  readonly #onWritten = (): void => this.#drained()
  #info: TlsState | undefined
  #session: Buffer | undefined

  constructor(inner: Transport, peer: string, begin: Handshake) {
    super(inner)
    this.#peer = peer
    this.#readBefore = inner.bytes_read
    this.#writtenBefore = inner.bytes_written
    inner.sink = undefined
    this.#below = isBacked(inner) ? inner.toSocket() : new TransportDuplex(inner)
    // A peer that ends during the handshake will not finish it. Then Node's own behaviour is right:
    // it ends, too.
    this.#below.allowHalfOpen = false
    try {
      begin(this.#below, this)
    } catch (error) {
      // Node judges some options (tls.ts has those it knows) only here.
      queueMicrotask(() => this.failed(error as SystemError))
    }
    ;(this.#below as Duplex as Owned)[TRANSPORT] = this
    if (this.#below.closed) this.onBelowClose()
    else this.#below.on('close', onBelowClose)
  }

  // ---- what is told -----------------------------------------------------------------------------

  /** Made when it is asked for, or at the end: Node forgets it then. */
  get tls(): TlsInfo | undefined {
    if (this.#info === undefined && this.#state === 'open')
      this.#info = new TlsState(this.#socket as TLSSocket, this.#session)
    return this.#info
  }

  /** What the program has read: without the bytes of the handshake and those around each record. */
  override get bytes_read(): Bytes {
    return this.#readBefore + this.#read
  }

  /** What the program has written, as `bytes_read`. */
  override get bytes_written(): Bytes {
    return this.#sent ?? this.#writtenBefore + this.#written
  }

  get #written(): Bytes {
    const socket = this.#socket
    return socket === undefined ? 0 : Math.max(0, socket.bytesWritten - socket.writableLength)
  }

  /**
   * Node says nothing about a long write before all of it has gone. The transport below knows how
   * much of it has, in records, unless the write had to be cut (pieces.ts).
   */
  get bytes_gone(): Bytes {
    return this.inner.bytes_written + this.#written
  }

  override get bytes_queued(): Bytes {
    return this.#socket?.writableLength ?? 0
  }

  // ---- what can be done -------------------------------------------------------------------------

  /**
   * Node reports later what the system has taken. So this returns false for all but empty data, and
   * `drained` follows soon.
   */
  override write(data: string | Uint8Array, encoding: Encoding): boolean {
    const socket = this.#socket
    if (data.length === 0 || this.#state !== 'open' || !socket?.writable) return true
    const sent = sendable(data, encoding)
    if (mustBeCut(sent, socket)) writePieces(socket, sent, encoding, this.#onWritten)
    else socket.write(sent as string, encoding, this.#onWritten)
    this.#isFull = true
    return false
  }

  override cork(): void {
    this.#socket?.cork()
  }

  override uncork(): void {
    this.#socket?.uncork()
  }

  override pause(): void {
    if (this.#state === 'open') this.#flow(false)
  }

  override resume(): void {
    if (this.#state === 'open') this.#flow(true)
  }

  #flow(isOn: boolean): void {
    const socket = this.#socket as TLSSocket
    if (isOn) socket.resume()
    else socket.pause()
    flow(this.#below, isOn)
  }

  override end(): void {
    if (this.#state === 'open') this.#socket?.end()
  }

  override destroy(): void {
    void this.tls
    const isUnused = this.#state === 'open' && this.#read === 0 && this.#written === 0
    if (this.#state !== 'closed') this.#state = 'destroyed'
    // The socket of a server is unknown until the handshake is over. It closes with the transport
    // below.
    const socket = this.#socket ?? this.#below
    if (!isUnused) return void socket.destroy()
    // Node sends a client's last message of the handshake after it has said that all is done. If
    // that is lost, the handshake has failed for the server.
    socket.pause()
    setImmediate(() => socket.destroy())
  }

  // ---- what the handshake reports ---------------------------------------------------------------

  known(socket: TLSSocket): void {
    this.#socket = socket
    ;(socket as Duplex as Owned)[TRANSPORT] = this
    socket._destroy = onDestroy
    socket.on('error', onError)
    // From the start: Node reports a session only if somebody listens when it comes.
    socket.on('session', onSession)
  }

  secured(socket: TLSSocket, session?: Buffer): void {
    // A callback of the options may have destroyed it: Node reports it all the same.
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#session = session
    this.#info = stateAtOnce(socket, session)
    socket.allowHalfOpen = this.#below.allowHalfOpen = true
    // Nothing is received before the first resume.
    this.#flow(false)
    socket.on('data', onData)
    socket.on('end', onEnd)
    this.sink?.opened()
  }

  failed(error: SystemError): void {
    void this.tls
    const before = this.#state
    if (before === 'opening' || before === 'open') {
      this.#state = 'failed'
      this.sink?.failed(
        before === 'opening'
          ? this.#refusal(error)
          : error.syscall === undefined
            ? tlsError(error, 'tls', this.#peer)
            : error,
      )
    }
    // For an error of TLS, Node leaves the socket open. There is none if TLS was refused.
    ;(this.#socket ?? this.#below).destroy()
  }

  #refusal(error: SystemError): SystemError {
    const authorizationError = this.#socket?.authorizationError
    const isRefused = error.code === 'ECONNRESET' && authorizationError
    return tlsError(
      isRefused ? Object.assign(error, { code: authorizationError }) : error,
      'handshake',
      this.#peer,
    )
  }

  // ---- what the socket reports, to the listeners below ------------------------------------------

  onChunk(chunk: Buffer): void {
    this.#read += chunk.length
    this.sink?.received(chunk)
  }

  onEnd(): void {
    if (this.#state === 'open' && !this.#socket?.destroyed) this.sink?.ended()
  }

  onSession(session: Buffer): void {
    this.#session = session
    this.#info?.keep(session)
  }

  /**
   * The handle is still there. On Bun a unix socket that still had to send stays open below, unless
   * it is told.
   */
  onDestroy(): void {
    this.#sent = this.bytes_written
    void this.tls
    setImmediate(() => this.#below.destroy())
  }

  #drained(): void {
    if (!this.#isFull || this.bytes_queued > 0) return
    this.#isFull = false
    if (this.#state === 'open') this.sink?.drained()
  }

  /** The error that explains it may come later. */
  onBelowClose(): void {
    setImmediate(() => this.#belowClosed())
  }

  /** Node closes what is below last. Bun does when the peer has ended, and the rest goes on. */
  #belowClosed(): void {
    const socket = this.#socket
    if (socket?.readableEnded && !socket.closed) socket.once('close', () => this.#closed())
    else this.#closed()
  }

  #closed(): void {
    // As Deno 2.9 ends a handshake over a Duplex that brings no TLS.
    if (this.#state === 'opening')
      this.sink?.failed(this.#refusal(new Error('it ended, and nothing says why')))
    this.#state = 'closed'
    this.closed()
  }
}

/** Deno sends text that waits as UTF-8, whatever its encoding is. */
function sendable(data: string | Uint8Array, encoding: Encoding): string | Uint8Array {
  return typeof data === 'string' && encoding !== 'utf8' ? Buffer.from(data, encoding) : data
}

// ---- the listeners of every socket --------------------------------------------------------------

function onData(this: Owned, chunk: Buffer): void {
  this[TRANSPORT].onChunk(chunk)
}

function onEnd(this: Owned): void {
  this[TRANSPORT].onEnd()
}

function onError(this: Owned, error: SystemError): void {
  this[TRANSPORT].failed(error)
}

function onSession(this: Owned, session: Buffer): void {
  this[TRANSPORT].onSession(session)
}

function onBelowClose(this: Owned): void {
  this[TRANSPORT].onBelowClose()
}

function onDestroy(this: Owned, error: Error | null, done: (error?: Error | null) => void): void {
  this[TRANSPORT].onDestroy()
  Object.getPrototypeOf(this)._destroy.call(this, error, done)
}
