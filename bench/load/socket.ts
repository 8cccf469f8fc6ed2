/**
 * Bench. The generator's connection: node:net, with what it documents for speed.
 *
 * All connections read into one Buffer (`onread`), which saves a Buffer and a stream for each
 * event. The generator must be faster than the servers that it measures. If it is not, the table
 * says so.
 */

import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely, createSecureContext } from 'node:tls'
import { CERTIFICATE } from '../certificate.ts'
import type { Tally } from './tally.ts'

/** The most bytes of one read. */
export const READ_SIZE = 256 * 1024

const shared = Buffer.allocUnsafe(READ_SIZE)

/**
 * Connects. `received` gets each read: the first `size` bytes of a Buffer that the next read
 * overwrites.
 */
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

/** One for all connections: to make one is dear. */
const secureContext = createSecureContext({ ca: CERTIFICATE })

/** The same over TLS, for which Node has no `onread`. `session`: the one to resume. */
export function dialSecurely(
  port: number,
  tally: Tally,
  received: (size: number, bytes: Buffer) => void,
  session?: Buffer,
): Socket {
  const socket = connectSecurely({ host: '127.0.0.1', port, secureContext, session })
  socket.setNoDelay(true)
  socket.on('data', (bytes: Buffer) => received(bytes.length, bytes))
  return watched(socket, tally)
}

function watched(socket: Socket, tally: Tally): Socket {
  socket.on('error', error => tally.fault(`connection: ${error.message}`))
  socket.on('end', () => tally.fault('the server ended a connection'))
  return socket
}

/** Resolves when all of the sockets are connected. */
export async function connected(sockets: Iterable<Socket>): Promise<void> {
  await Promise.all(
    Array.from(sockets, socket => new Promise(resolve => socket.once('connect', resolve))),
  )
}
