/**
 * Layer 1. ReaderChoice: the reader for the delimiter that was set last. It remembers the one
 * before, because a program may switch between two delimiters all the time.
 */

import { type ReadDelimiter, type ReadSettings, readerFor } from '../delimiters.ts'
import type { Reader } from './readers.ts'

export class ReaderChoice {
  reader: Reader
  /** What #reader was made for. */
  #delimiter: ReadDelimiter
  settings: ReadSettings
  #formerReader: Reader | undefined
  #formerDelimiter: ReadDelimiter = null

  constructor(delimiter: ReadDelimiter, settings: ReadSettings) {
    this.#delimiter = delimiter
    this.settings = settings
    this.reader = readerFor(delimiter, settings)
  }

  choose(delimiter: ReadDelimiter, settings: ReadSettings): Reader {
    const isSame = settings === this.settings
    if (isSame && delimiter === this.#delimiter) return this.reader
    // What another reader reads of a message is not skipped.
    if (this.reader.skips) this.reader.forget?.()
    const former = isSame && delimiter === this.#formerDelimiter ? this.#formerReader : undefined
    this.#formerReader = isSame ? this.reader : undefined
    this.#formerDelimiter = this.#delimiter
    this.#delimiter = delimiter
    this.settings = settings
    return (this.reader = former ?? readerFor(delimiter, settings))
  }
}
