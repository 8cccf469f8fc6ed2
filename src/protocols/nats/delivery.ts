/**
 * Layer 7. Delivery: the inner half of a subscription, from its messages to the program.
 *
 * The way of a message: deliver → handler
 *                               → queue (the handler is busy, or there is a loop) → handler or loop
 *
 * Rules:
 * 1. A handler that returns a promise holds the messages of its own subscription, never those of
 *    the connection: it may await a request, whose answer comes by the same connection.
 * 2. What waits is bounded. Beyond the bound new messages are dropped, counted, and told once for
 *    each time that the queue was full.
 * 3. A message that waits keeps the chunk that it came in. Once much waits, each is copied, so that
 *    the bound in bytes is one of memory.
 * 4. After `end` what waits is still delivered. After `stop` nothing is.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { Deque } from '../../core/deque.ts'
import { noop } from '../../core/noop.ts'
import { isPromiseLike } from '../../core/promises.ts'
import type { Bytes } from '../../types.ts'
import type { NatsMessage } from './message.ts'

/** What a subscription calls with each message. A promise holds the next one. */
export type NatsHandler = (message: NatsMessage) => unknown

/** What the session does for its subscribers. */
export interface DeliveryOwner {
  readonly values: { readonly pending_size: Bytes }
  /** Messages were dropped. */
  slow(one: Delivery): void
  /** The number of the opening of the client. */
  readonly opening: number
  /** The handler threw, or its promise was rejected: late, if the client has closed since then. */
  handlerFailed(error: unknown, isLate: boolean): void
  /** No more messages are wanted: at once, or after `max` in all. */
  unsubscribe(one: Delivery, max?: number): void
  /** It has ended, and its last message was delivered. */
  forget(one: Delivery): void
  /** Resolves when the server has sent everything that was meant for it. */
  drained(one: Delivery): Promise<void>
}

/** What a message takes besides its bytes. */
const OBJECT: Bytes = 256

/** Of what waits, this much may keep chunks. */
const ATTACHED: Bytes = 64 * 1024

type Result = IteratorResult<NatsMessage, undefined>

export class Delivery {
  readonly sid: number
  /** Both as they go on the wire. */
  readonly subject: string
  readonly group: string
  readonly #owner: DeliveryOwner
  readonly #handler: NatsHandler | undefined
  /** How many messages have come, and how many of them were dropped. */
  received = 0
  dropped = 0
  #max = Infinity
  /** What waits. */
  readonly #queue = new Deque<NatsMessage>()
  #bytes: Bytes = 0
  #isFull = false
  #isHeld = false
  /** Is the handler being called? */
  #isCalling = false
  /** Is there a loop? */
  isIterated = false
  /** Does it drain? Then no further connection carries it. */
  isLeaving = false
  readonly #waiting: Deferred<Result>[] = []
  #state: 'open' | 'ended' | 'closed' = 'open'
  /** Why it has ended, if the program has not ended it. */
  error: Error | undefined
  readonly closed = deferred<void>()

  constructor(
    owner: DeliveryOwner,
    sid: number,
    subject: string,
    group: string,
    handler: NatsHandler | undefined,
  ) {
    this.#owner = owner
    this.sid = sid
    this.subject = subject
    this.group = group
    this.#handler = handler
  }

  get hasHandler(): boolean {
    return this.#handler !== undefined
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Does somebody take its messages? */
  get isRead(): boolean {
    return this.hasHandler || this.isIterated
  }

  /** How many messages wait. */
  get waiting(): number {
    return this.#queue.size
  }

  /** How many messages may still come. */
  get left(): number {
    return this.#max - this.received
  }

  // ---- messages ---------------------------------------------------------------------------------

  deliver(message: NatsMessage): void {
    if (this.#state !== 'open') return
    const isLast = ++this.received >= this.#max
    if (this.#handler !== undefined && !this.#isHeld) this.#call(this.#handler, message)
    else this.#add(message)
    if (isLast) this.end()
  }

  #call(handler: NatsHandler, message: NatsMessage): void {
    this.#isCalling = true
    try {
      const result = handler(message)
      if (result !== undefined && isPromiseLike(result)) this.#hold(result)
    } catch (error) {
      this.#owner.handlerFailed(error, false)
    }
    this.#isCalling = false
  }

  #hold(promise: PromiseLike<unknown>): void {
    this.#isHeld = true
    const { opening } = this.#owner
    Promise.resolve(promise)
      .catch(error => this.#owner.handlerFailed(error, opening !== this.#owner.opening))
      .then(() => this.#release())
  }

  #release(): void {
    this.#isHeld = false
    while (!this.#isHeld && this.waiting > 0) this.#call(this.#handler as NatsHandler, this.#take())
    this.#settle()
  }

  // ---- the queue --------------------------------------------------------------------------------

  #add(message: NatsMessage): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return waiting.resolve({ done: false, value: message })
    const size = message.size + OBJECT
    if (this.#bytes + size > this.#owner.values.pending_size) return this.#drop()
    this.#bytes += size
    this.#queue.push(this.#bytes > ATTACHED ? message.detach() : message)
  }

  #drop(): void {
    this.dropped++
    if (this.#isFull) return
    this.#isFull = true
    this.#owner.slow(this)
  }

  #take(): NatsMessage {
    const message = this.#queue.shift() as NatsMessage
    this.#bytes -= message.size + OBJECT
    if (this.#queue.size === 0) this.#isFull = false
    return message
  }

  // ---- loops ------------------------------------------------------------------------------------

  /** The next message of a loop. */
  next(): Promise<Result> {
    if (this.waiting > 0) {
      const value = this.#take()
      this.#settle()
      return Promise.resolve({ done: false, value })
    }
    if (this.#state === 'open') {
      const waiting = deferred<Result>()
      waiting.promise.catch(noop)
      this.#waiting.push(waiting)
      return waiting.promise
    }
    const { error } = this
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** No more than `max` messages in all; without it, none from now on. */
  unsubscribe(max?: number): void {
    if (this.#state !== 'open') return
    if (max === undefined) {
      this.#owner.unsubscribe(this)
      return this.stop()
    }
    this.#max = max
    this.#owner.unsubscribe(this, max)
    if (this.received >= max) this.end()
  }

  /** What was sent before is still delivered. Its own handler would wait for itself. */
  async drain(): Promise<void> {
    const isInside = this.#isCalling
    if (this.#state === 'open') {
      await this.#owner.drained(this)
      this.end()
    }
    if (!isInside) await this.closed.promise
  }

  /** No more will come. What waits is delivered. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#settle()
  }

  /** It is over. What waits is dropped. */
  stop(error?: Error): void {
    if (this.#state === 'closed') return
    this.error = error
    this.#queue.clear()
    this.#bytes = 0
    this.#state = 'ended'
    this.#isHeld = false
    this.#settle()
  }

  /** If nothing more will be delivered, everybody is told. */
  #settle(): void {
    if (this.#state !== 'ended' || this.#isHeld || this.waiting > 0) return
    this.#state = 'closed'
    this.#owner.forget(this)
    this.closed.resolve()
    for (const waiting of this.#waiting.splice(0)) {
      if (this.error === undefined) waiting.resolve({ done: true, value: undefined })
      else waiting.reject(this.error)
    }
  }
}
