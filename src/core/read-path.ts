/**
 * Layer 1. ReadPath: the way of received bytes to `on_read`. Used by Stream, by Datagram (one per
 * peer) and by tests.
 *
 * Read it from top to bottom: receive → drain → overflow → finish → ask → reset.
 *
 * Rules:
 * 1. After each call of the hook everything is looked at again: it may have changed the delimiter,
 *    closed or suspended the channel, or written so much that reading must wait. Everything that
 *    forbids the next read is a hold, so one comparison tests for all of it.
 * 2. It never runs inside itself: if a hook causes a drain, the loop that runs goes on with that.
 * 3. The reads do not depend on how the bytes were cut into chunks (core/reading/readers.ts).
 * 4. While reads are held it accepts one more chunk and then pauses the transport: so the peer
 *    feels backpressure, and memory is bounded. (If some reads are urgent: chunks up to the limit.)
 * 5. A read that the program awaits (core/reading/awaited.ts) is served whatever holds the others,
 *    unless the channel closes or starts TLS. While one is waiting, and when all is read, the
 *    transport is not paused: the end of the peer must be seen.
 * 6. What cannot be read is reported once (core/reading/told.ts). If the hook does not help, reads
 *    stay held.
 */

import type { Buffer } from 'node:buffer'
import type { Bytes } from '../types.ts'
import type { ReadDelimiter, ReadSettings } from './delimiters.ts'
import { Awaited, type AwaitedRead } from './reading/awaited.ts'
import { Circle } from './reading/circle.ts'
import { BIT, type Hold, HOLDS_ALL } from './reading/holds.ts'
import type { ReadOwner, ReadTarget } from './reading/read-owner.ts'
import { ReaderChoice } from './reading/reader-choice.ts'
import { type Reader, TOO_LONG } from './reading/readers.ts'
import { RecvBuffer } from './reading/recv-buffer.ts'
import { Told } from './reading/told.ts'

export type { Hold } from './reading/holds.ts'
export type { ReadOwner, ReadTarget } from './reading/read-owner.ts'

/** Target and owner of an idle read path. It calls neither. */
const NOBODY = {} as ReadTarget & ReadOwner

