/**
 * Layer 9. HttpDoor: lets peers in to a router by a server of node:http, as WebSocket, and answers
 * its requests.
 */

import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { formatAddress } from '../../core/address.ts'
import type { Engine } from '../../engine.ts'
import { WebSocketConnection } from '../../protocols/websocket/connection.ts'
import { WebSocketServer } from '../../protocols/websocket/server.ts'
import type { Peer, PeerOwner } from './peer.ts'

/** The largest packet that is received: as with `ws://`. */
const SIZE = 1024 * 1024

interface Parts {
  readonly owner: PeerOwner
  handle(request: IncomingMessage, response: ServerResponse): boolean
}

export class HttpDoor {
  readonly #http: HttpServer
  readonly #server: WebSocketServer
  readonly #parts: Parts
  readonly #request = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.#parts.handle(request, response)) return
    // Another listener may know it.
    if (this.#http.listenerCount('request') > 1) return
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
  }

  constructor(http: HttpServer, path: string, engine: Engine, parts: Parts) {
    this.#http = http
    this.#parts = parts
    this.#server = new WebSocketServer(peerClass(parts.owner), { engine }).attach(http, { path })
    http.on('request', this.#request)
  }

  /** Closes all connections that came by it. The server stays. */
  async close(): Promise<void> {
    this.#http.off('request', this.#request)
    this.#server.end()
    await this.#server.closed
  }
}

/** The class of the peers that come by HTTP. */
function peerClass(owner: PeerOwner) {
  return class HttpPeer extends WebSocketConnection implements Peer {
    address = ''
    #isFull = false
    override backpressure = false
    override message_size = SIZE
    override on_connect(): void {
      this.address = formatAddress(this.remote_address!)
    }
    /** False means that the text was not taken, unlike in `send` of a connection. */
    override send(text: string | Uint8Array): boolean {
      if (this.#isFull || this.state !== 'active') return false
      this.#isFull = !super.send(text)
      return true
    }
    override on_message(data: string | Buffer): void {
      owner.heard(this, data.toString())
    }
    override on_write(): void {
      if (!this.#isFull) return
      this.#isFull = false
      owner.ready(this)
    }
    override on_error(error: Error): void {
      owner.failed(error)
      this.close()
    }
    override on_close(): void {
      owner.gone(this)
    }
  }
}
