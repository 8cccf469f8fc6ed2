/**
 * Layer 2. A transport as a Duplex of Node's: what node:tls works on where there is no socket of
 * Node's below.
 *
 * It is the transport's only sink. What Node does to the stream is done to the transport, and the
 * other way round.
 */

import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import type { Transport } from '../transport.ts'

type Done = (error?: Error | null) => void

export class TransportDuplex extends Duplex {
  readonly #transport: Transport
  /** To be called when the transport has let go of what was written last. */
  #written: Done | undefined

  constructor(transport: Transport) {
    super()
    this.#transport = transport
    transport.sink = {
      opened: () => {},
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
