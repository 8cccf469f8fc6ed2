/**
 * Layer 2. TLS contexts of node:tls: a program's options, checked, and the handshake of each
 * connection that uses them.
 *
 * tlsContext → clientContext or serverContext → secure → TlsTransport (tls-transport.ts).
 *
 * Rules:
 * 1. Clients are made by `tls.connect`.
 * 2. Servers are made by a `tls.Server` that never listens: its event 'connection' gives it a
 *    connection to handle, which Node documents. So everything that a server of Node's does (client
 *    certificates, SNI, tickets) is done here, too.
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26 on Linux):
 * - A TLSSocket of a server reports to whatever emitted 'connection'.
 * - What checkServerIdentity throws ends the process, so it is caught here; what the callbacks of
 *   a server throw does not.
 */

import type { Buffer } from 'node:buffer'
import type { EventEmitter } from 'node:events'
import { isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import * as tls from 'node:tls'
import { noop } from '../core/noop.ts'
import { answerLater, onRejection } from '../core/promises.ts'
import { checkTlsOptions } from '../core/tls-options.ts'
import { InvalidArgumentError, messageOf, show, UnsupportedOptionError } from '../errors.ts'
import type { Tls, TlsContext, TlsOptions, TlsSide, Transport } from '../transport.ts'
import type { Milliseconds } from '../types.ts'
import { belowOf, overSockets } from './runtimes/tls-below.ts'
import { seedOf, ticketKeys } from './ticket-keys.ts'
import { type Handshake, type HandshakeSink, TlsTransport } from './tls-transport.ts'

/** A server needs one of these, or every handshake fails. */
const CERTIFICATES = ['cert', 'pfx', 'SNICallback', 'pskCallback']

/**
 * Node's own handshake timeout: the longest that its timers take, as the channel has a timeout of
 * its own.
 */
const NEVER: Milliseconds = 2 ** 31 - 1

/** Node 20 and 22 would ignore the option. */
const CAN_COMPRESS = 'getCertificateCompressionAlgorithms' in tls

/** TLS unless a network brings its own: that of node:tls, over any transport. */
export const nodeTls: Tls = { context: tlsContext }

/** See `Tls.context`. */
export function tlsContext(side: TlsSide, options: TlsOptions): TlsContext {
  checkTlsOptions('tls', options)
  if ('certificateCompression' in options && !CAN_COMPRESS)
    throw new UnsupportedOptionError('tls: certificateCompression', 'a Node that has it, as 24.21')
  return side === 'client'
    ? clientContext(options as tls.ConnectionOptions)
    : serverContext(options as tls.TlsOptions)
}

// ---- clients ------------------------------------------------------------------------------------

function clientContext(options: tls.ConnectionOptions): TlsContext {
  const checkServerIdentity = answering(options.checkServerIdentity ?? tls.checkServerIdentity)
  const { pskCallback } = options
  const shared = made(options, () => ({
    ...options,
    checkServerIdentity,
    ...(typeof pskCallback === 'function' && { pskCallback: atOnce(pskCallback) }),
    secureContext: options.secureContext ?? tls.createSecureContext(options),
  }))
  return {
    secure(transport, host) {
      // SNI takes names only.
      const servername = options.servername ?? (isIP(host) === 0 ? host : undefined)
      const begin: Handshake = (below, sink) => {
        const how = {
          ...shared,
          socket: below,
          host,
          ...(servername !== undefined && { servername }),
        }
        const socket = tls.connect(how as tls.ConnectionOptions)
        sink.known(socket)
        socket.once('secureConnect', () => sink.secured(socket, resumed(socket, options)))
      }
      return new TlsTransport(transport, options.servername || host, overSockets(begin))
    },
  }
}

/**
 * The session that was resumed. A server may send no new one then, and Node reports none: a program
 * that keeps the session of the last connection would have a full handshake every second time.
 * (Refused: `getSession()`, which Node documents for TLS 1.2 only.)
 */
function resumed(socket: tls.TLSSocket, options: tls.ConnectionOptions): Buffer | undefined {
  return socket.isSessionReused() ? options.session : undefined
}

/**
 * An exception counts as the answer of the check: Node would let it end the process. (For the
 * callbacks of a server, Node does so itself.)
 */
function answering(check: typeof tls.checkServerIdentity): typeof tls.checkServerIdentity {
  return (host, certificate) => {
    try {
      const answer: unknown = check(host, certificate)
      if (!answer || answer instanceof Error) return answer as Error | undefined
      // `true` may mean the contrary, and a promise is too late. Node refuses for both.
      onRejection(answer, noop)
      return new Error(
        `checkServerIdentity must return undefined or an Error; it returned ${show(answer)}`,
      )
    } catch (error) {
      return error instanceof Error ? error : new Error(`checkServerIdentity threw ${show(error)}`)
    }
  }
}

// ---- servers ------------------------------------------------------------------------------------

function serverContext(options: tls.TlsOptions): TlsContext {
  if (!CERTIFICATES.some(name => (options as Record<string, unknown>)[name] !== undefined)) {
    throw new InvalidArgumentError(
      'tls of a server',
      'options with a certificate: key and cert, or pfx',
      options,
    )
  }
  const serverOf = serverBySeed(options)
  return {
    secure(transport) {
      const server = serverOf(transport)
      const begin: Handshake = (below, sink) => {
        HANDSHAKES.set(below, sink)
        serverFor(below, server).emit('connection', below)
      }
      return new TlsTransport(transport, 'the client', overSockets(begin))
    },
  }
}

/**
 * One server for all connections, but in a worker of a cluster one for each listener: its session
 * tickets are those of all workers (ticket-keys.ts).
 */
function serverBySeed(options: tls.TlsOptions): (transport: Transport) => tls.Server {
  const how = { ...options, ...callbacks(options), handshakeTimeout: NEVER }
  const server = reporting(made(options, () => tls.createServer(how)))
  const servers = new WeakMap<Buffer, tls.Server>()
  return transport => {
    const seed = options.ticketKeys === undefined ? seedOf(transport) : undefined
    if (seed === undefined) return server
    let shared = servers.get(seed)
    if (shared === undefined) {
      shared = reporting(tls.createServer({ ...how, ticketKeys: ticketKeys(seed, options) }))
      servers.set(seed, shared)
    }
    return shared
  }
}

/** A callback that may not wait. Node refuses a promise; its rejection must not end the process. */
function atOnce<Of extends (...args: any[]) => unknown>(callback: Of): Of {
  return function (this: unknown, ...args) {
    const answer = callback.apply(this, args)
    onRejection(answer, noop)
    return answer
  } as Of
}

/** The callbacks of a server may return promises. Only SNICallback may wait. */
function callbacks(options: tls.TlsOptions): Partial<tls.TlsOptions> {
  const { SNICallback, ALPNCallback, pskCallback } = options
  return {
    ...(typeof SNICallback === 'function' && {
      SNICallback(name, answer) {
        const found = (context: tls.SecureContext): void => answer(null, context)
        const result: unknown = SNICallback.call(this, name, answer)
        answerLater(result, found, answer, SNICallback.length === 1)
      },
    }),
    ...(typeof ALPNCallback === 'function' && { ALPNCallback: atOnce(ALPNCallback) }),
    ...(typeof pskCallback === 'function' && { pskCallback: atOnce(pskCallback) }),
  }
}

/** The handshakes of servers that are under way, by what they run over. */
const HANDSHAKES = new WeakMap<Duplex, HandshakeSink>()

/**
 * What the server emits goes to the handshake that it is about. Refused: an `emit` of its own for
 * every connection. Bun emits on the server; over a Duplex, which Bun refuses, see serverFor.
 */
function reporting(server: tls.Server): tls.Server {
  server.on('secureConnection', socket => {
    const sink = take(socket)
    sink?.known(socket)
    sink?.secured(socket)
  })
  return server.on('tlsClientError', (error, socket) => {
    const sink = take(socket)
    sink?.known(socket)
    sink?.failed(error)
  })
}

/** The Duplexes below sockets whose handshakes have failed. */
const BELOW = new WeakMap<tls.TLSSocket, Duplex>()

/**
 * The server, for one connection. Over a Duplex, Node refuses a certificate when it has forgotten
 * what is below: so the server that is told of it knows.
 */
function serverFor(below: Duplex, server: tls.Server): tls.Server {
  if (below instanceof Socket) return server
  return Object.create(server, {
    emit: {
      value(this: tls.Server, event: string, ...args: [Error, tls.TLSSocket]): boolean {
        if (event === 'tlsClientError') BELOW.set(args[1], below)
        return (server as EventEmitter).emit.call(this, event, ...args)
      },
    },
  }) as tls.Server
}

/** The handshake of a socket. It ends once. */
function take(socket: tls.TLSSocket): HandshakeSink | undefined {
  const below = BELOW.get(socket) ?? belowOf(socket)
  const sink = below && HANDSHAKES.get(below)
  if (sink !== undefined) HANDSHAKES.delete(below as Duplex)
  return sink
}

// ---- options ------------------------------------------------------------------------------------

/** What `make` returns, which hands the options to Node. Our error if an option is invalid. */
function made<Made>(options: object, make: () => Made): Made {
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
