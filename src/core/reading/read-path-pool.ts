/**
 * Layer 1. The read paths of one set of values: lent to a stream while it has something to read.
 *
 * Hardly any of a thousand idle connections is in the middle of a message, so those that read alike
 * share a few read paths.
 */

import type { Bytes, Encoding } from '../../types.ts'
import type { ReadDelimiter } from '../delimiters.ts'
import { Pool } from '../pool.ts'
import { type ReadOwner, ReadPath, type ReadTarget } from '../read-path.ts'
import { readSettings } from './read-settings.ts'

/**
 * How many idle read paths are kept. More streams than this are hardly ever in the middle of a
 * message at once.
 */
const IDLE_MAX = 64

/** What a read path depends on. */
interface ReadValues {
  readonly read_delimiter: ReadDelimiter
  readonly regex_search: boolean
  readonly overflow: 'hold' | 'skip'
  readonly encoding: Encoding | null
  readonly buffer_size: Bytes
}

export class ReadPathPool {
  readonly #values: ReadValues
  /** Undefined if the values belong to one stream, so that no other could use its read path. */
  readonly #idle: Pool<ReadPath> | undefined

  constructor(values: ReadValues, isShared: boolean) {
    this.#values = values
    this.#idle = isShared ? new Pool(IDLE_MAX) : undefined
  }

  /** A read path for these values, until it is given back. */
  borrow(target: ReadTarget, owner: ReadOwner, areChunksLent: boolean): ReadPath {
    const { read_delimiter, encoding, regex_search, overflow, buffer_size } = this.#values
    const path =
      this.#idle?.take() ??
      new ReadPath(
        target,
        owner,
        read_delimiter,
        readSettings(encoding, regex_search, overflow),
        buffer_size,
      )
    path.serve(target, owner, areChunksLent)
    return path
  }

  /**
   * Takes an idle read path back. Returns false if the stream must keep it: nobody else could use
   * it.
   */
  takeBack(path: ReadPath): boolean {
    if (this.#idle === undefined) return false
    path.leave()
    this.#idle.give(path)
    return true
  }
}
