/**
 * Bench. The generator's connection: node:net with what it documents for speed.
 *
 * All connections read into one Buffer (`onread`), which saves a Buffer and a stream for each
 * event. The generator has to be faster than the servers it measures; where it is not, the table
 * says so.
 */

import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { CERTIFICATE } from '../certificate.ts'
import type { Tally } from './tally.ts'

/** What one read takes at most. */
export const READ_SIZE = 256 * 1024

const shared = Buffer.allocUnsafe(READ_SIZE)

/** Connects; `received` gets each read as the first `size` bytes of a Buffer that is used again. */
export function dial(
  port: number,
  tally: Tally,
  received: (size: number, bytes: Buffer) => void,
): Socket {
  const callback = (size: number, bytes: Uint8Array): boolean => {
    received(size, bytes as Buffer)
    return true
  }
  return watched(
    connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: shared, callback } }),
    tally,
  )
}

/** Likewise over TLS, where Node knows no `onread`. It connects when the handshake is done. */
export function dialSecurely(
  port: number,
  tally: Tally,
  received: (size: number, bytes: Buffer) => void,
): Socket {
  const socket = connectSecurely({ host: '127.0.0.1', port, ca: CERTIFICATE })
  socket.setNoDelay(true)
  socket.on('data', (bytes: Buffer) => received(bytes.length, bytes))
  return watched(socket, tally)
}

function watched(socket: Socket, tally: Tally): Socket {
  socket.on('error', error => tally.fault(`connection: ${error.message}`))
  socket.on('end', () => tally.fault('the server ended a connection'))
  return socket
}

/** Waits until all of them are connected. */
export async function connected(sockets: Iterable<Socket>): Promise<void> {
  await Promise.all(
    Array.from(sockets, socket => new Promise(resolve => socket.once('connect', resolve))),
  )
}
