/**
 * Layer 1. The way of received bytes to `on_read`; used by Stream, by Datagram (one per peer) and
 * by tests.
 *
 * Read it from top to bottom: receive → drain → overflow → finish → reset.
 *
 * Rules:
 * 1. Everything is looked at again after each call of the hook: it may have changed the delimiter,
 *    closed or suspended the channel, or written so much that reading must wait. Whatever forbids
 *    the next read is a hold, so one comparison asks for all of it.
 * 2. It never runs inside itself. What a hook sets off in the middle, the loop that is running
 *    sees.
 * 3. The reads do not depend on how the bytes were cut into chunks (core/readers.ts).
 * 4. While held, it takes one more chunk and then pauses the transport: the peer feels it, and
 *    memory stays bounded.
 */

import type { Buffer } from 'node:buffer'
import type { Bytes } from '../types.ts'
import { type ReadDelimiter, type ReadSettings, readerFor } from './delimiters.ts'
import { type Reader, TOO_LONG } from './readers.ts'
import { RecvBuffer } from './recv-buffer.ts'

/** Why reads are held back; they add up. */
export type Hold = 'suspended' | 'backpressure' | 'promise' | 'stuck' | 'closed' | 'tls'

/** One bit each, so that the loop asks for all of them at once. */
const BIT: Readonly<Record<Hold, number>> = {
  suspended: 1,
  backpressure: 2,
  promise: 4,
  stuck: 8,
  closed: 16,
  tls: 32,
}

/** Who gets the reads: the channel itself, or a stand-in for one peer of a Datagram. */
export interface ReadTarget {
  on_read(...data: any[]): unknown
}

/** Who is told of everything else. */
export interface ReadOwner {
  /** The hook returned something: if it is a promise, hold 'promise' until it settles. */
  hookReturned(result: unknown): void
  /** The hook threw. */
  hookFailed(error: unknown): void
  /**
   * The next message is longer than the limit. Reads are held ('stuck') until a setting changes.
   */
  overflowed(limit: Bytes): void
  /** The delimiter threw. Reads are held likewise. */
  broken(error: unknown): void
  /** Everything that the peer sent before it ended has been delivered. */
  ended(): void
  /** Bytes come that cannot be delivered now; and again they can. */
  pause(): void
  resume(): void
}

/** Whom an idle one works for: it has nothing to say. */
const NOBODY = {} as ReadTarget & ReadOwner

export class ReadPath {
  #target: ReadTarget
  #owner: ReadOwner
  readonly #buffer = new RecvBuffer()
  #reader: Reader
  /**
   * What #reader was made for, and the one before it: two delimiters that take turns are made once
   * each.
   */
  #delimiter: ReadDelimiter
  #settings: ReadSettings
  #formerReader: Reader | undefined
  #formerDelimiter: ReadDelimiter = null
  #limit: Bytes
  #holds = 0
  #areChunksLent = false
  #isDraining = false
  #isPaused = false
  #end: 'open' | 'ended' | 'delivered' = 'open'

  constructor(
    target: ReadTarget,
    owner: ReadOwner,
    delimiter: ReadDelimiter,
    settings: ReadSettings,
    limit: Bytes,
  ) {
    this.#target = target
    this.#owner = owner
    this.#delimiter = delimiter
    this.#settings = settings
    this.#reader = readerFor(delimiter, settings)
    this.#limit = limit
  }

  /**
   * Bytes received and not yet delivered (those of a window that a reader looks ahead in are
   * counted until it is done with).
   */
  get bytes(): Bytes {
    return this.#buffer.length
  }

  /** Is the next read held back? */
  get isHeld(): boolean {
    return this.#holds !== 0
  }

