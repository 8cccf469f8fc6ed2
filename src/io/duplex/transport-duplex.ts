/**
 * Layer 2. A transport as a Duplex of Node's: what node:tls works on if the transport is not a
 * socket of Node's.
 *
 * It is the transport's only sink. What Node does to the stream is done to the transport, and what
 * the transport reports is reported by the stream.
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

  constructor(transport: Transport) {
    super()
    this.#transport = transport
    transport.sink = {
      opened: noop,
      received: chunk => {
        if (!this.push(transport.lends_chunks === true ? Buffer.from(chunk) : chunk))
          transport.pause()
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
    this.#transport.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#transport.write(chunk, 'utf8')) done()
    else this.#written = done
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
