/**
 * Layer 5. StreamServer: a listening socket, and the connections it has accepted.
 *
 * The way of a connection: listener → accepted → on_drop, or on_accept → a channel below this one, until that has closed.
 *
 * Rules:
 * 1. What was accepted and not yet taken over by a channel is counted, and closed with the server, all the same.
 * 2. Nothing that a hook does to one connection disturbs the server or another connection.
 * 3. The server has closed when its socket and all its connections have.
 */

import { formatAddress, parseAddress } from '../core/address.ts'
import { after, networkOf, note } from '../engine.ts'
import { InvalidArgumentError, InvalidStateError, ListenError } from '../errors.ts'
import type { Listener, ListenerSink, SystemError, Transport, TransportSink } from '../transport.ts'
import type { Address, Cancel, DropReason, Milliseconds, SocketAddress } from '../types.ts'
import {
  addChild,
  beginClosing,
  beginOpening,
  callHook,
  Channel,
  type ChannelDriver,
  type ChannelOptions,
  childrenOf,
  closeChild,
  fail,
  finishClosing,
  hookFailed,
  isOpen,
  logError,
  setDriver,
} from './channel.ts'
import { adoptFields, applyOptions, checkBoolean, checkCount, checkDuration, defineSettings, settingsFrom } from './settings.ts'
import { Link } from './link.ts'
import { Stream, type StreamOptions } from './stream.ts'

/** What makes the channel for an accepted connection: Stream, Connection, or a class of yours that is one. */
export type ConnectionClass = new (options: any) => Stream<any>

/** The values of all settings of a StreamServer. What each means is said where the class declares it. */
export interface ServerValues {
  readonly ConnectionClass: ConnectionClass
  readonly max_connections: number
  readonly backlog: number
  readonly end_timeout: Milliseconds
}

/** How to listen. */
export interface ServerListenOptions {
  /**
   * May other sockets listen at the same port, those of other processes too, if they set it as well? The system then deals the
   * connections out among them. Default false. Where it cannot be, `listen` throws ERR_UNSUPPORTED_OPTION: it takes Node 22.12, 23.1 or
   * newer, and Linux, FreeBSD, DragonFly, Solaris or AIX. How the system deals them out, and what becomes of those that one had not
   * accepted when it closed, differs from one to the other (on Linux these are reset). Source: Node `net.Server.listen`.
   */
  readonly reuse_port?: boolean
}

/** What a StreamServer can be given when it is made: every setting. */
export interface StreamServerOptions extends ChannelOptions, Partial<ServerValues> {}

const DEFAULTS: ServerValues = { ConnectionClass: Stream, max_connections: Infinity, backlog: 1024, end_timeout: 30_000 }

const CHECKS: { readonly [Name in keyof ServerValues]: (name: string, value: unknown) => ServerValues[Name] } = {
  ConnectionClass: checkConnectionClass,
  max_connections: (name, value) => checkCount(name, value, 0),
  backlog: (name, value) => checkCount(name, value, 1),
  end_timeout: checkDuration,
}

/** For channels only: this channel takes over a connection that the server accepted. */
export let takeOver: (server: StreamServer, socket: Transport, stream: Channel) => void

/**
 * Listens for connections on TCP or a unix socket, and makes a channel for each. Low-level: most programs use Server.
 *
 * Source: Pants `stream.StreamServer` (later `server.Server`).
 */
export class StreamServer extends Channel {
  /** The class of the channels that `on_accept` makes. Default: Stream (Server: Connection). */
  declare ConnectionClass: ConnectionClass
  /** The most connections at a time; a further one is closed at once, and `on_drop('max_connections', …)` called. 0: none. Default Infinity. */
  declare max_connections: number
  /** How many connections the system, and a suspended server, hold ready before they are accepted. Takes effect with `listen`. Default 1024, as Pants. */
  declare backlog: number
  /** The longest that `end()` may take; then what is still open is closed, and the server's reason is 'timeout'. Default 30 000 ms; Infinity: for ever. */
  declare end_timeout: Milliseconds

  #values: ServerValues = DEFAULTS
  #listener: Listener | undefined
  #address: SocketAddress | undefined
  /** Accepted, and not taken over by a channel of this server. */
  readonly #unclaimed = new Set<Transport>()
  /** Accepted while suspended: to be looked at when resumed. They are unclaimed too. */
  #held: Transport[] = []
  #stopWaiting: Cancel = nothing
  /** Did end_timeout run out? */
  #hasExpired = false

