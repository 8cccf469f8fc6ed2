/**
 * Layer 0. The seam between channels and sockets: contracts only.
 *
 * A `Network` makes transports (one byte pipe each), listeners and packet sockets. Channels know
 * this file and nothing below it; io/ and the tests implement it. A new kind of socket is one file
 * that implements `Network`.
 *
 * Rules that every implementation keeps (test/scenarios/conformance/ holds them to these):
 * 1. No report is made inside a call, whoever caused it: `connect`, `listen`, `write`, `send`,
 *    `end`, `destroy` return first.
 * 2. A transport reports in this order: opened; then any mix of received and drained, at most one
 *    ended; at most one failed; exactly one closed; nothing after that.
 * 3. A transport starts paused: nothing is received before the first `resume()`. While paused it
 *    may still report one chunk that was on its way. `ended`, and a `failed` that reading met, wait
 *    until everything before them was received: while paused they are reported only when nothing is
 *    left to read. A `failed` that writing met comes at once, and what was not received by then is
 *    lost; so is what came before a break that came before the first `resume()`.
 * 4. `destroy()` may be called at any time, any number of times. Only `closed` is reported after
 *    it. Every other call of a transport is as harmless: after `end`, `destroy`, a failure or
 *    `closed` it does nothing, throws nothing, reports nothing.
 * 5. An empty chunk is never reported. A chunk belongs to the sink: the transport neither keeps nor
 *    changes it, unless it says `lends_chunks`.
 *
 * Rule that every caller keeps:
 * 6. Data must not be changed before it is sent: not until `write` has returned true or `drained`
 *    was reported, `done` called.
 */

import type { Buffer } from 'node:buffer'
import type {
  ConnectionOptions as NodeClientTls,
  PeerCertificate,
  TlsOptions as NodeServerTls,
} from 'node:tls'
import type { Bytes, Encoding, Milliseconds, Port, SocketAddress } from './types.ts'

/** An address after core/address.ts has checked it: the one form that networks see. */
export type Endpoint =
  | { readonly kind: 'ip'; readonly host: string; readonly port: Port }
  | { readonly kind: 'unix'; readonly path: string }

/** An error as the system reports it: `code` says what, `syscall` doing what. */
export type SystemError = NodeJS.ErrnoException

/** What a transport reports to. Set `transport.sink` before the current turn of the loop ends. */
export interface TransportSink {
  /**
   * The pipe stands; reading and writing may begin. Never reported by an accepted transport, which
   * is open from the start.
   */
  opened(): void
  /** Bytes came, at least one. */
  received(chunk: Buffer): void
  /**
   * After a `write` that returned false: everything has been handed to the system. Once, however
   * many returned false.
   */
  drained(): void
  /** The peer has ended its side; it will send no more. Writing is still possible. */
  ended(): void
  /** The pipe broke, or could not be made. `closed` follows. */
  failed(error: SystemError): void
  /** The pipe is gone. Nothing follows. */
  closed(): void
}

/** One byte pipe. */
export interface Transport {
  /**
   * Who is told. Transports that nobody listens to are silent. One that is set after `closed` was
   * reported is told that, in a microtask.
   */
  sink: TransportSink | undefined
  /**
   * Where the pipe ends here and there; still known after it has closed. `undefined` before it is
   * open.
   */
  readonly local_address: SocketAddress | undefined
  readonly remote_address: SocketAddress | undefined
  /** The file descriptor, where there is one and it is open. */
  readonly fileno: number | undefined
  /** How many bytes came in and went out so far. */
  readonly bytes_read: Bytes
  readonly bytes_written: Bytes
  /**
   * Changes with whatever the system takes, where `bytes_written` waits for more than that (TLS:
   * for a whole write). Default: `bytes_written`.
   */
  readonly bytes_gone?: Bytes
  /** Bytes that were written and that the system has not taken yet. */
  readonly bytes_queued: Bytes
  /**
   * Are chunks the sink's only until `received` returns, because their memory is used again?
   * Default: no.
   */
  readonly lends_chunks?: boolean
  /**
   * What TLS has agreed upon; `undefined` in clear, and before the handshake is done. Still known
   * after it has closed.
   */
  readonly tls?: TlsInfo | undefined
  /**
   * Sends. True: the system has taken it whole. False: it is queued here, write no more until
   * `drained` (more is taken all the same, and queued). After `end`, `destroy`, a failure or
   * `closed` the data is dropped: the answer may be true or false, and no `drained` follows it.
   */
  write(data: string | Uint8Array, encoding: Encoding): boolean
  /** Between these two, what is written is collected and goes out in one system call. */
  cork(): void
  uncork(): void
  /** Stops and starts `received`. */
  pause(): void
  resume(): void
  /**
   * Ends our side after all that was written has gone, what a cork holds included. Reading goes on.
   */
  end(): void
  /** Drops everything, at once. */
  destroy(): void
  set_no_delay(on: boolean): void
  /** Probes an idle peer after that many milliseconds; false turns probing off. */
  set_keep_alive(after: Milliseconds | false): void
}

