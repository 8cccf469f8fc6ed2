/**
 * Layer 2. Long writes in pieces, for a socket that does not tell how much of a write has gone.
 *
 * A handle of Node's has `writeQueueSize`. Those of Bun 1.4 and Deno 2.9 have not: such a socket
 * counts a write when all of it has gone, so a slow peer that takes a long one looks dead, and
 * write_timeout would close it.
 *
 * What is used beyond the documentation: a Writable without `_writev` writes one piece at a time.
 * With it, all that waits would be one write again. The socket is without it from its first long
 * write on.
 */

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Bytes, Encoding } from '../../types.ts'

/** Small enough for a slow peer to take one within a short timeout; 16 system calls a MiB. */
export const PIECE: Bytes = 65_536

interface Made {
  readonly _handle?: { readonly writeQueueSize?: Bytes } | null
  _writev?: unknown
}

/** Is it too long for this socket to be written at once? */
export function mustBeCut(data: string | Uint8Array, socket: Socket): boolean {
  return data.length > PIECE && (socket as Made)._handle?.writeQueueSize === undefined
}

/** Writes it in pieces. `done` is called when the last has gone, or cannot go any more. */
export function writePieces(
  socket: Socket,
  data: string | Uint8Array,
  encoding: Encoding,
  done?: () => void,
): void {
  ;(socket as Made)._writev = null
  const bytes = typeof data === 'string' ? Buffer.from(data, encoding) : data
  let at = 0
  for (; at + PIECE < bytes.length; at += PIECE) socket.write(bytes.subarray(at, at + PIECE))
  socket.write(bytes.subarray(at), done)
}