  /** Throws for an option that cannot be. Calls no hook, and does not listen yet. */
  constructor(options: StreamServerOptions = {}) {
    super(options)
    setDriver(this, this.#driver)
    applyOptions(this, options, ['engine', 'name'])
  }

  static {
    defineSettings<StreamServer>(
      StreamServer.prototype,
      settingsFrom(
        CHECKS,
        server => server.#values,
        (server, name, value) => {
          server.#values = { ...server.#values, [name]: value }
        },
      ),
    )
    takeOver = (server, socket, stream) => {
      server.#unclaimed.delete(socket)
      addChild(server, stream)
    }
  }

  /**
   * The channels of the connections that are open, for example to write to all of them. Live: do not change it.
   * Source: Pants `Server.channels`. `Differs:` a set, as descriptors are no keys in Node.
   */
  get channels(): ReadonlySet<Stream> {
    return childrenOf(this) as ReadonlySet<Stream>
  }

  // ---- listening ----------------------------------------------------------------------------------------------------

  /**
   * Begins to listen, and returns the server at once; `on_listen` follows, or `on_listen_error`. A port alone, or the host '', is
   * any host in both families; port 0 lets the system choose (see `local_address`). The path of a unix socket is taken over from a server that
   * has died, never from one that lives, nor from a file. Throws InvalidAddressError, InvalidArgumentError for an option that is none,
   * UnsupportedOptionError for one that cannot be honoured here, and InvalidStateError unless `state` is 'closed'.
   * Source: Pants `Server.listen`.
   */
  listen(address: Address, options: ServerListenOptions = {}): this {
    if (this.state !== 'closed') {
      const advice = this.state === 'closing' ? 'await its `closed` first' : 'make another server for another address'
      throw new InvalidStateError('listen()', `the server is ${this.state === 'active' ? 'listening' : this.state}`, advice)
    }
    const endpoint = parseAddress(address)
    checkListenOptions(options)
    // Now, not in beginOpening: an option that the network refuses must leave the state as it was.
    adoptFields(this)
    const listener = networkOf(this.engine).listen(endpoint, { ...options, backlog: Math.min(this.backlog, 2 ** 31 - 1) })
    try {
      beginOpening(this)
    } catch (error) {
      listener.close()
      throw error
    }
    this.#hasExpired = false
    this.#address = undefined
    this.#listener = listener
    listener.sink = this.#sink
    return this
  }

  /** Is it listening? */
  get listening(): boolean {
    return this.state === 'active'
  }

  /** Where it listens: `[host, port]` with the port that the system chose, or the path; `undefined` before `on_listen`. Still there after closing. */
  get local_address(): SocketAddress | undefined {
    return this.#listener?.local_address ?? this.#address
  }

  /** The descriptor of the socket; `undefined` where there is none, or it is closed. */
  get fileno(): number | undefined {
    return this.#listener?.fileno
  }

  readonly #sink: ListenerSink = {
    listening: () => {
      isOpen(this, 'listen')
      if (this.state === 'active') callHook(this, 'on_listen')
    },
    accepted: transport => this.#accepted(transport),
    failed: error => this.#failed(error),
    closed: () => this.#listenerClosed(),
  }

