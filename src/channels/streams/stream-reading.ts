/**
 * Layer 5. StreamReading: the way in. What connects one stream with the read path that cuts its
 * bytes into reads.
 *
 * The way of a byte: transport → StreamLink → receive → ReadPath → on_read
 *
 * Its methods stand in the order of an opening: serve → receive … hold, release → receiveEnd →
 * stop → reset.
 *
 * Rules:
 * 1. The read path is borrowed while there is something to be read or reads are held: nearly all of
 *    a thousand connections have nothing.
 * 2. Whatever forbids the next read is a hold of the read path, and they add up.
 */

import type { Buffer } from 'node:buffer'
import type { ReadDelimiter } from '../../core/delimiters.ts'
import { isPromiseLike, Promises } from '../../core/promises.ts'
import type { Hold, ReadOwner, ReadPath, ReadTarget } from '../../core/read-path.ts'
import type { AwaitedRead } from '../../core/reading/awaited.ts'
import { readSettings } from '../../core/reading/read-settings.ts'
import { codeOf, messageOf, ReadError } from '../../errors.ts'
import type { Transport } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import type { Hook } from '../hooks.ts'
import type { Life } from '../life.ts'
import { receiveOverflow } from '../overflow.ts'
import type { SharedValues } from '../shared-values.ts'
import { type PullsOwner, Pulls } from './pulls.ts'
import { setReceiver } from './receiver.ts'
import type { StreamValues } from './stream-settings.ts'

/** The link of the stream. */
export interface ReadingOwner {
  readonly life: Life
  readonly settings: SharedValues
  readonly values: StreamValues
  /** Undefined while the stream is closed. */
  readonly transport: Transport | undefined
  /** Everything that the peer sent before it ended has been read, and on_read_end was called. */
  readAll(): void
}

/** What holds no more reads while the peer is heard out. */
const HEARD_OUT = [
  'closed',
  'suspended',
  'backpressure',
  'promise',
  'introduction',
  'awaited',
] as const

export class StreamReading implements ReadOwner, PullsOwner {
  readonly #owner: ReadingOwner
  /** Borrowed, see rule 1. */
  #path: ReadPath | undefined
  /** What gets the reads of this opening instead of the stream; see `become`. */
  #successor: ReadTarget | undefined
  /** Made when the program awaits something. */
  #pulls: Pulls | undefined
  /** Made when a hook of this opening returns one. */
  #promises: Promises | undefined

  constructor(owner: ReadingOwner) {
    this.#owner = owner
  }

  get life(): Life {
    return this.#owner.life
  }

  get values(): StreamValues {
    return this.#owner.values
  }

  get path(): ReadPath | undefined {
    return this.#path
  }

  /** What hooks have begun in this opening. */
  get promises(): Promises | undefined {
    return this.#promises?.areAny === true ? this.#promises : this.#pulls?.introduction
  }

  /** Bytes that wait, if the program awaits no read. */
  get waiting(): Bytes {
    return this.#path?.isHeld === true ? this.#path.unread() : 0
  }

  /** Bytes that were received and not delivered. */
  get bytes(): Bytes {
    return this.#path?.bytes ?? 0
  }

  get isHeld(): boolean {
    return this.#path?.isHeld === true
  }

  /** Bytes that were received and not delivered, to the byte: no reader looks ahead any more. */
  unread(): Bytes {
    return this.#borrowed().unread()
  }

  /** Bytes were read too many: they are read again. */
  giveBack(bytes: Uint8Array): void {
    const path = this.#borrowed()
    path.giveBack(bytes)
    this.#drainSoon(path)
  }

  // ---- the read path ----------------------------------------------------------------------------

  /** A new opening begins. */
  begin(): void {
    this.#promises?.abandon()
    this.#promises = undefined
    if (this.#pulls !== undefined) this.#pulls.greeting = undefined
    // A path that is held, or has settings of its own, was not given back.
    if (this.#path !== undefined) this.#serve(this.#path)
  }

  /** The transport is another one, in the middle of a connection. */
  serve(): void {
    this.#serve(this.#borrowed())
  }

  #serve(path: ReadPath): void {
    path.serve(this.#target(), this, this.#areChunksLent())
  }

  #target(): ReadTarget {
    return this.#successor ?? (this.#owner.life.channel as unknown as ReadTarget)
  }

  #areChunksLent(): boolean {
    return this.#owner.transport?.lends_chunks === true
  }

