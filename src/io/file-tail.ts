/**
 * Layer 2. A file that is followed while others write to it, as `tail -F` does.
 *
 * take → #go → #next (open, #isSame, read, #isOther) → #settle → on_ready → take … → look → …
 *
 * Rules:
 * 1. The file stays open, so that what is appended to it after it was renamed is read all the same.
 *    The new file of that name is opened when the old one has not grown for one look more.
 * 2. What was read last is compared at each look: a file that became shorter, and longer again than
 *    it was, would otherwise be read on in the middle of a line.
 */

import { Buffer } from 'node:buffer'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { noop } from '../core/noop.ts'
import { codeOf } from '../errors.ts'
import type { FileTail } from '../transport.ts'
import type { Bytes } from '../types.ts'

/** The size of one read. */
const CHUNK: Bytes = 131_072

/** So much of what was read last is compared. */
const COMPARED: Bytes = 64

const NOTHING = Buffer.alloc(0)

type Result = Buffer | 'end' | 'renamed' | 'truncated'

/** `Files.follow` of the machine. */
export class NodeFileTail implements FileTail {
  on_ready: () => void = noop
  readonly #path: string
  #handle: FileHandle | undefined
  #position: Bytes = 0
  #last: Buffer = NOTHING
  /** The file of that name is another one, since the last look. */
  #isLeaving = false
  #state: 'idle' | 'reading' | 'starved' | 'done' | 'failed' | 'closed' = 'idle'
  #result: Result = 'end'
  #error: unknown

  constructor(path: string) {
    this.#path = path
  }

  take(): Result | 'starved' {
    if (this.#state === 'failed') throw this.#error
    if (this.#state === 'idle') this.#go(false)
    if (this.#state !== 'done') {
      this.#state = 'starved'
      return 'starved'
    }
    const result = this.#result
    if (result !== 'end') this.#go(false)
    return result
  }

  look(): void {
    if (this.#state === 'done' && this.#result === 'end') this.#go(true)
  }

  close(): void {
    this.#state = 'closed'
    this.#release()
  }

  #go(isLook: boolean): void {
    this.#state = 'reading'
    this.#next(isLook).then(
      result => this.#settle('done', result, undefined),
      (error: unknown) => this.#settle('failed', 'end', error),
    )
  }

  #settle(state: 'done' | 'failed', result: Result, error: unknown): void {
    if (this.#state === 'closed') return this.#release()
    const isStarved = this.#state === 'starved'
    this.#state = state
    this.#result = result
    this.#error = error
    // Since Node 25 a FileHandle that is forgotten while it is open ends the process.
    if (state === 'failed') this.#release()
    if (isStarved) this.on_ready()
  }

  async #next(isLook: boolean): Promise<Result> {
    const handle = (this.#handle ??= await open(this.#path, 'r'))
    if (isLook && !(await this.#isSame(handle))) {
      this.#begin()
      return 'truncated'
    }
    const buffer = Buffer.allocUnsafeSlow(CHUNK)
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, this.#position)
    if (bytesRead > 0) return this.#taken(buffer.subarray(0, bytesRead))
    if (!isLook || !(await this.#isOther(handle))) return 'end'
    await handle.close()
    this.#handle = undefined
    this.#begin()
    return 'renamed'
  }

  #taken(chunk: Buffer): Buffer {
    this.#position += chunk.length
    this.#last = Buffer.from(
      Buffer.concat([this.#last, chunk.subarray(-COMPARED)]).subarray(-COMPARED),
    )
    return chunk
  }

  #begin(): void {
    this.#position = 0
    this.#last = NOTHING
    this.#isLeaving = false
  }

  /** Is what was read last still there? */
  async #isSame(handle: FileHandle): Promise<boolean> {
    const { length } = this.#last
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await handle.read(buffer, 0, length, this.#position - length)
    return bytesRead === length && buffer.equals(this.#last)
  }

  /** Has another file that name, and had it at the last look, too? */
  async #isOther(handle: FileHandle): Promise<boolean> {
    const [mine, now] = await Promise.all([handle.stat(), statOf(this.#path)])
    // There is none: it was removed, or is about to be replaced.
    if (now === undefined) return false
    const isOther = mine.ino !== now.ino || mine.dev !== now.dev
    const wasLeaving = this.#isLeaving
    this.#isLeaving = isOther
    return isOther && wasLeaving
  }

  #release(): void {
    const handle = this.#handle
    this.#handle = undefined
    // Reads that are under way return first.
    void Promise.allSettled([handle?.close()])
  }
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
