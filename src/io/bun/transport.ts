/**
 * Layer 2. A connection on a socket of Bun's, without a stream in between.
 *
 * The way of a byte in:  Bun → HANDLERS → #received → sink.received
 * The way of a byte out: write → Bun → the system. What that did not take waits in a Backlog
 *
 * Its life: (opening →) open → ended (theirs), end (ours) → closed; or failed, destroyed → closed.
 * Or it is given away with its socket, to TLS.
 *
 * Rules:
 * 1. Bun keeps nothing: `write` says how much the system has taken, and `drain` when it takes more.
 * 2. A socket is told to pause when its chunk has been received. It may be resumed by then, and
 *    each `pause` is a system call.
 * 3. What comes while it is paused (a break makes Bun read what is left) waits in #early. So do an
 *    end and a break that come after it.
 * 4. Bun reports a close inside `close()`. It reports no end of the peer, but a close, if our side
 *    has ended; and it closes a unix socket whose peer has closed, although our side has not ended.
 *    So #over notes a close, and it is reported in a microtask.
 */

import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type {
  ConnectOptions,
  Endpoint,
  SystemError,
  Transport,
  TransportSink,
} from '../../transport.ts'
import type { Bytes, Encoding, SocketAddress } from '../../types.ts'
import { takeHandle } from '../fast/handles.ts'
import { connectError, connectSocket } from '../tcp-connect.ts'
import { Backlog } from './backlog.ts'
import { brokenPipe, type BunSocket, type BunSocketOwner } from './bun.ts'
import { BunFacts, CLOSED } from './facts.ts'
import { Given } from './given.ts'
import { HANDLERS } from './handlers.ts'
import { TEXT } from './text-memory.ts'

export class BunTransport extends BunFacts implements Transport, BunSocketOwner {
  #sink: TransportSink | undefined
  #state: 'opening' | 'open' | 'given' | 'failed' | 'destroyed' | 'closed' = 'opening'
  #isPaused = true
  /** Is Bun told that we are paused? */
  #isStopped = false
  /** Is a chunk being received now? */
  #isReceiving = false
  /** What came while it was paused. */
  #early: Buffer[] | undefined
  /** Does Bun say that the peer has ended its side? */
  #hasPeerEnded = false
  #isEndTold = false
  /** The socket has closed: as the peer has, or with this error. */
  #over: 'ended' | SystemError | undefined
  /** What waits to be sent. While corked, and while it is opening, all waits. */
  #backlog: Backlog | undefined
  #isCorked = true
  /** Is `drained` still to be reported? */
  #isFull = false
  /** The end of our side: 'asked' until everything has gone, then 'sent'. */
  #end: 'no' | 'asked' | 'sent' = 'no'

  // ---- opening ----------------------------------------------------------------------------------

  /** `at`: the address that its listener is bound to, if it is one address. */
  static accepted(handle: BunSocket, at: SocketAddress | undefined): BunTransport {
    const transport = new BunTransport()
    transport.#own(handle, at, typeof at === 'string' ? '' : undefined)
    return transport
  }

  static connect(to: Endpoint, options: ConnectOptions): BunTransport {
    const transport = new BunTransport()
    transport.#connect(to, options)
    return transport
  }

