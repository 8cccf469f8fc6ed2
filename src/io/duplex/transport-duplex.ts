/**
 * Layer 2. A transport as a Duplex of Node's: what node:tls works on if the transport is not a
 * socket of Node's.
 *
 * It is the transport's only sink. What Node does to the stream is done to the transport, and what
 * the transport reports is reported by the stream.
 *
 * Rule: nothing is read while a write is being finished. Node sends no record while it thinks that
 * one is on its way. So if the answer to a handshake came before that, the alert that refuses it
 * was lost, and the peer saw no more than an end. (A socket of Node's finishes a write at once.)
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26): over a
 * Duplex it finishes a write in a setImmediate after the callback of that write.
 */

import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import { noop } from '../../core/noop.ts'
import type { Transport } from '../../transport.ts'

type Done = (error?: Error | null) => void

export class TransportDuplex extends Duplex {
  readonly #transport: Transport
  /** Node's callback for the last write, to be called when the system has taken it. */
  #written: Done | undefined
  /** The writes that Node is finishing. */
  #finishing = 0
  /** Does Node want to read? */
  #isFlowing = false

  constructor(transport: Transport) {
    super()
    this.#transport = transport
    transport.sink = {
      opened: noop,
      received: chunk => {
        this.#isFlowing = this.push(transport.lends_chunks === true ? Buffer.from(chunk) : chunk)
        if (!this.#isFlowing) transport.pause()
      },
      drained: () => this.#drained(),
      ended: () => this.push(null),
      failed: error => this.destroy(error),
      closed: () => this.destroy(),
    }
  }

  #drained(): void {
    const written = this.#written
    this.#written = undefined
    written?.()
  }

  override _read(): void {
    this.#isFlowing = true
    if (this.#finishing === 0) this.#transport.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (!this.#transport.write(chunk, 'utf8')) return void (this.#written = done)
    if (this.#finishing++ === 0) this.#transport.pause()
    done()
    setImmediate(() => setImmediate(() => this.#finished()))
  }

  #finished(): void {
    const isLast = --this.#finishing === 0
    if (isLast && this.#isFlowing && !this.destroyed) this.#transport.resume()
  }

  override _final(done: Done): void {
    this.#transport.end()
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#transport.destroy()
    done(error)
  }
}