export class ReadPath {
  #target: ReadTarget
  #owner: ReadOwner
  readonly #buffer = new RecvBuffer()
  #reader: Reader
  readonly #choice: ReaderChoice
  /** The most bytes of a message. */
  #limit: Bytes
  /** The bits of all holds. */
  #holds = 0
  /** Is the memory of chunks used again by their owner after `receive`? */
  #areChunksLent = false
  #isDraining = false
  /** Has the owner been told to pause? */
  #isPaused = false
  /** The bytes received since the last reset. The last one has this number. */
  #received: Bytes = 0
  readonly #told = new Told()
  readonly #circle = new Circle()
  /** The reads that the program awaits; made with the first one. */
  awaited: Awaited | undefined
  /** Has the peer ended its side, and was that reported? */
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
    this.#choice = new ReaderChoice(delimiter, settings)
    this.#reader = this.#choice.reader
    this.#limit = limit
  }

  /** Bytes received and not yet delivered, and what a reader has looked at ahead. */
  get bytes(): Bytes {
    return this.#buffer.length + (this.#reader.held ?? 0)
  }

  /** Did the next message go wrong in a way that only another setting can mend? */
  get isStuck(): boolean {
    return (this.#holds & BIT.stuck) !== 0
  }

  /** Are reads held, and is none awaited? */
  get isHeld(): boolean {
    return this.#holds !== 0 && !this.isAwaited
  }

  /** Does the program await a read that is not served yet? */
  get isAwaited(): boolean {
    return this.awaited?.isWaiting === true
  }

  /** Bytes received and not delivered, exactly: it ends looking ahead. */
  unread(): Bytes {
    this.awaited?.giveBack(this.#buffer)
    this.#reader.giveBack(this.#buffer)
    return this.#buffer.length
  }

  /** Puts bytes before those that were not delivered. */
  giveBack(bytes: Uint8Array): void {
    if (this.#isDraining) this.#circle.givenBack(this.#first() - bytes.length)
    this.unread()
    this.#buffer.prepend(bytes)
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Has the peer ended its side, and was that not reported yet, as reads are held? */
  get isEndAwaited(): boolean {
    return this.#end === 'ended'
  }

  // ---- receive ----------------------------------------------------------------------------------

  receive(chunk: Buffer): void {
    this.#buffer.append(chunk, this.#areChunksLent)
    this.#received += chunk.length
    this.drain()
    if (this.#areChunksLent && this.#holds !== 0) this.#buffer.trim()
    if (this.#holds !== 0 && !this.#isPaused && this.#mustPause()) {
      this.#isPaused = true
      this.#owner.pause()
    }
  }

  #mustPause(): boolean {
    // A channel that is closing goes on reading, to see the end of the peer.
    return (this.#holds & BIT.closed) === 0 && !this.#mayBeUrgent() && !this.#isPulled()
  }

  /** Does the program await its reads, and has it taken all that came, or asks for more? */
  #isPulled(): boolean {
    if (this.awaited === undefined || (this.#holds & HOLDS_ALL) !== 0) return false
    return this.awaited.isWaiting || this.unread() === 0
  }

  /** Delivers what must not wait for a promise. Returns true if more of it may come. */
  #mayBeUrgent(): boolean {
    if (this.#holds !== BIT.promise) return false
    const urgent = this.#reader.urgent?.(this.#buffer, this.#received)
    urgent?.forEach(each => this.#deliver(each))
    return urgent !== undefined && this.#buffer.length < this.#limit
  }

  /** The peer has ended its side. */
  receiveEnd(): void {
    this.#end = 'ended'
    this.drain()
  }

  // ---- drain ------------------------------------------------------------------------------------

  /** Delivers everything that can be delivered. May be called at any time. */
  drain(): void {
    if (this.#isDraining) return
    if (this.#holds === 0) {
      this.#isDraining = true
      while (this.#run());
      this.#buffer.trim()
      this.#isDraining = false
    }
    if (this.#holds !== 0 && this.awaited !== undefined) this.#serve(this.awaited)
    this.#caughtUp()
  }

  /** The loop. Returns true if it must run again: an error was thrown and reported. */
  #run(): boolean {
    const buffer = this.#buffer
    let isInHook = false
    try {
      while (this.#holds === 0) {
        const reader = this.#reader
        const data = reader.next(buffer, this.#limit)
        // NEED_MORE and TOO_LONG, written out: V8 compares with an imported constant by a call.
        if (data === null || data === undefined) {
          if (data === TOO_LONG) this.#overflow()
          else if (!buffer.more()) return false
        } else {
          isInHook = true
          const target = this.#target
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
    if (this.#told.isBroken(this.#first())) this.#owner.broken(error)
  }

  /** The number of the first byte that was not delivered. */
  #first(): Bytes {
    return this.#received - this.unread() + 1
  }

  /** All is delivered that can be: reports the end of the peer, or resumes. */
  #caughtUp(): void {
    // A message that is too long does not hide the end after it.
    if ((this.#holds & ~BIT.stuck) === 0 && this.#end === 'ended') return this.#finish()
    if (!this.#isPaused || (this.#holds !== 0 && !this.#isPulled())) return
    this.#isPaused = false
    this.#owner.resume()
  }

  // ---- overflow ---------------------------------------------------------------------------------

  /** The next message is too long. Nothing is dropped: a program may raise the limit. */
  #overflow(): void {
    if (this.#reader.skips === undefined) this.hold('stuck')
    const { needs = 0, stated } = this.#reader
    const limit = Math.max(this.#limit, needs)
    if (this.#told.isTooLong(this.#first(), limit)) this.#owner.overflowed(limit, stated)
  }

  // ---- finish -----------------------------------------------------------------------------------

  /**
   * The peer has ended and the last complete message was delivered. A part of a message is dropped;
   * a part of a character is delivered.
   */
  // Source: Pants, which drops a part of a message too.
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
    this.#owner.delivered()
  }

  #deliver(rest: unknown): void {
    try {
      const result: unknown = this.#target.on_read(rest)
      if (result !== undefined) this.#owner.hookReturned(result)
    } catch (error) {
      this.#owner.hookFailed(error)
    }
  }

  // ---- ask --------------------------------------------------------------------------------------

  /** The program awaits a read. It is served at once if it can be. */
  ask(read: AwaitedRead): void {
    this.hold('awaited')
    ;(this.awaited ??= new Awaited()).push(read)
    this.drain()
  }

  #serve(awaited: Awaited): void {
    if (!awaited.isWaiting || (this.#holds & HOLDS_ALL) !== 0) return
    this.#isDraining = true
    awaited.serve(this.#buffer, this.#reader, this.#limit, this.#end !== 'open')
    this.#buffer.trim()
    this.#isDraining = false
  }

  // ---- reset ------------------------------------------------------------------------------------

  /** Forgets everything of the last connection. A hold of the channel itself (suspended) stays. */
  reset(): void {
    this.#reader.giveBack(this.#buffer)
    this.#reader.forget?.()
    this.#circle.forget()
    this.awaited = undefined
    this.#buffer.clear()
    this.#holds &= BIT.suspended
    this.#isPaused = false
    this.#end = 'open'
    this.#received = 0
    this.#told.forget()
  }

  // ---- what a program changes -------------------------------------------------------------------

  /** Sets how messages are cut, from the next undelivered byte. It does not drain. */
  use(delimiter: ReadDelimiter, settings = this.#choice.settings, limit = this.#limit): void {
    this.#reader.giveBack(this.#buffer)
    this.#limit = limit
    this.#holds &= ~BIT.stuck
    // Set neither by a hook nor before its promise has settled: what is wrong now is told anew.
    if (!this.#isDraining && (this.#holds & BIT.promise) === 0) this.#told.forget()
    this.#reader = this.#choice.choose(delimiter, settings)
  }

  /** The delimiter was assigned, whether or not it was the same before. */
  assigned(): void {
    if (this.#reader.assigned === undefined) return
    this.#circle.emptyRead(this.#first())
    this.#reader.assigned()
  }

  /** Stops delivering reads. */
  hold(why: Hold): void {
    this.#holds |= BIT[why]
  }

  /** Ends that hold. If it was the last one, what has waited is delivered. */
  release(why: Hold): void {
    if (why === 'awaited') this.awaited?.giveBack(this.#buffer)
    this.#holds &= ~BIT[why]
    this.drain()
  }

  // ---- use by one channel after the other -------------------------------------------------------

  /** Works for these two from now on. */
  serve(target: ReadTarget, owner: ReadOwner, areChunksLent: boolean): void {
    this.#target = target
    this.#owner = owner
    this.#areChunksLent = areChunksLent
  }

  /** May it work for another channel: has it nothing that the next byte of its own needs? */
  get isIdle(): boolean {
    return (
      this.#holds === 0 &&
      !this.#isPaused &&
      !this.#isDraining &&
      this.#end === 'open' &&
      this.bytes === 0
    )
  }

  /** Works for no channel, and keeps none in memory. */
  leave(): void {
    this.#target = this.#owner = NOBODY
  }
}
