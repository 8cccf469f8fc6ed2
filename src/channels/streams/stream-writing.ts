/**
 * Layer 5. StreamWriting: the way out of a stream. The checks of a write, and the queue behind
 * them.
 *
 * The way of a byte: add or write → WritePath → turn (see flush-policy.ts) → transport →
 * emptied → on_write
 *
 * Rules:
 * 1. A small write may skip every check (`add`) while nothing that a check looks at can have
 *    changed. Each write that passed the checks grants that, up to the mark; `revoke` ends it. See
 *    core/writing/write-run.ts.
 * 2. A stream borrows one while it has something to send: nearly all of a thousand connections have
 *    nothing. The others use NO_WRITES, which is empty and takes nothing.
 * 3. After every hook the state is looked at again: the hook may have closed the stream.
 */

import { Pool } from '../../core/pool.ts'
import type { Turn } from '../../core/time/turns.ts'
import type { Weighed } from '../../core/weights.ts'
import { type WriteOwner, WritePath } from '../../core/write-path.ts'
import type { Queue } from '../../core/writing/flush-policy.ts'
import type { SendItem } from '../../core/writing/send-item.ts'
import type { IntoPacker } from '../../core/writing/write-run.ts'
import { codeOf, messageOf, WriteError } from '../../errors.ts'
import type { Transport } from '../../transport.ts'
import type { Bytes, Data, Encoding } from '../../types.ts'
import type { Life } from '../life.ts'
import { sendOverflow } from '../overflow.ts'
import type { StreamReading } from './stream-reading.ts'
import type { StreamValues } from './stream-settings.ts'

/** The link of the stream. */
export interface WritingOwner extends Turn, Weighed {
  readonly life: Life
  readonly values: StreamValues
  /** Undefined while the stream is closed. */
  readonly transport: Transport | undefined
  readonly reading: Pick<StreamReading, 'hold'>
  /** What it writes to: this one while it is borrowed, otherwise NO_WRITES. */
  writing: StreamWriting
  /** The transport has not handed over everything that it was given. */
  blocked(): void
  /** Everything that was written has gone. */
  emptied(): void
}

/**
 * Once this many bytes are queued, every write is counted against the engine's buffer_limit,
 * whatever the settings of the stream allow.
 */
const COUNTED: Bytes = 64 * 1024

/** How many idle ones are kept: as many as a broadcast to a thousand channels needs. */
const IDLE_MAX = 1024

const idle = new Pool<StreamWriting>(IDLE_MAX)

/** The owner of an idle one. It is never called. */
const NOBODY = {} as WritingOwner

export class StreamWriting implements WriteOwner, Queue {
  #owner: WritingOwner = NOBODY
  readonly #path = new WritePath(this)
  /**
   * 'full': the queue has reached its mark (#mark) since it was last empty. 'overflowing': it is
   * full, and on_overflow_error is being told; the hook may write a last word all the same.
   */
  #queue: 'free' | 'full' | 'overflowing' = 'free'

  /** One that works for this stream, until it is empty. */
  static borrow(owner: WritingOwner): StreamWriting {
    const writing = idle.take() ?? new StreamWriting()
    writing.#owner = owner
    if (owner.life.state === 'opening') writing.#path.postpone()
    else writing.#path.open(owner.transport as Transport)
    owner.writing = writing
    return writing
  }

