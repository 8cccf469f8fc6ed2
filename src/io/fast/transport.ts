/**
 * Layer 2. A connection on a handle of libuv, with this light owner in place of Node's Socket.
 *
 * The way of a byte in:  libuv → the shared buffer → Node's onStreamRead → #read → sink.received
 * The way of a byte out: write → the handle → the system. libuv keeps what the system did not take
 *
 * Its life: (opening →) open → ended (theirs), end (ours) → closed; or failed, destroyed → closed.
 * Or it is given away with its handle, to TLS.
 *
 * Rules:
 * 1. Node's reading code asks the owner of a handle for `destroyed`, `_readableState`, `on`,
 *    `push`, `read`, `destroy`, and for what HandleRules names. All of it stands in one section
 *    below.
 * 2. What the handle answers inside a call (the error of a write) is reported in a microtask.
 * 3. The handle is closed once. #leave keeps what is told of the connection afterwards.
 */

import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import { noop } from '../../core/noop.ts'
import type {
  ConnectOptions,
  Endpoint,
  SystemError,
  Transport,
  TransportSink,
} from '../../transport.ts'
import type { Bytes, Encoding, SocketAddress } from '../../types.ts'
import { connectError, connectSocket } from '../tcp-connect.ts'
import { HandleFacts } from './handle-facts.ts'
import * as handles from './handles.ts'
import { type Handle, type HandleRequest, rules, shared, viewOf } from './handles.ts'
import * as requests from './requests.ts'

/** What Node's reading code asks of a Readable. */
const READABLE_STATE = { endEmitted: false }

export class FastTransport extends HandleFacts implements Transport {
  #sink: TransportSink | undefined
  #state: 'opening' | 'open' | 'given' | 'failed' | 'destroyed' | 'closed' = 'opening'
  #isPaused = true
  /** Is `drained` still to be reported? */
  #isFull = false
  #hasPeerEnded = false
  /** The end of our side: 'asked' while it is opening, then 'sending', 'sent'. */
  #end: 'no' | 'asked' | 'sending' | 'sent' = 'no'
  #isClosing = false
  /** What was written while corked: data and encoding in turn. */
  #corked: (string | Uint8Array)[] | undefined

  // ---- opening ----------------------------------------------------------------------------------

  /** `at`: the address that its listener is bound to, if it is one address. */
  static accepted(handle: Handle, at: SocketAddress | undefined): FastTransport {
    const transport = new FastTransport()
    transport.told(at, typeof at === 'string' ? '' : undefined)
    // A unix socket has no such option.
    handle.setNoDelay?.(true)
    transport.#own(handle)
    return transport
  }

  static connect(to: Endpoint, options: ConnectOptions): FastTransport {
    const transport = new FastTransport()
    transport.#connect(to, options)
    return transport
  }

