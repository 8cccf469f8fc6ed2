/**
 * Layer 7. Handshake: what both sides have in common while they shake hands. It is the sink of
 * the transport meanwhile, and then gives it back to the link of the stream.
 *
 * In the order of a handshake: start → received … (read, of a subclass) → agreed, or refused.
 *
 * Rules:
 * 1. What the peer sends after its head is kept, and is read when the stream is open.
 * 2. It is bounded in time by `handshake_timeout`. A thousand of them share a few timers.
 */

import { Buffer } from 'node:buffer'
import type { StreamLink } from '../../channels/streams/stream-link.ts'
import { timeOut } from '../../channels/timeouts.ts'
import type { Deadline } from '../../core/time/deadlines.ts'
import type { SystemError, Transport, TransportSink } from '../../transport.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import type { Agreed } from './deflate/compression.ts'
import { HandshakeError } from './errors.ts'
import { type Head, type HeadFault, HeadReader } from './head.ts'

/** What both have agreed on. */
export interface Agreement {
  readonly protocol: string
  /** How messages are compressed; undefined: not at all. */
  readonly compression: Agreed | undefined
  /** What the peer sent after its head. */
  readonly rest: Buffer
  /** Has the peer ended its side already? */
  readonly hasEnded: boolean
}

/**
 * How long a peer that was refused, or a server that refuses, may take to end. Both usually do so
 * at once; closing before that could take the response from the peer.
 */
export const LINGER: Milliseconds = 1000

export abstract class Handshake implements TransportSink, Deadline {
  readonly link: StreamLink
  readonly transport: Transport
  /** What came after the head. */
  #rest: Buffer[] = []
  hasEnded = false
  #isDropping = false
  /** Has anything come at all? */
  #hasHeard = false
  #reader: HeadReader | undefined = new HeadReader()
  bucket: Deadline['bucket']
  #due: Milliseconds = Infinity
  /** What it waits for; undefined: that the handshake takes too long. */
  #callback: (() => void) | undefined
  #isOver = false
  #hasClosed = false

  constructor(link: StreamLink) {
    this.link = link
    this.transport = link.transport as Transport
  }

  /** Begins. */
  start(): void {
    this.transport.sink = this
    this.#limit()
    this.transport.resume()
  }

  /** The head is complete. */
  abstract read(head: Head): void
  /** The head is refused. */
  abstract wrong(fault: HeadFault): void
  /** Behind the head, before both have agreed. By default it is kept. */
  kept(_size: Bytes): void {}
  /** The peer has ended its side, after the head. */
  heardAll(): void {}
  /** The peer has ended its side without a word. */
  abstract heardNothing(): void
  /** The connection has closed or failed. What was refused before is told as that. */
  gone(): void {}

  get rest(): Buffer {
    return Buffer.concat(this.#rest)
  }

  /** Reads a head once more, beginning with what came after the last one. */
  readAgain(): void {
    const { rest } = this
    this.#rest = []
    this.#reader = new HeadReader()
    if (rest.length > 0) this.received(rest)
  }

  /** It is over: the link has the transport again. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#wait(Infinity)
    // A transport that has closed would tell the link once more.
    if (!this.#hasClosed) this.transport.sink = this.link
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** It has failed. */
  fail(error: HandshakeError): void {
    this.stop()
    this.link.life.fail('on_connect_error', error)
  }

  // ---- time -------------------------------------------------------------------------------------

  #limit(): void {
    if (!this.#isOver) this.#wait(this.link.values.handshake_timeout)
  }

  /** Waits for something else from now on, and no longer for what it waited for. */
  waitFor(time: Milliseconds, callback: () => void): void {
    this.#callback = callback
    this.#wait(time)
  }

  #wait(time: Milliseconds): void {
    const { drive } = this.link.life
    this.#due = drive.now + time
    drive.watch(this, this.#due)
  }

  look(now: Milliseconds): Milliseconds {
    if (now < this.#due) return this.#due
    this.#due = Infinity
    if (this.#callback !== undefined) this.#callback()
    else {
      timeOut(this.link.life, 'handshake')
      // on_timeout may have let it go on.
      this.#limit()
    }
    return this.#due
  }

  // ---- what the transport reports ---------------------------------------------------------------

  received(chunk: Buffer): void {
    this.#hasHeard = true
    if (this.#reader === undefined) return this.#keep(chunk)
    const head = this.#reader.push(chunk)
    if (head === undefined) return
    this.#reader = undefined
    if ('why' in head) return this.wrong(head)
    this.#keep(head.rest)
    this.read(head)
  }

  /** What still comes is read and dropped: a peer that was refused may send without end. */
  drop(): void {
    this.#isDropping = true
    this.#rest = []
  }

  #keep(chunk: Buffer): void {
    if (chunk.length === 0 || this.#isDropping) return
    // The memory of the chunk may be its transport's.
    this.#rest.push(this.transport.lends_chunks === true ? Buffer.from(chunk) : chunk)
    this.kept(chunk.length)
  }

  ended(): void {
    this.hasEnded = true
    this.link.hasPeerEnded = true
    if (this.#reader === undefined) return this.heardAll()
    if (this.#hasHeard) this.fail(new HandshakeError('the peer ended in the middle of its head'))
    else this.heardNothing()
  }

  failed(error: SystemError): void {
    this.gone()
    if (this.#isOver) return
    this.stop()
    this.link.failed(error)
  }

  closed(): void {
    this.#hasClosed = true
    this.gone()
    this.stop()
    this.link.closed()
  }

  opened(): void {}

  drained(): void {}
}
