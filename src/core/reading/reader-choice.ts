/**
 * Layer 1. ReaderChoice: the reader for the delimiter that was set last. It remembers the one
 * before, because a program may switch between two delimiters all the time.
 */

import { InvalidDelimiterError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { type ReadDelimiter, type ReadSettings, readerFor } from '../delimiters.ts'
import type { Reader } from './readers.ts'

/**
 * How many empty reads may follow each other without a byte in between. A message may have some
 * empty parts; a hook that asks for one more each time would never return to the loop.
 */
const EMPTY_MAX = 1000

export class ReaderChoice {
  reader: Reader
  /** What #reader was made for. */
  #delimiter: ReadDelimiter
  #settings: ReadSettings
  #formerReader: Reader | undefined
  #formerDelimiter: ReadDelimiter = null
  /** The empty reads that were asked for before the byte with this number. */
  #empties = 0
  #emptyAt: Bytes = 0

  constructor(delimiter: ReadDelimiter, settings: ReadSettings) {
    this.#delimiter = delimiter
    this.#settings = settings
    this.reader = readerFor(delimiter, settings)
  }

  choose(delimiter: ReadDelimiter, settings: ReadSettings): Reader {
    const isSame = settings === this.#settings
    if (isSame && delimiter === this.#delimiter) return this.reader
    // What another reader reads of a message is not skipped.
    if (this.reader.skips) this.reader.forget?.()
    const former = isSame && delimiter === this.#formerDelimiter ? this.#formerReader : undefined
    this.#formerReader = isSame ? this.reader : undefined
    this.#formerDelimiter = this.#delimiter
    this.#delimiter = delimiter
    this.#settings = settings
    return (this.reader = former ?? readerFor(delimiter, settings))
  }

  /**
   * The delimiter was assigned. `first`: the number of the first byte that was not delivered.
   * Throws InvalidDelimiterError if that goes on for ever.
   */
  assigned(first: Bytes): void {
    if (this.reader.assigned === undefined) return
    this.#empties = first === this.#emptyAt ? this.#empties + 1 : 1
    this.#emptyAt = first
    if (this.#empties > EMPTY_MAX)
      throw new InvalidDelimiterError(
        `a count of 0 must not be set ${EMPTY_MAX} times without a byte in between`,
        0,
      )
    this.reader.assigned()
  }

  /** The next byte is the first of another connection. */
  forget(): void {
    this.#empties = 0
  }
}
