/**
 * Layer 2. TCP and unix sockets: transports on node:net, by its documented calls only.
 *
 * Rules:
 * 1. The listeners of a socket are functions shared by all sockets, which find their transport by a
 *    symbol: closures of its own would cost every idle connection half a KiB
 *    (reference/performance.md).
 * 2. What arrives is taken where Node hands it to the stream, `push` (a documented method of
 *    Readable, of which this makes another one): it neither waits in the Readable's queue nor
 *    passes its events, 7 % of a small message's way. The end goes on to the Readable, which makes
 *    'end' and 'close' of it. Pausing is to answer false: Node stops reading then.
 * 3. Node reports some things inside the call that caused them (an 'error' of an invalid argument,
 *    'close' of a socket that never opened) or after it should be over; #state, looked at by every
 *    listener, makes the seam's order of it.
 */

import { Buffer } from 'node:buffer'
import { type NetConnectOpts, Socket } from 'node:net'
import { socketAddress } from '../core/address.ts'
import type {
  ConnectOptions,
  Endpoint,
  SystemError,
  Transport,
  TransportSink,
} from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'

/**
 * How long Node waits for one address of a host before it tries the next one, which ends the first
 * attempt. Node's 250 ms end connects that would have succeeded (nodejs/node#54359); a second is
 * what a slow link needs, and still soon enough where IPv6 leads nowhere.
 */
const NEXT_ADDRESS_AFTER: Milliseconds = 1000

/** The longest that Linux lets an idle connection be before it is probed. */
const KEEP_ALIVE_MAX: Milliseconds = 32_767_000

const TRANSPORT: unique symbol = Symbol('transport')

/** A socket that knows whose it is, and one that reads into the same memory again and again. */
type Owned = Socket & { [TRANSPORT]: TcpTransport; readonly lends_chunks?: true }

const EMPTY = Buffer.alloc(0)

/** Whose a socket is that has closed. */
const NONE = {} as TcpTransport

// Shared by all sockets; set in the static block below.
let onConnect: (this: Owned) => void
let push: (this: Owned, chunk: Buffer | null) => boolean
let onEnd: (this: Owned) => void
let onError: (this: Owned, error: SystemError) => void
let onClose: (this: Owned) => void
let onDestroy: (this: Owned, error: Error | null, done: (error?: Error | null) => void) => void

/**
 * For io/tls.ts only: the socket below a transport of this file, to be taken over; `undefined` for
 * any other transport.
 */
export let socketOf: (transport: Transport) => Socket | undefined

/** Starts to connect. */
export function connectTcp(
  to: Endpoint,
  options: ConnectOptions,
  socket = new Socket({ allowHalfOpen: true }),
): TcpTransport {
  const transport = new TcpTransport(socket, to)
  transport.connect(to, options)
  return transport
}

export class TcpTransport implements Transport {
  readonly #socket: Socket
  #sink: TransportSink | undefined
  /**
   * Where we connect to: the path of a unix socket, which Node does not report for the connecting
   * side.
   */
  readonly #target: Endpoint | undefined
  #local: SocketAddress | undefined
  #remote: SocketAddress | undefined
  #state: 'opening' | 'open' | 'failed' | 'destroyed' | 'closed' = 'opening'
  /** Is `drained` still to be reported? */
  #isFull = false
  /**
   * What the system had taken when the socket was destroyed: after that Node counts what was
   * dropped as written.
   */
  #sent: Bytes | undefined
  /**
   * Does it want no more than the chunk that is on its way? Nothing is read before the first
   * `resume`.
   */
  #isPaused = true

  /**
   * `target`: where a new socket will connect to. A socket without one is connected: it was
   * accepted, `at` where its listener is bound.
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
    socket.on('end', onEnd)
    socket.on('error', onError)
    socket.on('close', onClose)
    if (target === undefined) this.#setOpen()
  }

  /** Accepted by a listener on a unix socket: Node reports nothing of either end. */
  static acceptedAt(socket: Socket, path: string): TcpTransport {
    const transport = new TcpTransport(socket)
    transport.#local = path
    transport.#remote = ''
    return transport
  }

  connect(to: Endpoint, options: ConnectOptions): void {
    const { lookup, local } = options
    const how =
      to.kind === 'unix'
        ? { path: to.path }
        : {
            host: to.host === '' ? 'localhost' : to.host,
            port: to.port,
            noDelay: true,
            autoSelectFamily: true,
            autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER,
            ...(local?.host && { localAddress: local.host }),
            ...(local?.port && { localPort: local.port }),
            ...(lookup !== undefined && { lookup }),
          }
    this.#socket.once('connect', onConnect)
    try {
      this.#socket.connect(how as NetConnectOpts)
    } catch (error) {
      // Node throws for some of what it refuses (a local address that is none) and reports the
      // rest: here all is reported.
      this.#socket.destroy(error as Error)
    }
  }

  // ---- what is told -----------------------------------------------------------------------------

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    // An accepted connection may be gone before anybody wanted it.
    if (this.#state === 'closed') queueMicrotask(() => sink?.closed())
  }

