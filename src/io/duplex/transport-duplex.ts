/**
 * Layer 2. A transport as a Duplex of Node's: what node:tls works on if the transport is not a
 * socket of Node's.
 *
 * It is the transport's only sink. What Node does to the stream is done to the transport, and what
 * the transport reports is reported by the stream.
 *
 * Rule: what comes while a write is being finished waits for that. Node sends no record while it
 * thinks that one is on its way. So if the answer to a handshake came before that, the alert that
 * refuses it was lost, and the peer saw no more than an end. (A socket of Node's finishes a write
 * at once.) Refused: to pause what is below. Whoever closes then leaves bytes unread, and the peer
 * sees a reset.
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
  /** What has come meanwhile; null is the end. */
  readonly #held: (Buffer | null)[] = []

  constructor(transport: Transport) {
    super()
    this.#transport = transport
    transport.sink = {
      opened: noop,
      received: chunk => this.#take(transport.lends_chunks === true ? Buffer.from(chunk) : chunk),
      drained: () => this.#drained(),
      ended: () => this.#take(null),
      failed: error => this.#over(error),
      closed: () => this.#over(),
    }
  }

  #drained(): void {
    const written = this.#written
    this.#written = undefined
    written?.()
  }

  #take(chunk: Buffer | null): void {
    if (this.#finishing > 0) this.#held.push(chunk)
    else this.#hand(chunk)
  }

  #hand(chunk: Buffer | null): void {
    if (!this.push(chunk) && chunk !== null) this.#transport.pause()
  }

  override _read(): void {
    this.#transport.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (!this.#transport.write(chunk, 'utf8')) return void (this.#written = done)
    this.#finishing++
    done()
    setImmediate(() => setImmediate(() => this.#finished()))
  }

  #finished(): void {
    this.#finishing--
    // Whoever reads it may write.
    while (this.#finishing === 0 && this.#held.length > 0) this.#hand(this.#held.shift()!)
  }

  #over(error?: Error): void {
    for (const chunk of this.#held.splice(0)) this.push(chunk)
    this.destroy(error)
  }

  override _final(done: Done): void {
    this.#transport.end()
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#held.length = 0
    this.#transport.destroy()
    done(error)
  }
}
