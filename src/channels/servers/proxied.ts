/**
 * Layer 5. A connection that a proxy passes on: first a header with the address of the client, then
 * the connection itself.
 *
 * The way of its bytes: transport → ProxyReader, until the header is complete → Proxied → the sink
 * of the connection, which first gets the bytes that came together with the header.
 */

import { Buffer } from 'node:buffer'
import { claimsHeader, type ProxyHeader, readProxyHeader } from '../../core/proxy-header.ts'
import { TransportOver } from '../../core/transport-over.ts'
import type { ProxyExtensions, SystemError, Transport, TransportSink } from '../../transport.ts'
import type { SocketAddress } from '../../types.ts'

/** Called with the connection, or with undefined if the header is missing or invalid. */
export type ProxyOutcome = (connection: Transport | undefined) => void

/** Reads the header of one connection. Calls `done` once, at the latest in `expire`. */
export class ProxyReader implements TransportSink {
  readonly #transport: Transport
  /** May a connection come without a header? */
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
      const isNone = this.#isOptional && !claimsHeader(this.#bytes)
      this.#finish(isNone ? { size: 0 } : undefined)
    }
  }

  /** The time has run out. A peer that has sent nothing may be waiting for us to speak first. */
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

/** The connection after the header: that of the transport, with the addresses of the header. */
export class Proxied extends TransportOver implements TransportSink {
  readonly #header: ProxyHeader
  /** The bytes that came with the header, until they were received; then undefined. */
  #rest: Buffer | undefined
  #isFlowing = false

  constructor(transport: Transport, header: ProxyHeader, rest: Buffer) {
    super(transport)
    this.#header = header
    this.#rest = rest
    transport.sink = this
  }

  // ---- what the transport reports ---------------------------------------------------------------

  received(chunk: Buffer): void {
    // A chunk that was still on its way when reading paused.
    if (this.#rest !== undefined) this.#rest = Buffer.concat([this.#rest, chunk])
    else this.sink?.received(chunk)
  }

  drained(): void {
    this.sink?.drained()
  }

  ended(): void {
    this.sink?.ended()
  }

  failed(error: SystemError): void {
    this.#rest = undefined
    this.sink?.failed(error)
  }

  override closed(): void {
    this.#rest = undefined
    super.closed()
  }

  opened(): void {}

  // ---- what differs from the transport ----------------------------------------------------------

  override get remote_address(): SocketAddress | undefined {
    return this.#header.remote ?? super.remote_address
  }

  override get local_address(): SocketAddress | undefined {
    return this.#header.local ?? super.local_address
  }

  override get proxy_extensions(): ProxyExtensions | undefined {
    return this.#header.extensions
  }

  get lends_chunks(): boolean {
    return this.inner.lends_chunks === true
  }

  override pause(): void {
    this.#isFlowing = false
    super.pause()
  }

  override resume(): void {
    this.#isFlowing = true
    // Not inside the call.
    if (this.#rest === undefined) super.resume()
    else queueMicrotask(() => this.#receiveRest())
  }

  #receiveRest(): void {
    if (!this.#isFlowing || this.#rest === undefined) return
    const rest = this.#rest
    this.#rest = undefined
    if (rest.length > 0) this.sink?.received(rest)
    if (this.#isFlowing) super.resume()
  }

  override destroy(): void {
    this.#isFlowing = false
    this.#rest = undefined
    super.destroy()
  }
}
