/**
 * Layer 1. A transport over another one (TLS, pieces of a byte): the base of a class that changes
 * some of what passes. Everything that the class does not define goes to the transport below.
 *
 * The class sets `inner.sink` itself, as what the transport below reports is what it is about. It
 * calls `closed()` for its last report.
 */

import type { KeepAliveProbes, ProxyExtensions, Transport, TransportSink } from '../transport.ts'
import type { Bytes, Encoding, Milliseconds, SocketAddress } from '../types.ts'

export class TransportOver implements Transport {
  /** The transport below. */
  readonly inner: Transport
  #sink: TransportSink | undefined
  #isClosed = false

  constructor(inner: Transport) {
    this.inner = inner
  }

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    if (this.#isClosed) queueMicrotask(() => sink?.closed())
  }

  /** The last report. A sink that is set later is told, too. */
  closed(): void {
    this.#isClosed = true
    this.#sink?.closed()
  }

  // ---- what is told -----------------------------------------------------------------------------

  get local_address(): SocketAddress | undefined {
    return this.inner.local_address
  }

  get remote_address(): SocketAddress | undefined {
    return this.inner.remote_address
  }

  get keeps_data(): boolean {
    return this.inner.keeps_data === true
  }

  get proxy_extensions(): ProxyExtensions | undefined {
    return this.inner.proxy_extensions
  }

  get fileno(): number | undefined {
    return this.inner.fileno
  }

  get bytes_read(): Bytes {
    return this.inner.bytes_read
  }

  get bytes_written(): Bytes {
    return this.inner.bytes_written
  }

  get bytes_queued(): Bytes {
    return this.inner.bytes_queued
  }

  // ---- what can be done -------------------------------------------------------------------------

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    return this.inner.write(data, encoding)
  }

  cork(): void {
    this.inner.cork()
  }

  uncork(): void {
    this.inner.uncork()
  }

  pause(): void {
    this.inner.pause()
  }

  resume(): void {
    this.inner.resume()
  }

  end(): void {
    this.inner.end()
  }

  destroy(): void {
    this.inner.destroy()
  }

  set_no_delay(on: boolean): void {
    this.inner.set_no_delay(on)
  }

  set_keep_alive(after: Milliseconds | false, probes?: KeepAliveProbes): void {
    this.inner.set_keep_alive(after, probes)
  }
}
