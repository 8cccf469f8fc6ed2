/**
 * Layer 5. StreamServer: a listening socket and the connections it has accepted. This file has the
 * calls and hooks; what happens between them is in server-link.ts.
 *
 * Where to find the rest of the class: its settings in server-settings.ts, its options in
 * server-options.ts.
 */

import type { Duplex } from 'node:stream'
import { parseListenAddress } from '../../core/address.ts'
import { checkBoolean, checkClosed } from '../../core/checks.ts'
import { InvalidStateError, type ListenError, type ReportedError } from '../../errors.ts'
import type { TlsOptions, Transport } from '../../transport.ts'
import type { Data, DropReason, ListenAddress, Milliseconds, SocketAddress } from '../../types.ts'
import { Channel } from '../channel.ts'
import { LIFE } from '../life.ts'
import { adoptFields, applyOptions, defineSettings, settingsFrom } from '../settings.ts'
import type { Stream } from '../streams/stream.ts'
import type { StreamOptions } from '../streams/stream-options.ts'
import { contextFor, renewContext } from '../streams/tls-contexts.ts'
import { tlsTwice } from '../streams/tls-start.ts'
import { broadcast, type BroadcastOptions } from './broadcast.ts'
import type { BlockList } from './door.ts'
import { ServerLink, takeOver } from './server-link.ts'
import {
  checkEndOptions,
  checkListenOptions,
  checkProxy,
  type ServerEndOptions,
  type ServerListenOptions,
  type StreamServerOptions,
} from './server-options.ts'
import { type ConnectionClass, SERVER_CHECKS, type ServerSettings } from './server-settings.ts'

/**
 * Listens on TCP or a unix socket, and makes a channel for each connection. See Server.
 *
 * `Peer` is the class of these channels.
 */
