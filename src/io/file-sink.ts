/**
 * Layer 2. A file that is written to, in order. Each write to the system takes everything that is
 * queued.
 *
 * constructor → #run → #work (open, cut off, #look, #writeAll …) → drained; close → closed.
 *
 * Rules:
 * 1. No report is made inside a call, and none after failed or closed.
 * 2. A file has one sink in this process at a time. A second one fails (EBUSY), so that what the
 *    two write does not mix.
 * 3. The file is opened for appending: another process may write to it, cut it off or rename it,
 *    and nothing of what it wrote is overwritten.
 */

import { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { noop } from '../core/noop.ts'
import { WriteError } from '../errors.ts'
import type { FileEnds, FileSink, FileSinkOwner } from '../transport.ts'
import type { Bytes } from '../types.ts'

/** The sinks that are open, by path. */
const sinks = new Map<string, NodeFileSink>()

/** `Files.write` of the machine. */
export class NodeFileSink implements FileSink {
  readonly #path: string
  readonly #owner: FileSinkOwner
  readonly #offset: Bytes
  /** The size of the file if nobody else has written to it. */
  #size: Bytes = 0
  #chunks: Uint8Array[] = []
  /** Bytes that the system has not taken yet. */
  #queued: Bytes = 0
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'
  #handle: FileHandle | undefined
  #wake: () => void = noop
  readonly #done: Promise<void>

  constructor(path: string, offset: Bytes, owner: FileSinkOwner) {
    this.#path = resolve(path)
    this.#offset = offset
    this.#owner = owner
    this.#done = this.#run()
  }

  get bytes_queued(): Bytes {
    return this.#queued
  }

  write(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#queued += chunk.length
    this.#wake()
  }

  close(drop = false): void {
    if (drop) {
      this.#chunks = []
      this.#state = 'closed'
    } else if (this.#state !== 'closed') {
      this.#state = 'closing'
    }
    this.#wake()
  }

  async #run(): Promise<void> {
    // Not inside the call that made it.
    await Promise.resolve()
    try {
      // A sink that was dropped only has to close its file. Another one may wait for that, too.
      for (let other; (other = sinks.get(this.#path)) !== undefined; await other.#done)
        if (other.#state !== 'closed')
          throw new WriteError('EBUSY', `${this.#path} is being written to already`)
      sinks.set(this.#path, this)
      try {
        await this.#work()
      } finally {
        await this.#handle?.close()
        sinks.delete(this.#path)
      }
      if (this.#state === 'closing') this.#report('closed')
    } catch (error) {
      this.#report('failed', error)
    }
    this.#state = 'closed'
  }

  async #work(): Promise<void> {
    const { O_WRONLY, O_CREAT, O_APPEND } = constants
    const handle = (this.#handle = await open(this.#path, O_WRONLY | O_CREAT | O_APPEND))
    if (this.#offset !== Infinity) await handle.truncate(this.#offset)
    const ends = await this.#look(handle)
    if (this.#state === 'opening') this.#state = 'open'
    this.#report('opened', ends)
    for (;;) {
      if (this.#chunks.length > 0) await this.#writeAll(handle)
      else if (this.#state === 'open') await new Promise<void>(resolve => (this.#wake = resolve))
      else return
    }
  }

  async #look(handle: FileHandle): Promise<FileEnds | undefined> {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size === 0) return undefined
    const { size } = stats
    this.#size = size
    // This handle is for writing only.
    const reader = await open(this.#path, 'r')
    try {
      const [first, last] = [Buffer.alloc(Math.min(16, size)), Buffer.alloc(1)]
      await reader.read(first, 0, first.length, 0)
      await reader.read(last, 0, 1, size - 1)
      return { size, first, last_byte: last[0] as number }
    } finally {
      await reader.close()
    }
  }

  async #writeAll(handle: FileHandle): Promise<void> {
    const chunks = this.#chunks
    const all = Buffer.concat(chunks)
    this.#chunks = []
    let done = 0
    try {
      while (done < all.length && this.#state !== 'closed')
        done += (await handle.write(all, done, all.length - done)).bytesWritten
    } catch (error) {
      await this.#undo(handle, chunks, done)
      throw error
    }
    this.#size += done
    this.#queued -= all.length
    if (this.#chunks.length === 0) this.#report('drained')
  }

  /** The disk is full, for example: takes back what was written of a chunk, if it is the last. */
  async #undo(handle: FileHandle, chunks: readonly Uint8Array[], done: Bytes): Promise<void> {
    let whole = 0
    for (const { length } of chunks) {
      if (whole + length > done) break
      whole += length
    }
    this.#queued -= whole
    const { size } = await handle.stat()
    if (whole < done && size === this.#size + done) await handle.truncate(this.#size + whole)
  }

  #report(what: 'opened', ends: FileEnds | undefined): void
  #report(what: 'drained' | 'failed' | 'closed', error?: unknown): void
  #report(what: keyof FileSinkOwner, detail?: unknown): void {
    if (this.#state !== 'closed') this.#owner[what](detail as never)
  }
}