  #own(handle: BunSocket, local?: SocketAddress, remote?: SocketAddress): void {
    handle.data = this
    this.opened(handle, local, remote)
    this.#state = 'open'
    this.#isCorked = false
  }

  #connect(to: Endpoint, options: ConnectOptions): void {
    const socket = new Socket({ allowHalfOpen: true })
    this.socket = socket
    // A new socket would begin to read when it is connected.
    socket.pause()
    // After the event Bun goes on with its socket. Then the handle can be taken.
    socket.once('connect', () => queueMicrotask(() => this.#connected(to)))
    socket.once('error', error => this.#fail(connectError(error)))
    socket.once('close', () => this.socket === socket && this.#closed())
    connectSocket(socket, to, options)
  }

  #connected(to: Endpoint): void {
    if (this.#state !== 'opening') return
    const handle = takeHandle<BunSocket>(this.socket as Socket)
    this.socket = undefined
    handle.reload({ socket: HANDLERS })
    this.#isStopped = true
    this.#own(handle, ...(to.kind === 'unix' ? ['', to.path] : []))
    this.#flush()
    this.#sink?.opened()
    this.rest()
    if (this.#end === 'asked') this.#finish()
  }

  /** It was reported that it is open. If nobody wants to read yet, Bun must not. */
  rest(): void {
    if (this.#isPaused && this.#state === 'open') this.#stop()
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

  get bytes_queued(): Bytes {
    return this.#backlog?.bytes ?? 0
  }

  #isOver(): boolean {
    return this.#state !== 'open' && this.#state !== 'opening'
  }

  // ---- writing ----------------------------------------------------------------------------------

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    if (data.length === 0 || this.#end !== 'no' || this.#isOver()) return true
    if (this.#isCorked || this.#backlog !== undefined) {
      this.#hold(typeof data === 'string' ? Buffer.from(data, encoding) : data)
      return false
    }
    if (typeof data !== 'string') return this.#send(data, data.length)
    const bytes = TEXT.bytesOf(data, encoding)
    return this.#send(bytes, TEXT.size)
  }

  /** Gives it to the system. What that does not take waits. */
  #send(bytes: Uint8Array, size: Bytes): boolean {
    const gone = this.handle.write(bytes, 0, size)
    if (gone < 0) return this.#broke()
    this.bytes_written += gone
    if (gone === size) return true
    this.#hold(TEXT.kept(bytes.subarray(gone, size), bytes))
    return false
  }

  #hold(bytes: Uint8Array): void {
    this.#backlog ??= new Backlog()
    this.#backlog.push(bytes)
    this.#isFull = true
  }

  #broke(): false {
    queueMicrotask(() => this.#fail(brokenPipe()))
    return false
  }

  /** Sends what waits. Returns whether all of it has gone. */
  #flush(): boolean {
    const backlog = this.#backlog
    if (backlog === undefined) return true
    const gone = this.handle.write(backlog.all(), 0, backlog.bytes)
    if (gone < 0) return this.#broke()
    this.bytes_written += gone
    backlog.gone(gone)
    if (backlog.bytes > 0) return false
    this.#backlog = undefined
    return true
  }

  /** Bun calls this whenever the socket can be written, also if nothing waits. */
  onDrain(): void {
    if (this.#state !== 'open' || this.#isCorked || !this.#flush()) return
    this.#drained()
    if (this.#end === 'asked' && this.#state === 'open') this.#finish()
  }

  #drained(): void {
    if (!this.#isFull || this.#backlog !== undefined || this.#state !== 'open') return
    this.#isFull = false
    this.#sink?.drained()
  }

  cork(): void {
    this.#isCorked = true
  }

  uncork(): void {
    if (this.#state !== 'open') return
    this.#isCorked = false
    if (this.#flush() && this.#isFull) queueMicrotask(() => this.#drained())
  }

  // ---- reading ----------------------------------------------------------------------------------

  pause(): void {
    this.#isPaused = true
    if (!this.#isReceiving && this.#state === 'open') this.#stop()
  }

  #stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.handle.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#state !== 'open') return
    if (this.#early !== undefined) queueMicrotask(() => this.#deliver())
    else this.#start()
  }

  #start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.handle.resume()
  }

  onData(chunk: Buffer): void {
    if (this.#state !== 'open') return
    if (!this.#isPaused && this.#early === undefined) return this.#received(chunk)
    this.#early ??= []
    this.#early.push(chunk)
    this.#stop()
  }

  #received(chunk: Buffer): void {
    this.bytes_read += chunk.length
    this.#isReceiving = true
    this.#sink?.received(chunk)
    this.#isReceiving = false
    if (this.#isPaused && this.#state === 'open') this.#stop()
  }

  /** What came early, and then what came after that. */
  #deliver(): void {
    while (!this.#isPaused && this.#state === 'open' && this.#early !== undefined) {
      const chunk = this.#early.shift() as Buffer
      if (this.#early.length === 0) this.#early = undefined
      this.#received(chunk)
    }
    if (this.#early !== undefined) return
    if (!this.#isPaused) this.#start()
    this.#settle()
  }

  // ---- the end ----------------------------------------------------------------------------------

  end(): void {
    if (this.#end !== 'no' || this.#isOver()) return
    this.#end = 'asked'
    if (this.#state === 'open') this.#finish()
  }

  #finish(): void {
    this.#isCorked = false
    if (!this.#flush()) return
    this.#end = 'sent'
    // If nothing is left to be read, closing tells the peer as well.
    if (this.#hasPeerEnded) this.handle.close()
    else this.handle.shutdown()
    if (this.#over !== undefined) queueMicrotask(() => this.#settle())
  }

  onEnd(): void {
    if (this.#state !== 'open') return
    this.#hasPeerEnded = true
    this.#settle()
  }

  onClose(error: SystemError | undefined): void {
    this.handle = CLOSED
    if (this.#state !== 'open') return
    const isBlocked = this.#backlog !== undefined
    // Bun says that it was a read that has met EPIPE.
    if (error !== undefined) this.#over = error.code === 'EPIPE' ? brokenPipe() : error
    else this.#over = isBlocked ? brokenPipe() : 'ended'
    queueMicrotask(() => (isBlocked ? this.#finishOver() : this.#settle()))
  }

  /** Reports an end and a close that have come, if everything before was received. */
  #settle(): void {
    if (this.#state !== 'open' || this.#early !== undefined) return
    const isEnd = this.#hasPeerEnded || this.#over === 'ended'
    if (isEnd && !this.#isEndTold) {
      this.#isEndTold = true
      this.#sink?.ended()
    }
    this.#finishOver()
  }

  /** If only the peer has ended, our side still can. */
  #finishOver(): void {
    const over = this.#over
    if (over === undefined || this.#state !== 'open') return
    if (over !== 'ended') this.#fail(over)
    else if (this.#end === 'sent') this.#closed()
  }

  destroy(): void {
    if (this.#isOver()) return
    this.#leave('destroyed')
  }

  #fail(error: SystemError): void {
    if (this.#isOver()) return
    this.#state = 'failed'
    this.#sink?.failed(error)
    this.#leave('failed')
  }

  #leave(state: 'failed' | 'destroyed'): void {
    this.#state = state
    this.#backlog = undefined
    this.#early = undefined
    if (this.socket !== undefined) return void this.socket.destroy()
    this.handle.close()
    // In a later turn, as with sockets of Node's.
    setImmediate(() => this.#closed())
  }

  #closed(): void {
    this.#state = 'closed'
    this.#sink?.closed()
  }

  /** See SocketBacked of tls-transport.ts. The socket is still asked which descriptor it has. */
  toSocket(): Socket {
    const { handle } = this
    if (this.#state !== 'open' || handle === CLOSED) return new Socket().destroy()
    this.#state = 'given'
    const { self } = new Given(handle)
    this.socket = self
    for (const chunk of this.#early?.reverse() ?? []) self.unshift(chunk)
    if (this.#isStopped) handle.resume()
    return self
  }
}
