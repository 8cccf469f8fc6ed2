/**
 * Layer 2. TLS over any transport, by node:tls and its documented calls.
 *
 * TlsContext (options → once) → secure → handshake → opened → the same reports as of every
 * transport.
 *
 * Rules:
 * 1. Over a socket of Node's, node:tls works on its handle: no stream of JavaScript stands between.
 *    Any other transport is made a Duplex (duplex.ts) first.
 * 2. Clients are made by `tls.connect`. Servers are made by a `tls.Server` that does not listen:
 *    connections are handed to it by its event 'connection', which is how Node wants it done, and
 *    everything that Node's servers do (client certificates, SNI, tickets) is done here too. Each
 *    connection gets an object of its own that inherits from that server, so that what is reported
 *    to the server is known to be about this connection.
 * 3. Nothing is read or written before the handshake is done and the peer verified.
 * 4. A peer's end without close_notify is an end as any other, as in Node: a protocol that must
 *    know whether it has everything has to say so itself.
 */

import type { Buffer } from 'node:buffer'
import { EventEmitter } from 'node:events'
import { isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { InvalidArgumentError, messageOf, show } from '../errors.ts'
import type {
  SystemError,
  TlsContext,
  TlsInfo,
  TlsOptions,
  TlsReserved,
  Transport,
  TransportSink,
} from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'
import { TransportDuplex } from './duplex.ts'
import { socketOf } from './tcp.ts'
import { tlsError } from './tls-advice.ts'

export type Side = 'client' | 'server'

/** The options that cannot be given, and what is there instead. */
const RESERVED: Readonly<Record<TlsReserved, string>> = {
  allowHalfOpen: 'on_read_end',
  handshakeTimeout: 'handshake_timeout',
  host: 'connect',
  isServer: 'a Client or a Server',
  lookup: 'connect',
  onread: 'on_read',
  path: 'connect',
  pauseOnConnect: 'suspend',
  port: 'connect',
  server: 'a Server',
  signal: 'connect',
  socket: 'start_tls',
  timeout: 'the timeouts of the channel',
}

/** One of these a server must have, or every handshake fails. */
const CERTIFICATES = ['cert', 'pfx', 'SNICallback', 'pskCallback']

/** Node's own handshake timeout; the longest that its timers take, as the channel has one. */
const NEVER: Milliseconds = 2 ** 31 - 1

const contexts = {
  client: new WeakMap<TlsOptions, TlsContext>(),
  server: new WeakMap<TlsOptions, TlsContext>(),
}

/**
 * For the same object of options the same context: what is changed in it later is not looked at.
 * Throws InvalidArgumentError for what cannot be.
 */
export function tlsContext(side: Side, options: TlsOptions): TlsContext {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('tls', "an object of Node's TLS options", options)
  let context = contexts[side].get(options)
  if (context === undefined) {
    context =
      side === 'client'
        ? clientContext(options as tls.ConnectionOptions)
        : serverContext(options as tls.TlsOptions)
    contexts[side].set(options, context)
  }
  return context
}

function clientContext(options: tls.ConnectionOptions): TlsContext {
  const checkServerIdentity = answering(options.checkServerIdentity ?? tls.checkServerIdentity)
  const shared = made(options, () => ({
    ...options,
    checkServerIdentity,
    secureContext: options.secureContext ?? tls.createSecureContext(options),
  }))
  return {
    secure(transport, host) {
      // SNI takes names only.
      const servername = options.servername ?? (isIP(host) === 0 ? host : undefined)
      return new TlsTransport(transport, options.servername || host, (socket, tell) => {
        const how = { ...shared, socket, host, ...(servername !== undefined && { servername }) }
        const secured = tls.connect(how as tls.ConnectionOptions)
        tell.known(secured)
        secured.once('secureConnect', () => tell.secured(secured))
      })
    },
  }
}

/**
 * What it throws is its answer: Node lets that end the process. (What a server's callbacks throw,
 * it takes as an answer itself.)
 */
function answering(check: typeof tls.checkServerIdentity): typeof tls.checkServerIdentity {
  return (host, certificate) => {
    try {
      return check(host, certificate)
    } catch (error) {
      return error instanceof Error ? error : new Error(`checkServerIdentity threw ${show(error)}`)
    }
  }
}

function serverContext(options: tls.TlsOptions): TlsContext {
  if (!CERTIFICATES.some(name => (options as Record<string, unknown>)[name] !== undefined)) {
    throw new InvalidArgumentError(
      'tls of a server',
      'options with a certificate: key and cert, or pfx',
      options,
    )
  }
  const server = made(options, () => tls.createServer({ ...options, handshakeTimeout: NEVER }))
  return {
    secure: transport =>
      new TlsTransport(transport, 'the client', (socket, tell) => {
        const told: Readonly<Record<string, (...args: any[]) => void>> = {
          secureConnection(secured: tls.TLSSocket) {
            tell.known(secured)
            tell.secured(secured)
          },
          tlsClientError(error: SystemError, refused: tls.TLSSocket) {
            tell.known(refused)
            tell.failed(error)
          },
        }
        // Nobody listens to anything else that Node tells a server.
        const emit = (event: string, ...args: unknown[]): boolean => {
          told[event]?.(...args)
          return event in told
        }
        EventEmitter.prototype.emit.call(
          Object.create(server, { emit: { value: emit } }),
          'connection',
          socket,
        )
      }),
  }
}

/** What Node makes of the options, or our error where it refuses. */
function made<Made>(options: object, make: () => Made): Made {
  for (const [name, instead] of Object.entries(RESERVED)) {
    if (name in options)
      throw new InvalidArgumentError(
        `tls: ${name}`,
        `left out: that is what ${instead} is for`,
        (options as Record<string, unknown>)[name],
      )
  }
  try {
    return make()
  } catch (error) {
    throw new InvalidArgumentError(
      'tls',
      `what node:tls takes; it says: ${messageOf(error)}`,
      options,
    )
  }
}

/** How a handshake tells what becomes of it. */
interface Tell {
  /** Which socket it is: a client's from the start, a server's when it is over. */
  known(socket: tls.TLSSocket): void
  secured(socket: tls.TLSSocket): void
  failed(error: SystemError): void
}

/** Begins the handshake. */
type Begin = (below: Duplex, tell: Tell) => void

export class TlsTransport implements Transport {
  readonly #inner: Transport
  readonly #below: Socket | TransportDuplex
  readonly #peer: string
  /** What went in clear before. */
  readonly #before: { readonly read: Bytes; readonly written: Bytes }
  #socket: tls.TLSSocket | undefined
  #sink: TransportSink | undefined
  #state: 'opening' | 'open' | 'failed' | 'destroyed' | 'closed' = 'opening'
  #read: Bytes = 0
  /**
   * What had gone when the socket was destroyed: after that Node counts what was dropped as
   * written.
   */
  #sent: Bytes | undefined
  /** Did `write` return false since `drained` was last reported? */
  #isFull = false
  readonly #onWritten = (): void => this.#written()
  #info: TlsState | undefined

  constructor(inner: Transport, peer: string, begin: Begin) {
    this.#inner = inner
    this.#peer = peer
    this.#before = { read: inner.bytes_read, written: inner.bytes_written }
    inner.sink = undefined
    this.#below = socketOf(inner) ?? new TransportDuplex(inner)
    // A peer that ends in the middle of the handshake will not go on with it: what Node's own
    // servers do then is right.
    this.#below.allowHalfOpen = false
    begin(this.#below, {
      known: socket => this.#watch(socket),
      secured: socket => this.#secured(socket),
      failed: error => this.#failed(error),
    })
    // What is below closes last; and then it may still have to be told why.
    this.#below.once('close', () => setImmediate(() => this.#closed()))
  }

  // ---- what is told -----------------------------------------------------------------------------

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    if (this.#state === 'closed') queueMicrotask(() => sink?.closed())
  }

  get tls(): TlsInfo | undefined {
    return this.#info
  }

  get local_address(): SocketAddress | undefined {
    return this.#inner.local_address
  }

  get remote_address(): SocketAddress | undefined {
    return this.#inner.remote_address
  }

  get fileno(): number | undefined {
    return this.#inner.fileno
  }

  /**
   * What the program reads and writes; not the bytes of the handshake, nor those around each
   * record.
   */
  get bytes_read(): Bytes {
    return this.#before.read + this.#read
  }

  get bytes_written(): Bytes {
    const socket = this.#socket
    return (
      this.#sent ??
      this.#before.written +
        (socket === undefined ? 0 : Math.max(0, socket.bytesWritten - socket.writableLength))
    )
  }

  /**
   * Of a long write Node says nothing before all of it has gone; what is below knows how much of
   * it, in records.
   */
  get bytes_gone(): Bytes {
    return this.#inner.bytes_written
  }

  get bytes_queued(): Bytes {
    return this.#socket?.writableLength ?? 0
  }

  // ---- what can be done -------------------------------------------------------------------------

  /**
   * Node says later what the system has taken, so this is never true for what is not empty;
   * `drained` follows soon.
   */
  write(data: string | Uint8Array, encoding: Encoding): boolean {
    const socket = this.#socket
    if (data.length === 0 || this.#state !== 'open' || !socket?.writable) return true
    socket.write(data as string, encoding, this.#onWritten)
    this.#isFull = true
    return false
  }

  cork(): void {
    this.#socket?.cork()
  }

  uncork(): void {
    this.#socket?.uncork()
  }

  pause(): void {
    if (this.#state === 'open') this.#socket?.pause()
  }

  resume(): void {
    if (this.#state === 'open') this.#socket?.resume()
  }

  end(): void {
    if (this.#state === 'open') this.#socket?.end()
  }

  destroy(): void {
    if (this.#state !== 'closed') this.#state = 'destroyed'
    // A server's socket is not known before the handshake is done, but it goes with what is below
    // it.
    const socket = this.#socket ?? this.#below
    socket.destroy()
  }

  set_no_delay(on: boolean): void {
    this.#inner.set_no_delay(on)
  }

  set_keep_alive(after: Milliseconds | false): void {
    this.#inner.set_keep_alive(after)
  }

  // ---- what the socket reports ------------------------------------------------------------------

  #watch(socket: tls.TLSSocket): void {
    this.#socket = socket
    const { _destroy } = socket
    socket._destroy = (error, done) => {
      this.#sent = this.bytes_written
      _destroy.call(socket, error, done)
    }
    socket.on('error', error => this.#failed(error))
    // From the start: Node tells of a session only who listens then.
    socket.on('session', session => this.#info?.keep(session))
  }

  #secured(socket: tls.TLSSocket): void {
    // Of one that was destroyed Node does not tell.
    this.#state = 'open'
    this.#info = new TlsState(socket)
    socket.allowHalfOpen = this.#below.allowHalfOpen = true
    // Nothing is received before the first resume.
    socket.pause()
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('end', () => this.#state === 'open' && this.#sink?.ended())
    this.#sink?.opened()
  }

  #received(chunk: Buffer): void {
    this.#read += chunk.length
    this.#sink?.received(chunk)
  }

  #written(): void {
    if (!this.#isFull || this.bytes_queued > 0) return
    this.#isFull = false
    if (this.#state === 'open') this.#sink?.drained()
  }

  #failed(error: SystemError): void {
    const before = this.#state
    const socket = this.#socket as tls.TLSSocket
    if (before === 'opening' || before === 'open') {
      this.#state = 'failed'
      this.#sink?.failed(
        before === 'opening'
          ? this.#refusal(error, socket)
          : error.syscall === undefined
            ? tlsError(error, 'tls', this.#peer)
            : error,
      )
    }
    // Node leaves that to us where the fault is one of TLS.
    socket.destroy()
  }

  /**
   * A certificate that Node's server refuses: of that it tells no more than that the connection is
   * over, but the socket knows.
   */
  #refusal(error: SystemError, { authorizationError }: tls.TLSSocket): SystemError {
    const isRefused = error.code === 'ECONNRESET' && authorizationError
    return tlsError(
      isRefused ? Object.assign(error, { code: authorizationError }) : error,
      'handshake',
      this.#peer,
    )
  }

  #closed(): void {
    this.#state = 'closed'
    this.#sink?.closed()
  }
}

/** What was agreed upon, kept: Node forgets it with the socket. */
class TlsState implements TlsInfo {
  readonly protocol: string
  readonly cipher: string
  readonly alpn: string | undefined
  readonly servername: string | undefined
  readonly authorized: boolean
  readonly authorization_error: string | undefined
  readonly reused: boolean
  session: Buffer | undefined
  readonly #socket: tls.TLSSocket

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket
    this.protocol = socket.getProtocol() as string
    this.cipher = socket.getCipher().standardName
    this.alpn = socket.alpnProtocol || undefined
    this.servername = (socket as { servername?: string | false | null }).servername || undefined
    this.authorized = socket.authorized
    this.authorization_error = (socket.authorizationError as unknown as string | null) ?? undefined
    this.reused = socket.isSessionReused()
  }

  keep(session: Buffer): void {
    this.session = session
  }

  get peer_certificate(): tls.PeerCertificate | undefined {
    const certificate = this.#socket.getPeerCertificate() as tls.PeerCertificate | null
    return certificate?.raw === undefined ? undefined : certificate
  }
}
