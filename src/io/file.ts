/**
 * Layer 2. A file, or a part of one, as chunks for the write path.
 *
 * Call order: constructor (checks) → take → #readAhead → #next (#open, #read) → #settle → on_ready
 * → take … → close.
 *
 * Rules:
 * 1. Nothing is opened before the first `take`: a hundred files queued on one channel hold one
 *    descriptor, not a hundred.
 * 2. One chunk is read ahead, never more; the next read starts when that one is taken.
 * 3. What is sent of a regular file is settled when it is opened. It is sent whole or fails: a file
 *    that shrinks is an error, what is appended later is not sent.
 * 4. Reads are positional, so a descriptor of the caller's keeps its own position. Only what has no
 *    positions (a pipe, a terminal) is read as it comes.
 * 5. What was opened here is closed here, once, as soon as it is read to the end, has failed, or
 *    `close` is called. A descriptor or FileHandle of the caller's is never closed.
 */

import { Buffer } from 'node:buffer'
import { fstat, read, type Stats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { codeOf, InvalidArgumentError, InvalidStateError, WriteError } from '../errors.ts'
import type { Bytes } from '../types.ts'

/**
 * What one read asks for. (Measured with files of 1 MiB: 0.8 of the CPU time that 64 KiB, Node's
 * own size for streams of files, take; 256 KiB gain 5 % more, and hold twice the memory of each
 * file that is on its way.)
 */
const CHUNK: Bytes = 131_072

/**
 * What a FileHandle and a bare descriptor have in common. A FileHandle waits with closing until its
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
 * Makes a source of the bytes of `source` from `offset` on: `nbytes` of them, or with 0 all there
 * are when it is opened. It may be a path, a `file:` URL (both opened and closed by the source), a
 * FileHandle or a descriptor (both stay open, and must stay open until they are sent). Fewer than
 * `nbytes` in the file is no error (as in Pants); nor is an `offset` beyond its end, which sends
 * nothing. What has no size (a pipe, a terminal, a device) is read to its end or to `nbytes`.
 * Opening a FIFO that nobody writes to, and reading from a silent one, each block one of Node's few
 * file threads, as fs.createReadStream does. Files of /proc call themselves empty, and are sent as
 * that.
 *
 * @throws InvalidArgumentError
 *
 * Origin: Pants stream.Stream.write_file, which takes an open file only.
 */
export function openFile(
  source: string | URL | FileHandle | number,
  offset: Bytes,
  nbytes: Bytes,
): FileSource {
  return new FileSource(source, offset, nbytes)
}

/** The chunks of a file, one after the other. See `openFile`. Origin: ours. */
export class FileSource {
  /**
   * Called once after each `take` that returned 'starved', as soon as another `take` says more;
   * never inside a call, never after `close`. May call `take` and `close`. Default: nothing.
   */
  on_ready: () => void = () => {}

  /**
   * Idle until the first `take`; then reading, until there is something to take: a chunk, the end,
   * a failure. 'starved' is reading while somebody waits for it.
   */
  #state: 'idle' | 'reading' | 'starved' | 'chunk' | 'end' | 'failed' | 'closed' = 'idle'
  readonly #source: string | URL | FileHandle | number
  /** The file, where this source opened it and has not closed it. */
  #own: FileHandle | undefined = undefined
  #reader: Reader | undefined = undefined
  #size: Bytes | undefined = undefined
  #chunk: Buffer | undefined = undefined
  #error: unknown = undefined
  /** Where the next read begins; null where there are no positions. */
  #position: number | null
  /** How much is still to be read. Infinity: until the end comes. */
  #left: Bytes

  constructor(source: string | URL | FileHandle | number, offset: Bytes, nbytes: Bytes) {
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
   * How many bytes it delivers in all. `undefined` before the file is open, and for ever where
   * nobody knows: for a pipe, a terminal, a device.
   */
  get size(): Bytes | undefined {
    return this.#size
  }

  /**
   * The next chunk (1 byte to 128 KiB; it belongs to the caller), 'end' after the last one (again
   * and again), or 'starved' when neither is known yet: then `on_ready` is called once. The first
   * call opens the file and is always 'starved'.
   *
   * @throws the system's error (ENOENT, EACCES, EISDIR, EBADF, EIO …; ESPIPE: an `offset` into what
   * has no positions), or WriteError ERR_FILE_SHRANK: a regular file turned out shorter than it was
   * when it was opened. After one of them each call throws it again. InvalidStateError after
   * `close`.
   */
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

  /**
   * Drops everything, and closes the file if it was opened here: at once, or when the read under
   * way has returned. Idempotent.
   */
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
    // Not from Node's pool, and not used again: a chunk belongs to who takes it.
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, this.#left))
    const bytes = await this.#read(this.#reader, buffer)
    // With the size known, the read that would meet the end is never made: so this is not it.
    if (bytes === 0 && this.#size !== undefined) throw shrank(this.#size, this.#left)
    if (bytes === 0) return undefined
    this.#left -= bytes
    if (this.#position !== null) this.#position += bytes
    return bytes === buffer.length ? buffer : buffer.subarray(0, bytes)
  }

  async #open(): Promise<Reader> {
    const reader = await this.#openReader()
    const stats = await reader.stat()
    // Others (pipes, terminals, devices) say 0, which is no size. A directory says EISDIR when it
    // is read.
    if (stats.isFile())
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
    // Closed while it was being opened: what follows fails with EBADF, and nobody hears of it.
    if (this.#state === 'closed') this.#release()
    return own
  }

  async #read(reader: Reader, buffer: Buffer): Promise<Bytes> {
    try {
      return (await reader.read(buffer, 0, buffer.length, this.#position)).bytesRead
    } catch (error) {
      // No positions. That is no obstacle to starting where it stands, and shows at the first read
      // or never.
      if (codeOf(error) !== 'ESPIPE' || this.#position !== 0) throw error
      this.#position = null
      return this.#read(reader, buffer)
    }
  }

  #release(): void {
    const own = this.#own
    this.#own = undefined
    // That closing what was only read fails concerns nobody, but must not become an unhandled
    // rejection.
    void Promise.allSettled([own?.close()])
  }
}

function shrank(size: Bytes, left: Bytes): WriteError {
  const message = `the file shrank while it was sent: ${size} bytes were to be sent, ${left} of them are gone`
  return new WriteError('ERR_FILE_SHRANK', message)
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isSource(value: unknown): boolean {
  // A path with a NUL would be refused by Node too, but only when it is opened.
  if (typeof value === 'string') return value !== '' && !value.includes('\0')
  if (value instanceof URL) return value.protocol === 'file:'
  // Descriptors are 32-bit integers. Node does not export FileHandle, so it is known by what it can
  // do.
  if (typeof value === 'number') return isSize(value) && value < 2 ** 31
  return (
    typeof (value as FileHandle | null)?.stat === 'function' &&
    typeof (value as FileHandle).read === 'function'
  )
}
