/**
 * Layer 2. A Duplex of Node's as a transport: a socket that the program has already, of node:net,
 * node:tls or an HTTP upgrade, or any other pair of streams. (transport-duplex.ts is the
 * other way round.)
 *
 * Rules:
 * 1. What was read of it already (`head`) goes back into it, so it is received first.
 * 2. What came before a break is received before it, also if reading is paused then. A stream of
 *    Node's that breaks keeps what it has read, but does not hand it out any more.
 * 3. From now on the transport owns it. Ends are independent, as with every transport, and when
 *    both sides have ended it is destroyed.
 */

import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { types } from 'node:util'
import { socketAddress } from '../../core/address.ts'
import { attempt } from '../../core/promises.ts'
import { InvalidArgumentError, InvalidStateError, show } from '../../errors.ts'
import type {
  KeepAliveProbes,
  SystemError,
  TlsInfo,
  Transport,
  TransportSink,
} from '../../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../../types.ts'
import { keepAlive, setKeepAlive } from '../keep-alive.ts'
import { TlsState } from '../tls-state.ts'

/** Throws InvalidArgumentError if that is no Duplex of bytes, InvalidStateError if it is over. */
export function duplexTransport(duplex: Duplex, head?: Uint8Array): DuplexTransport {
  if (typeof duplex?.write !== 'function' || typeof duplex.read !== 'function')
    throw new InvalidArgumentError('adopt: socket', 'a socket or another Duplex of Node', duplex)
  if (duplex.readableObjectMode || duplex.writableObjectMode || duplex.readableEncoding !== null)
    throw new InvalidArgumentError('adopt: socket', 'a Duplex of bytes', duplex)
  if (head !== undefined && !types.isUint8Array(head))
    throw new InvalidArgumentError('adopt: head', 'the bytes that were read already', head)
  if (duplex.destroyed || duplex.writableEnded || duplex.readableEnded)
    throw new InvalidStateError('adopt()', 'the socket has ended', 'adopt one that is open')
  if (duplex instanceof Socket && duplex.pending && !duplex.connecting)
    throw new InvalidStateError('adopt()', 'the socket is not connected', 'connect it first')
  if (ADOPTED.has(duplex))
    throw new InvalidStateError('adopt()', 'the socket was adopted already', 'adopt it once')
  ADOPTED.add(duplex)
  return new DuplexTransport(duplex, head)
}

/** Two that read the same stream would both get all of it. */
const ADOPTED = new WeakSet<Duplex>()

const EMPTY = Buffer.alloc(0)

export class DuplexTransport implements Transport {
  #sink: TransportSink | undefined
  readonly #duplex: Duplex
  #state: 'open' | 'failed' | 'destroyed' | 'closed' = 'open'
  #isPaused = true
  #isFull = false
  #hasEnded = false
  /** It broke while reading was paused: the error, and what came before it. */
  #broken: { readonly error: SystemError; readonly unread: Buffer } | undefined
  bytes_read: Bytes = 0
  #written: Bytes = 0
  /** How much of that had gone in the end. Undefined while it is open. */
  #sent: Bytes | undefined
  local_address: SocketAddress | undefined
  remote_address: SocketAddress | undefined
  #tls: TlsInfo | undefined

