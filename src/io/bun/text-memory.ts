/**
 * Layer 2. The bytes of the text that is being written, in memory that all connections share: the
 * `write` of Bun keeps none of them.
 *
 * Of a text that it is given Bun makes bytes itself, and counts them as memory until it next
 * collects the whole heap. So it does that again and again: a sixth of the CPU time of a server of
 * short lines was measured, and more the more a program has in memory.
 */

import { Buffer } from 'node:buffer'
import { mostPerUnit } from '../../core/writing/text-bytes.ts'
import type { Bytes, Encoding } from '../../types.ts'

/** What one system call takes. The bytes of longer text are its own. */
const SIZE: Bytes = 65536

class TextMemory {
  #shared: Buffer | undefined
  /** How many bytes `bytesOf` has made. */
  size: Bytes = 0

  /** Memory that begins with the bytes of the text. It is the caller's until the next call. */
  bytesOf(text: string, encoding: Encoding): Buffer {
    if (text.length * mostPerUnit(encoding) > SIZE) {
      const bytes = Buffer.from(text, encoding)
      this.size = bytes.length
      return bytes
    }
    this.#shared ??= Buffer.allocUnsafeSlow(SIZE)
    this.size = this.#shared.write(text, encoding)
    return this.#shared
  }

  /** Bytes of that memory, for good. */
  kept(bytes: Uint8Array, memory: Uint8Array): Uint8Array {
    return memory === this.#shared ? Buffer.from(bytes) : bytes
  }
}

/** That of all connections. */
export const TEXT = new TextMemory()
