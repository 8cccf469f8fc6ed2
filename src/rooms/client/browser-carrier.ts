/**
 * Layer 9. BrowserCarrier: the WebSocket of a browser as the carrier of a room channel.
 */

import type { Cancel, Milliseconds } from '../../types.ts'
import { bytesOf } from '../wire.ts'
import type { Carrier, CarrierSink } from './carrier.ts'

/** What is used of a browser's WebSocket. */
export interface BrowserSocket {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  onopen: unknown
  onmessage: unknown
  onerror: unknown
  onclose: unknown
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
}

/** With this number of unsent bytes it has no room. A browser itself has no bound. */
const HIGH_WATER = 1024 * 1024

/** A browser does not say when bytes have gone. */
const LOOK_AGAIN: Milliseconds = 50

export class BrowserCarrier implements Carrier {
  readonly #make: () => BrowserSocket
  readonly #after: (delay: Milliseconds, callback: () => void) => Cancel
  readonly #sink: CarrierSink
  #socket!: BrowserSocket

  constructor(
    make: () => BrowserSocket,
    after: (delay: Milliseconds, callback: () => void) => Cancel,
    sink: CarrierSink,
  ) {
    this.#make = make
    this.#after = after
    this.#sink = sink
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 1
  }

  open(): void {
    const socket = (this.#socket = this.#make())
    const sink = this.#sink
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => sink.opened()
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
      sink.received(bytesOf(data) ?? (data as string))
    // A browser does not say why.
    socket.onerror = () => sink.failed(new Error('WebSocket error occurred'))
    // Deno gives 0 where the others give 1006, the default here.
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      sink.closed(code || undefined, reason)
  }

  send(data: string | Uint8Array): boolean {
    this.#socket.send(data)
    if (this.#socket.bufferedAmount < HIGH_WATER) return true
    this.#look()
    return false
  }

  #look(): void {
    this.#after(LOOK_AGAIN, () => {
      if (!this.isOpen) return
      if (this.#socket.bufferedAmount < HIGH_WATER) this.#sink.drained()
      else this.#look()
    })
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  abort(): void {
    this.#socket.close()
  }
}
