/**
 * Layer 9. WebSocketCarrier: a WebSocket connection as the carrier of a room channel. Unlike a
 * message channel it tells text and bytes apart, and has close codes.
 */

import type { Engine } from '../../engine.ts'
import { WebSocketClient } from '../../protocols/websocket/client.ts'
import { parseWebSocketUrl } from '../../protocols/websocket/url.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Carrier, CarrierSink } from './carrier.ts'

/** What a connection needs, besides the URL. */
interface WebSocketCarrierOptions {
  readonly engine: Engine
  readonly protocols: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsOptions | undefined
}

/** Is it a URL of WebSocket, without parameters of a message channel? Throws if it is invalid. */
export function isPlainWebSocket(url: string): boolean {
  if (!/^wss?:[^;]*$/i.test(url)) return false
  parseWebSocketUrl(url)
  return true
}

export class WebSocketCarrier implements Carrier {
  readonly #url: string
  readonly #options: WebSocketCarrierOptions
  readonly #client: Caller

  constructor(url: string, options: WebSocketCarrierOptions, sink: CarrierSink) {
    this.#url = url
    this.#options = options
    this.#client = new Caller(sink, options)
  }

  get isOpen(): boolean {
    return this.#client.state === 'active'
  }

  open(): void {
    const { protocols, headers } = this.#options
    this.#client.connect(this.#url, { protocols, headers })
  }

  send(data: string | Uint8Array): boolean {
    return this.#client.give(data)
  }

  close(code: number, reason: string): void {
    this.#client.end(code, reason)
  }

  abort(): void {
    this.#client.close()
  }
}

class Caller extends WebSocketClient {
  readonly #sink: CarrierSink
  #isFull = false

  constructor(sink: CarrierSink, { engine, tls }: WebSocketCarrierOptions) {
    // The session has timeouts of its own.
    super({
      engine,
      connect_timeout: Infinity,
      handshake_timeout: Infinity,
      end_timeout: Infinity,
      ...(tls && { tls }),
    })
    this.#sink = sink
  }

  /** Returns false if there is no room for more. */
  give(data: string | Uint8Array): boolean {
    this.#isFull = !this.send(data)
    return !this.#isFull
  }

  override on_connect(): void {
    this.#sink.opened()
  }

  override on_message(data: string | Buffer): void {
    this.#sink.received(data)
  }

  override on_write(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.#sink.drained()
  }

  /** Every error comes here. */
  override on_error(error: Error): void {
    this.#sink.failed(error)
    this.close()
  }

  override on_close(): void {
    this.#sink.closed(this.close_code, this.close_reason)
  }
}