// Source: Pants `stream.StreamServer` (later `server.Server`).
export class StreamServer<Peer extends Stream<any> = Stream<any>>
  extends Channel
  implements ServerSettings<Peer>
{
  // The settings. ServerSettings says what each of them means.
  declare ConnectionClass: ConnectionClass<Peer>
  declare max_connections: number
  declare max_connections_per_address: number
  declare block_list: BlockList | null
  declare proxy_protocol: 'require' | 'optional' | null
  declare proxy_trusted: BlockList | null
  declare proxy_timeout: Milliseconds
  declare backlog: number
  declare tls: TlsOptions | null | undefined
  declare end_timeout: Milliseconds

  readonly #link = new ServerLink(this)

  /**
   * Makes a server, which does not listen yet, and calls no hook. Throws InvalidArgumentError if an
   * option is invalid.
   */
  constructor(options: StreamServerOptions = {}) {
    super(options)
    this[LIFE].driver = this.#link
    applyOptions(this, options, ['engine', 'name'])
  }

  static {
    defineSettings<StreamServer>(
      StreamServer.prototype,
      settingsFrom(
        SERVER_CHECKS,
        server => server.#link.values,
        (server, name, value) => server.#link.assign(name, value),
      ),
    )
  }

  /**
   * The channels of the connections that are open, for example to write to all of them.
   *
   * The set is live: do not change it.
   */
  // Source: Pants `Server.channels`. Differs: a set, as Node does not identify sockets by
  // descriptor.
  get channels(): ReadonlySet<Peer> {
    return this[LIFE].children as unknown as ReadonlySet<Peer>
  }

  /**
   * Writes the same data to all connections that are open, as `write` of each would. Returns how
   * many they are. Text is encoded once for all of them, each in its `encoding`; bytes must not be
   * changed until they are sent.
   *
   * A connection whose peer does not read keeps what it is given, up to its `send_buffer_size`:
   * then its `on_overflow_error` is called.
   * `except`: a connection that gets nothing, or several of them.
   *
   * Throws InvalidArgumentError for other data, for text that is invalid in an encoding (hex), and
   * for an unknown option. Then nothing was written.
   *
   * @example
   * class Chat extends Connection {
   *   override encoding = 'utf8' as const
   *   override read_delimiter = '\n'
   *   override on_read(line: string) {
   *     this.server.broadcast(`${line}\n`, { except: this })
   *   }
   * }
   */
  broadcast(data: Data, options: BroadcastOptions = {}): number {
    return broadcast(this.channels, data, options)
  }

  // ---- listening --------------------------------------------------------------------------------

  /**
   * Begins to listen, and returns the server at once. Then `on_listen` or `on_listen_error` is
   * called. It is allowed whenever `state` is 'closed'.
   *
   * A port alone, or the host '', means any host in both families. With port 0 the system chooses
   * the port; `local_address` tells which. The path of a unix socket is taken over from a server
   * that has died, but never from one that is alive, nor from another kind of file.
   *
   * `{ fd }` listens on a socket that is open already. It is closed with the server. If it is a
   * unix socket, its path is unknown (`local_address` is `''`), and the file is not removed.
   *
   * Throws InvalidAddressError or InvalidArgumentError for an invalid address or option,
   * UnsupportedOptionError for an option that this Node or system cannot honour, and
   * InvalidStateError if the server is not closed or the engine stops.
   *
   * @example
   * const server = await new Server(Echo).listen(4040).opened
   */
  // Source: Pants `Server.listen`.
  listen(address: ListenAddress, options: ServerListenOptions = {}): this {
    checkClosed('listen()', 'server', this.state, 'make another for another address')
    checkListenOptions(address, options)
    const endpoint = parseListenAddress(address)
    // An option that the network refuses must leave the state as it was, so the state changes last.
    adoptFields(this)
    checkProxy(this)
    const tls = this.tls ? contextFor(this[LIFE].drive.tls, 'server', this.tls) : undefined
    const listener = this[LIFE].drive.network.listen(endpoint, {
      ...options,
      backlog: Math.min(this.backlog, 2 ** 31 - 1),
    })
    try {
      this[LIFE].beginOpening()
      this[LIFE].announceSoon()
    } catch (error) {
      listener.close()
      throw error
    }
    this.#link.attach(listener, tls)
    return this
  }

  /** Is it listening? */
  get listening(): boolean {
    return this.state === 'active'
  }

  /**
   * Where it listens: `[host, port]` with the port that the system chose, or the path of a unix
   * socket. It is `undefined` before `on_listen`, and kept after closing.
   */
  get local_address(): SocketAddress | undefined {
    return this.#link.local_address
  }

  /** The descriptor of the socket. It is `undefined` if there is none, or if it is closed. */
  get fileno(): number | undefined {
    return this.#link.fileno
  }

  /** Takes over a socket as if it had accepted it; see `adopt` of a Client. It must listen. */
  adopt(socket: Duplex, head?: Uint8Array): void {
    this.#link.adopt(socket, head)
  }

  // ---- TLS --------------------------------------------------------------------------------------

  /**
   * Speaks TLS on every connection from the first byte on, and returns the server. Call it before
   * `listen`. The options are Node's: a certificate (`key` and `cert`, or `pfx`), `requestCert`,
   * `SNICallback` … A connection's `on_connect` is called when its handshake is done and its peer
   * is verified, after `on_tls_handshake`; if the handshake fails, its `on_tls_handshake_error`.
   *
   * Throws InvalidArgumentError for invalid options, and InvalidStateError if it is called twice or
   * after `listen`.
   */
  // Source: Pants `Server.startSSL`.
  start_tls(options: TlsOptions): this {
    if (this.state !== 'closed')
      throw new InvalidStateError(
        'start_tls()',
        `the server is ${this.state}`,
        'before listen; set_tls changes certificates',
      )
    if (this.tls) throw tlsTwice()
    contextFor(this[LIFE].drive.tls, 'server', options)
    this.tls = options
    return this
  }

  /**
   * Changes the TLS options, for example to renew a certificate. They hold for connections that are
   * accepted from now on; connections that are open keep theirs.
   *
   * Throws InvalidArgumentError for invalid options (then nothing changes), and InvalidStateError
   * if the server does not speak TLS.
   */
  set_tls(options: TlsOptions): void {
    if (!this.tls)
      throw new InvalidStateError(
        'set_tls()',
        'this server does not speak TLS',
        'start_tls() before listen',
      )
    this.#link.tls = renewContext(this[LIFE].drive.tls, 'server', options)
    this.tls = options
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Stops listening and closes every connection at once, with the reason 'drain'. `on_close` is
   * called when the last of them has closed. If the server is not open, nothing happens.
   *
   * With `flush` it closes politely, as `end()` does.
   */
  // Source: Pants `Server.close`.
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    const { state } = this
    if (state === 'closed') return
    if (!flush) this.#link.abort()
    else if (state !== 'closing') this.#link.end(Infinity, Infinity)
  }

  /**
   * Stops listening and lets every connection end politely, with the reason 'drain', all within
   * `end_timeout`. Connections that are still open then are closed.
   *
   * With options it ends `batch` connections every `interval` ms, so that not all peers come back
   * at the same moment. The others go on until it is their turn. If it is called again, all the
   * rest end at once; `close()` closes them at once.
   *
   * Throws InvalidArgumentError unless `batch` is a positive integer and `interval` a positive
   * number of milliseconds, or if only one of them is given.
   */
  override end(options: ServerEndOptions = {}): void {
    const { batch = Infinity, interval = Infinity } = checkEndOptions(options)
    if (this.state !== 'closed') this.#link.end(batch, interval)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /**
   * Called once for each opening, when the server listens.
   *
   * By default it does nothing.
   */
  // Source: Pants `Server.on_listen`.
  on_listen(): any {}

  /**
   * Called when the address cannot be listened on: it is in use, or there is no permission.
   *
   * By default it calls `on_error`. Then the server closes, whatever this hook does.
   */
  on_listen_error(error: ListenError): any {
    return this.on_error(error)
  }

  /**
   * Called with each connection. By default it makes a `ConnectionClass` of it.
   *
   * If you override it, you may refuse the connection (`socket.destroy()`), or take it over, now or
   * later: `new Connection({ server: this, socket })`. If it throws, the connection is closed.
   */
  // Source: Pants `Server.on_accept`.
  on_accept(socket: Transport, _address: SocketAddress): any {
    const { ConnectionClass } = this
    const stream = new ConnectionClass({
      engine: this.engine,
      server: this,
      socket,
    } satisfies StreamOptions & { server: StreamServer })
    takeOver(this, socket, stream)
  }

  /**
   * Called when the process has come close to its limit of open files. From then on connections are
   * closed at once, with `on_drop('overload', …)`, until there is room again. It is called once
   * each time, and worth logging. If the limit is unknown (anywhere but on Linux), it is never
   * called.
   *
   * By default it does nothing.
   */
  // Differs: at the limit itself Node drops connections silently.
  on_overload(): any {}

  /**
   * Called when a connection was closed instead of accepted: why, and whose it was. By default it
   * does nothing.
   */
  // Source: Node's event 'drop'.
  on_drop(_reason: DropReason, _address: SocketAddress): any {}

  /**
   * Called with every error whose own hook is not overridden, and with what a hook threw or its
   * promise rejected with.
   *
   * By default it logs one line. Unlike other channels a server that listens does not close: its
   * connections have nothing to do with that error.
   */
  override on_error(error: ReportedError): any {
    this[LIFE].log(error)
    if (this.state !== 'active') this.close()
  }
}