  #failed(error: SystemError): void {
    fail(this, 'on_listen_error', new ListenError(error.code ?? 'ERR_UNKNOWN', error.message, error))
  }

  // ---- accepting ----------------------------------------------------------------------------------------------------

  #accepted(transport: Transport): void {
    if (this.state !== 'active') return transport.destroy()
    this.#forgetTaken()
    if (this.channels.size + this.#unclaimed.size >= this.max_connections) return this.#drop(transport, 'max_connections')
    if (this.suspended && this.#held.length >= this.backlog) return this.#drop(transport, 'overload')
    this.#unclaimed.add(transport)
    // It is counted until it is gone, or has a sink of somebody else's.
    transport.sink = new Unclaimed(() => this.#unclaimed.delete(transport))
    if (this.suspended) this.#held.push(transport)
    else this.#offer(transport)
  }

  #offer(transport: Transport): void {
    const refuse = (error: unknown): void => {
      // A channel may have taken it over before its own constructor threw.
      if (transport.sink instanceof Link) transport.sink.abort('error')
      else transport.destroy()
      hookFailed(this, error)
    }
    try {
      const result: unknown = this.on_accept(transport, transport.remote_address as SocketAddress)
      if (result instanceof Promise) result.catch(refuse)
    } catch (error) {
      refuse(error)
    }
  }

  /** Whoever has set a sink of its own (a Stream without this server, a wrapper) has taken the connection over, and answers for it. */
  #forgetTaken(): void {
    for (const transport of this.#unclaimed) {
      if (!(transport.sink instanceof Unclaimed)) this.#unclaimed.delete(transport)
    }
  }

  #drop(transport: Transport, reason: DropReason): void {
    const address = transport.remote_address as SocketAddress
    transport.destroy()
    note(this.engine, 'drop', this, { reason, address })
    callHook(this, 'on_drop', reason, address)
  }

  readonly #driver: ChannelDriver = {
    suspended: () => {},
    resumed: () => {
      const held = this.#held
      this.#held = []
      for (const transport of held) {
        // One of their hooks may have suspended the server again.
        if (!this.#unclaimed.has(transport)) continue
        if (this.suspended) this.#held.push(transport)
        else this.#offer(transport)
      }
    },
    hook_returned: result => {
      if (result instanceof Promise) result.catch(error => hookFailed(this, error))
    },
    gauge: () => ({ kind: 'server', bytes_read: 0, bytes_written: 0, bytes_held: 0 }),
    child_closed: () => this.#finishIfAllClosed(),
    address: () => (this.local_address === undefined ? '' : formatAddress(this.local_address)),
  }

  // ---- closing ------------------------------------------------------------------------------------------------------

  /**
   * Stops listening and closes every connection at once. With `flush`, as `end()`: lets each of them end politely, all within `end_timeout`. The
   * connections close with the reason 'drain'. `on_close` comes when the last of them has closed. Not open: nothing happens.
   * Source: Pants `Server.close`.
   */
  override close(flush = false): void {
    checkBoolean('close: flush', flush)
    if (this.state === 'closed' || (flush && this.state === 'closing')) return
    if (this.state !== 'closing') {
      beginClosing(this)
      this.#listener?.close()
    }
    this.#forgetTaken()
    for (const transport of this.#unclaimed) transport.destroy()
    this.#held = []
    this.#stopWaiting()
    if (flush && this.end_timeout !== Infinity) this.#stopWaiting = after(this.engine, this.end_timeout, () => this.#expire())
    for (const channel of [...this.channels]) closeChild(channel, flush)
  }

  #expire(): void {
    this.#hasExpired = true
    this.close()
  }

  #listenerClosed(): void {
    this.#address = this.#listener?.local_address
    this.#listener = undefined
    if (this.state !== 'closing') this.close()
    this.#finishIfAllClosed()
  }

  #finishIfAllClosed(): void {
    if (this.state !== 'closing' || this.#listener !== undefined || this.channels.size > 0) return
    this.#stopWaiting()
    finishClosing(this, this.#hasExpired ? 'timeout' : undefined)
  }

  // ---- hooks --------------------------------------------------------------------------------------------------------

  /** Called once for every opening, when the server listens. Default: nothing. Source: Pants. */
  on_listen(): void | Promise<void> {}

  /** Called when the address cannot be listened on (in use, no permission …). The server closes, whatever this does. Default: `on_error`. Ours. */
  on_listen_error(error: Error): void | Promise<void> {
    return this.on_error(error)
  }

  /**
   * Called with each connection. Default: makes a `ConnectionClass` of it. Overridden, it may refuse (`socket.destroy()`), or take the connection
   * over, now or later: `new Connection({ server: this, socket })`. When it throws, the connection is closed. Source: Pants.
   */
  on_accept(socket: Transport, _address: SocketAddress): void | Promise<void> {
    const { ConnectionClass } = this
    const stream = new ConnectionClass({ engine: this.engine, server: this, socket } satisfies StreamOptions & { server: StreamServer })
    takeOver(this, socket, stream)
  }

  /** Called when a connection was closed instead of accepted: why, and whose. Default: nothing. Ours; Node's event 'drop'. */
  on_drop(_reason: DropReason, _address: SocketAddress): void | Promise<void> {}

  /** As of every channel, but what a hook throws does not close a server that listens: its other connections have no part in it. */
  override on_error(error: Error): void {
    logError(this, error)
    if (this.state !== 'active') this.close()
  }
}

/** Watches a connection that nobody has taken over. */
class Unclaimed implements TransportSink {
  readonly closed: () => void
  readonly opened = nothing
  readonly received = nothing
  readonly drained = nothing
  readonly ended = nothing
  readonly failed = nothing

  constructor(closed: () => void) {
    this.closed = closed
  }
}

function nothing(): void {}

function checkListenOptions(options: ServerListenOptions): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('listen: options', 'an object', options)
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'reuse_port') throw new InvalidArgumentError(`listen option "${name}"`, 'reuse_port', value)
    checkBoolean('listen: reuse_port', value)
  }
}

function checkConnectionClass(name: string, value: unknown): ConnectionClass {
  const isStream = typeof value === 'function' && (value === Stream || value.prototype instanceof Stream)
  if (!isStream) throw new InvalidArgumentError(name, 'a class that extends Connection (or Stream)', value)
  return value as ConnectionClass
}
