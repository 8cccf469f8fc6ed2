/**
 * Layer 10. Lines: cuts an input into lines, whatever the chunks that it comes in. No byte is
 * looked at twice, and a line that is too long is an error: it would take all memory.
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

const LINE_END = 10

/** The longest line. Longer ones are no text; 64 MiB are far more than a channel carries. */
export const LONGEST: Bytes = 64 * 1024 * 1024

export class Lines {
  readonly #longest: Bytes
  /** The beginning of a line, in the chunks that it came in. */
  #parts: Uint8Array[] = []
  #size: Bytes = 0

  constructor(longest = LONGEST) {
    this.#longest = longest
  }

  /** The lines that this chunk ends, without their line ends. Throws for one that is too long. */
  *add(chunk: Uint8Array): Iterable<Buffer> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(LINE_END, start)
      const part = chunk.subarray(start, end === -1 ? chunk.length : end)
      this.#keep(part)
      if (end === -1) return
      yield this.#take()
      start = end + 1
    }
  }

  /** What follows the last line end; undefined if nothing does. */
  rest(): Buffer | undefined {
    return this.#size === 0 ? undefined : this.#take()
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return
    this.#size += part.length
    if (this.#size > this.#longest)
      throw new Error(
        `a line of the input is longer than ${this.#longest} bytes; --raw sends it as it comes`,
      )
    this.#parts.push(part)
  }

  #take(): Buffer {
    const [first] = this.#parts
    const line =
      first !== undefined && this.#parts.length === 1
        ? Buffer.from(first.buffer, first.byteOffset, first.length)
        : Buffer.concat(this.#parts)
    this.#parts = []
    this.#size = 0
    return line
  }
}