  constructor(duplex: Duplex, head: Uint8Array | undefined) {
    this.#duplex = duplex
    duplex.pause()
    if (head !== undefined && head.length > 0) duplex.unshift(head)
    // Otherwise Node ends our side when the peer ends.
    duplex.allowHalfOpen = true
    duplex.on('data', (chunk: Buffer) => this.#received(chunk))
    duplex.on('end', () => this.#ended())
    duplex.on('finish', () => this.#finished())
    duplex.on('error', (error: SystemError) => this.#failed(error))
    duplex.on('close', () => this.#closed())
    this.#learn()
  }

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    if (this.#state === 'closed') queueMicrotask(() => sink?.closed())
  }

  /** Does it still connect? (A handshake of TLS may go on: Node keeps what is written.) */
  get isConnecting(): boolean {
    return this.#duplex instanceof Socket && this.#duplex.connecting
  }

  /** Reports `opened`, later; for a stream that has not accepted it. */
  open(): void {
    const opened = (): void => {
      this.#learn()
      if (this.#state === 'open') this.sink?.opened()
    }
    if (!this.isConnecting) queueMicrotask(opened)
    else this.#duplex.once('connect', opened)
  }

  #learn(): void {
    if (!(this.#duplex instanceof Socket)) return
    const { localAddress, localPort, remoteAddress, remotePort } = this.#duplex
    if (localAddress && localPort) this.local_address = socketAddress(localAddress, localPort)
    if (remoteAddress && remotePort) this.remote_address = socketAddress(remoteAddress, remotePort)
  }

  /** What TLS has agreed upon, if the duplex is a socket of node:tls whose handshake is done. */
  get tls(): TlsInfo | undefined {
    const socket = this.#duplex as Partial<TLSSocket>
    // Before that Node knows no cipher. After it has closed, and if the handshake failed: null.
    if (this.#tls === undefined && socket.encrypted === true && socket.getCipher?.())
      this.#tls = new TlsState(socket as TLSSocket, undefined)
    return this.#tls
  }

  get fileno(): undefined {
    return undefined
  }

  /** A stream of the program may hold what it was given, and pass it on later. */
  get keeps_data(): boolean {
    return !(this.#duplex instanceof Socket)
  }

  get bytes_written(): Bytes {
    return this.#sent ?? this.#written - this.#duplex.writableLength
  }

  get bytes_queued(): Bytes {
    return this.#sent === undefined ? this.#duplex.writableLength : 0
  }

  // ---- what can be done -------------------------------------------------------------------------

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    const duplex = this.#duplex
    if (this.#state !== 'open' || duplex.writableEnded) return true
    if (this.#broken !== undefined) {
      queueMicrotask(() => this.#break())
      return false
    }
    this.#written += Buffer.byteLength(data, encoding)
    this.#attempt(() => void duplex.write(data, encoding, () => this.#wrote()))
    if (duplex.writableLength === 0) return true
    this.#isFull = true
    return false
  }

  /** What the `write` of a program's own stream throws breaks that stream, and nothing else. */
  #attempt(send: () => void): void {
    attempt(send, error =>
      this.#duplex.destroy(error instanceof Error ? error : new Error(`it threw ${show(error)}`)),
    )
  }

  cork(): void {
    this.#duplex.cork()
  }

  uncork(): void {
    this.#attempt(() => void this.#duplex.uncork())
  }

  pause(): void {
    this.#isPaused = true
    this.#duplex.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#broken !== undefined) queueMicrotask(() => this.#break())
    else if (this.#state === 'open') this.#duplex.resume()
  }

  end(): void {
    this.#attempt(() => {
      while (this.#duplex.writableCorked > 0) this.#duplex.uncork()
      this.#duplex.end()
    })
  }

  destroy(): void {
    if (this.#state === 'destroyed' || this.#state === 'closed') return
    this.#state = 'destroyed'
    this.#sent = this.bytes_written
    this.#duplex.destroy()
    // A stream may have been made so that it does not say that it has closed.
    setImmediate(() => this.#closed())
  }

  set_no_delay(on: boolean): void {
    if (this.#duplex instanceof Socket) this.#duplex.setNoDelay(on)
  }

  set_keep_alive(after: Milliseconds | false, probes?: KeepAliveProbes): void {
    if (this.#duplex instanceof Socket) setKeepAlive(this.#duplex, keepAlive(after, probes))
  }

  // ---- what it reports --------------------------------------------------------------------------

  #received(chunk: Buffer): void {
    if (this.#state !== 'open' || chunk.length === 0) return
    this.bytes_read += chunk.length
    this.sink?.received(chunk)
  }

  #wrote(): void {
    const { writableLength, writableEnded } = this.#duplex
    if (this.#state !== 'open' || !this.#isFull || writableLength > 0 || writableEnded) return
    this.#isFull = false
    this.sink?.drained()
  }

  #ended(): void {
    if (this.#state !== 'open') return
    this.#hasEnded = true
    this.sink?.ended()
    this.#finished()
  }

  /** One side has ended. If both have, nothing is left to be done. */
  #finished(): void {
    if (this.#hasEnded && this.#duplex.writableFinished) this.destroy()
  }

  #failed(error: SystemError): void {
    if (this.#state !== 'open') return
    this.#sent = this.bytes_written
    // Without a length, Node 26 returns one piece alone.
    const { readableLength } = this.#duplex
    const unread = (this.#duplex.read(readableLength) as Buffer | null) ?? EMPTY
    this.#broken = { error, unread }
    // A program that waits to write must not wait for a reader.
    if (!this.#isPaused || this.#isFull || unread.length === 0) this.#break()
  }

  /** Reports the break, and first what came before it. */
  #break(): void {
    if (this.#broken === undefined || this.#state !== 'open') return
    const { error, unread } = this.#broken
    if (!this.#isPaused) this.#received(unread)
    // Whoever received it may have destroyed the transport.
    if (this.#broken === undefined || this.#state !== 'open') return
    this.#broken = undefined
    this.#state = 'failed'
    this.sink?.failed(error)
    this.destroy()
  }

  #closed(): void {
    // Of a stream that broke, later.
    if (this.#state === 'closed' || (this.#state === 'open' && this.#broken !== undefined)) return
    this.#sent ??= this.bytes_written
    this.#state = 'closed'
    this.sink?.closed()
  }
}
