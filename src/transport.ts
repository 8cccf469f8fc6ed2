/**
 * Layer 0. The seam between channels and the machine: contracts only.
 *
 * A `Network` makes transports (one byte pipe each), listeners and packet sockets
 * (packet-socket.ts), and may bring TLS (tls.ts) and files (files.ts) of its own. Channels know
 * this file and nothing below it; io/ and the tests implement it. A new kind of socket is one file
 * that implements `Network`.
 *
 * Rules that every implementation keeps (test/scenarios/conformance/ checks them):
 * 1. No report is made inside a call, whatever caused it: `connect`, `listen`, `write`, `send`,
 *    `end` and `destroy` return first.
 * 2. A transport reports in this order: opened; then any mix of received and drained, and at most
 *    one ended; at most one failed; exactly one closed; nothing after that.
 * 3. A transport starts paused: nothing is received before the first `resume()`. While paused it
 *    may still report one chunk that was on its way. `ended`, and a `failed` that reading met, wait
 *    until everything before them was received: while paused they are reported only if nothing is
 *    left to read. A `failed` that writing met comes at once, and what was not received by then is
 *    lost. What arrived is also lost if the connection breaks before the first `resume()`.
 * 4. `destroy()` may be called at any time, any number of times. Only `closed` is reported after
 *    it. Every other call of a transport is as harmless: after `end`, `destroy`, a failure or
 *    `closed` it does nothing, throws nothing and reports nothing.
 * 5. An empty chunk is never reported. A chunk belongs to the sink: the transport neither keeps nor
 *    changes it. The exception is a transport that says `lends_chunks`.
 *
 * Rule that every caller keeps:
 * 6. Data must not be changed before it is sent: until `write` has returned true or `drained` was
 *    reported, or until `done` was called. Over a transport that says `keeps_data`, never.
 */

import type { Buffer } from 'node:buffer'
import type { Files } from './files.ts'
import type { PacketOptions, PacketSocket } from './packet-socket.ts'
import type { TlsInfo, TlsOptions, TlsSide } from './tls.ts'
import type {
  Bytes,
  Encoding,
  Endpoint,
  ListenEndpoint,
  Milliseconds,
  Port,
  SocketAddress,
  SystemError,
} from './types.ts'

export type * from './files.ts'
export type * from './packet-socket.ts'
export type * from './tls.ts'
export type { Endpoint, ListenEndpoint, SystemError } from './types.ts'

// ---- transports ---------------------------------------------------------------------------------

/** What a transport reports to. Set `transport.sink` before the current turn of the loop ends. */
export interface TransportSink {
  /**
   * The pipe is open; reading and writing may begin. An accepted transport never reports it: it is
   * open from the start.
   */
  opened(): void
  /** Bytes arrived, at least one. */
  received(chunk: Buffer): void
  /**
   * After a `write` that returned false: everything has been handed to the system. Reported once,
   * even if several writes returned false.
   */
  drained(): void
  /** The peer has ended its side and will send no more. Writing is still possible. */
  ended(): void
  /** The pipe broke, or could not be made. `closed` follows. */
  failed(error: SystemError): void
  /** The pipe is gone. Nothing follows. */
  closed(): void
}

/** One byte pipe. */
export interface Transport {
  /**
   * What the transport reports to; without one it is silent. A sink that is set after `closed` was
   * reported is told `closed`, in a microtask.
   */
  sink: TransportSink | undefined
  /** The address of our end. `undefined` before it is open; still known after it has closed. */
  readonly local_address: SocketAddress | undefined
  /** The address of the peer's end. `undefined` before it is open; still known afterwards. */
  readonly remote_address: SocketAddress | undefined
  /** The file descriptor; `undefined` if there is none or it is closed. */
  readonly fileno: number | undefined
  /** How many bytes have been read so far. */
  readonly bytes_read: Bytes
  /** How many bytes the system has taken so far. */
  readonly bytes_written: Bytes
  /**
   * A number that changes whenever the system takes something, if `bytes_written` changes less
   * often (over TLS: once for a whole write).
   *
   * @default `bytes_written`
   */
  readonly bytes_gone?: Bytes
  /** Bytes that were written and that the system has not taken yet. */
  readonly bytes_queued: Bytes
  /**
   * Do chunks belong to the sink only until `received` returns, because their memory is used again?
   *
   * @default false
   */
  readonly lends_chunks?: boolean
  /**
   * May somebody still look at data that was written, after it has gone? Then its memory must not
   * be used again.
   *
   * @default false
   */
  readonly keeps_data?: boolean
  /**
   * What TLS has agreed upon. `undefined` in clear, and before the handshake is done; still known
   * after the transport has closed.
   */
  readonly tls?: TlsInfo | undefined
  /** What a proxy has told besides addresses, if the transport came through one. */
  readonly proxy_extensions?: ProxyExtensions | undefined
  /**
   * Sends. True: the system has taken all of it. False: it is queued here, so write no more until
   * `drained` (more is accepted all the same, and queued). After `end`, `destroy`, a failure or
   * `closed` the data is dropped: the answer may be true or false, and no `drained` follows.
   */
  write(data: string | Uint8Array, encoding: Encoding): boolean
  /** Collects what is written from now on, to send it in one system call. */
  cork(): void
  /** Sends what was collected since `cork`. */
  uncork(): void
  /** Stops `received`. */
  pause(): void
  /** Starts `received`, again or for the first time. */
  resume(): void
  /**
   * Ends our side when everything that was written has gone, what a cork holds included. Reading
   * goes on.
   */
  end(): void
  /** Drops everything, at once. */
  destroy(): void
  /** Turns Nagle's algorithm off (true) or on, if the pipe has one. */
  set_no_delay(on: boolean): void
  /**
   * Probes an idle peer after that many milliseconds; false turns probing off. What `probes` leaves
   * out is as the network has it. See `Network.has_keep_alive_probes`.
   */
  set_keep_alive(after: Milliseconds | false, probes?: KeepAliveProbes): void
}

