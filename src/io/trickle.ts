/**
 * Layer 2. A network that delivers what another network receives in small pieces, for tests:
 * whatever is read must not depend on how the bytes were cut.
 *
 * A chunk comes in → the other transport is paused → one piece a turn of the loop → the chunk is
 * used up → it is resumed.
 *
 * Rules:
 * 1. A piece is reported in a turn of its own (setImmediate), never with another one, never while
 *    paused.
 * 2. What the other transport reports after bytes (ended, failed, closed) waits until their last
 *    piece was received, and then comes in a turn of its own too. `destroy` drops the pieces; of
 *    what waits only `closed` is left.
 * 3. Held are the chunk at work and what was on its way when the other transport was paused, no
 *    more.
 * 4. Writing, addresses, listening and packets pass through untouched.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../errors.ts'
import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenerSink,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  SystemError,
  Transport,
  TransportSink,
} from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'

/**
 * Wraps any network:
 * `new Engine({ network: new TrickleNetwork(new MemoryNetwork({ auto: true })) })`. Origin: ours,
 * after the one-byte pumps of trio.testing.
 */
export class TrickleNetwork implements Network {
  readonly #inner: Network
  readonly #bytes: () => Bytes

  /**
   * `bytes` is the size of a piece (default 1), or a function that is asked before each, for sizes
   * by a seeded generator. Throws InvalidArgumentError when it is not a whole number from 1; what a
   * function returns is checked when it is used.
   */
  constructor(inner: Network, bytes: Bytes | (() => Bytes) = 1) {
    this.#inner = inner
    if (typeof bytes !== 'function') checkPiece(bytes)
    this.#bytes = typeof bytes === 'function' ? bytes : () => bytes
  }

  /** Connects through the other network. */
  connect(to: Endpoint, options: ConnectOptions): Transport {
    return new TrickleTransport(this.#inner.connect(to, options), this.#bytes)
  }

  /** Listens through the other network; what it accepts trickles. */
  listen(at: Endpoint, options: ListenOptions): Listener {
    return new TrickleListener(this.#inner.listen(at, options), this.#bytes)
  }

  /**
   * A packet socket of the other network: packets are whole or nothing, there is nothing to cut.
   */
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

/** What may have to wait behind bytes. */
type Last = 'ended' | 'closed' | SystemError

class TrickleTransport implements Transport {
  #sink: TransportSink | undefined
  readonly #inner: Transport
  readonly #bytes: () => Bytes
  #flow: 'paused' | 'flowing' = 'paused'
  #turn: 'none' | 'scheduled' = 'none'
  #chunks: Buffer[] = []
  #lasts: Last[] = []
  #read: Bytes = 0
  #isClosed = false

  constructor(inner: Transport, bytes: () => Bytes) {
    this.#inner = inner
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

  #receive(chunk: Buffer): void {
    this.#chunks.push(this.#inner.lends_chunks ? Buffer.from(chunk) : chunk)
    this.#inner.pause()
    this.#schedule()
  }

  #last(last: Last): void {
    if (this.#chunks.length + this.#lasts.length > 0) this.#lasts.push(last)
    else this.#tell(last)
  }

  #schedule(): void {
    const idle = this.#chunks.length > 0 ? this.#flow === 'paused' : this.#lasts.length === 0
    if (idle || this.#turn === 'scheduled') return
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
      if (last !== undefined) this.#tell(last)
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
    // Asked after the report: the sink may have paused, or destroyed.
    if (this.#chunks.length === 0 && this.#flow === 'flowing') this.#inner.resume()
  }

  #tell(last: Last): void {
    if (last === 'ended') this.sink?.ended()
    else if (last === 'closed') this.#close()
    else this.sink?.failed(last)
  }

  #close(): void {
    this.#isClosed = true
    this.#sink?.closed()
  }

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    if (this.#isClosed) queueMicrotask(() => sink?.closed())
  }

  get local_address(): SocketAddress | undefined {
    return this.#inner.local_address
  }

  get remote_address(): SocketAddress | undefined {
    return this.#inner.remote_address
  }

  get fileno(): number | undefined {
    return this.#inner.fileno
  }

  /** What was reported; the other transport has read further. */
  get bytes_read(): Bytes {
    return this.#read
  }

  get bytes_written(): Bytes {
    return this.#inner.bytes_written
  }

  get bytes_queued(): Bytes {
    return this.#inner.bytes_queued
  }

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    return this.#inner.write(data, encoding)
  }

  cork(): void {
    this.#inner.cork()
  }

  uncork(): void {
    this.#inner.uncork()
  }

  pause(): void {
    this.#flow = 'paused'
    this.#inner.pause()
  }

  resume(): void {
    this.#flow = 'flowing'
    if (this.#chunks.length === 0) this.#inner.resume()
    this.#schedule()
  }

  end(): void {
    this.#inner.end()
  }

  destroy(): void {
    this.#flow = 'paused'
    this.#chunks = []
    this.#lasts = this.#lasts.filter(last => last === 'closed')
    this.#inner.destroy()
    this.#schedule()
  }

  set_no_delay(on: boolean): void {
    this.#inner.set_no_delay(on)
  }

  set_keep_alive(after: Milliseconds | false): void {
    this.#inner.set_keep_alive(after)
  }
}

function checkPiece(bytes: Bytes): Bytes {
  if (Number.isInteger(bytes) && bytes >= 1) return bytes
  throw new InvalidArgumentError('bytes', 'a whole number of bytes, 1 or more', bytes)
}