  /** Gives it back if nothing waits in it. */
  rest(): void {
    const owner = this.#owner
    if (owner === NOBODY || !this.#path.isEmpty) return
    owner.writing = NO_WRITES
    this.#owner = NOBODY
    this.#path.close()
    idle.give(this)
  }

  /** Bytes that were written and that the system has not taken. */
  get size(): Bytes {
    return this.#path.size
  }

  get least(): Bytes {
    return this.#path.least
  }

  /** How many files wait. */
  get longItems(): number {
    return this.#path.longItems
  }

  get isEmpty(): boolean {
    return this.#path.isEmpty
  }

  /** Does everything wait for the transport? */
  get isBlocked(): boolean {
    return this.#path.isFull
  }

  get isFull(): boolean {
    return this.#queue !== 'free'
  }

  /** The stream is connected: what was written before goes out, in the next turn. */
  begin(transport: Transport): void {
    this.#path.open(transport)
    this.queued()
  }

  /** The transport is another one, in the middle of a connection: what waited for it goes out. */
  serve(transport: Transport): void {
    this.#path.open(transport)
    this.turn()
  }

  // ---- writing ----------------------------------------------------------------------------------

  /** A small write that needs no check. Returns false if it does: then call `write`. */
  add(data: Data): boolean {
    return this.#path.add(data)
  }

  /** Returns false if the writer should wait for on_write. */
  write(data: Data, flush: boolean): boolean {
    if (this.#isOver()) return this.#overflow()
    this.#path.push(data, this.#encoding())
    if (flush) this.#path.flush()
    return this.#checkRoom()
  }

  writePacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    if (this.#path.addPacked(packer, values)) return true
    if (this.#isOver()) return this.#overflow()
    this.#path.pushPacked(packer, values)
    return this.#checkRoom()
  }

  writeItem(item: SendItem, flush: boolean): boolean {
    this.#path.pushItem(item)
    if (flush) this.#path.flush()
    return this.#hasRoom()
  }

  flush(): void {
    this.#path.flush()
  }

  // Methods where a getter would do: for each use of a private getter V8 calls its runtime, 15 ns.

  #encoding(): Encoding {
    return this.#owner.values.encoding ?? 'utf8'
  }

  // ---- room -------------------------------------------------------------------------------------

  /** If there is room for more, the next small writes need no check. */
  #checkRoom(): boolean {
    const hasRoom = this.#hasRoom()
    if (hasRoom) this.#path.grant(this.#mark(), this.#encoding())
    return hasRoom
  }

  /** Once this many bytes are queued, every write has to be checked. */
  #mark(): Bytes {
    const { send_high_water, send_buffer_size } = this.#owner.values
    return Math.min(send_high_water, send_buffer_size, COUNTED)
  }

  #hasRoom(): boolean {
    const path = this.#path
    const isMuch = path.reaches(this.#mark())
    if (isMuch || path.isFull) this.#owner.life.drive.weigh(this.#owner)
    // Flushing or counting may have closed it.
    const { state } = this.#owner.life
    if (state !== 'active' && state !== 'opening') return false
    if (isMuch && this.#queue === 'free') this.#queue = 'full'
    const { send_high_water, backpressure } = this.#owner.values
    if (!isMuch || !path.reaches(send_high_water)) return true
    if (backpressure) this.#owner.reading.hold('backpressure')
    return false
  }

  /** Is too much queued for another write? */
  #isOver(): boolean {
    return this.#queue === 'full' && this.#path.size > this.#owner.values.send_buffer_size
  }

  #overflow(): boolean {
    this.#queue = 'overflowing'
    const error = sendOverflow(this.#owner.values.send_buffer_size, `${this.#path.size} bytes`)
    this.#owner.life.warn('on_overflow_error', error, 'overflow')
    // It may have emptied meanwhile.
    if (this.isFull) this.#queue = 'full'
    return false
  }

  /** From now on every write is checked. */
  revoke(): void {
    this.#path.revoke()
  }

  // ---- sending ----------------------------------------------------------------------------------

  /** From the write path. */
  queued(): void {
    this.#owner.life.drive.flushing.queued(this.#owner)
  }

  /** Sends what is queued, and tells on_write if that was everything. */
  turn(): void {
    this.#path.flush()
    this.#path.reportEmptied()
    this.rest()
  }

  /** From the write path. */
  filled(): void {
    this.#owner.life.drive.weigh(this.#owner)
    this.#owner.blocked()
  }

  /** From the transport: it has handed over everything. */
  drained(): void {
    this.#path.drained()
    this.rest()
  }

  /** From the write path. */
  emptied(): void {
    this.#queue = 'free'
    this.#owner.emptied()
  }

  /** From the write path. */
  writeFailed(error: unknown): void {
    this.#owner.life.warn(
      'on_write_error',
      new WriteError(codeOf(error) || 'ERR_WRITE', messageOf(error), error),
    )
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Drops what is queued. */
  drop(): void {
    this.#queue = 'free'
    this.#path.reset()
  }
}

/** Of a stream that has nothing to send. */
export const NO_WRITES = new StreamWriting()
