/**
 * Bench. Opens many connections, a few at a time: more would not find room in the server's queue of
 * connections.
 */

import type { Socket } from 'node:net'
import { connected } from './socket.ts'

/** At a time. */
const STEP = 200

export async function dialAll(count: number, dial: () => Socket): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const step = Array.from({ length: Math.min(STEP, count - sockets.length) }, dial)
    await connected(step)
    sockets.push(...step)
  }
  return sockets
}
