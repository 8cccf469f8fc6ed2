/**
 * Layer 8. FileRecords: reads the messages of a file one by one. The reader gives them to the
 * program; the writer looks for the last one, to append after it.
 */

import { RecvBuffer } from '../../core/reading/recv-buffer.ts'
import { readerFor } from '../../core/delimiters.ts'
import { NEED_MORE, type Reader, TOO_LONG } from '../../core/reading/readers.ts'
import { OverflowError } from '../../errors.ts'
import type { Files, FileSource } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import type { Frame } from './frames.ts'
import type { Message } from '../message.ts'

export class FileRecords {
  readonly #files: Files
  readonly #path: string
  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #ready: () => void
  readonly #reader: Reader
  readonly #buffer = new RecvBuffer()
  #source: FileSource
  /** The number of bytes that were read from the file. */
  #read: Bytes = 0

  /** `ready` is called after 'starved', when `next` may have more. */
  constructor(files: Files, path: string, frame: Frame, limit: Bytes, ready: () => void) {
    this.#files = files
    this.#path = path
    this.#frame = frame
    this.#limit = limit
    this.#ready = ready
    this.#reader = readerFor(frame.delimiter, { encoding: null, regex_search: true })
    this.#source = this.#open()
  }

  #open(): FileSource {
    const source = this.#files.read(this.#path, this.#read, 0)
    source.on_ready = this.#ready
    return source
  }

  /**
   * After 'end': the number of bytes of all messages that were returned. Bytes after them are an
   * incomplete message.
   */
  get position(): Bytes {
    return this.#read - this.#buffer.length
  }

  /**
   * Returns the next message; 'starved' if it is not read yet; 'end' at the end of the file. Throws
   * the system's error, or OverflowError for a message over the limit.
   */
  next(): Message | 'starved' | 'end' {
    for (;;) {
      const data: unknown =
        this.#buffer.length === 0 ? NEED_MORE : this.#reader.next(this.#buffer, this.#limit)
      if (data === TOO_LONG) {
        throw new OverflowError(
          'receive',
          this.#limit,
          `${this.#path}: a message is longer than ${this.#limit} bytes (buffer-size), or invalid`,
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

  /** After 'end': the last line, if it has no line end. */
  rest(): Message | undefined {
    if (this.#frame.tail === '' || this.#buffer.length === 0) return undefined
    this.#reader.giveBack(this.#buffer)
    return this.#frame.unpack([this.#buffer.take(this.#buffer.length)])
  }

  /** After 'end': looks whether the file has grown since. */
  again(): void {
    this.#source.close()
    this.#source = this.#open()
  }

  close(): void {
    this.#source.close()
  }
}
