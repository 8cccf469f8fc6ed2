/**
 * Layer 2. Text for a socket of node:net, on Bun as its bytes.
 *
 * Of a text that it is given Bun makes bytes itself, and counts them as memory until it next
 * collects the whole heap. So it does that again and again: a quarter of the CPU time of a server
 * of short lines was measured (Bun 1.4.5), and more the more a program has in memory.
 */

import { Buffer } from 'node:buffer'
import type { Encoding } from '../../types.ts'

/** Asked once: each write would look the name up. */
const IS_BUN = process.versions['bun'] !== undefined

/** What is to be handed to the socket, with that encoding. */
export function handedOn(
  data: string | Uint8Array,
  encoding: Encoding,
  isBun = IS_BUN,
): string | Uint8Array {
  return isBun && typeof data === 'string' ? Buffer.from(data, encoding) : data
}
