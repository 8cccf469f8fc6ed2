/**
 * Layer 1. WritePath: the way of written data to the transport.
 *
 * Read it from top to bottom: add (if granted) or push → flush → drained → emptied.
 *
 * Rules:
 * 1. `push` only queues. core/writing/flush-policy.ts says when the queue is flushed.
 * 2. Small writes become one run (core/writing/write-run.ts), which is the end of the queue. That
 *    file says what `grant` and `revoke` are for.
 * 3. One queue keeps the order of everything. It does not look inside an item: an item is given the
 *    transport and says how far it has come (core/writing/send-item.ts).
 * 4. There are three states: 'ready'; 'full' if the transport has not yet passed on what it was
 *    given; 'starved' if the first item has no bytes yet, or if there is no transport yet.
 */

import type { Transport } from '../transport.ts'
import type { Bytes, Data, Encoding } from '../types.ts'
import type { SendItem } from './writing/send-item.ts'
import { type IntoPacker, WriteRun } from './writing/write-run.ts'

/** What a write path reports to. */
export interface WriteOwner {
  /** There is something to flush, for the first time since the last flush. */
  queued(): void
  /** The transport has not passed on everything it was given. No hook may be called in here. */
  filled(): void
  /** The system has taken everything that was written. */
  emptied(): void
  /** An item threw, and was dropped. */
  writeFailed(error: unknown): void
}

/** How much the transport is given at once: what one system call takes. */
const BATCH: Bytes = 65536

export class WritePath {
  readonly #owner: WriteOwner
  readonly #queue: SendItem[] = []
  /** The end of the queue, to which small writes are added. */
  readonly #run = new WriteRun(item => this.#enqueue(item))
  #transport: Transport | undefined
  #state: 'ready' | 'full' | 'starved' = 'ready'
  /** The bytes of #queue. It is a sum, because adding up all items at each write is quadratic. */
  #queued: Bytes = 0
  /** The number of items in #queue that are long. */
  #longItems = 0
  /** Was something written since `emptied` was last reported? */
  #isDirty = false
  /** Has `queued` been reported since the last flush? */
  #isAnnounced = false

  constructor(owner: WriteOwner) {
    this.#owner = owner
  }

  /** Sends to this transport from now on. */
  open(transport: Transport): void {
    this.#transport = transport
    this.#state = 'ready'
  }

  /** What is written waits until it is opened. */
  postpone(): void {
    this.#state = 'starved'
  }

  /** Sends to nothing any more. Call it when the path is empty. */
  close(): void {
    this.#transport = undefined
  }

  /** Has the system taken everything that was written? */
  get isEmpty(): boolean {
    return !this.#isDirty
  }

  /** Does everything wait for the transport? */
  get isFull(): boolean {
    return this.#state === 'full'
  }

  /** The bytes that were written and that the system has not taken. */
  get size(): Bytes {
    return (
      this.#queued +
      this.#run.size +
      (this.#state === 'full' ? (this.#transport as Transport).bytes_queued : 0)
    )
  }

  /** How many long items are queued. */
  get longItems(): number {
    return this.#longItems
  }

  /** The fewest bytes that can be queued. Cheaper than `size`, which counts text. */
  get least(): Bytes {
    return this.#queued + this.#run.least
  }

  /** Are `limit` bytes or more queued, or a long item? Cheap if it is far below the limit. */
  reaches(limit: Bytes): boolean {
    if (this.#state === 'ready' && this.#queue.length === 0 && this.#run.most < limit) return false
    return this.#longItems > 0 || this.size >= limit
  }

  // ---- push -------------------------------------------------------------------------------------

  /** Adds data if no check is needed. Returns false if one is; `push` it then. */
  add(data: Data): boolean {
    return this.#run.add(data)
  }

  /** Adds values that a packer writes, if no check is needed. False: `pushPacked` them. */
  addPacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    return this.#run.addPacked(packer, values)
  }

  /**
   * Grants `add` all data in `encoding` (that of the last `push`) while less than `limit` bytes are
   * queued.
   */
  grant(limit: Bytes, encoding: Encoding): void {
    if (this.#state === 'ready' && this.#queue.length === 0) this.#run.grant(limit, encoding)
  }

  /** From now on every write must be pushed: the encoding changes, or the channel closes. */
  revoke(): void {
    this.#run.revoke()
  }

  /** Queues data; text in `encoding`. */
  push(data: Data, encoding: Encoding): void {
    if (this.#state !== 'ready') this.#run.wait()
    this.#run.push(data, encoding)
    this.#announce()
  }

  /** Queues values that a packer writes straight into the run. */
  pushPacked(packer: IntoPacker, values: readonly unknown[]): void {
    this.#run.pushPacked(packer, values)
    this.#announce()
  }

  /** Queues an item. */
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
    if (item.isLong) this.#longItems++
  }

  #dequeue(): void {
    const item = this.#queue.shift() as SendItem
    this.#queued -= item.size
    if (item.isLong) this.#longItems--
  }

  // ---- flush ------------------------------------------------------------------------------------

  /** Gives the transport what it takes now. If that was everything, `reportEmptied` reports it. */
  flush(): void {
    this.#isAnnounced = false
    this.#run.revoke()
    if (this.#state !== 'ready' || this.#transport === undefined) return
    if (this.#queue.length === 0) return this.#flushRun(this.#transport)
    this.#run.end()
    this.#flushQueue(this.#transport)
  }

  /** The usual case, without an item: one run. */
  #flushRun(transport: Transport): void {
    const text = this.#run.takeText()
    const data = text === '' ? this.#run.takeBytes() : text
    if (data !== undefined && !transport.write(data, this.#run.encoding)) this.#fill()
  }

  #flushQueue(transport: Transport): void {
    // An item may cause a reset; then the transport is no longer ours.
    while (this.#transport === transport && this.#state === 'ready' && this.#queue.length > 0) {
      const isCorked = this.#queue.length > 1
      if (isCorked) transport.cork()
      // At least one piece each time, so that it ends whatever the transport says of its queue.
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

  /** Sends one piece of the first item. Returns false if no more can be sent for now. */
  #sendFirst(transport: Transport): boolean {
    const item = this.#queue[0] as SendItem
    try {
      const outcome = item.send(transport, () => this.#woken())
      if (outcome === 'sent') this.#dequeue()
      if (outcome === 'starved') this.#state = 'starved'
      return outcome === 'sent' || outcome === 'more'
    } catch (error) {
      // It leaves the queue first: the owner may write and flush, or close.
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

  /** The transport has passed on everything that it was given. */
  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'ready'
    this.flush()
    this.reportEmptied()
  }

  // ---- emptied ----------------------------------------------------------------------------------

  /**
   * Reports `emptied` if the system has taken everything that was written. `flush` does not do that
   * itself, because no hook may run inside a write.
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
    this.#longItems = 0
    this.#run.clear()
    this.#transport = undefined
    this.#state = 'ready'
    this.#isDirty = false
    this.#isAnnounced = false
  }
}
