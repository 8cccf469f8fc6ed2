/**
 * Layer 7. HttpUpgrades: the requests for an upgrade that an HTTP server of Node's gets, and the
 * servers among which they are divided by their paths.
 *
 * The way of a request: 'upgrade' of Node's server → #upgrade → #takerOf → Attachment.take.
 *
 * Rules:
 * 1. A server of this path comes before one of every path.
 * 2. What is for none of them is left to the other listeners of the event. If there are none, the
 *    server that was attached first gets it, and refuses it: otherwise there would be no answer.
 * 3. Node's server is left as it was: the one listener goes with the last attachment.
 */

import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { InvalidArgumentError } from '../../../errors.ts'
import { targetOf } from '../handshake-text.ts'

/** What takes requests. */
export interface Taker {
  /** The path that it serves; undefined: every path. */
  readonly path: string | undefined
  take(request: IncomingMessage, socket: Duplex, head: Uint8Array): void
}

const all = new WeakMap<object, HttpUpgrades>()

export class HttpUpgrades {
  readonly #http: HttpServer
  readonly #takers: Taker[] = []

  constructor(http: HttpServer) {
    this.#http = http
  }

  /** Those of this server. Throws InvalidArgumentError if it is none. */
  static of(http: HttpServer): HttpUpgrades {
    // The application of a framework has `on`, too; only what listens has an address.
    if (typeof http?.on !== 'function' || typeof http.address !== 'function')
      throw new InvalidArgumentError(
        'attach: http',
        'a server of node:http or node:https, such as what app.listen() returns',
        http,
      )
    const known = all.get(http) ?? new HttpUpgrades(http)
    all.set(http, known)
    return known
  }

  /** Throws InvalidArgumentError if a server of this path is attached: it would get nothing. */
  checkFree(path: string | undefined): void {
    if (this.#takers.every(taker => taker.path !== path)) return
    throw new InvalidArgumentError('attach: path', 'one that no other attached server serves', path)
  }

  add(taker: Taker): void {
    if (this.#takers.length === 0) this.#http.on('upgrade', this.#upgrade)
    this.#takers.push(taker)
  }

  remove(taker: Taker): void {
    this.#takers.splice(this.#takers.indexOf(taker), 1)
    if (this.#takers.length === 0) this.#http.off('upgrade', this.#upgrade)
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Uint8Array): void => {
    // Another listener has refused it, or the peer has gone.
    if (socket.destroyed || socket.writableEnded || socket.readableEnded) return
    this.#takerOf(request.url as string)?.take(request, socket, head)
  }

  #takerOf(url: string): Taker | undefined {
    const takers = this.#takers
    const path = targetOf(url)?.path
    const taker =
      takers.find(each => path !== undefined && each.path === path) ??
      takers.find(each => each.path === undefined)
    if (taker !== undefined || this.#http.listenerCount('upgrade') > 1) return taker
    return takers[0]
  }
}
