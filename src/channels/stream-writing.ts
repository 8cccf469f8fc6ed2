/**
 * Layer 5. StreamWriting: the way out. What connects one stream with the write path that holds its
 * queue.
 *
 * The way of a byte: add or write → WritePath → turn (see core/flush-policy.ts) → transport →
 * emptied → on_write
 *
 * Rules:
 * 1. A small write may skip every check (`add`) while nothing that a check looks at can have
 *    changed. Each write that passed the checks grants that, up to the mark; `revoke` ends it. See
 *    core/write-run.ts.
 * 2. The write path is borrowed while there is something to be sent: nearly all of a thousand
 *    connections have nothing.
 * 3. After every hook the state is looked at again: the hook may have closed the stream.
 */

import type { Sender } from '../core/flush-policy.ts'
import type { Hold } from '../core/read-path.ts'
import type { SendItem } from '../core/send-item.ts'
import { NO_WRITES, type WriteOwner, WritePath } from '../core/write-path.ts'
import type { IntoPacker } from '../core/write-run.ts'
import { codeOf, messageOf, WriteError } from '../errors.ts'
import type { Transport } from '../transport.ts'
import type { Bytes, Data, Encoding } from '../types.ts'
import type { Life } from './life.ts'
import { sendOverflow } from './overflow.ts'
import type { StreamValues } from './stream-settings.ts'

/** The link of the stream. */
export interface WritingOwner {
  readonly life: Life
  readonly values: StreamValues
  /** Undefined while the stream is closed. */
  readonly transport: Transport | undefined
  readonly reading: { hold(why: Hold): void; release(why: Hold): void }
  /** More is queued than before. */
  grown(): void
  /** The transport has not handed over everything that it was given. */
  blocked(): void
  /** Everything has been handed over, and on_write was called. */
  allSent(): void
}

/**
 * Once this many bytes are queued, every write is counted against the engine's buffer_limit,
 * whatever the settings of the stream allow.
 */
const COUNTED: Bytes = 64 * 1024

export class StreamWriting implements WriteOwner, Sender {
  readonly #owner: WritingOwner
  /** Borrowed, see rule 2. */
  #path: WritePath = NO_WRITES
  /**
   * 'full': the queue has reached its mark (#mark) since it was last empty. 'overflowing': it is
   * full, and on_overflow_error is being told; the hook may write a last word all the same.
   */
  #queue: 'free' | 'full' | 'overflowing' = 'free'

  constructor(owner: WritingOwner) {
    this.#owner = owner
  }

  /** Bytes that were written and that the system has not taken. */
  get size(): Bytes {
    return this.#path.size
  }

  get least(): Bytes {
    return this.#path.least
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

  /** A new opening begins. */
  begin(): void {
    this.#queue = 'free'
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
    const path = this.#borrowed()
    path.push(data, this.#encoding())
    if (flush) path.flush()
    return this.#checkRoom(path)
  }

  writePacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    if (this.#path.addPacked(packer, values)) return true
    if (this.#isOver()) return this.#overflow()
    const path = this.#borrowed()
    path.pushPacked(packer, values)
    return this.#checkRoom(path)
  }

  writeItem(item: SendItem, flush: boolean): boolean {
    const path = this.#borrowed()
    path.pushItem(item)
    if (flush) path.flush()
    return this.#hasRoom(path)
  }

  flush(): void {
    this.#path.flush()
  }

  // Methods where a getter would do: for each use of a private getter V8 calls its runtime, 15 ns.

  #encoding(): Encoding {
    return this.#owner.values.encoding ?? 'utf8'
  }

  #borrowed(): WritePath {
    if (this.#path === NO_WRITES)
      this.#path = WritePath.borrow(this, this.#owner.transport as Transport)
    return this.#path
  }

  // ---- room -------------------------------------------------------------------------------------

  /** If there is room for more, the next small writes need no check. */
  #checkRoom(path: WritePath): boolean {
    const hasRoom = this.#hasRoom(path)
    if (hasRoom) path.grant(this.#mark(), this.#encoding())
    return hasRoom
  }

  /** Once this many bytes are queued, every write has to be checked. */
  #mark(): Bytes {
    const { send_high_water, send_buffer_size } = this.#owner.values
    return Math.min(send_high_water, send_buffer_size, COUNTED)
  }

  #hasRoom(path: WritePath): boolean {
    const isMuch = path.reaches(this.#mark())
    if (isMuch || path.isFull) this.#owner.grown()
    // Flushing or counting may have closed it.
    if (this.#owner.life.state !== 'active') return false
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
    this.#owner.life.drive.flushing.queued(this)
  }

  /** Sends what is queued, and tells on_write if that was everything. */
  turn(): void {
    this.#path.flush()
    this.#path.reportEmptied()
    this.#rest()
  }

  /** Gives the path back if nothing waits in it. */
  #rest(): void {
    const path = this.#path
    if (!path.isEmpty || path === NO_WRITES) return
    this.#path = NO_WRITES
    WritePath.takeBack(path)
  }

  /** From the write path. */
  filled(): void {
    this.#owner.grown()
    this.#owner.blocked()
  }

  /** From the transport: it has handed over everything. */
  drained(): void {
    this.#path.drained()
  }

  /** From the write path: everything that was written has gone. */
  emptied(): void {
    this.#queue = 'free'
    this.#owner.life.call('on_write')
    // The hook may have written more, or closed.
    if (this.#path.isEmpty) this.#owner.allSent()
    this.#owner.reading.release('backpressure')
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
    this.#path.reset()
  }

  /** Drops what is queued, and gives the path back. */
  reset(): void {
    this.drop()
    this.#rest()
  }
}
