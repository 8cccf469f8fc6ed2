/**
 * Layer 5. Accepted: a connection that a server has accepted, on its way to the channel that takes
 * it. It is the `socket` that on_accept gets, and it says who owns the connection.
 *
 * There is no owner at first. Then it is one of these:
 * - a stream (`take`), and after that the door of the server, if the stream is its channel
 *   (`owner`)
 * - the program, if it sets a sink of its own; a stream may still take it
 *
 * Rules:
 * 1. The owner answers for the connection. While there is none, the server counts it, and closes it
 *    with itself.
 * 2. A stream that takes it gets the demand of the server for TLS with it: no program can forget
 *    that, and speak in clear.
 * 3. A stream works with the transport itself: this object is in the way of no byte.
 */

import { noop } from '../../core/noop.ts'
import { TransportOver } from '../../core/transport-over.ts'
import type { Transport, TransportSink } from '../../transport.ts'
import type { Bytes, CloseReason } from '../../types.ts'
import type { TlsDemand } from '../streams/tls-start.ts'

/** The link of a stream. It is the only sink that can be aborted. */
interface Taker {
  /** Undefined while its stream is closed. */
  readonly transport: Transport | undefined
  abort(reason: CloseReason): void
}

/** The owner of a connection that the program has set a sink on. */
const PROGRAM = {}

export class Accepted extends TransportOver {
  /** TLS from the first byte on. */
  readonly demand: TlsDemand | undefined
  /** What answers for it: a stream, a door or the program. Undefined: nothing does. */
  owner: object | undefined
  #taker: Taker | undefined

  constructor(transport: Transport, demand: TlsDemand | undefined) {
    super(transport)
    this.demand = demand
    const sink = transport?.sink as Partial<Taker> | undefined
    if (sink?.abort !== undefined) this.#taker = sink as Taker
  }

  /** What on_accept got, or a transport of the program's own; it need not be checked yet. */
  static of(socket: Transport): Accepted {
    return socket instanceof Accepted ? socket : new Accepted(socket, undefined)
  }

  /** Has a stream taken it? */
  get isTaken(): boolean {
    return this.#taker !== undefined
  }

  /** A stream takes it over, and works with the transport that is returned. */
  take(taker: Taker): Transport {
    this.owner = this.#taker = taker
    return this.inner
  }

  /** Calls back when it has closed, unless it has another owner by then. */
  watch(closed: () => void): void {
    this.inner.sink = { ...IGNORED, closed }
  }

  /** Closes it: on_accept threw, its promise rejected, or it has closed the server ('drain'). */
  refuse(reason: CloseReason = 'error'): void {
    // A stream may have taken it over before its own constructor threw, and may have closed since.
    const taker = this.#taker
    if (taker?.transport !== undefined) taker.abort(reason)
    else this.destroy()
  }

  // ---- as a transport ---------------------------------------------------------------------------

  override get sink(): TransportSink | undefined {
    return this.owner === undefined ? undefined : this.inner.sink
  }

  override set sink(sink: TransportSink | undefined) {
    this.owner = PROGRAM
    this.inner.sink = sink
  }

  get lends_chunks(): boolean {
    return this.inner.lends_chunks === true
  }

  get bytes_gone(): Bytes {
    return this.inner.bytes_gone ?? this.inner.bytes_written
  }
}

/** A sink that ignores what is reported. */
const IGNORED: TransportSink = {
  opened: noop,
  received: noop,
  drained: noop,
  ended: noop,
  failed: noop,
  closed: noop,
}