  /** Bytes received and not yet delivered, to the byte: nothing is looked at ahead any more. */
  unread(): Bytes {
    this.#reader.giveBack(this.#buffer)
    return this.#buffer.length
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  // ---- serve and leave --------------------------------------------------------------------------

  /**
   * From now on it works for these two. `areChunksLent`: the memory of chunks may be used again by
   * who brings them, as soon as `receive` returns.
   */
  serve(target: ReadTarget, owner: ReadOwner, areChunksLent: boolean): void {
    this.#target = target
    this.#owner = owner
    this.#areChunksLent = areChunksLent
  }

  /**
   * Is there nothing in it that the next byte of its channel would need? Then it can work for
   * another one meanwhile.
   */
  get isIdle(): boolean {
    return (
      this.#holds === 0 &&
      !this.#isPaused &&
      !this.#isDraining &&
      this.#end === 'open' &&
      this.#buffer.length === 0
    )
  }

  /** Works for nobody, and holds nobody in memory. */
  leave(): void {
    this.#target = this.#owner = NOBODY
  }

  // ---- receive ----------------------------------------------------------------------------------

  receive(chunk: Buffer): void {
    this.#buffer.append(chunk, this.#areChunksLent)
    this.drain()
    if (this.#areChunksLent && this.#holds !== 0) this.#buffer.trim()
    // A channel that is closing reads on, to see the peer's end.
    if (this.#holds !== 0 && (this.#holds & BIT.closed) === 0 && !this.#isPaused) {
      this.#isPaused = true
      this.#owner.pause()
    }
  }

  /** The peer has ended its side. */
  receiveEnd(): void {
    this.#end = 'ended'
    this.drain()
  }

  // ---- drain ------------------------------------------------------------------------------------

  /** Delivers what can be delivered. May be called at any time. */
  drain(): void {
    if (this.#isDraining) return
    if (this.#holds !== 0) return this.#caughtUp()
    this.#isDraining = true
    const buffer = this.#buffer
    while (this.#run());
    buffer.trim()
    this.#isDraining = false
    this.#caughtUp()
  }

  /** The loop. True: something was thrown and dealt with, and it has to go on. */
  #run(): boolean {
    const buffer = this.#buffer
    const target = this.#target
    let isInHook = false
    try {
      while (this.#holds === 0) {
        const reader = this.#reader
        const data = reader.next(buffer, this.#limit)
        // Written out: a constant of another module is a variable to V8, and comparing with it a
        // call.
        if (data === null || data === undefined) {
          if (data === TOO_LONG) this.#overflow()
          else if (!buffer.more()) return false
        } else {
          isInHook = true
          const result: unknown = reader.spread
            ? target.on_read(...(data as unknown[]))
            : target.on_read(data)
          if (result !== undefined) this.#owner.hookReturned(result)
          isInHook = false
        }
      }
      return false
    } catch (error) {
      this.#threw(error, isInHook)
      return true
    }
  }

  #threw(error: unknown, isInHook: boolean): void {
    if (isInHook) return this.#owner.hookFailed(error)
    this.hold('stuck')
    this.#owner.broken(error)
  }

  /**
   * Unless reads are held, everything that could be delivered has been. (A peer that ends behind a
   * message that is too long has ended all the same.)
   */
  #caughtUp(): void {
    if ((this.#holds & ~BIT.stuck) !== 0) return
    if (this.#end === 'ended') return this.#finish()
    if (this.#isPaused && this.#holds === 0) {
      this.#isPaused = false
      this.#owner.resume()
    }
  }

  // ---- overflow ---------------------------------------------------------------------------------

  /**
   * Nothing is dropped: a program that knows what to do raises the limit or changes the delimiter,
   * and reading goes on.
   */
  #overflow(): void {
    this.hold('stuck')
    this.#owner.overflowed(this.#limit)
  }

  // ---- finish -----------------------------------------------------------------------------------

  /**
   * After the last whole message. Half a message that the peer left behind is dropped (Pants,
   * PB29), half a character is not.
   */
  #finish(): void {
    this.#end = 'delivered'
    const rest = this.#holds === 0 ? this.#reader.rest?.(this.#buffer) : undefined
    if (rest !== undefined) {
      this.#end = 'ended'
      this.#isDraining = true
      this.#deliver(rest)
      this.#isDraining = false
      return this.drain()
    }
    this.#owner.ended()
  }

  #deliver(rest: unknown): void {
    try {
      const result: unknown = this.#target.on_read(rest)
      if (result !== undefined) this.#owner.hookReturned(result)
    } catch (error) {
      this.#owner.hookFailed(error)
    }
  }

  // ---- reset ------------------------------------------------------------------------------------

  /** Forgets everything of the last connection; what holds the channel itself (suspended) stays. */
  reset(): void {
    this.#reader.giveBack(this.#buffer)
    this.#buffer.clear()
    this.#holds &= BIT.suspended
    this.#isPaused = false
    this.#end = 'open'
  }

  // ---- what a program changes -------------------------------------------------------------------

  /** From the very next byte on, this is how messages are cut. Does not drain. */
  use(delimiter: ReadDelimiter, settings: ReadSettings, limit: Bytes): void {
    this.#reader.giveBack(this.#buffer)
    this.#limit = limit
    this.#holds &= ~BIT.stuck
    const isSame = settings === this.#settings
    if (isSame && delimiter === this.#delimiter) return
    const former = isSame && delimiter === this.#formerDelimiter ? this.#formerReader : undefined
    this.#formerReader = isSame ? this.#reader : undefined
    this.#formerDelimiter = this.#delimiter
    this.#reader = former ?? readerFor(delimiter, settings)
    this.#delimiter = delimiter
    this.#settings = settings
  }

  /** Holds the next read back. */
  hold(why: Hold): void {
    this.#holds |= BIT[why]
  }

  /** Ends that hold, and delivers what waited unless another one stands. */
  release(why: Hold): void {
    this.#holds &= ~BIT[why]
    this.drain()
  }
}
