/**
 * Layer 2. An opt-in network that bypasses Node's stream machinery:
 * `new Engine({ network: new FastNetwork() })`.
 *
 * What it does differently from `NodeNetwork`, and nothing else:
 * 1. Reading: all sockets read into one buffer, so no memory is allocated for a read. libuv reads
 *    from one socket into it and hands it over before it reads from the next. As nothing is
 *    reported inside a call (rule 1 of transport.ts), no hook can start another read before its own
 *    was delivered. `lends_chunks` says that a part that is to be kept must be copied.
 * 2. Writing: data goes to the handle of the socket at once, without the queue, the ticks and the
 *    objects of Writable. Refused: calls of the handle itself. They measured no faster, and they
 *    differ between versions of Node.
 * Opening, ending, closing and errors are those of Node's Socket, and the order of reports is that
 * of TcpTransport.
 *
 * What it needs of TcpTransport (rule 3 of tcp.ts): `write` gets either data and its encoding, or
 * an empty chunk and a callback, to be called when everything before it has gone. The second kind
 * comes at most once at a time, and only while `writableLength` is above 0. So there is one
 * #waiting, and nothing is sent for it.
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26 on Linux; the
 * constructor looks for all of it, and this is never the default, as any of it may change):
 * - The option `onread` is documented for sockets that connect. Here accepted sockets have it, too,
 *   so they are made in this file, with the options `handle` and `manualStart`.
 * - `onconnection` of a listening handle, which is replaced to get the accepted handles.
 * - `_write`, which Node documents for classes that implement a stream.
 * - `writeQueueSize` and `bytesWritten` of `_handle`.
 * - Node gives a connecting socket its own `write`, over that of its class. It is deleted.
 */

import { Buffer } from 'node:buffer'
import { Server, type ServerOpts, Socket } from 'node:net'
import { UnsupportedOptionError } from '../errors.ts'
import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  Transport,
} from '../transport.ts'
import type { Bytes, Encoding } from '../types.ts'
import { fileLimit } from './file-limit.ts'
import { NodeListener } from './listener.ts'
import { connectTcp } from './tcp.ts'
import { openPackets } from './udp.ts'

/** What one read can take: as much as libuv asks the system for. */
const BUFFER_SIZE: Bytes = 65_536

/** What every socket reads into. Its content is valid until `received` returns. */
const shared = Buffer.allocUnsafeSlow(BUFFER_SIZE)

/** What is used of the handle of a socket. */
interface Handle {
  /** Bytes that were handed over and that the system has not taken yet. */
  readonly writeQueueSize: Bytes
  /** Bytes that were handed over. */
  readonly bytesWritten: Bytes
}

const NO_HANDLE: Handle = { writeQueueSize: 0, bytesWritten: 0 }

/** What is used of the handle of a server. */
interface ListeningHandle {
  onconnection: (status: number, accepted?: object) => void
}

/** Socket, with its accessors declared as such: a class may not override a field by an accessor. */
interface NodeSocket extends Omit<
  Socket,
  '_write' | 'bytesWritten' | 'connect' | 'write' | 'writableLength'
> {
  readonly _handle: Handle | null
  readonly bytesWritten: Bytes
  readonly writableLength: Bytes
  connect(how: object): this
  write(data: string | Uint8Array, how: Encoding | Done): boolean
  _write(data: string | Uint8Array, encoding: Encoding | 'buffer', done: Done): void
}

type Done = (error?: Error | null) => void

const NodeSocket = Socket as unknown as new (options: object) => NodeSocket

/**
 * TCP and unix sockets that cost less CPU time a message than Node's streams. The gain is greatest
 * for small messages that are answered one at a time. UDP, TLS and files are those of the default
 * network.
 *
 * It relies on parts of Node that are not documented: test it with the versions of Node that you
 * run. The constructor throws UnsupportedOptionError (ERR_UNSUPPORTED_OPTION) if this Node lacks
 * something that it needs.
 */
export class FastNetwork implements Network {
  constructor() {
    const missing = whatIsMissing()
    if (missing.length === 0) return
    const here = `Node ${process.versions.node} on ${process.platform}`
    throw new UnsupportedOptionError(
      'FastNetwork',
      `${missing.join(', ')}, as Node 20 to 26 has it on Linux; ${here} does not. ` +
        'Use the default network',
    )
  }

  connect(to: Endpoint, options: ConnectOptions): Transport {
    return connectTcp(to, options, new FastSocket({}) as unknown as Socket)
  }