  /** Whatever the handle reports, Node's reading code tells us. */
  #own(handle: Handle): void {
    this.handle = handle
    this.#state = 'open'
    handle[rules.owner] = this
    handle.onread = rules.onread
    handle.reading = false
    handle.useUserBuffer(shared)
  }

  #connect(to: Endpoint, options: ConnectOptions): void {
    const socket = new Socket({ allowHalfOpen: true })
    this.socket = socket
    // What is written meanwhile goes out first when it is open.
    this.#corked = []
    // A new socket would begin to read when it is connected.
    socket.pause()
    // After the event Node goes on with its socket. Then the handle can be taken.
    socket.once('connect', () => queueMicrotask(() => this.#connected(to)))
    socket.once('error', error => this.#fail(connectError(error)))
    socket.once('close', () => this.socket === socket && this.onClosed())
    connectSocket(socket, to, options)
  }

  #connected(to: Endpoint): void {
    if (this.#state !== 'opening') return
    this.#own(handles.takeHandle<Handle>(this.socket as Socket))
    this.socket = undefined
    if (to.kind === 'unix') this.told('', to.path)
    // A connection that is reset has no address of the peer any more.
    void this.remote_address
    this.uncork()
    this.#sink?.opened()
    if (this.#end === 'asked' && !this.destroyed) this.#finish()
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

  get lends_chunks(): boolean {
    return true
  }

  get bytes_queued(): Bytes {
    if (this.#isOver()) return 0
    let bytes = this.handle.writeQueueSize
    const corked = this.#corked ?? []
    for (let i = 0; i < corked.length; i += 2) {
      bytes += Buffer.byteLength(corked[i] as string, corked[i + 1] as Encoding)
    }
    return bytes
  }

  #isOver(): boolean {
    return this.#state !== 'open' && this.#state !== 'opening'
  }

  // ---- writing ----------------------------------------------------------------------------------

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    if (data.length === 0 || this.#end !== 'no' || this.#isOver()) return true
    if (this.#corked !== undefined) {
      this.#corked.push(data, encoding)
      if (this.#state === 'opening') this.#isFull = true
      return false
    }
    if (this.#send(data, encoding)) return true
    this.#isFull = true
    return false
  }

  /** Has the system taken it whole? */
  #send(data: string | Uint8Array, encoding: Encoding): boolean {
    const request = requests.nextRequest()
    const handle = this.handle
    if (typeof data === 'string') {
      if (encoding === 'latin1') return this.#sent(handle.writeLatin1String(request, data), data)
      if (encoding === 'utf8') return this.#sent(handle.writeUtf8String(request, data), data)
      data = Buffer.from(data, encoding)
    }
    return this.#sent(handle.writeBuffer(request, data), data)
  }

  #sent(answer: number | HandleRequest, data: unknown): boolean {
    if (answer === 0) {
      const request = requests.requestUnderWay()
      if (request === undefined) return true
      this.#await(request, data)
    } else if (typeof answer === 'number') queueMicrotask(() => this.#written(answer))
    else this.#await(answer, data)
    return false
  }

  #await(request: requests.WriteRequest, data: unknown): void {
    // Its memory is needed until then.
    request.data = data
    request.oncomplete = status => this.#written(status)
    const status = requests.statusOf(request)
    if (status !== undefined) queueMicrotask(() => this.#written(status))
  }

  #written(status: number): void {
    if (status < 0) this.#fail(requests.systemError(status, 'write'))
    else if (this.handle.writeQueueSize === 0) this.#drained()
  }

  #drained(): void {
    if (!this.#isFull || this.#state !== 'open') return
    this.#isFull = false
    this.#sink?.drained()
  }

  cork(): void {
    this.#corked ??= []
  }

  uncork(): void {
    const corked = this.#corked
    if (corked === undefined || this.#state !== 'open') return
    this.#corked = undefined
    if (corked.length === 0) return
    this.#isFull = true
    const chunks = requests.chunksOf(corked)
    const isTaken = this.#sent(this.handle.writev(requests.nextRequest(), chunks, false), chunks)
    if (isTaken) queueMicrotask(() => this.#written(0))
  }

  // ---- reading ----------------------------------------------------------------------------------

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    const handle = this.handle
    if (this.#state !== 'open' || this.#hasPeerEnded || handle.reading) return
    handle.reading = true
    const status = handle.readStart()
    if (status !== 0) queueMicrotask(() => this.#fail(requests.systemError(status, 'read')))
  }

  // If it returns false, Node notes that the handle has stopped, and stops it unless `destroyed`.
  // So a handle that was given away meanwhile reads on.
  #read(size: Bytes): boolean {
    if (this.#state === 'open') this.#sink?.received(viewOf(size))
    return !this.#isPaused || this.#state === 'given'
  }

  // ---- what Node's reading code wants -----------------------------------------------------------

  /** Puts under the keys that Node asks for what is the same of all. Once is enough. */
  static prepare(): void {
    const prototype = FastTransport.prototype as unknown as Record<symbol, unknown>
    prototype[rules.buffer] = shared
    prototype[rules.generator] = null
    prototype[rules.touch] = noop
    prototype[rules.callback] = function (this: FastTransport, size: Bytes): boolean {
      return this.#read(size)
    }
  }

  get destroyed(): boolean {
    return this.#state !== 'open'
  }

  get _readableState(): typeof READABLE_STATE {
    return READABLE_STATE
  }

  /** Called with null: the peer has ended its side. */
  push(_end: null): void {
    if (this.#state !== 'open' || this.#hasPeerEnded) return
    this.#hasPeerEnded = true
    this.#sink?.ended()
    this.#closeIfEnded()
  }

  on(): void {}

  read(): void {}

  /** Called by Node's reading code with the error of a read, and by everybody else without. */
  destroy(error?: SystemError): void {
    if (error !== undefined) return this.#fail(error)
    if (!this.#isOver()) this.#leave('destroyed')
    this.#close()
  }

  // ---- the end ----------------------------------------------------------------------------------

  end(): void {
    if (this.#end !== 'no' || this.#isOver()) return
    this.#end = 'asked'
    if (this.#state === 'open') this.#finish()
  }

  #finish(): void {
    this.uncork()
    // Nothing is left to be sent or read: closing tells the peer as well, and costs half as much.
    if (this.#hasPeerEnded && !this.#isFull) return this.destroy()
    this.#end = 'sending'
    const request = new rules.ShutdownRequest()
    request.oncomplete = () => this.#shutdown()
    const status = this.handle.shutdown(request)
    // 0: under way. 1: done. A peer that has gone cannot be told, and that is no error, as in Node.
    if (status === 1 || (status < 0 && requests.isNotConnected(status))) {
      queueMicrotask(() => this.#shutdown())
    } else if (status < 0) {
      queueMicrotask(() => this.#fail(requests.systemError(status, 'shutdown')))
    }
  }

  #shutdown(): void {
    this.#end = 'sent'
    this.#closeIfEnded()
  }

  #closeIfEnded(): void {
    if (this.#hasPeerEnded && this.#end === 'sent') this.destroy()
  }

  #fail(error: SystemError): void {
    if (this.#isOver()) return
    this.#leave('failed')
    this.#sink?.failed(error)
    this.#close()
  }

  /** From now on the handle is asked nothing more. */
  #leave(state: 'failed' | 'destroyed'): void {
    this.keep()
    this.#corked = undefined
    this.#state = state
  }

  #close(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    if (this.socket !== undefined) this.socket.destroy()
    else this.handle.close(onClosed)
  }

  onClosed(): void {
    this.#state = 'closed'
    this.forget()
    this.#sink?.closed()
  }

  /**
   * See SocketBacked of tls-transport.ts. The handle is still asked until the socket is destroyed.
   */
  toSocket(): Socket {
    if (this.destroyed) return new Socket().destroy()
    this.#state = 'given'
    this.#isClosing = true
    const socket = handles.socketOver(this.handle)
    const { _destroy } = socket
    socket._destroy = (error, done) => {
      this.keep()
      this.forget()
      _destroy.call(socket, error, done)
    }
    return socket
  }
}

/** Of every handle. It lives until the next full collection; our objects must not live as long. */
function onClosed(this: Handle): void {
  const transport = this[rules.owner] as FastTransport
  this[rules.owner] = undefined
  transport.onClosed()
}
