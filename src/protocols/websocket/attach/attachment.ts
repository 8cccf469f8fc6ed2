/**
 * Layer 7. Attachment: a server of Node's for HTTP as the listener of a WebSocketServer. What Node
 * reads as a request for an upgrade is a connection that was accepted.
 *
 * In the order of a life: open → (listening) → take … (accepted) → close, or the HTTP server closes
 * → (closed).
 *
 * Rules:
 * 1. The head that Node has read goes back in front of what follows it. So the handshake reads it
 *    like that of every other connection: what it refuses, counts and limits is the same.
 * 2. The HTTP server is never listened with, closed or changed.
 */

import { Buffer } from 'node:buffer'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { socketAddress } from '../../../core/address.ts'
import type { Drive } from '../../../core/drive.ts'
import type { Listener, ListenerSink } from '../../../transport.ts'
import type { SocketAddress } from '../../../types.ts'
import { HttpUpgrades, type Taker } from './http-upgrades.ts'

/** The WebSocketServer. */
interface Attached {
  /** The path that it serves now; undefined: every path. */
  readonly path: string | undefined
}

export class Attachment implements Listener, Taker {
  sink: ListenerSink | undefined
  readonly fileno: undefined
  readonly #http: HttpServer
  readonly #server: Attached
  readonly #drive: Drive
  #isOver = false
  #address: SocketAddress | undefined

  constructor(http: HttpServer, server: Attached, drive: Drive) {
    this.#http = http
    this.#server = server
    this.#drive = drive
  }

  /** Begins, whether the HTTP server listens by now or not. */
  open(): void {
    HttpUpgrades.of(this.#http).add(this)
    this.#http.on('close', this.#closed)
    queueMicrotask(() => {
      if (!this.#isOver) this.sink?.listening()
    })
  }

  get path(): string | undefined {
    return this.#server.path
  }

  /** Undefined until the HTTP server listens. Kept when it has closed, if it was known. */
  get local_address(): SocketAddress | undefined {
    const found = this.#address === undefined ? this.#http.address() : null
    if (typeof found === 'string') this.#address = found
    else if (found !== null) this.#address = socketAddress(found.address, found.port)
    return this.#address
  }

  take(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    // The timeout is that of HTTP. No delay, as on every connection that a server accepts.
    const wire = socket as Partial<Socket>
    wire.setTimeout?.(0)
    wire.setNoDelay?.(true)
    void this.local_address
    const all = Buffer.concat([Buffer.from(textOf(request), 'latin1'), head])
    ;(this.sink as ListenerSink).accepted(this.#drive.adopt(socket, all))
  }

  close(): void {
    if (this.#isOver) return
    this.#leave()
    queueMicrotask(() => this.sink?.closed())
  }

  /** The HTTP server has closed, and all its connections have. */
  readonly #closed = (): void => {
    this.#leave()
    this.sink?.closed()
  }

  #leave(): void {
    this.#isOver = true
    HttpUpgrades.of(this.#http).remove(this)
    this.#http.off('close', this.#closed)
  }
}

/** The head as it came; Node has taken away blanks around values, no more. */
function textOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let i = 0; i < rawHeaders.length; i += 2)
    text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return `${text}\r\n`
}
