/**
 * Layer 2. A file, or a part of one, as chunks for the write path.
 *
 * constructor (checks) → take → #readAhead → #next (#open, #read) → #settle → on_ready → take … →
 * close.
 *
 * Rules:
 * 1. Nothing is opened before the first `take`: a hundred files queued on one channel hold one
 *    descriptor, not a hundred.
 * 2. One chunk is read ahead, never more. The next read starts when that chunk is taken.
 * 3. How much of a regular file is sent is decided when it is opened. It is sent whole or fails: a
 *    file that shrinks is an error, and what is appended later is not sent.
 * 4. Reads are positional, so the position of a caller's descriptor does not move. A file without
 *    positions (a pipe, a terminal) is read as it comes.
 * 5. A whole chunk that is given back is used again, for the same file or another: new memory for
 *    each costs more than reading it.
 * 6. What was opened here is closed here, once: as soon as it is read to the end, has failed, or
 *    `close` is called. A caller's descriptor or FileHandle is never closed.
 */

import { Buffer } from 'node:buffer'
import { fstat, read, type Stats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { noop } from '../core/noop.ts'
import { Pool } from '../core/pool.ts'
import { codeOf, InvalidArgumentError, InvalidStateError, WriteError } from '../errors.ts'
import type { FileName, FileSource } from '../transport.ts'
import type { Bytes } from '../types.ts'

/**
 * The size of one read. Measured with files of 1 MiB, of the CPU time of 128 KiB: 0.87 on Node 20,
 * and 0.75 on Node 26. Each file that is being sent holds two of them.
 */
const CHUNK: Bytes = 262_144

/** Of chunks that have gone: 2 MiB at most. */
const spares = new Pool<Buffer>(8)

/**
 * What a FileHandle and a bare descriptor have in common. A FileHandle does not close before its
 * reads have returned.
 */
interface Reader {
  stat(): Promise<Stats>
  read(
    buffer: Buffer,
    offset: number,
    length: Bytes,
    position: number | null,
  ): Promise<{ bytesRead: Bytes }>
}

const statFd = promisify(fstat)
const readFd = promisify(read)

/**
 * The chunks of a file: `Files.read` of the machine. Also:
 *
 * - A file without a size (a pipe, a terminal, a device) is read to its end or to `nbytes`.
 * - Opening a FIFO that nobody writes to blocks one of Node's few file threads, and so does reading
 *   from a silent one. fs.createReadStream does the same.
 * - A file of the size 0 (of /proc, or empty) is read to its end, too.
 * - An `offset` into a file without positions is an error when it is read (ESPIPE).
 */
// Source: Pants stream.Stream.write_file, which takes an open file only.
export class NodeFileSource implements FileSource {
  on_ready: () => void = noop

  /**
   * 'idle' until the first `take`, then 'reading' until there is something to take: a chunk, the
   * end or an error. 'starved' is reading while the caller waits for `on_ready`.
   */
  #state: 'idle' | 'reading' | 'starved' | 'chunk' | 'end' | 'failed' | 'closed' = 'idle'
  readonly #source: FileName
  /** The file, if this source opened it and has not closed it. */
  #own: FileHandle | undefined = undefined
  #reader: Reader | undefined = undefined
  #size: Bytes | undefined = undefined
  #chunk: Buffer | undefined = undefined
  #error: unknown = undefined
  /** Where the next read begins; null if the file has no positions. */
  #position: number | null
  /** How much is still to be read. Infinity: to the end. */
  #left: Bytes

  constructor(source: FileName, offset: Bytes, nbytes: Bytes) {
    if (!isSource(source)) {
      throw new InvalidArgumentError(
        'file',
        'a path, a file: URL, a FileHandle or a file descriptor',
        source,
      )
    }
    if (!isSize(offset))
      throw new InvalidArgumentError('offset', 'a number of bytes, 0 or more', offset)
    if (!isSize(nbytes))
      throw new InvalidArgumentError('nbytes', 'a number of bytes, 0 (to the end) or more', nbytes)
    this.#source = source
    this.#position = offset
    this.#left = nbytes === 0 ? Infinity : nbytes
  }

  /**
   * How many bytes it delivers in all. `undefined` before the file is open, and for a file without
   * a size: a pipe, a terminal, a device.
   */
  get size(): Bytes | undefined {
    return this.#size
  }

  /** The first call opens the file, so it always returns 'starved'. */
  take(): Buffer | 'starved' | 'end' {
    switch (this.#state) {
      case 'idle':
        this.#readAhead()
        this.#state = 'starved'
        return 'starved'
      case 'reading':
      case 'starved':
        this.#state = 'starved'
        return 'starved'
      case 'chunk':
        return this.#takeChunk()
      case 'end':
        return 'end'
      case 'failed':
        throw this.#error
      case 'closed':
        throw new InvalidStateError('take', 'the file source is closed', 'make another')
    }
  }

  give_back(chunk: Buffer): void {
    if (chunk.length === CHUNK) spares.give(chunk)
  }

  /** A read that is under way returns first; then the file is closed. */
  close(): void {
    this.#state = 'closed'
    this.#chunk = undefined
    this.#release()
  }

  #takeChunk(): Buffer {
    const chunk = this.#chunk!
    this.#chunk = undefined
    if (this.#left === 0) this.#state = 'end'
    else this.#readAhead()
    return chunk
  }

  #readAhead(): void {
    this.#state = 'reading'
    this.#next().then(
      chunk => this.#settle(chunk === undefined ? 'end' : 'chunk', chunk, undefined),
      (error: unknown) => this.#settle('failed', undefined, error),
    )
  }

  #settle(state: 'chunk' | 'end' | 'failed', chunk: Buffer | undefined, error: unknown): void {
    if (this.#state === 'closed') return
    const starved = this.#state === 'starved'
    this.#state = state
    this.#chunk = chunk
    this.#error = error
    if (state !== 'chunk' || this.#left === 0) this.#release()
    if (starved) this.on_ready()
  }

  /** One chunk; `undefined` at the end. */
  async #next(): Promise<Buffer | undefined> {
    this.#reader ??= await this.#open()
    if (this.#left === 0) return undefined
    const buffer = this.#space()
    const bytes = await this.#read(this.#reader, buffer)
    // If the size is known, no read is made at the end. So the file has become shorter.
    if (bytes === 0 && this.#size !== undefined) throw shrank(this.#size, this.#left)
    if (bytes === 0) return undefined
    this.#left -= bytes
    if (this.#position !== null) this.#position += bytes
    return bytes === buffer.length ? buffer : buffer.subarray(0, bytes)
  }

  /** Not from Node's pool: a chunk belongs to the caller. */
  #space(): Buffer {
    if (this.#left < CHUNK) return Buffer.allocUnsafeSlow(this.#left)
    return spares.take() ?? Buffer.allocUnsafeSlow(CHUNK)
  }

  async #open(): Promise<Reader> {
    const reader = await this.#openReader()
    const stats = await reader.stat()
    // The others (pipes, terminals, devices) report 0, which is no size, and so do files of /proc.
    // A directory fails with EISDIR when it is read.
    if (stats.isFile() && stats.size > 0)
      this.#size = this.#left = Math.min(this.#left, Math.max(0, stats.size - this.#position!))
    return reader
  }

  async #openReader(): Promise<Reader> {
    const source = this.#source
    if (typeof source === 'number') {
      return {
        stat: () => statFd(source),
        read: (buffer, ...where) => readFd(source, buffer, ...where),
      }
    }
    if (typeof source === 'object' && !(source instanceof URL)) return source
    const own = await open(source, 'r')
    this.#own = own
    // Closed while it was being opened: what follows fails with EBADF, which is not reported.
    if (this.#state === 'closed') this.#release()
    return own
  }

  async #read(reader: Reader, buffer: Buffer): Promise<Bytes> {
    try {
      return (await reader.read(buffer, 0, buffer.length, this.#position)).bytesRead
    } catch (error) {
      // The file has no positions, which is known at the first read. It can still be read from
      // where it stands.
      if (codeOf(error) !== 'ESPIPE' || this.#position !== 0) throw error
      this.#position = null
      return this.#read(reader, buffer)
    }
  }

  #release(): void {
    const own = this.#own
    this.#own = undefined
    // An error of closing a file that was only read does not matter, but must not become an
    // unhandled rejection.
    void Promise.allSettled([own?.close()])
  }
}

function shrank(size: Bytes, left: Bytes): WriteError {
  return new WriteError(
    'ERR_FILE_SHRANK',
    `the file shrank while it was sent: ${size} bytes were to be sent, ${left} of them are gone`,
  )
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isSource(value: unknown): boolean {
  // Node refuses a path with a NUL, too, but only when it is opened.
  if (typeof value === 'string') return value !== '' && !value.includes('\0')
  if (value instanceof URL) return value.protocol === 'file:'
  // Descriptors are 32-bit integers. Node does not export the class FileHandle, so its methods are
  // looked for.
  if (typeof value === 'number') return isSize(value) && value < 2 ** 31
  return (
    typeof (value as FileHandle | null)?.stat === 'function' &&
    typeof (value as FileHandle).read === 'function'
  )
}
