/**
 * Layer 6. Client, Connection, Server: what most programs subclass.
 */

import { isRecord } from '../core/checks.ts'
import type { ReadDelimiter } from '../core/delimiters.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { ProxyExtensions, Transport } from '../transport.ts'
import { LIFE } from './life.ts'
import { takeOver } from './servers/server-link.ts'
import type { StreamServerOptions } from './servers/server-options.ts'
import { type ConnectionClass, neverAccepted } from './servers/server-settings.ts'
import { StreamServer } from './servers/stream-server.ts'
import { defineSettings } from './settings.ts'
import { linkOf } from './streams/link-of.ts'
import { Stream } from './streams/stream.ts'
import type { StreamOptions } from './streams/stream-options.ts'
import type { NotAClass, TextCheckedClass } from './streams/text-reads.ts'

/**
 * A connection from this program to a remote host. Subclass it, override its hooks, and call
 * `connect`. Once it has closed, it may connect again.
 *
 * @example
 * class Greeter extends Client {
 *   override encoding = 'utf8' as const
 *   override read_delimiter = '\r\n'
 *   override on_connect() {
 *     this.write('hello\r\n')
 *   }
 *   override on_read(line: string) {
 *     console.log(line)
 *     this.end()
 *   }
 * }
 * new Greeter().connect(['localhost', 4040])
 */
// Source: Pants `basic.Client`.
export class Client<By extends ReadDelimiter = ReadDelimiter> extends Stream<By> {
  /** Makes a client and calls no hook. Throws InvalidArgumentError if an option is invalid. */
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

/** The options of a Connection. A Server gives them. */
export interface ConnectionOptions extends StreamOptions {
  /** The server that accepted it. */
  readonly server: StreamServer<any>
  /** The connection that its `on_accept` got. */
  readonly socket: Transport
}

/**
 * A connection from a remote host to a server of this program. Subclass it to write a protocol; the
 * server makes one for each peer. It is connected when it is made, and `on_connect` is called soon
 * after that.
 *
 * @example
 * class Echo extends Connection {
 *   override encoding = 'utf8' as const
 *   override read_delimiter = '\r\n'
 *   override on_read(line: string) {
 *     this.write(line + '\r\n')
 *   }
 * }
 */
// Source: Pants `basic.Connection`.
export class Connection<
  By extends ReadDelimiter = ReadDelimiter,
  Home extends StreamServer<any> = StreamServer<any>,
> extends Stream<By> {
  /** The server that accepted this connection. Its `channels` are all its connections. */
  // Source: Pants `Connection.server`.
  // An accessor that keeps its value in the inner half, as those of Channel.
  declare readonly server: Home

  /**
   * What the proxy has told of this connection besides its addresses: the bytes of each extension
   * in the header of `proxy_protocol`, by type, such as 2 for the host name that the client asked
   * for (SNI). Of one type there is the last. `undefined` if there are none.
   */
  // Source: "The PROXY protocol, versions 1 & 2" (HAProxy), section 2.2: TLV.
  get proxy_extensions(): ProxyExtensions | undefined {
    return linkOf(this).told.proxy_extensions
  }

  /** Makes a connection and calls no hook. Throws InvalidArgumentError if an option is invalid. */
  constructor(options: ConnectionOptions) {
    const { server, socket } = options ?? {}
    if (!(server instanceof StreamServer))
      throw new InvalidArgumentError(
        'Connection option "server"',
        'the server that accepted it',
        server,
      )
    if (socket === undefined)
      throw new InvalidArgumentError(
        'Connection option "socket"',
        'the connection that on_accept got',
        socket,
      )
    super(options.engine === undefined ? { ...options, engine: server.engine } : options)
    takeOver(server, socket, this)
  }

  static {
    Object.defineProperty(Connection.prototype, 'server', {
      get(this: Connection) {
        return this[LIFE].parent
      },
    })
  }
}

/**
 * Listens, and makes a connection of your class for each peer. The class is the first argument, or
 * a field of a subclass: `override ConnectionClass = Echo`.
 *
 * @example
 * new Server(Echo).listen(4040)
 * await Engine.instance().start()
 */
// Source: Pants `basic.Server`.
export class Server<Peer extends Stream<any> = Stream<any>> extends StreamServer<Peer> {
  /**
   * Makes a server, which does not listen yet, and calls no hook. The class may be left out:
   * `new Server(options)`. Throws InvalidArgumentError if the class is no Connection (or Stream),
   * or if an option is invalid.
   */
  constructor(
    ConnectionClass?: (ConnectionClass<Peer> & TextCheckedClass) | NotAClass<StreamServerOptions>,
    options: StreamServerOptions = {},
  ) {
    const isClass = ConnectionClass === undefined || typeof ConnectionClass === 'function'
    // A subclass may hand on its own default, which is empty.
    if (!isClass && isRecord(options) && Object.keys(options).length > 0)
      throw new InvalidArgumentError('Server: ConnectionClass', 'a class', ConnectionClass)
    const given = isClass ? options : ConnectionClass
    const isBoth = isClass && ConnectionClass !== undefined && isRecord(options)
    const { ConnectionClass: other = ConnectionClass } = isBoth ? options : {}
    if (other !== ConnectionClass)
      throw new InvalidArgumentError(
        'Server: ConnectionClass',
        'given once: as the first argument, or as an option',
        other,
      )
    const all = isBoth ? { ...options, ConnectionClass } : given
    super(all as StreamServerOptions)
    // Not given as an option: an option would win over a field of a subclass.
    if (all?.ConnectionClass === undefined)
      this.ConnectionClass = Connection as unknown as ConnectionClass<Peer>
  }
}

// Their settings are those of the classes above them. What is below is a program's own class.
for (const { prototype } of [Client, Connection, Server]) defineSettings(prototype, {})

// It was told with each connection, in words about an option that the program did not give.
neverAccepted(Client)