  listen(at: Endpoint, options: ListenOptions): Listener {
    return new NodeListener(at, options, FastServer)
  }

  get file_limit(): number {
    return fileLimit()
  }

  packets(options: PacketOptions): PacketSocket {
    return openPackets(options)
  }
}

class FastSocket extends NodeSocket {
  readonly lends_chunks = true
  /** The callback of an empty write: called when everything has gone. */
  #waiting: Done | undefined
  readonly #onWritten: Done = error => this.#written(error)

  constructor(options: object) {
    const onread = {
      buffer: shared,
      callback: (size: Bytes): boolean => this.push(shared.subarray(0, size)),
    }
    super({ ...options, allowHalfOpen: true, manualStart: true, onread })
  }

  override connect(how: object): this {
    super.connect(how)
    delete (this as { write?: unknown }).write
    return this
  }

  /** `how` is a callback for an empty write, and an encoding for data; see the header. */
  override write(data: string | Uint8Array, how: Encoding | Done): boolean {
    // Writable holds data while the socket is connecting or corked. It must not be overtaken.
    if (this.connecting || this.writableCorked > 0 || super.writableLength > 0)
      return super.write(data, how)
    if (typeof how === 'function') this.#waiting = how
    else this._write(data, typeof data === 'string' ? how : 'buffer', this.#onWritten)
    return true
  }

  /** Writable would destroy the socket for an error by itself, but it was bypassed. */
  #written(error?: Error | null): void {
    if (error) return void this.destroy(error)
    const waiting = this.#waiting
    if (waiting === undefined || this.writableLength > 0) return
    this.#waiting = undefined
    waiting()
  }

  /** Bytes that the system has not taken yet. */
  override get writableLength(): Bytes {
    const handle = this._handle ?? NO_HANDLE
    // What Writable holds may be in the queue of the handle as well. `bytesWritten` counts it once,
    // but is a call into C++, so it is asked for only if Writable holds something.
    return super.writableLength === 0
      ? handle.writeQueueSize
      : super.bytesWritten - handle.bytesWritten + handle.writeQueueSize
  }
}

class FastServer extends Server {
  constructor(options: ServerOpts) {
    super(options)
    this.once('listening', () => this.#takeHandles(options.noDelay === true))
  }

  /** Makes sockets of our class, in place of Node's, of the handles that are accepted. */
  #takeHandles(noDelay: boolean): void {
    const listening = handleOf(this) as ListeningHandle
    const { onconnection } = listening
    listening.onconnection = (status, accepted) => {
      if (accepted === undefined) return onconnection.call(listening, status)
      const socket = new FastSocket({ handle: accepted })
      if (noDelay) socket.setNoDelay(true)
      this.emit('connection', socket)
    }
  }
}

function handleOf(server: Server): ListeningHandle | null {
  return (server as unknown as { _handle: ListeningHandle | null })._handle
}

/**
 * The names of what is used here and missing in this Node. It looks at a server, at a socket that
 * connects to it (under an abstract unix name that nobody else knows), and at a socket on a handle
 * of our own, which records the calls that it gets. All three are closed when this returns.
 */
function whatIsMissing(): string[] {
  const seen = new Set<string>()
  const spy = Object.fromEntries(
    ['useUserBuffer', 'readStart', 'writeLatin1String', 'close'].map(name => [
      name,
      () => (seen.add(name), 0),
    ]),
  )
  const server = new Server()
  const [connected, made] = [new FastSocket({}), new FastSocket({ handle: spy })]
  for (const one of [server, connected, made]) one.on('error', () => {})
  const isCounted = connected.bytesWritten === 0 && connected.writableLength === 0
  const path = `\0sluice-${process.pid}-${Math.random()}`
  server.listen({ path, exclusive: true })
  connected.connect({ path })
  made.write('x', 'latin1')
  const { _handle: handle } = connected
  const found = {
    'a socket that can be made of a handle': made._handle !== null && !seen.has('readStart'),
    'its option onread': seen.has('useUserBuffer'),
    'socket._write': seen.has('writeLatin1String'),
    'socket.bytesWritten and writableLength': isCounted,
    'handle.writeQueueSize': typeof handle?.writeQueueSize === 'number',
    'handle.bytesWritten': typeof handle?.bytesWritten === 'number',
    'handle.onconnection': typeof handleOf(server)?.onconnection === 'function',
  }
  for (const socket of [connected, made]) socket.destroy()
  server.close()
  return Object.entries(found)
    .filter(([, isThere]) => !isThere)
    .map(([name]) => name)
}