  get local_address(): SocketAddress | undefined {
    const { localAddress, localPort } = this.#socket
    if (this.#local === undefined && this.#state !== 'opening' && localAddress !== undefined) {
      this.#local = socketAddress(localAddress, localPort as number)
    }
    return this.#local
  }

  get remote_address(): SocketAddress | undefined {
    const { remoteAddress, remotePort } = this.#socket
    if (this.#remote === undefined && this.#state !== 'opening' && remoteAddress !== undefined) {
      this.#remote = socketAddress(remoteAddress, remotePort as number)
    }
    return this.#remote
  }

  get fileno(): number | undefined {
    // Undocumented, and for people to look at only: -1 or nothing where there is no descriptor.
    const fd = (this.#socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd
    return fd === undefined || fd < 0 ? undefined : fd
  }

  get bytes_read(): Bytes {
    return this.#socket.bytesRead
  }

  get bytes_written(): Bytes {
    if (this.#sent !== undefined) return this.#sent
    // Of a write that is on its way only the handle knows how much of it has gone: undocumented,
    // Node's own timeouts ask it.
    const { _handle, _bytesDispatched: given } = this.#socket as unknown as {
      _handle?: { writeQueueSize: Bytes } | null
      _bytesDispatched: Bytes
    }
    const left = _handle?.writeQueueSize ?? 0
    if (left > 0) return given - left
    // Node counts what it has queued as written.
    return Math.max(0, this.#socket.bytesWritten - this.#socket.writableLength)
  }

  get bytes_queued(): Bytes {
    return this.#sent === undefined ? this.#socket.writableLength : 0
  }

  get lends_chunks(): boolean {
    return (this.#socket as Owned).lends_chunks === true
  }

  // ---- what can be done -------------------------------------------------------------------------

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    if (data.length === 0 || !this.#socket.writable) return true
    this.#socket.write(data as string, encoding)
    // Node has tried, in the call: what is left now is what the system did not take, or what a cork
    // holds.
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
   * An empty write, behind what is left: its callback says when all of that has gone. (A callback
   * for each write, though nearly all are taken at once, has a tick of its own each time: with
   * small messages a tenth of all CPU time.)
   */
  #awaitDrained(): void {
    // Behind an end nothing can wait any more; nor does anybody wait to write.
    if (this.#isFull || !this.#socket.writable) return
    this.#isFull = true
    this.#socket.write(EMPTY, () => this.#written())
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#socket._read(0)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    if (this.#state !== 'closed') this.#state = 'destroyed'
    this.#socket.destroy()
  }

  set_no_delay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  set_keep_alive(after: Milliseconds | false): void {
    // Node rounds down to seconds, takes 0 for the system's own two hours, and says nothing when
    // the system refuses.
    this.#socket.setKeepAlive(
      after !== false,
      after === false ? 0 : Math.min(Math.max(after, 1000), KEEP_ALIVE_MAX),
    )
  }

  // ---- what the socket reports ------------------------------------------------------------------

  #setOpen(): void {
    this.#state = 'open'
    const socket = this.#socket
    if (this.#target?.kind === 'unix') {
      this.#local = ''
      this.#remote = this.#target.path
    } else {
      // Node remembers for ever what it was asked while open, and can tell nothing afterwards.
      void socket.remoteAddress
      if (this.#local === undefined) void socket.localAddress
    }
  }

  static {
    socketOf = transport => (#socket in transport ? transport.#socket : undefined)
    onConnect = function () {
      const transport = this[TRANSPORT]
      if (transport.#state !== 'opening') return
      transport.#setOpen()
      transport.#sink?.opened()
    }
    push = function (chunk) {
      if (chunk === null) return Socket.prototype.push.call(this, null)
      const transport = this[TRANSPORT]
      if (transport.#state === 'open') transport.#sink?.received(chunk)
      return !transport.#isPaused
    }
    onEnd = function () {
      const transport = this[TRANSPORT]
      if (transport.#state === 'open') transport.#sink?.ended()
    }
    onError = function (error) {
      const transport = this[TRANSPORT]
      if (transport.#state !== 'opening' && transport.#state !== 'open') return
      transport.#state = 'failed'
      transport.#sink?.failed(flatten(error))
    }
    onDestroy = function (error, done) {
      const transport = this[TRANSPORT]
      transport.#sent = transport.bytes_written
      Socket.prototype._destroy.call(this, error, done)
    }
    onClose = function () {
      const transport = this[TRANSPORT]
      // Node's handle keeps its socket for the old generation; what is ours must not grow old with
      // it.
      this[TRANSPORT] = NONE
      transport.#state = 'closed'
      transport.#sink?.closed()
    }
  }

  #written(): void {
    this.#isFull = false
    if (this.#state !== 'open') return
    if (this.#socket.writableLength === 0) this.#sink?.drained()
    else this.#awaitDrained()
  }
}

/**
 * Several addresses of one host failed: Node's error for that has no message, and its code is that
 * of the first.
 */
function flatten(error: SystemError): SystemError {
  if (!(error instanceof AggregateError)) return error
  const errors = error.errors as SystemError[]
  return Object.assign(new Error(errors.map(each => each.message).join('; '), { cause: error }), {
    code: errors[0]?.code,
    syscall: 'connect',
  })
}
