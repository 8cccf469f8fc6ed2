/**
 * Layer 2. What Bun calls: one object for all sockets, as a listener and its sockets share theirs.
 * Each call goes to the owner of the socket, its `data`.
 */

import type { BunSocketHandlers, BunSocketOwner } from './bun.ts'
import { BunServer } from './server.ts'

/** The owner is a transport or what that has given the socket to; at first it is the server. */
export const HANDLERS: BunSocketHandlers = {
  open(socket) {
    if (socket.data instanceof BunServer) socket.data.accept(socket)
  },
  data(socket, chunk) {
    ;(socket.data as BunSocketOwner).onData(chunk, socket)
  },
  drain(socket) {
    ;(socket.data as BunSocketOwner).onDrain(socket)
  },
  end(socket) {
    ;(socket.data as BunSocketOwner).onEnd(socket)
  },
  close(socket, error) {
    ;(socket.data as BunSocketOwner).onClose(error, socket)
  },
  // What a handler throws would come here. Nothing above lets an exception through.
  error() {},
}
