/**
 * Layer 1. The way of written data to the transport.
 *
 * Read it from top to bottom: add, push → flush → drained → emptied.
 *
 * Rules:
 * 1. `push` only queues. The engine flushes every channel that was written to once a turn of the
 *    loop, after the turn's reads, so that a hundred small writes are one system call. Only what a
 *    hook leaves behind that is large goes at once.
 * 2. Small writes become one run (core/write-run.ts), the end of the queue.
 * 3. One queue keeps the order of everything. It does not look inside an item: an item is handed
 *    the transport and says how far it has come (core/send-item.ts).
 * 4. The states: 'ready'; 'full', the transport has not handed over yet what it was given last;
 *    'starved', the item whose turn it is has no bytes yet.
 */

import type { Transport } from '../transport.ts'
import type { Bytes, Data, Encoding } from '../types.ts'
import { Pool } from './pool.ts'
import type { SendItem } from './send-item.ts'
import { type IntoPacker, WriteRun } from './write-run.ts'

/** Who is told. */
export interface WriteOwner {
  /** There is something to flush, for the first time since the last flush. */
  queued(): void
  /**
   * The transport has not handed over everything that it was given. No hook may be called in here.
   */
  filled(): void
  /** Everything that was written has been handed to the system. */
  emptied(): void
  writeFailed(error: unknown): void
}

/** How much is handed over in one go: one system call's worth. */
const BATCH: Bytes = 65536

/** From so many bytes on a system call moves more than it costs. */
const LARGE: Bytes = 2048

/** How many idle write paths are kept: as many as a broadcast to a thousand channels needs. */
const IDLE_MAX = 1024

/** Whom an idle one works for: it has nothing to say. */
const NOBODY = {} as WriteOwner

/** Nearly all of a thousand connections have nothing to send at any moment: they need no queue. */
const idle = new Pool<WritePath>(IDLE_MAX)

export class WritePath {
  #owner: WriteOwner
  readonly #queue: SendItem[] = []
  /** The end of the queue, which small writes are added to. */
  readonly #run = new WriteRun(item => this.#enqueue(item))
  #transport: Transport | undefined
  #state: 'ready' | 'full' | 'starved' = 'ready'
  /**
   * Bytes of #queue, and how many of its items are long (to look through all of them at each write
   * would be quadratic).
   */
  #queued: Bytes = 0
  #longs = 0
  /** Was anything written since `emptied` was last reported? */
  #isDirty = false
  /** Has `queued` been reported since the last flush? */
  #isAnnounced = false

  constructor(owner: WriteOwner) {
    this.#owner = owner
  }

  open(transport: Transport): void {
    this.#transport = transport
    this.#state = 'ready'
  }

  /** One that works for this owner, until it is given back. */
  static borrow(owner: WriteOwner, transport: Transport): WritePath {
    const path = idle.take() ?? new WritePath(owner)
    path.#owner = owner
    path.open(transport)
    return path
  }

  /**
   * Takes an idle one back: it can work for another channel. Whoever gave it writes to `NO_WRITES`
   * until it borrows again.
   */
  static takeBack(path: WritePath): void {
    path.#transport = undefined
    path.#owner = NOBODY
    idle.give(path)
  }

  /** Has everything that was written gone? */
  get isEmpty(): boolean {
    return !this.#isDirty
  }

  /** Does everything wait for the transport? */
  get isFull(): boolean {
    return this.#state === 'full'
  }

  /** Bytes that were written and that the system has not taken. */
  get size(): Bytes {
    return (
      this.#queued +
      this.#run.size +
      (this.#state === 'full' ? (this.#transport as Transport).bytes_queued : 0)
    )
  }

  /** Are `limit` bytes or more queued, or something long? Cheap far below the limit. */
  reaches(limit: Bytes): boolean {
    if (this.#state === 'ready' && this.#queue.length === 0 && this.#run.most < limit) return false
    return this.#longs > 0 || this.size >= limit
  }

  // ---- push -------------------------------------------------------------------------------------

  /** Adds data where that is all there is to do. False: it was not; `push` it. */
  add(data: Data): boolean {
    return this.#run.add(data)
  }

  addPacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    return this.#run.addPacked(packer, values)
  }

  /**
   * Lets `add` take what is as `encoding` says, that of the last `push`, as long as less than
   * `limit` bytes can be queued then.
   */
  grant(limit: Bytes, encoding: Encoding): void {
    if (this.#state === 'ready' && this.#queue.length === 0) this.#run.grant(limit, encoding)
  }

  /** From now on every write has to be looked at: the encoding changes, or the channel closes. */
  revoke(): void {
    this.#run.revoke()
  }

  push(data: Data, encoding: Encoding): void {
    if (this.#state !== 'ready') this.#run.wait()
    this.#run.push(data, encoding)
    this.#announce()
  }

  /** Values that a Packer writes straight into the run. */
  pushPacked(packer: IntoPacker, values: readonly unknown[]): void {
    this.#run.pushPacked(packer, values)
    this.#announce()
  }

  pushItem(item: SendItem): void {
    this.#run.end()
    this.#enqueue(item)
    this.#announce()
  }

  #announce(): void {
    this.#isDirty = true
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#owner.queued()
  }

  #enqueue(item: SendItem): void {
    this.#queue.push(item)
    this.#queued += item.size
    if (item.isLong) this.#longs++
  }

  #dequeue(): void {
    const item = this.#queue.shift() as SendItem
    this.#queued -= item.size
    if (item.isLong) this.#longs--
  }

