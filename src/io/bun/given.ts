/**
 * Layer 2. A socket of Bun's that was given to a socket of node:net, for TLS: what it reports goes
 * to node:net.
 *
 * Each socket that has connected by node:net has the handlers of node:net. One that was accepted by
 * us has HANDLERS (handlers.ts), and they cannot be changed: `reload` changes those of all
 * sockets of its listener. So these handlers are called here.
 *
 * What is used of Bun beyond its documentation: the handlers are a property of the net.Socket,
 * under a symbol `khandlers`. They expect `{ self, req }` as the data of the socket.
 */

import type { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import { noop } from '../../core/noop.ts'
import type { SystemError } from '../../transport.ts'
import type { BunSocket, BunSocketHandlers, BunSocketOwner } from './bun.ts'

export class Given implements BunSocketOwner {
  readonly self: Socket
  /** What node:net asks for when a socket has connected, which this one has long since. */
  readonly req = { oncomplete: noop }
  readonly #handlers: BunSocketHandlers

  constructor(handle: BunSocket, self = new Socket({ handle, allowHalfOpen: true } as object)) {
    this.self = self
    this.#handlers = handlersOf(self) as BunSocketHandlers
    handle.data = this
  }

  onData(chunk: Buffer, socket: BunSocket): void {
    this.#handlers.data(socket, chunk)
  }

  onDrain(socket: BunSocket): void {
    this.#handlers.drain(socket)
  }

  onEnd(socket: BunSocket): void {
    this.#handlers.end(socket)
  }

  onClose(error: SystemError | undefined, socket: BunSocket): void {
    this.#handlers.close(socket, error)
  }
}

/** The handlers of node:net; undefined where a Bun has them elsewhere. */
export function handlersOf(socket: Socket): BunSocketHandlers | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(each => each.description === 'khandlers')
  return (socket as unknown as Record<symbol, BunSocketHandlers>)[key as symbol]
}
