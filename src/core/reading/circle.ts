/**
 * Layer 1. Circle: does a hook ask for reads for ever that take no byte? It would never return to
 * the event loop, and the process would stand still.
 *
 * Every other read takes a byte at least, so there are two ways to go round: to assign a count of 0
 * again, and to give back what was read. Both ask here. The loop that calls the hook does not, so
 * other reads cost nothing for it.
 */

import { InvalidDelimiterError, InvalidStateError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'

/** How often. A message may have some empty parts, and may be looked at some times. */
const ROUNDS_MAX = 1000

export class Circle {
  /** The number of the byte that comes next: the highest so far. */
  #at: Bytes = 0
  #rounds = 0

  /** A count of 0 was assigned. Throws InvalidDelimiterError if that goes on for ever. */
  emptyRead(at: Bytes): void {
    if (this.#goesOn(at)) return
    const message = `a count of 0 must not be set ${ROUNDS_MAX} times without a byte in between`
    throw new InvalidDelimiterError(message, 0)
  }

  /** Bytes are given back, from this one on. Throws InvalidStateError if that goes on for ever. */
  givenBack(at: Bytes): void {
    if (this.#goesOn(at)) return
    const what = `the same bytes were given back ${ROUNDS_MAX} times`
    throw new InvalidStateError('unread()', what, 'change read_delimiter, or keep them')
  }

  #goesOn(at: Bytes): boolean {
    if (at > this.#at) this.#rounds = 0
    this.#at = Math.max(at, this.#at)
    return ++this.#rounds <= ROUNDS_MAX
  }

  /** The next byte is the first of another connection. */
  forget(): void {
    this.#at = this.#rounds = 0
  }
}
