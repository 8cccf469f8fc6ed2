/**
 * Bench. Opens many connections, some at a time: more would overflow the server's queue of
 * connections.
 */

import type { Socket } from 'node:net'
import { connected } from './socket.ts'

/** How many are opened at a time. */
const STEP = 200

/** Calls `dial` this many times; resolves when all of the sockets are connected. */
export async function dialAll(count: number, dial: () => Socket): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const step = Array.from({ length: Math.min(STEP, count - sockets.length) }, dial)
    await connected(step)
    sockets.push(...step)
  }
  return sockets
}