/** What both ends of a TLS connection have agreed upon. */
export interface TlsInfo {
  /** 'TLSv1.3' … */
  readonly protocol: string
  /** The name that the standard (IANA) has for it: 'TLS_AES_256_GCM_SHA384' … */
  readonly cipher: string
  /** The protocol that was negotiated from both `ALPNProtocols`; `undefined` where none was. */
  readonly alpn: string | undefined
  /**
   * The name of the server that the client asked for (SNI); `undefined` where it asked for none.
   */
  readonly servername: string | undefined
  /** Was the peer's certificate verified? Of a server that asks for no certificates: false. */
  readonly authorized: boolean
  /**
   * Why it was not, where `rejectUnauthorized: false` let it through: Node's code
   * (DEPTH_ZERO_SELF_SIGNED_CERT …).
   */
  readonly authorization_error: string | undefined
  /** Was an earlier session resumed, without a certificate being sent again? */
  readonly reused: boolean
  /**
   * The peer's certificate as Node shows it; `undefined` where it gave none, and after the
   * connection has closed.
   */
  readonly peer_certificate: PeerCertificate | undefined
  /**
   * Of a client: the newest session, to be given as `tls: { session }` to resume it. With TLS 1.3
   * servers send it after the handshake.
   */
  readonly session: Buffer | undefined
}

/** What sluice decides itself: the socket, its addresses and its times. */
export type TlsReserved =
  | 'allowHalfOpen'
  | 'handshakeTimeout'
  | 'host'
  | 'isServer'
  | 'lookup'
  | 'onread'
  | 'path'
  | 'pauseOnConnect'
  | 'port'
  | 'server'
  | 'signal'
  | 'socket'
  | 'timeout'

/**
 * The options of Node's `tls.connect`, `tls.createServer` and `tls.createSecureContext`, as they
 * are.
 */
export type TlsOptions = Omit<NodeClientTls, TlsReserved> | Omit<NodeServerTls, TlsReserved>

/** Made of a program's TLS options, once for all connections that share them. */
export interface TlsContext {
  /**
   * TLS over a transport that is open, and whose only user is the new transport from now on. The
   * handshake begins at once; `opened` is reported when it is done and the peer verified (of both
   * sides), `failed` with the syscall 'handshake' when it failed. Later errors of TLS itself have
   * the syscall 'tls'. Over a transport that is not a socket of Node's it costs more, no less is
   * kept. `host` is whom a client's certificate check expects.
   */
  secure(transport: Transport, host: string): Transport
}

/** How to connect. */
export interface ConnectOptions {
  /** Passed on to the resolver; Node's `lookup` option. */
  readonly lookup?: unknown
  /** The address to connect from. */
  readonly local?: { readonly host?: string; readonly port?: Port }
}

/**
 * What a listener reports to, in this order: listening; any number of accepted; at most one failed;
 * exactly one closed.
 */
export interface ListenerSink {
  listening(): void
  /** A connection; it is open, paused, and its sink is not yet set. */
  accepted(transport: Transport): void
  failed(error: SystemError): void
  closed(): void
}

