/**
 * Layer 5. A connection that a proxy hands on: first the header that says whose it is, then the
 * connection itself.
 *
 * The way of its bytes: transport → ProxyReader, until the header is whole → Proxied → whoever
 * takes the connection over, who gets what came behind the header first.
 */

import { Buffer } from 'node:buffer'
import { type ProxyHeader, readProxyHeader } from '../core/proxy-header.ts'
import type { SystemError, Transport, TransportSink } from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'

/** What is told of a header: the connection, or that there is none. */
export type ProxyOutcome = (connection: Transport | undefined) => void

/** Reads the header of one connection; one outcome, at the latest when `expire` is called. */
export class ProxyReader implements TransportSink {
  readonly #transport: Transport
  /** Is a connection without a header one, too? */
  readonly #isOptional: boolean
  readonly #done: ProxyOutcome
  #bytes = Buffer.alloc(0)
  #isDone = false

  constructor(transport: Transport, isOptional: boolean, done: ProxyOutcome) {
    this.#transport = transport
    this.#isOptional = isOptional
    this.#done = done
    transport.sink = this
    transport.resume()
  }

  received(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    try {
      const header = readProxyHeader(this.#bytes)
      if (header !== 'more') this.#finish(header)
    } catch {
      this.#finish(this.#isOptional ? { size: 0 } : undefined)
    }
  }

  /** The time is over. Who has sent nothing at all may be waiting for us to speak first. */
  expire(): void {
    this.#finish(this.#isOptional && this.#bytes.length === 0 ? { size: 0 } : undefined)
  }

  #finish(header: ProxyHeader | undefined): void {
    if (this.#isDone) return
    this.#isDone = true
    if (header === undefined) return this.#done(undefined)
    this.#transport.pause()
    this.#done(new Proxied(this.#transport, header, this.#bytes.subarray(header.size)))
  }

  ended(): void {
    this.#finish(undefined)
  }

  closed(): void {
    this.#finish(undefined)
  }

  opened(): void {}
  drained(): void {}
  failed(): void {}
}

/** The connection behind the header: that of the transport, from somebody else's address. */
export class Proxied implements Transport, TransportSink {
  readonly #transport: Transport
  readonly #header: ProxyHeader
  #sink: TransportSink | undefined
  /** What came behind the header, until it was received; then nothing. */
  #rest: Buffer | undefined
  #isFlowing = false
  #isClosed = false

  constructor(transport: Transport, header: ProxyHeader, rest: Buffer) {
    this.#transport = transport
    this.#header = header
    this.#rest = rest
    transport.sink = this
  }

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    if (this.#isClosed) queueMicrotask(() => sink?.closed())
  }

  // ---- what is told -----------------------------------------------------------------------------

  received(chunk: Buffer): void {
    // The one that was still on its way when reading paused.
    if (this.#rest !== undefined) this.#rest = Buffer.concat([this.#rest, chunk])
    else this.#sink?.received(chunk)
  }

  drained(): void {
    this.#sink?.drained()
  }

  ended(): void {
    this.#sink?.ended()
  }

  failed(error: SystemError): void {
    this.#rest = undefined
    this.#sink?.failed(error)
  }

  closed(): void {
    this.#rest = undefined
    this.#isClosed = true
    this.#sink?.closed()
  }

  opened(): void {}

  // ---- what can be done -------------------------------------------------------------------------

  get remote_address(): SocketAddress | undefined {
    return this.#header.remote ?? this.#transport.remote_address
  }

  get local_address(): SocketAddress | undefined {
    return this.#header.local ?? this.#transport.local_address
  }

  get fileno(): number | undefined {
    return this.#transport.fileno
  }

  get bytes_read(): Bytes {
    return this.#transport.bytes_read
  }

  get bytes_written(): Bytes {
    return this.#transport.bytes_written
  }

  get bytes_queued(): Bytes {
    return this.#transport.bytes_queued
  }

  get lends_chunks(): boolean {
    return this.#transport.lends_chunks === true
  }

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    return this.#transport.write(data, encoding)
  }

  cork(): void {
    this.#transport.cork()
  }

  uncork(): void {
    this.#transport.uncork()
  }

  pause(): void {
    this.#isFlowing = false
    this.#transport.pause()
  }

  resume(): void {
    this.#isFlowing = true
    // Not inside the call.
    if (this.#rest === undefined) this.#transport.resume()
    else queueMicrotask(() => this.#receiveRest())
  }

  #receiveRest(): void {
    if (!this.#isFlowing || this.#rest === undefined) return
    const rest = this.#rest
    this.#rest = undefined
    if (rest.length > 0) this.#sink?.received(rest)
    if (this.#isFlowing) this.#transport.resume()
  }

  end(): void {
    this.#transport.end()
  }

  destroy(): void {
    this.#isFlowing = false
    this.#rest = undefined
    this.#transport.destroy()
  }

  set_no_delay(on: boolean): void {
    this.#transport.set_no_delay(on)
  }

  set_keep_alive(after: Milliseconds | false): void {
    this.#transport.set_keep_alive(after)
  }
}