  #borrowed(): ReadPath {
    this.#path ??= this.#owner.settings.paths.borrow(this.#target(), this, this.#areChunksLent())
    return this.#path
  }

  /** Gives the path back if there is nothing in it that the next byte would need. */
  rest(): void {
    const { paths } = this.#owner.settings
    if (this.#path?.isIdle === true && paths.takeBack(this.#path)) this.#path = undefined
  }

  /** A setting has changed that says how bytes are cut into reads. */
  cutAnew(): void {
    const path = this.#path
    if (path === undefined) return
    const { values } = this.#owner.settings
    const settings = readSettings(values.encoding, values.regex_search, values.overflow)
    path.use(values.read_delimiter, settings, values.buffer_size)
    if (path.bytes > 0) this.#drainSoon(path)
  }

  /** Of what says that, read_delimiter has changed, which a program may assign at every message. */
  delimit(delimiter: ReadDelimiter): void {
    const path = this.#path
    if (path !== undefined) {
      path.use(delimiter)
      if (path.bytes > 0) this.#drainSoon(path)
    }
    // An empty read is delivered without waiting for bytes.
    if (delimiter === 0 && this.#owner.transport !== undefined) {
      this.#borrowed().assigned()
      this.#drainSoon(this.#borrowed())
    }
  }

  /** Inside on_read the loop that is running goes on. Elsewhere the next turn looks. */
  #drainSoon(path: ReadPath): void {
    if (!path.isDraining)
      this.#owner.life.drive.wake({ turn: () => path === this.#path && path.drain() })
  }

  /** From the next read on this gets them; the stream if undefined. */
  succeed(successor: ReadTarget | undefined): void {
    this.#successor = successor
    if (this.#path !== undefined) this.#serve(this.#path)
    this.targetChanged()
  }

  /** There may be an on_read now for reads that are not awaited. */
  targetChanged(): void {
    this.#pulls?.wake()
  }

  // ---- receiving --------------------------------------------------------------------------------

  receive(chunk: Buffer): void {
    setReceiver(this.#owner.life)
    this.#borrowed().receive(chunk)
    setReceiver(undefined)
  }

  pause(): void {
    this.#owner.transport?.pause()
    this.#pulls?.wake()
    if (this.promises?.areAny === true) this.pulls.held.begin()
  }

  resume(): void {
    this.#owner.transport?.resume()
  }

  overflowed(limit: Bytes, size: Bytes | undefined): void {
    this.#owner.life.warn('on_overflow_error', receiveOverflow(limit, size, 'a read'), 'overflow')
  }

  broken(error: unknown): void {
    this.#owner.life.warn(
      'on_read_error',
      new ReadError(codeOf(error) || 'ERR_INVALID_DELIMITER', messageOf(error), error),
    )
  }

  // ---- what the program awaits ------------------------------------------------------------------

  get pulls(): Pulls {
    return (this.#pulls ??= new Pulls(this))
  }

  get isSucceeded(): boolean {
    return this.#successor !== undefined
  }

  ask(read: AwaitedRead): void {
    this.#borrowed().ask(read)
  }

  /** What on_connect returned. */
  greeted(result: unknown): void {
    if (isPromiseLike(result)) this.pulls.greeting = result
  }

  // ---- holds ------------------------------------------------------------------------------------

  hold(why: Hold): void {
    this.#borrowed().hold(why)
  }

  release(why: Hold): void {
    this.#path?.release(why)
    this.rest()
  }

  hookFailed(error: unknown): void {
    this.#owner.life.hookFailed(error, 'on_read')
  }

  /** If the result is a promise, no read is delivered before it has settled. */
  hookReturned(result: unknown, hook: Hook = 'on_read'): void {
    if (!isPromiseLike(result)) return
    if (hook === 'on_connect') return this.pulls.introduce(result)
    // After on_close there is nothing to be held, and nobody would release it.
    if (this.#owner.transport !== undefined) this.hold('promise')
    this.#promises ??= new Promises(this.#owner.life, () => this.release('promise'))
    void this.#promises.add(result, hook)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** The peer has ended its side. */
  receiveEnd(): void {
    this.#borrowed().receiveEnd()
    this.#pulls?.wake()
  }

  /** Has the peer ended its side, and does on_read_end wait for reads that are held? */
  get isEndAwaited(): boolean {
    return this.#path?.isEndAwaited === true
  }

  /** From the read path: everything that the peer sent before it ended has been delivered. */
  delivered(): void {
    if (this.#owner.life.state === 'active') this.#owner.life.call('on_read_end')
    this.#owner.readAll()
  }

  /** Nothing holds reads any more: the peer is heard out, until it has said goodbye. */
  hearOut(): void {
    for (const why of HEARD_OUT) this.release(why)
  }

  /** No read is delivered any more. */
  stop(): void {
    this.#path?.hold('closed')
    this.#pulls?.stop()
  }

  /**
   * The opening is over: drops what was received. From now on bytes are cut as for the next
   * opening, and a promise that is left and rejects is logged: on_close is the last hook.
   */
  reset(): void {
    this.#promises?.abandon()
    this.#promises = undefined
    this.#successor = undefined
    this.#path?.reset()
    this.#pulls?.reset()
    this.cutAnew()
    this.rest()
  }
}
