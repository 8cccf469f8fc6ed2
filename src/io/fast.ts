/**
 * Layer 2. An opt-in network that goes past Node's stream machinery:
 * `new Engine({ network: new FastNetwork() })`.
 *
 * What it does differently from `NodeNetwork`, and nothing else:
 * 1. Reading: all sockets read into one buffer, and no memory is allocated for a read. (Node's
 *    option `onread`, documented for sockets that one makes; so those of a server are made here
 *    too, of the handles that it accepts.)
 * 2. Writing: data goes to the socket's handle at once, without the queue, the ticks and the
 *    objects of Writable. (By `_write`, which Node documents for who implements a stream, not for
 *    who uses one. To call the handle itself measured no faster, and each version of Node has
 *    another way of it.) Opening, ending, closing and errors stay with Node's Socket, and the order
 *    of reports with TcpTransport.
 *
 * One buffer is enough for all: libuv reads from one socket into it and hands it over before it
 * reads from the next, and as nothing is reported inside a call (rule 1 of transport.ts), no hook
 * can make another read begin before its own was delivered. `lends_chunks` says that whoever keeps
 * a part of it has to copy that.
 *
 * What is not documented may change, so this is never the default, and the constructor looks
 * whether all of it is there.
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

/** What every socket reads into; of no use to anybody when `received` has returned. */
const shared = Buffer.allocUnsafeSlow(BUFFER_SIZE)

/** What is used of the handle of a socket. */
interface Handle {
  /** What the system has not taken yet, of all that was handed over. */
  readonly writeQueueSize: Bytes
  /** What was handed over. */
  readonly bytesWritten: Bytes
}

const NO_HANDLE: Handle = { writeQueueSize: 0, bytesWritten: 0 }

/** What is used of the handle of a server. */
interface ListeningHandle {
  onconnection: (status: number, accepted?: object) => void
}

/** Node's types declare accessors as fields, which no class could override. */
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
 * TCP and unix sockets at less cost a message than through Node's streams: most for small messages
 * that are answered one at a time. UDP is that of the default network. It relies on parts of Node
 * that are not documented: test with the versions of Node that you run.
 *
 * Throws UnsupportedOptionError (ERR_UNSUPPORTED_OPTION) where this Node lacks what it needs. Ours.
 */
export class FastNetwork implements Network {
  constructor() {
    const missing = whatIsMissing()
    if (missing.length === 0) return
    const here = `Node ${process.versions.node} on ${process.platform}`
    throw new UnsupportedOptionError(
      'FastNetwork',
      `${missing.join(', ')}, as Node 20 to 26 has it on Linux; ${here} has not. Use the default network`,
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
  /** Who waits until everything has gone. */
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
    // Node gives a socket that connects its own `write`, over that of its class.
    delete (this as { write?: unknown }).write
    return this
  }

  /** An empty write is only for its `done`: it waits for all that came before. */
  override write(data: string | Uint8Array, how: Encoding | Done): boolean {
    // What Writable holds, because the socket is not connected yet or corked, must not be
    // overtaken.
    if (this.connecting || this.writableCorked > 0 || super.writableLength > 0)
      return super.write(data, how)
    if (typeof how === 'function') this.#waiting = how
    else this._write(data, typeof data === 'string' ? how : 'buffer', this.#onWritten)
    return true
  }

  /** Node's Writable would end the socket by itself, but that was passed by. */
  #written(error?: Error | null): void {
    if (error) return void this.destroy(error)
    const waiting = this.#waiting
    if (waiting === undefined || this.writableLength > 0) return
    this.#waiting = undefined
    waiting()
  }

  /** What the system has not taken yet. */
  override get writableLength(): Bytes {
    const handle = this._handle ?? NO_HANDLE
    // What Writable holds may be in the handle's queue as well; Node's figure of what was written
    // has it once. (Not asked for without need: it is a call into C++.)
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

  /** Makes our sockets of what is accepted, in place of Node's own. */
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
 * What is used here and this Node has not. Asked are a server, a socket that connects to it (under
 * a name that nobody knows), and a socket on a handle of ours, which sees what is done with it. All
 * three are closed when this returns.
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
