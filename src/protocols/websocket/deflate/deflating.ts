/**
 * Layer 7. Deflating: our messages, made small.
 *
 * If each message is compressed by itself, all connections share zlib's memory: it is taken for one
 * message and given back. Otherwise a connection has a stream of zlib, from its first compressed
 * message on.
 */

import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import {
  constants,
  createDeflateRaw,
  type DeflateRaw,
  deflateRaw,
  deflateRawSync,
  type ZlibOptions,
} from 'node:zlib'
import type { Bytes } from '../../../types.ts'
import type { DeflateRules } from './deflate-options.ts'

/**
 * Up to this size a message is compressed at once, if it is compressed by itself. That takes about
 * as long as handing it to a thread and coming back.
 */
export const AT_ONCE: Bytes = 8192

/** What is left out at the end of each message: the end of an empty block. */
const TAIL: Bytes = 4

/** Zlib cannot look back as little as 8 bits say; what it makes with 9 is within 8. */
const BITS_MIN = 9

/** `bytes` is there unless there is an error. */
export type Deflated = (error: Error | null, bytes?: Buffer) => void

const inThread: (bytes: Uint8Array, options: ZlibOptions) => Promise<Buffer> = promisify(deflateRaw)

export class Deflating {
  readonly #forgets: boolean
  readonly #options: ZlibOptions
  #stream: DeflateRaw | undefined
  readonly #chunks: Buffer[] = []

  constructor(forgets: boolean, bits: number, { level, memory_level }: DeflateRules) {
    this.#forgets = forgets
    this.#options = {
      level,
      memLevel: memory_level,
      windowBits: Math.max(bits, BITS_MIN),
      finishFlush: constants.Z_SYNC_FLUSH,
    }
  }

  /**
   * Compresses one message, and calls back with its bytes: at once, or when it is done. The next
   * message must not be given before that.
   */
  deflate(bytes: Uint8Array, done: Deflated): void {
    if (!this.#forgets) return this.#continue(bytes, done)
    if (bytes.length <= AT_ONCE) done(null, withoutTail(deflateRawSync(bytes, this.#options)))
    else inThread(bytes, this.#options).then(result => done(null, withoutTail(result)), done)
  }

  /** The message after those before. */
  #continue(bytes: Uint8Array, done: Deflated): void {
    this.#stream ??= createDeflateRaw(this.#options).on('data', (chunk: Buffer) =>
      this.#chunks.push(chunk),
    )
    this.#stream.write(bytes)
    this.#stream.flush(constants.Z_SYNC_FLUSH, () =>
      done(null, withoutTail(Buffer.concat(this.#chunks.splice(0)))),
    )
  }

  /** Gives its memory back. */
  close(): void {
    this.#stream?.close()
    this.#stream = undefined
  }
}

function withoutTail(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length - TAIL)
}
