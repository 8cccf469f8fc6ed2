/**
 * Layer 2. A file that is written to, in order. Each write to the system takes everything that is
 * queued.
 *
 * constructor → #run → #work (open, cut off, #writeAll, #writeAll …) → drained; close → closed.
 *
 * Rules:
 * 1. No report is made inside a call, and none after failed or closed.
 * 2. A file has one sink in this process at a time. A second one fails (EBUSY), so that the two do
 *    not overwrite each other.
 */

import { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { noop } from '../core/noop.ts'
import { WriteError } from '../errors.ts'
import type { FileSink, FileSinkOwner } from '../transport.ts'
import type { Bytes } from '../types.ts'

/** The sinks that are open, by path. */
const sinks = new Map<string, NodeFileSink>()

/** `Files.write` of the machine. */
export class NodeFileSink implements FileSink {
  readonly #path: string
  readonly #owner: FileSinkOwner
  #position: Bytes
  #chunks: Uint8Array[] = []
  /** Bytes that the system has not taken yet. */
  #queued: Bytes = 0
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'
  #handle: FileHandle | undefined
  #wake: () => void = noop
  readonly #done: Promise<void>

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
      // A sink that was dropped only has to close its file.
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
