/**
 * Layer 2. TCP and unix sockets: transports on node:net.
 *
 * connectTcp, or NodeListener → TcpTransport → the listeners at the end of this file → the sink.
 *
 * Rules:
 * 1. All sockets share the same listener functions. They find their transport by a symbol on the
 *    socket. Closures of its own would cost every idle connection half a KiB.
 * 2. Node reports some things inside the call that caused them (the 'error' of an invalid argument,
 *    the 'close' of a socket that never opened) and some after the end. Every listener looks at
 *    #state first, which keeps the order of the seam.
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26 on Linux):
 * - `push` is replaced on each socket. Node documents it for classes that implement a Readable;
 *   that net.Socket calls it for every chunk, and stops reading if it answers false, is not
 *   documented. Here a chunk goes straight to the sink: it does not wait in the queue of the
 *   Readable and causes none of its events, which is 7 % of the cost of a small message. The end
 *   (null) is reported likewise, and goes on to the Readable, which makes 'close' of it, although
 *   nobody reads: Node calls `read(0)` after that `push`, and the queue is empty. Refused: the
 *   event 'end', for which Node has a listener of its own. The array of both is up to 104 bytes of
 *   an idle connection.
 * - `_read(0)` is called, to start reading again. `resume()` does nothing the second time: the
 *   Readable has seen no chunk, so for it the first read is still under way. Node documents `_read`
 *   as not to be called by programs.
 * - `_destroy` is replaced on each socket, to count once more before the handle is gone: afterwards
 *   Node counts what was dropped as written. Node documents it for subclasses.
 * - `_handle.writeQueueSize` and `_bytesDispatched` tell how much of a long write has gone. Node's
 *   own socket timeouts read them. Without them `bytes_written` changes once a write.
 * - A socket of a server with `pauseOnConnect`, and a new one that is paused before it connects,
 *   read nothing until `_read` is called. Node documents the first as paused, no more.
 * - An empty write calls back after everything before it has been taken by the system, and costs no
 *   packet.
 */

import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import { socketAddress } from '../core/address.ts'
import type {
  ConnectOptions,
  Endpoint,
  KeepAliveProbes,
  SystemError,
  Transport,
  TransportSink,
} from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'
import { descriptorOf } from './descriptor.ts'
import { shared, viewOf } from './fast/handles.ts'
import { keepAlive, setKeepAlive } from './keep-alive.ts'
import { mustBeCut, writePieces } from './runtimes/pieces.ts'
import { handedOn } from './runtimes/text-bytes.ts'
import { connectError, connectSocket } from './tcp-connect.ts'

const TRANSPORT: unique symbol = Symbol('transport')

/** A socket with its transport. */
type Owned = Socket & { [TRANSPORT]: TcpTransport }

/** What `_handle` and `_bytesDispatched` are, where Node has them. */
interface Counted {
  readonly _handle?: { readonly writeQueueSize: Bytes } | null
  readonly _bytesDispatched: Bytes
}

const EMPTY = Buffer.alloc(0)

/** The transport of a socket that has closed. */
const NONE = {} as TcpTransport

/** Starts to connect. */
export function connectTcp(
  to: Endpoint,
  options: ConnectOptions,
  { bun, deno }: NodeJS.Dict<string> = process.versions,
): TcpTransport {
  // With `onread`, a socket of Bun 1.4 that has stopped reading does not go on by `_read`, and TLS
  // over a socket of Deno 2.9 hears nothing from its peer.
  const lends = options.lend === true && bun === undefined && deno === undefined
  // Otherwise Node allocates 64 KiB for each chunk, which wait for the garbage collector.
  const callback = (size: Bytes): boolean => transport.onChunk(viewOf(size))
  const onread = { buffer: shared, callback }
  const socket = new Socket({ allowHalfOpen: true, ...(lends && { onread }) } as object)
  const transport = new TcpTransport(socket, to)
  transport.lends_chunks = lends
  transport.connect(to, options)
  return transport
}

export class TcpTransport implements Transport {
  lends_chunks = false
  readonly #socket: Socket
  #sink: TransportSink | undefined
  /**
   * The endpoint that we connect to. Node does not report the path of a unix socket on the
   * connecting side.
   */
  readonly #target: Endpoint | undefined
  /** Of a unix socket: its path if it was accepted, else ''. */
  #local: SocketAddress | undefined
  #state: 'opening' | 'open' | 'failed' | 'destroyed' | 'closed' = 'opening'
  /** Is `drained` still to be reported? */
  #isFull = false
  #hasPeerEnded = false
  /** What the system had taken when the socket was destroyed. Later figures of Node are wrong. */
  #sent: Bytes | undefined
  /** Must reading stop after the chunk that is on its way? Nothing is read before `resume`. */
  #isPaused = true

  /**
   * `target`: where a new socket will connect to. A socket without one was accepted, so it is
   * connected. `at`: the address that its listener is bound to, if it is bound to one. (Node
   * reports neither address of a unix socket.)
   */
  constructor(socket: Socket, target?: Endpoint, at?: SocketAddress) {
    this.#socket = socket
    this.#target = target
    this.#local = at
    ;(socket as Owned)[TRANSPORT] = this
    // A new socket would begin to read when it is connected.
    if (target !== undefined) socket.pause()
    socket.push = push
    socket._destroy = onDestroy
    socket.on('error', onError)
    socket.on('close', onClose)
    if (target === undefined) this.#setOpen()
  }

