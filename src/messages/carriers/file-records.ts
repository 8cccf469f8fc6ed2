/**
 * Layer 8. FileRecords: reads the messages of a file one by one. The reader gives them to the
 * program; the writer looks for the last one, to append after it.
 */

import type { Buffer } from 'node:buffer'
import { readerFor } from '../../core/delimiters.ts'
import { NEED_MORE, type Reader, TOO_LONG } from '../../core/reading/readers.ts'
import { RecvBuffer } from '../../core/reading/recv-buffer.ts'
import { OverflowError, ReadError } from '../../errors.ts'
import type { Files } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import type { Message } from '../message.ts'
import type { Frame } from './frames.ts'

/** Where the bytes come from: a FileSource, or a FileTail. */
interface Source {
  on_ready: () => void
  take(): Buffer | 'starved' | Ended
  look?(): void
  close(): void
}

/** The end for now; or the file has been renamed or cut off, and begins anew. */
export type Ended = 'end' | 'renamed' | 'truncated'

export class FileRecords {
  readonly #path: string
  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #open: (offset: Bytes) => Source
  #reader: Reader
  readonly #buffer = new RecvBuffer()
  #source: Source
  /** The number of bytes that were read from the file. */
  #read: Bytes = 0

  /**
   * `ready` is called after 'starved', when `next` may have more. `follows`: is the file followed
   * when it is renamed or cut off?
   */
  constructor(
    files: Files,
    path: string,
    frame: Frame,
    limit: Bytes,
    ready: () => void,
    follows = false,
  ) {
    this.#path = path
    this.#frame = frame
    this.#limit = limit
    this.#reader = this.#newReader()
    this.#open = offset => {
      const source: Source =
        (follows ? files.follow?.(path) : undefined) ?? files.read(path, offset, 0)
      source.on_ready = ready
      return source
    }
    this.#source = this.#open(0)
  }

  #newReader(): Reader {
    return readerFor(this.#frame.delimiter, { encoding: null, regex_search: true })
  }

  /**
   * After 'end': the number of bytes of all messages that were returned. Bytes after them are an
   * incomplete message.
   */
  get position(): Bytes {
    return this.#read - this.#buffer.length
  }

  /** Bytes of an incomplete message. */
  get incomplete(): Bytes {
    return this.#buffer.length
  }

  /**
   * Returns the next message; 'starved' if it is not read yet; 'end' at the end of the file.
   * 'renamed' and 'truncated' say that what follows is from the beginning of a file: call `rest` or
   * `drop` first. Throws the system's error, OverflowError for a message over the limit, or
   * ReadError for a file of another kind.
   */
  next(): Message | 'starved' | Ended {
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
      if (this.#read === 0) checkKind(this.#path, this.#frame, chunk)
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

  /** Gives up an incomplete message, as another file begins. Returns how long it was. */
  drop(): Bytes {
    const { length } = this.#buffer
    this.#reader.giveBack(this.#buffer)
    if (length > 0) this.#buffer.take(length)
    this.#reader = this.#newReader()
    this.#read = 0
    return length
  }

  /** After 'end': looks whether the file has grown since. */
  again(): void {
    if (this.#source.look !== undefined) return this.#source.look()
    this.#source.close()
    this.#source = this.#open(this.#read)
  }

  close(): void {
    this.#source.close()
  }
}

/**
 * Throws ReadError for a file of TLL. Its first record has the msgid 'Meta' and the seq 0; as a
 * frame of ours it would be a message that nobody has written.
 */
export function checkKind(path: string, frame: Frame, first: Buffer): void {
  const isTll =
    frame.name !== 'none' &&
    first.length >= 16 &&
    first.toString('latin1', 4, 8) === 'Meta' &&
    first.readBigInt64LE(8) === 0n
  if (isTll)
    throw new ReadError(
      'ERR_FILE_FORMAT',
      `${path} is a file of TLL: its format is another one, and neither reads that of the other`,
    )
}
