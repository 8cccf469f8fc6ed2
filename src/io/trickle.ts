/**
 * Layer 2. A network that delivers in small pieces what another network receives. For tests: the
 * result of reading must not depend on how the bytes were cut.
 *
 * A chunk arrives → the transport below is paused → one piece is reported in each turn of the loop
 * → the chunk is used up → the transport below is resumed.
 *
 * Rules:
 * 1. Each piece is reported in a turn of its own (setImmediate), and none while paused.
 * 2. What the transport below reports after bytes (ended, failed, closed) waits until their last
 *    piece was received. Then each of these reports has a turn of its own, too. After `destroy` the
 *    pieces are dropped, and only `closed` is still reported.
 * 3. It holds the chunk at work and what was on its way when the transport below was paused, no
 *    more.
 * 4. Writing, addresses, listening and packets pass through unchanged.
 */

import { Buffer } from 'node:buffer'
import { TransportOver } from '../core/transport-over.ts'
import { InvalidArgumentError } from '../errors.ts'
import type {
  ConnectOptions,
  Endpoint,
  Files,
  Listener,
  ListenEndpoint,
  ListenerSink,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  SystemError,
  Tls,
  Transport,
} from '../transport.ts'
import type { Bytes, SocketAddress } from '../types.ts'
import { NodeNetwork } from './node-network.ts'

/**
 * Wraps any network, for a test:
 *
 *     new Engine({ network: new TrickleNetwork(new MemoryNetwork({ auto: true })) })
 *
 * `new TrickleNetwork()` wraps the default network: real sockets, in odd pieces.
 */
// Source: the one-byte pumps of trio.testing.
export class TrickleNetwork implements Network {
  readonly #inner: Network
  readonly #bytes: () => Bytes

  /**
   * `inner`: the network that is wrapped.
   *
   * @default the network of every engine that is given none
   *
   * `bytes`: the size of a piece. A function is called before each piece, so that a seeded
   * generator can choose the sizes. Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) unless it is
   * a whole number, 1 or more; what a function returns is checked when it is used. The same for an
   * `inner` that is no network.
   *
   * @default 1
   */
  constructor(inner: Network = new NodeNetwork(), bytes: Bytes | (() => Bytes) = 1) {
    if (typeof inner?.connect !== 'function')
      throw new InvalidArgumentError('TrickleNetwork', 'given the network that it wraps', inner)
    this.#inner = inner
    if (typeof bytes !== 'function') checkPiece(bytes)
    this.#bytes = typeof bytes === 'function' ? bytes : () => bytes
  }

  /** Connects through the other network. */
  connect(to: Endpoint, options: ConnectOptions): Transport {
    return new TrickleTransport(this.#inner.connect(to, options), this.#bytes)
  }

  /** Listens through the other network. The connections that it accepts trickle. */
  listen(at: ListenEndpoint, options: ListenOptions): Listener {
    return new TrickleListener(this.#inner.listen(at, options), this.#bytes)
  }

  /** TLS of the other network. */
  get tls(): Tls | undefined {
    return this.#inner.tls
  }

  /** Files of the other network. */
  get files(): Files | undefined {
    return this.#inner.files
  }

  /** The limit of the other network. */
  get file_limit(): number {
    return this.#inner.file_limit ?? Infinity
  }

  /** Those of the other network. */
  get has_keep_alive_probes(): boolean {
    return this.#inner.has_keep_alive_probes ?? true
  }

  /** A packet socket of the other network. A packet is never cut. */
  packets(options: PacketOptions): PacketSocket {
    return this.#inner.packets(options)
  }
}

class TrickleListener implements Listener {
  sink: ListenerSink | undefined
  readonly #inner: Listener

  constructor(inner: Listener, bytes: () => Bytes) {
    this.#inner = inner
    inner.sink = {
      listening: () => this.sink?.listening(),
      accepted: transport => this.sink?.accepted(new TrickleTransport(transport, bytes)),
      failed: error => this.sink?.failed(error),
      closed: () => this.sink?.closed(),
    }
  }

  get local_address(): SocketAddress | undefined {
    return this.#inner.local_address
  }

  get fileno(): number | undefined {
    return this.#inner.fileno
  }

  close(): void {
    this.#inner.close()
  }
}

/** A report that may have to wait until the bytes before it were received. */
type Last = 'ended' | 'closed' | SystemError

class TrickleTransport extends TransportOver {
  readonly #bytes: () => Bytes
  #flow: 'paused' | 'flowing' = 'paused'
  #turn: 'none' | 'scheduled' = 'none'
  #chunks: Buffer[] = []
  #lasts: Last[] = []
  #read: Bytes = 0

  constructor(inner: Transport, bytes: () => Bytes) {
    super(inner)
    this.#bytes = bytes
    inner.sink = {
      opened: () => this.sink?.opened(),
      received: chunk => this.#receive(chunk),
      drained: () => this.sink?.drained(),
      ended: () => this.#last('ended'),
      failed: error => this.#last(error),
      closed: () => this.#last('closed'),
    }
  }

  /** What was reported. The transport below has read further. */
  override get bytes_read(): Bytes {
    return this.#read
  }

  override pause(): void {
    this.#flow = 'paused'
    this.inner.pause()
  }

  override resume(): void {
    this.#flow = 'flowing'
    if (this.#chunks.length === 0) this.inner.resume()
    this.#schedule()
  }

  override destroy(): void {
    this.#flow = 'paused'
    this.#chunks = []
    this.#lasts = this.#lasts.filter(last => last === 'closed')
    this.inner.destroy()
    this.#schedule()
  }

  // ---- what the transport below reports ---------------------------------------------------------

  #receive(chunk: Buffer): void {
    this.#chunks.push(this.inner.lends_chunks ? Buffer.from(chunk) : chunk)
    this.inner.pause()
    this.#schedule()
  }

  #last(last: Last): void {
    if (this.#chunks.length + this.#lasts.length > 0) this.#lasts.push(last)
    else this.#report(last)
  }

  #schedule(): void {
    const isIdle = this.#chunks.length > 0 ? this.#flow === 'paused' : this.#lasts.length === 0
    if (isIdle || this.#turn === 'scheduled') return
    this.#turn = 'scheduled'
    setImmediate(() => {
      this.#turn = 'none'
      try {
        this.#step()
      } finally {
        this.#schedule() // also after a sink has thrown
      }
    })
  }

  /** One turn: a piece, or one of the last reports. */
  #step(): void {
    const chunk = this.#chunks[0]
    if (chunk === undefined) {
      const last = this.#lasts.shift()
      if (last !== undefined) this.#report(last)
    } else if (this.#flow === 'flowing') {
      this.#cut(chunk)
    }
  }

  #cut(chunk: Buffer): void {
    const bytes = checkPiece(this.#bytes())
    if (chunk.length > bytes) this.#chunks[0] = chunk.subarray(bytes)
    else this.#chunks.shift()
    const piece = chunk.subarray(0, bytes)
    this.#read += piece.length
    this.sink?.received(piece)
    // Asked after the report: the sink may have paused or destroyed.
    if (this.#chunks.length === 0 && this.#flow === 'flowing') this.inner.resume()
  }

  #report(last: Last): void {
    if (last === 'ended') this.sink?.ended()
    else if (last === 'closed') this.closed()
    else this.sink?.failed(last)
  }
}

function checkPiece(bytes: Bytes): Bytes {
  if (Number.isInteger(bytes) && bytes >= 1) return bytes
  throw new InvalidArgumentError('bytes', 'a whole number of bytes, 1 or more', bytes)
}
