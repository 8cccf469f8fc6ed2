/**
 * Layer 2. Writes to a file, in order, as much as has come at a time.
 *
 * write → #run (open, cut, write, write …) → drained; close → #run → closed.
 *
 * Rules:
 * 1. No report is made inside a call. One of drained, failed, closed at a time; nothing after
 *    closed.
 * 2. A file has one sink in this process at a time; a second one fails (EBUSY), so that the two do
 *    not write into each other.
 */

import { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { WriteError } from '../errors.ts'
import type { Bytes } from '../types.ts'

export interface FileSinkOwner {
  /** The file is there, and has been cut. */
  opened(): void
  /** Everything that was written has been handed to the system. */
  drained(): void
  failed(error: unknown): void
  /** After `close`, when everything is written and the file is closed. */
  closed(): void
}

/** Who writes to which path. */
const sinks = new Map<string, FileSink>()

export class FileSink {
  readonly #path: string
  readonly #owner: FileSinkOwner
  #position: Bytes
  #chunks: Uint8Array[] = []
  /** Bytes that were given and are not written. */
  #queued: Bytes = 0
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'
  #handle: FileHandle | undefined
  #wake: () => void = () => {}
  readonly #done: Promise<void>

  /** Opens the file, or makes it, and cuts it off at `offset`. */
  constructor(path: string, offset: Bytes, owner: FileSinkOwner) {
    this.#path = resolve(path)
    this.#position = offset
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

  /** Writes what is there, then closes. With `drop`, drops it, and reports nothing more. */
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
      const other = sinks.get(this.#path)
      // One that was dropped has only to come to its end.
      if (other !== undefined && other.#state === 'closed') await other.#done
      if (sinks.has(this.#path))
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
    const handle = (this.#handle = await open(this.#path, constants.O_WRONLY | constants.O_CREAT))
    await handle.truncate(this.#position)
    if (this.#state === 'opening') this.#state = 'open'
    this.#report('opened')
    for (;;) {
      if (this.#chunks.length > 0) await this.#writeAll(handle)
      else if (this.#state === 'open') await new Promise<void>(resolve => (this.#wake = resolve))
      else return
    }
  }

  async #writeAll(handle: FileHandle): Promise<void> {
    const all = Buffer.concat(this.#chunks)
    this.#chunks = []
    for (let done = 0; done < all.length && this.#state !== 'closed';) {
      const { bytesWritten } = await handle.write(all, done, all.length - done, this.#position)
      done += bytesWritten
      this.#position += bytesWritten
    }
    this.#queued -= all.length
    if (this.#chunks.length === 0) this.#report('drained')
  }

  #report(what: keyof FileSinkOwner, error?: unknown): void {
    if (this.#state !== 'closed') this.#owner[what](error)
  }
}