  connect(to: Endpoint, options: ConnectOptions): void {
    this.#socket.once('connect', onConnect)
    connectSocket(this.#socket, to, options)
  }

  // ---- what is told -----------------------------------------------------------------------------

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    // A connection may be gone before anybody has taken it.
    if (this.#state === 'closed') queueMicrotask(() => sink?.closed())
  }

  get local_address(): SocketAddress | undefined {
    if (this.#local === undefined && this.#state !== 'opening') {
      const { localAddress, localPort } = this.#socket
      if (localAddress !== undefined) this.#local = socketAddress(localAddress, localPort as number)
    }
    return this.#local
  }

  /** Not kept here: Node keeps it, and an array of our own is 80 bytes of an idle connection. */
  get remote_address(): SocketAddress | undefined {
    if (this.#state === 'opening') return undefined
    if (typeof this.#local === 'string')
      return this.#target?.kind === 'unix' ? this.#target.path : ''
    const { remoteAddress, remotePort } = this.#socket
    return remoteAddress === undefined
      ? undefined
      : socketAddress(remoteAddress, remotePort as number)
  }

  get fileno(): number | undefined {
    return descriptorOf(this.#socket)
  }

  get bytes_read(): Bytes {
    return this.#socket.bytesRead
  }

  get bytes_written(): Bytes {
    if (this.#sent !== undefined) return this.#sent
    // Only the handle knows how much of a write that is on its way has gone.
    const { _handle, _bytesDispatched: given } = this.#socket as unknown as Counted
    const left = _handle?.writeQueueSize ?? 0
    if (left > 0) return given - left
    // Node counts what it has queued as written.
    return Math.max(0, this.#socket.bytesWritten - this.#socket.writableLength)
  }

  get bytes_queued(): Bytes {
    return this.#sent === undefined ? this.#socket.writableLength : 0
  }

  // ---- what can be done -------------------------------------------------------------------------

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    if (data.length === 0 || !this.#socket.writable) return true
    if (mustBeCut(data, this.#socket)) writePieces(this.#socket, data, encoding)
    else this.#socket.write(handedOn(data, encoding) as string, encoding)
    // Node has tried within the call. What is left now was not taken by the system, or is held by
    // a cork.
    const isTaken = this.#socket.writableLength === 0
    if (!isTaken && this.#socket.writableCorked === 0) this.#awaitDrained()
    return isTaken
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    if (this.#socket.writableLength > 0) this.#awaitDrained()
    this.#socket.uncork()
  }

  /**
   * An empty write after what is left: its callback runs when all of that has gone. Refused: a
   * callback for each write. Nearly all writes are taken at once, and a callback costs a tick of
   * its own each time, a tenth of all CPU time with small messages.
   */
  #awaitDrained(): void {
    // After end() no callback can be queued, and nobody is waiting to write.
    if (this.#isFull || !this.#socket.writable) return
    this.#isFull = true
    this.#socket.write(EMPTY, () => this.#written())
  }

  #written(): void {
    this.#isFull = false
    if (this.#state !== 'open') return
    if (this.#socket.writableLength === 0) this.#sink?.drained()
    else this.#awaitDrained()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#socket._read(0)
  }

  end(): void {
    const socket = this.#socket
    // Nothing is left to be sent or read: closing tells the peer as well, and costs 4 us less.
    if (this.#hasPeerEnded && socket.writable && socket.writableLength === 0) socket.destroy()
    else socket.end()
  }

  destroy(): void {
    if (this.#state !== 'closed') this.#state = 'destroyed'
    this.#socket.destroy()
  }

  set_no_delay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  set_keep_alive(after: Milliseconds | false, probes?: KeepAliveProbes): void {
    setKeepAlive(this.#socket, keepAlive(after, probes))
  }

  /** See SocketBacked of tls-transport.ts. */
  toSocket(): Socket {
    return this.#socket
  }

  // ---- what the socket reports, to the listeners below ------------------------------------------

  onConnect(): void {
    if (this.#state !== 'opening') return
    this.#setOpen()
    this.#sink?.opened()
  }

  #setOpen(): void {
    this.#state = 'open'
    if (this.#target?.kind === 'unix') this.#local = ''
    // A connection that is reset has no address of the peer any more.
    else void this.#socket.remoteAddress
  }

  /** Returns whether to go on reading. */
  onChunk(chunk: Buffer): boolean {
    if (this.#state === 'open') this.#sink?.received(chunk)
    return !this.#isPaused
  }

  /** Bun reports an end after `destroy`, too, and so when the connection has failed. */
  onEnd(): void {
    if (this.#state !== 'open' || this.#socket.destroyed) return
    this.#hasPeerEnded = true
    this.#sink?.ended()
  }

  onError(error: SystemError): void {
    if (this.#state !== 'opening' && this.#state !== 'open') return
    this.#state = 'failed'
    this.#sink?.failed(connectError(error))
  }

  /** The handle is still there. Node does not know the local address without one. */
  onDestroy(): void {
    this.#sent = this.bytes_written
    void this.local_address
  }

  onClose(): void {
    this.#state = 'closed'
    this.#sink?.closed()
  }
}

// ---- the listeners of every socket --------------------------------------------------------------

function onConnect(this: Owned): void {
  this[TRANSPORT].onConnect()
}

function push(this: Owned, chunk: Buffer | null): boolean {
  if (chunk !== null) return this[TRANSPORT].onChunk(chunk)
  const goesOn = Socket.prototype.push.call(this, null)
  this[TRANSPORT].onEnd()
  return goesOn
}

function onError(this: Owned, error: SystemError): void {
  this[TRANSPORT].onError(error)
}

function onDestroy(this: Owned, error: Error | null, done: (error?: Error | null) => void): void {
  this[TRANSPORT].onDestroy()
  Socket.prototype._destroy.call(this, error, done)
}

function onClose(this: Owned): void {
  const transport = this[TRANSPORT]
  // Node's handle keeps its socket alive into the old generation of the heap. Our objects must not
  // follow it there.
  this[TRANSPORT] = NONE
  transport.onClose()
}