  // ---- flush ------------------------------------------------------------------------------------

  /** Hands over what the transport takes now. That this was everything, `reportEmptied` reports. */
  flush(): void {
    this.#isAnnounced = false
    this.#run.revoke()
    if (this.#state !== 'ready' || this.#transport === undefined) return
    // The usual case, without an item: one run of text.
    const text = this.#queue.length === 0 ? this.#run.takeText() : ''
    if (text === '') {
      this.#run.end()
      this.#flushQueue(this.#transport)
    } else if (!this.#transport.write(text, this.#run.encoding)) this.#fill()
  }

  /**
   * Flushes what is worth a system call of its own, without waiting for the end of the turn: what
   * was just written is still in the processor's cache, and the peer has something to do. (Measured
   * with 100 lines outstanding: 5 % less time a line.)
   */
  flushLarge(): void {
    if (this.#queued + this.#run.least >= LARGE) this.flush()
  }

  #flushQueue(transport: Transport): void {
    // After a reset in the middle the transport is no longer ours.
    while (this.#transport === transport && this.#state === 'ready' && this.#queue.length > 0) {
      const isCorked = this.#queue.length > 1
      if (isCorked) transport.cork()
      // At least one piece each time: this ends whatever the transport says of its queue.
      while (
        this.#sendFirst(transport) &&
        this.#queue.length > 0 &&
        transport.bytes_queued < BATCH
      );
      if (isCorked) transport.uncork()
      if (this.#transport === transport && transport.bytes_queued > 0) this.#fill()
    }
  }

  #fill(): void {
    this.#state = 'full'
    this.#owner.filled()
  }

  /** One piece of the first item. False: no more for now. */
  #sendFirst(transport: Transport): boolean {
    const item = this.#queue[0] as SendItem
    try {
      const outcome = item.send(transport, () => this.#woken())
      if (outcome === 'sent') this.#dequeue()
      if (outcome === 'starved') this.#state = 'starved'
      return outcome === 'sent' || outcome === 'more'
    } catch (error) {
      // First it leaves the queue: the owner may write and flush, or close.
      this.#dequeue()
      item.drop()
      this.#owner.writeFailed(error)
      return this.#transport === transport && this.#state === 'ready'
    }
  }

  #woken(): void {
    if (this.#state !== 'starved') return
    this.#state = 'ready'
    this.flush()
    this.reportEmptied()
  }

  // ---- drained ----------------------------------------------------------------------------------

  /** The transport has handed over everything. */
  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'ready'
    this.flush()
    this.reportEmptied()
  }

  // ---- emptied ----------------------------------------------------------------------------------

  /**
   * Reports `emptied` if everything that was written has gone. Not done by `flush` itself, so that
   * no hook runs inside a write.
   */
  reportEmptied(): void {
    if (!this.#isDirty || this.#state !== 'ready' || this.#queue.length > 0 || !this.#run.isEmpty)
      return
    this.#isDirty = false
    this.#owner.emptied()
  }

  // ---- reset ------------------------------------------------------------------------------------

  /** Drops everything. */
  reset(): void {
    for (const item of this.#queue) item.drop()
    this.#queue.length = 0
    this.#queued = 0
    this.#longs = 0
    this.#run.clear()
    this.#transport = undefined
    this.#state = 'ready'
    this.#isDirty = false
    this.#isAnnounced = false
  }
}

/** Of a channel that has written nothing: there is nothing in it, and it takes nothing. */
export const NO_WRITES = new WritePath(NOBODY)