/**
 * What the header of a PROXY protocol says besides addresses, by type (PP2_TYPE_AUTHORITY is 2).
 */
export type ProxyExtensions = ReadonlyMap<number, Buffer>

/** How an idle peer is probed. */
export interface KeepAliveProbes {
  /** The time from one probe that is not answered to the next. */
  readonly interval?: Milliseconds | undefined
  /** How many may go unanswered before the connection fails. */
  readonly count?: number | undefined
}

/** How to connect. */
export interface ConnectOptions {
  /** Passed on to the resolver: Node's `lookup` option. */
  readonly lookup?: unknown
  /** The address to connect from. */
  readonly local?:
    { readonly host?: string | undefined; readonly port?: Port | undefined } | undefined
  /** May the transport lend its chunks (`lends_chunks`)? The sink then copies what it keeps. */
  readonly lend?: boolean | undefined
}

// ---- TLS ----------------------------------------------------------------------------------------

/** Makes TLS. `Network.tls` is one. */
export interface Tls {
  /**
   * Checks the options and makes what the connections that share them have in common. Channels keep
   * it, and ask once for each object of options (a server's `set_tls` asks again). Throws
   * InvalidArgumentError for invalid options.
   */
  context(side: TlsSide, options: TlsOptions): TlsContext
}

/** What connections with the same TLS options share. */
export interface TlsContext {
  /**
   * Starts TLS over a transport that is open; from now on only the new transport uses it.
   *
   * The handshake begins at once. `opened` is reported when it is done and the peer is verified (on
   * both sides), `failed` with the syscall 'handshake' if it failed. Later errors of TLS itself
   * have the syscall 'tls'. `host` is the name that a client expects in the certificate.
   */
  secure(transport: Transport, host: string): Transport
}

// ---- listeners ----------------------------------------------------------------------------------

/**
 * What a listener reports to, in this order: listening; any number of accepted; at most one failed;
 * exactly one closed.
 */
export interface ListenerSink {
  /** It listens; its address is known. */
  listening(): void
  /** A connection: it is open and paused, and its sink is not set yet. */
  accepted(transport: Transport): void
  /** It could not listen, or cannot go on. `closed` follows. */
  failed(error: SystemError): void
  /** It does not listen any more. Nothing follows. */
  closed(): void
}

/** A listening socket. */
export interface Listener {
  /** What it reports to; without one it is silent. Set it before the turn of the loop ends. */
  sink: ListenerSink | undefined
  /** Where it listens, with the port that the system chose; still known after closing. */
  readonly local_address: SocketAddress | undefined
  /** The file descriptor; `undefined` if there is none or it is closed. */
  readonly fileno: number | undefined
  /**
   * Stops listening, at any time, any number of times. Only `closed` is reported after it.
   * Connections that were accepted stay open, and `closed` does not wait for them.
   */
  close(): void
}

/** How to listen. */
export interface ListenOptions {
  /** How many connections the system may hold ready before they are accepted. */
  readonly backlog: number
  /**
   * May others listen at the same port, if they ask for it, too? A network that cannot do that
   * throws UnsupportedOptionError in `listen`.
   *
   * @default false
   */
  readonly reuse_port?: boolean | undefined
  /**
   * Is an IPv6 socket one for IPv6 only? Throws, as `reuse_port`.
   *
   * @default false
   */
  readonly ipv6_only?: boolean | undefined
  /**
   * The mode of a unix socket, as of `chmod`. Throws, as `reuse_port`.
   *
   * @default that of the process (its umask)
   */
  readonly mode?: number | undefined
}

// ---- what an engine is made of ------------------------------------------------------------------

/**
 * Makes sockets. `new Engine({ network })` takes any object with the first three members. What is
 * beside the sockets, TLS and files, may be left out: an engine then uses Node's, over the
 * transports of this network.
 */
export interface Network {
  /** Starts to connect. Never throws: errors are reported by `failed`. */
  connect(to: Endpoint, options: ConnectOptions): Transport
  /**
   * Starts to listen. Throws UnsupportedOptionError for an option, or a kind of endpoint, that this
   * network does not have; other errors are reported by `failed`.
   */
  listen(at: ListenEndpoint, options: ListenOptions): Listener
  /**
   * Starts to open a packet socket. Throws UnsupportedOptionError for an option that this network
   * does not have, InvalidAddressError for a path; other errors are reported by `failed`.
   */
  packets(options: PacketOptions): PacketSocket
  /**
   * TLS over the transports of this network.
   *
   * @default node:tls; over a transport that is not a socket of Node's it costs more
   */
  readonly tls?: Tls | undefined
  /**
   * The files of `write_file`, and of message channels that read and write files, load modules or
   * certificates.
   *
   * @default the files of the machine, by node:fs
   */
  readonly files?: Files | undefined
  /**
   * Do its transports take `probes` in `set_keep_alive`? If not, that setting is refused.
   *
   * @default true
   */
  readonly has_keep_alive_probes?: boolean
  /**
   * How many descriptors the process may have open.
   *
   * @default no limit, or none that is known
   */
  readonly file_limit?: number
}

/** Tells time and calls back. `new Engine({ clock })` takes any. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): Milliseconds
  /** Calls once, after that long. Returns the function that cancels it. */
  after(delay: Milliseconds, callback: () => void): () => void
  /** Calls once, when the current turn of the loop has handled its sockets. */
  soon(callback: () => void): void
}