/** A listening socket. */
export interface Listener {
  sink: ListenerSink | undefined
  /** Where it listens, the port the system chose included; still known after closing. */
  readonly local_address: SocketAddress | undefined
  readonly fileno: number | undefined
  /**
   * Stops listening, at any time, any number of times. Only `closed` is reported after it. What was
   * accepted stays open; `closed` does not wait for it.
   */
  close(): void
}

/** How to listen. */
export interface ListenOptions {
  /** How many connections the system may hold ready before they are accepted. */
  readonly backlog: number
  /**
   * May others that ask for it too listen at the same port? A network that cannot throws
   * UnsupportedOptionError in `listen`. Default: no.
   */
  readonly reuse_port?: boolean
}

/**
 * What a packet socket reports to: opened; any mix of received and refused; at most one failed;
 * exactly one closed. Rule 1 holds here, too, and only closed follows `destroy`. An empty packet,
 * unlike an empty chunk, is received.
 */
export interface PacketSink {
  opened(): void
  received(data: Buffer, from: SocketAddress): void
  /**
   * An earlier packet was refused by its destination (ICMP), though its `done` said that it was
   * sent. The socket goes on.
   */
  refused(error: SystemError): void
  failed(error: SystemError): void
  closed(): void
}

/** How to open a packet socket: bound to `bind`, connected to `connect`, or both. */
export interface PacketOptions {
  readonly bind?: Endpoint
  readonly connect?: Endpoint
  readonly broadcast?: boolean
  readonly reuse_address?: boolean
  /** Hops that a unicast packet may take, 1 to 255. */
  readonly ttl?: number
  readonly multicast_ttl?: number
  readonly multicast_loopback?: boolean
  readonly multicast_interface?: string
}

/** One packet socket (UDP). */
export interface PacketSocket {
  sink: PacketSink | undefined
  /**
   * Its addresses; still known after it has closed. `undefined` before it is open; the remote one
   * unless it is connected.
   */
  readonly local_address: SocketAddress | undefined
  readonly remote_address: SocketAddress | undefined
  readonly fileno: number | undefined
  /**
   * Sends one packet, to `to` or to the connected peer: one of the two, or `done` gets an error.
   * What is sent before `opened` leaves in order when it opens. `done` is called exactly once,
   * never inside a call: null when the packet has gone, else why it has not (EMSGSIZE …), ECANCELED
   * when the socket was destroyed, could not be opened or is closed. It may come after `closed`.
   */
  send(
    data: string | Uint8Array,
    encoding: Encoding,
    to: Endpoint | undefined,
    done: (error: SystemError | null) => void,
  ): void
  /**
   * Changes what can be changed while open; the same names as in `PacketOptions`. Throws what the
   * system says; where it cannot be asked before the socket is open, `failed` says it. All three
   * throw InvalidStateError after `destroy`, a failure or `closed`.
   */
  configure(options: Omit<PacketOptions, 'bind' | 'connect' | 'reuse_address'>): void
  /** Joins and leaves a group. Like `configure`: throws what the system says. */
  join(group: string, network_interface?: string): void
  leave(group: string, network_interface?: string): void
  /**
   * Closes at once, at any time, any number of times. What is not yet sent is dropped, and its
   * `done` gets ECANCELED.
   */
  destroy(): void
}

/** Makes sockets. `new Engine({ network })` takes any. */
export interface Network {
  connect(to: Endpoint, options: ConnectOptions): Transport
  listen(at: Endpoint, options: ListenOptions): Listener
  packets(options: PacketOptions): PacketSocket
  /**
   * How many descriptors the process may have open. Default: there is no limit, or none that is
   * known.
   */
  readonly file_limit?: number
}

/** Tells time and calls back. `new Engine({ clock })` takes any. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): Milliseconds
  /** Calls once, after that long; returns what cancels it. */
  after(delay: Milliseconds, callback: () => void): () => void
  /** Calls once, when the current turn of the loop has handled its sockets. */
  soon(callback: () => void): void
}
