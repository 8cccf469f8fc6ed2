/**
 * Layer 5. StreamServer: a listening socket and the connections it has accepted, with settings,
 * calls and hooks. What happens between them is in server-link.ts.
 *
 * In the order of a life: settings, listen, TLS, close, hooks.
 */

import { parseAddress } from '../core/address.ts'
import { tlsContext } from '../engine.ts'
import { InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { TlsOptions, Transport } from '../transport.ts'
import type { Address, DropReason, Milliseconds, SocketAddress } from '../types.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import type { BlockList } from './door.ts'
import { LIFE } from './life.ts'
import { ServerLink, takeOver } from './server-link.ts'
import {
  type ConnectionClass,
  SERVER_CHECKS,
  type ServerSettings,
  type ServerValues,
} from './server-settings.ts'
import {
  adoptFields,
  applyOptions,
  checkBoolean,
  checkCount,
  checkDuration,
  defineSettings,
  settingsFrom,
} from './settings.ts'
import type { Stream, StreamOptions } from './stream.ts'
import { tlsTwice } from './tls-start.ts'

export type { ConnectionClass } from './server-settings.ts'

/** How to listen. */
export interface ServerListenOptions {
  /**
   * May other sockets listen at the same port, those of other processes too, if they set it as
   * well? The system then deals the connections out among them. Default false. Where it cannot be,
   * `listen` throws ERR_UNSUPPORTED_OPTION: it takes Node 22.12, 23.1 or newer, and Linux, FreeBSD,
   * DragonFly, Solaris or AIX. How the system deals them out, and what becomes of those that one
   * had not accepted when it closed, differs from one to the other (on Linux these are reset).
   * Source: Node `net.Server.listen`.
   */
  readonly reuse_port?: boolean
}

/** What a StreamServer can be given when it is made: every setting. */
export interface StreamServerOptions extends ChannelOptions, Partial<ServerValues> {}

/**
 * Listens for connections on TCP or a unix socket, and makes a channel for each. Low-level: most
 * programs use Server.
 *
 * Source: Pants `stream.StreamServer` (later `server.Server`).
 */
export class StreamServer extends Channel implements ServerSettings {
  // The settings. ServerSettings says what each of them means.
  declare ConnectionClass: ConnectionClass
  declare max_connections: number
  declare max_connections_per_address: number
  declare block_list: BlockList | null
  declare proxy_protocol: 'require' | 'optional' | null
  declare proxy_trusted: BlockList | null
  declare proxy_timeout: Milliseconds
  declare backlog: number
  declare tls: TlsOptions | undefined
  declare end_timeout: Milliseconds

  readonly #link = new ServerLink(this)

  /** Throws for an option that cannot be. Calls no hook, and does not listen yet. */
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
   * The channels of the connections that are open, for example to write to all of them. Live: do
   * not change it. Source: Pants `Server.channels`. `Differs:` a set, as descriptors are no keys in
   * Node.
   */
  get channels(): ReadonlySet<Stream> {
    return this[LIFE].children as ReadonlySet<Stream>
  }

  // ---- listening --------------------------------------------------------------------------------

  /**
   * Begins to listen, and returns the server at once; `on_listen` follows, or `on_listen_error`. A
   * port alone, or the host '', is any host in both families; port 0 lets the system choose (see
   * `local_address`). The path of a unix socket is taken over from a server that has died, never
   * from one that lives, nor from a file. Throws InvalidAddressError, InvalidArgumentError for an
   * option that is none, UnsupportedOptionError for one that cannot be honoured here, and
   * InvalidStateError unless `state` is 'closed'. Source: Pants `Server.listen`.
   */
  listen(address: Address, options: ServerListenOptions = {}): this {
    if (this.state !== 'closed') {
      const advice =
        this.state === 'closing'
          ? 'await its `closed` first'
          : 'make another server for another address'
      throw new InvalidStateError(
        'listen()',
        `the server is ${this.state === 'active' ? 'listening' : this.state}`,
        advice,
      )
    }
    const endpoint = parseAddress(address)
    checkListenOptions(options)
    // Now, not in beginOpening: an option that the network refuses must leave the state as it was.
    adoptFields(this)
    if (this.proxy_protocol !== null && this.proxy_trusted === null) {
      throw new InvalidArgumentError(
        'listen: proxy_trusted',
        'a BlockList of the proxies, as proxy_protocol is set: anybody could say to be anybody else',
        null,
      )
    }
    const tls = this.tls && tlsContext('server', this.tls)
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
   * Where it listens: `[host, port]` with the port that the system chose, or the path; `undefined`
   * before `on_listen`. Still there after closing.
   */
  get local_address(): SocketAddress | undefined {
    return this.#link.local_address
  }

  /** The descriptor of the socket; `undefined` where there is none, or it is closed. */
  get fileno(): number | undefined {
    return this.#link.fileno
  }

  // ---- TLS --------------------------------------------------------------------------------------

  /**
   * TLS on every connection, from the first byte on, with Node's TLS options as they are: a
   * certificate (`key` and `cert`, or `pfx`), `requestCert`, `SNICallback` … Before `listen`;
   * returns the server. A connection's `on_connect` comes when its handshake is done and its peer
   * verified, behind `on_tls_handshake`; a handshake that fails costs its `on_tls_handshake_error`.
   * Throws InvalidArgumentError for options that cannot be, InvalidStateError when it is called
   * twice or after `listen`. Source: Pants `Server.startSSL`.
   */
  start_tls(options: TlsOptions): this {
    if (this.state !== 'closed')
      throw new InvalidStateError(
        'start_tls()',
        `the server is ${this.state}`,
        'before listen; set_tls changes certificates',
      )
    if (this.tls !== undefined) throw tlsTwice()
    tlsContext('server', options)
    this.tls = options
    return this
  }

  /**
   * Other options (a renewed certificate, for example) for the connections that are accepted from
   * now on; those that are open go on with theirs. Throws InvalidArgumentError for options that
   * cannot be (everything stays as it was), InvalidStateError for a server without TLS. Ours.
   */
  set_tls(options: TlsOptions): void {
    if (this.tls === undefined)
      throw new InvalidStateError(
        'set_tls()',
        'this server does not speak TLS',
        'start_tls() before listen',
      )
    // A copy: the same object with other contents has to be looked at again.
    const fresh = { ...options }
    const context = tlsContext('server', fresh)
    this.tls = fresh
    this.#link.tls = context
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Stops listening and closes every connection at once. With `flush`, as `end()`: lets each of
   * them end politely, all within `end_timeout`. The connections close with the reason 'drain'.
   * `on_close` comes when the last of them has closed. Not open: nothing happens. Source: Pants
   * `Server.close`.
   */
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    const { state } = this
    if (state === 'closed') return
    if (!flush) this.#link.abort()
    else if (state !== 'closing') this.#link.end(Infinity, Infinity)
  }

  /**
   * Stops listening, and lets the connections end politely: all at once, or `batch` of them every
   * `interval` ms (the others serve on until it is their turn), so that not all peers come back at
   * the same moment. All within `end_timeout`; then what is still open is closed. Again, or
   * `close()` in the middle: the rest at once. Throws InvalidArgumentError for a batch that is no
   * positive integer, an interval that is no positive number, or one without the other. Ours.
   */
  override end(options: { readonly batch?: number; readonly interval?: Milliseconds } = {}): void {
    const { batch = Infinity, interval = Infinity } = checkEndOptions(options)
    if (this.state !== 'closed') this.#link.end(batch, interval)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  /** Called once for every opening, when the server listens. Default: nothing. Source: Pants. */
  on_listen(): void | Promise<void> {}

  /**
   * Called when the address cannot be listened on (in use, no permission …). The server closes,
   * whatever this does. Default: `on_error`. Ours.
   */
  on_listen_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called with each connection. Default: makes a `ConnectionClass` of it. Overridden, it may
   * refuse (`socket.destroy()`), or take the connection over, now or later:
   * `new Connection({ server: this, socket })`. When it throws, the connection is closed. Source:
   * Pants.
   */
  on_accept(socket: Transport, _address: SocketAddress): void | Promise<void> {
    const { ConnectionClass } = this
    const stream = new ConnectionClass({
      engine: this.engine,
      server: this,
      socket,
    } satisfies StreamOptions & { server: StreamServer })
    takeOver(this, socket, stream)
  }

  /**
   * Called when a connection comes and the process is so near its limit of open files that it is
   * closed at once (`on_drop('overload', …)`), as all are until there is room again; once each
   * time. A thing to be logged. Where the limit is not known (elsewhere than on Linux) it never
   * comes. Default: nothing. Ours: at the limit itself Node drops connections without a word.
   */
  on_overload(): void | Promise<void> {}

  /**
   * Called when a connection was closed instead of accepted: why, and whose. Default: nothing.
   * Ours; Node's event 'drop'.
   */
  on_drop(_reason: DropReason, _address: SocketAddress): void | Promise<void> {}

  /**
   * As of every channel, but what a hook throws does not close a server that listens: its other
   * connections have no part in it.
   */
  override on_error(error: Error): void {
    this[LIFE].log(error)
    if (this.state !== 'active') this.close()
  }
}

function checkListenOptions(options: ServerListenOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('listen: options', 'an object', options)
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'reuse_port')
      throw new InvalidArgumentError(`listen option "${name}"`, 'reuse_port', value)
    checkBoolean('listen: reuse_port', value)
  }
}

function checkEndOptions(options: { readonly batch?: number; readonly interval?: Milliseconds }) {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('end: options', 'an object', options)
  const { batch, interval } = options
  if (batch !== undefined) checkCount('end: batch', batch, 1)
  if (interval !== undefined) checkDuration('end: interval', interval)
  if ((batch === undefined) !== (interval === undefined))
    throw new InvalidArgumentError('end: options', 'batch and interval, or neither', options)
  return { batch, interval }
}
