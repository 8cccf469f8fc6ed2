/**
 * Layer 7. NatsSubscription: what a program sees of a subscription.
 */

import { checkCount } from '../../core/checks.ts'
import { InvalidStateError } from '../../errors.ts'
import type { Delivery } from './delivery.ts'
import type { NatsMessage } from './message.ts'

/** How to subscribe. */
export interface NatsSubscribeOptions {
  /**
   * A queue group: of its members, wherever they are, one gets each message.
   *
   * @default none: every subscription gets every message
   */
  readonly group?: string | undefined
  /**
   * How many messages are wanted. After them it ends.
   *
   * @default Infinity
   */
  readonly max?: number | undefined
}

/**
 * A subscription of a NatsClient. Its messages go to its handler; without a handler they wait for a
 * `for await` loop. It lasts until it is ended or the client closes: connections come and go.
 *
 * @example
 * for await (const message of client.subscribe('orders.*')) console.log(message.text)
 */
export class NatsSubscription implements AsyncIterable<NatsMessage> {
  /** The subject that was given. */
  readonly subject: string
  /** The queue group; `''` if there is none. */
  readonly group: string
  readonly #inner: Delivery

  /** Made by `subscribe`. */
  constructor(subject: string, group: string, inner: Delivery) {
    this.subject = subject
    this.group = group
    this.#inner = inner
  }

  /** How many messages have come. Those that were dropped count, too. */
  get received(): number {
    return this.#inner.received
  }

  /** How many messages were dropped, because `pending_size` bytes waited. */
  get dropped(): number {
    return this.#inner.dropped
  }

  /** How many messages wait for the handler or the loop. */
  get waiting(): number {
    return this.#inner.waiting
  }

  /** Resolves when it has ended and its last message was delivered. It never rejects. */
  get closed(): Promise<void> {
    return this.#inner.closed.promise
  }

  /** Why it has ended, if the program has not ended it: a NatsError, in most cases. */
  get error(): Error | undefined {
    return this.#inner.error
  }

  /**
   * Ends it at once: what waits is dropped. With `max` it ends by itself after that many messages,
   * and those are still delivered. If it has ended, nothing happens.
   *
   * Throws InvalidArgumentError unless `max` is an integer of at least 1.
   */
  unsubscribe(max?: number): void {
    if (max !== undefined) checkCount('unsubscribe: max', max, 1)
    this.#inner.unsubscribe(max)
  }

  /**
   * Ends it politely: what was sent to it before is still delivered. Resolves when that is done. It
   * never rejects; if the connection is lost meanwhile, what was on its way is lost, too.
   *
   * The handler may await it if it calls it before anything else that it awaits. It resolves when
   * nothing more can come then; what has come is delivered when the handler is done.
   */
  drain(): Promise<void> {
    return this.#inner.drain()
  }

  /**
   * `for await` gets each message, and ends when the subscription does. Leaving the loop ends the
   * subscription. If the client was closed by an error, the loop throws it.
   *
   * Throws InvalidStateError if there is a handler, or another loop.
   */
  [Symbol.asyncIterator](): AsyncIterator<NatsMessage, undefined> {
    const inner = this.#inner
    if (inner.hasHandler)
      throw new InvalidStateError('for await', 'its messages go to its handler', 'leave it out')
    if (inner.isIterated)
      throw new InvalidStateError('for await', 'there is a loop already', 'subscribe twice')
    inner.isIterated = true
    return {
      next: () => inner.next(),
      return: () => {
        inner.isIterated = false
        inner.unsubscribe()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }
}
