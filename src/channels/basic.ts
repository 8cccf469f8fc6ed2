/**
 * Layer 6. Client, Connection, Server: what most programs subclass.
 */

import { InvalidArgumentError } from '../errors.ts'
import type { ReadDelimiter } from '../core/delimiters.ts'
import { Stream, type StreamOptions } from './stream.ts'
import { takeOver } from './server-link.ts'
import { type ConnectionClass, StreamServer, type StreamServerOptions } from './stream-server.ts'
import type { Transport } from '../transport.ts'

/**
 * A connection from this program to a remote host. Subclass it, give it hooks, and `connect`.
 * It can connect again once it has closed.
 *
 * Source: Pants `basic.Client`.
 */
export class Client<By extends ReadDelimiter = ReadDelimiter> extends Stream<By> {
  /** Throws for an option that cannot be. Calls no hook. */
  constructor(options: Omit<StreamOptions, 'socket'> = {}) {
    if ((options as StreamOptions)?.socket !== undefined) {
      throw new InvalidArgumentError(
        'Client option "socket"',
        'left out: a Connection takes over what was accepted',
        (options as StreamOptions).socket,
      )
    }
    super(options)
  }
}

/** What a Connection is made with; a Server does it. */
export interface ConnectionOptions extends StreamOptions {
  /** The server that accepted it. */
  readonly server: StreamServer
  /** What its `on_accept` got. */
  readonly socket: Transport
}

/**
 * A connection from a remote host to a server of this program. Subclass it to write a protocol; the
 * server makes one for each peer. It is connected when it is made, and `on_connect` comes soon
 * after.
 *
 * Source: Pants `basic.Connection`.
 */
export class Connection<By extends ReadDelimiter = ReadDelimiter> extends Stream<By> {
  /**
   * The server that accepted this connection; `server.channels` are its peers. Source: Pants
   * `Connection.server`.
   */
  readonly server: StreamServer

  /** Throws for an option that cannot be. Calls no hook. */
  constructor(options: ConnectionOptions) {
    const { server, socket } = options ?? {}
    if (!(server instanceof StreamServer))
      throw new InvalidArgumentError(
        'Connection option "server"',
        'the server that accepted it',
        server,
      )
    if (socket === undefined)
      throw new InvalidArgumentError('Connection option "socket"', 'what on_accept got', socket)
    super(options.engine === undefined ? { ...options, engine: server.engine } : options)
    this.server = server
    takeOver(server, socket, this as unknown as Stream)
  }
}

/**
 * Listens, and makes a connection of your class for each peer: `new Server(Echo).listen(4040)`.
 * The class may also be a field of a subclass: `override ConnectionClass = Echo`.
 *
 * Source: Pants `basic.Server`.
 */
export class Server extends StreamServer {
  /**
   * Throws for a class that is no Connection, or an option that cannot be. Calls no hook.
   * `new Server(options)` goes too.
   */
  constructor(
    ConnectionClass?: ConnectionClass | StreamServerOptions,
    options: StreamServerOptions = {},
  ) {
    const isClass = ConnectionClass === undefined || typeof ConnectionClass === 'function'
    const all = isClass
      ? { ...options, ...(ConnectionClass && { ConnectionClass }) }
      : ConnectionClass
    super(all as StreamServerOptions)
    // Not as an option, which would win over a field of a subclass.
    if (all?.ConnectionClass === undefined) this.ConnectionClass = Connection
  }
}
