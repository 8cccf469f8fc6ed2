/**
 * Layer 8. The messages of a file, one after the other: what the reader gives, and what the writer
 * looks through before it goes on behind them.
 */

import { RecvBuffer } from '../../core/recv-buffer.ts'
import { readerFor } from '../../core/delimiters.ts'
import { NEED_MORE, type Reader, TOO_LONG } from '../../core/readers.ts'
import { fileSource } from '../../engine.ts'
import { OverflowError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Frame } from './frames.ts'
import type { Message } from '../message.ts'

export class Records {
  readonly #path: string
  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #ready: () => void
  readonly #reader: Reader
  readonly #buffer = new RecvBuffer()
  #source: ReturnType<typeof fileSource>
  /** Bytes that came out of the file. */
  #read: Bytes = 0

  /** `ready` is called when there may be more after 'starved'. */
  constructor(path: string, frame: Frame, limit: Bytes, ready: () => void) {
    this.#path = path
    this.#frame = frame
    this.#limit = limit
    this.#ready = ready
    this.#reader = readerFor(frame.delimiter, { encoding: null, regex_search: true })
    this.#source = this.#open()
  }

  #open(): ReturnType<typeof fileSource> {
    const source = fileSource(this.#path, this.#read)
    source.on_ready = this.#ready
    return source
  }

  /**
   * After 'end': how many bytes the messages take that were returned; what is behind them is half a
   * message.
   */
  get position(): Bytes {
    return this.#read - this.#buffer.length
  }

  /**
   * The next one; 'starved': not yet; 'end': no more than that is in the file. Throws what the
   * system says, and OverflowError for a message over the limit.
   */
  next(): Message | 'starved' | 'end' {
    for (;;) {
      const data: unknown =
        this.#buffer.length === 0 ? NEED_MORE : this.#reader.next(this.#buffer, this.#limit)
      if (data === TOO_LONG) {
        throw new OverflowError(
          'receive',
          this.#limit,
          `${this.#path}: a message of more than ${this.#limit} bytes (buffer-size), or none at all`,
        )
      }
      if (data !== NEED_MORE)
        return this.#frame.unpack(this.#reader.spread ? (data as unknown[]) : [data])
      if (this.#buffer.more()) continue
      const chunk = this.#source.take()
      if (typeof chunk === 'string') return chunk
      this.#read += chunk.length
      this.#buffer.append(chunk)
    }
  }

  /** After 'end': the last line, where it has no line end. */
  rest(): Message | undefined {
    if (this.#frame.tail === '' || this.#buffer.length === 0) return undefined
    this.#reader.release(this.#buffer)
    return this.#frame.unpack([this.#buffer.take(this.#buffer.length)])
  }

  /** After 'end': looks whether the file has grown. */
  again(): void {
    this.#source.close()
    this.#source = this.#open()
  }

  close(): void {
    this.#source.close()
  }
}
