/**
 * Layer 7. Traffic: what a client sends and receives, whatever connection it has. Subscriptions,
 * requests and what waits to be sent outlast connections; the wire comes and goes (`goBy`).
 *
 * The way of a message out: publish → wire; without one → queue → (goBy) wire
 * The way of a message in: deliver → subscriber, or the requests if it is for an inbox
 *
 * Rules:
 * 1. A subscription keeps its number. A new connection gets the subscriptions first, then what has
 *    waited.
 * 2. What waits is bounded by `queue_size`, with a connection and without one. What does not fit is
 *    dropped, and told once for each time that the queue was full.
 */

import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { Drive } from '../../core/drive.ts'
import { noop } from '../../core/noop.ts'
import type { Bytes, Data, Milliseconds } from '../../types.ts'
import { type NatsHandler, Delivery, type DeliveryOwner } from './delivery.ts'
import { clientClosed, NatsError } from './errors.ts'
import type { NatsMessage } from './message.ts'
import type { NatsValues } from './nats-settings.ts'
import { PUBLISH, subscribeLine, unsubscribeLine } from './packer.ts'
import type { NatsServerInfo } from './parser.ts'
import { NatsRequests, type Outcome } from './requests.ts'
import type { Wire } from './wire.ts'

/** The session. */
export interface TrafficOwner {
  readonly values: NatsValues
  readonly drive: Drive
  /** Something was refused or dropped, and everything else goes on. */
  report(error: NatsError): void
  slow(one: Delivery): void
  handlerFailed(error: unknown, isLate: boolean): void
}

/** A message that waits for a connection. */
interface Waiting {
  readonly bytes: Uint8Array
  /** The bytes of its header and its payload. */
  readonly size: Bytes
  readonly hasHeader: boolean
}

export class Traffic implements DeliveryOwner {
  readonly #owner: TrafficOwner
  #wire: Wire | undefined
  #lastSid = 0
  readonly #subscribers = new Map<number, Delivery>()
  #requests: NatsRequests | undefined
  /** What waits for a connection, in order; requests by their inbox. */
  readonly #queue = new Map<string | symbol, Waiting>()
  #queued: Bytes = 0
  #isOverflowing = false
  opening = 0

  constructor(owner: TrafficOwner) {
    this.#owner = owner
  }

  get values(): NatsValues {
    return this.#owner.values
  }

  /** Does something wait for a connection? */
  get hasQueued(): boolean {
    return this.#queue.size > 0
  }

  // ---- out --------------------------------------------------------------------------------------

  /** `key`: what it is known by while it waits. */
  publish(
    subject: string,
    reply: string,
    header: Uint8Array | undefined,
    data: Data,
    key?: string,
  ): Outcome {
    if (this.#wire?.isReady !== true) return this.#wait(subject, reply, header, data, key)
    const hasRoom = this.#wire.publish(subject, reply, header, data)
    if (hasRoom === undefined) return 'dropped'
    return hasRoom ? 'sent' : 'full'
  }

  #wait(
    subject: string,
    reply: string,
    header: Uint8Array | undefined,
    data: Data,
    key: string | symbol = Symbol(),
  ): Outcome {
    const bytes = PUBLISH.pack(subject, reply, header, data)
    if (this.#queued + bytes.length > this.values.queue_size) {
      this.overflowed()
      return 'dropped'
    }
    this.#queued += bytes.length
    const hasHeader = header !== undefined
    this.#queue.set(key, { bytes, size: sizeOf(header, data), hasHeader })
    return 'waits'
  }

  request(
    subject: string,
    header: Uint8Array | undefined,
    data: Data,
    timeout: Milliseconds,
  ): Promise<NatsMessage> {
    return this.#inbox().begin(subject, timeout, inbox =>
      this.publish(subject, inbox, header, data, inbox),
    )
  }

  /** Nobody waits for the answer any more. */
  readonly #withdraw = (inbox: string): void => {
    this.#queued -= this.#queue.get(inbox)?.bytes.length ?? 0
    this.#queue.delete(inbox)
  }

  /** The requests, with their subscription. */
  #inbox(): NatsRequests {
    if (this.#requests !== undefined) return this.#requests
    const prefix = `${this.newInbox()}.`
    const requests = new NatsRequests(this.#owner.drive, prefix, this.#withdraw)
    this.#requests = requests
    this.subscribe(requests.subject, '', message => requests.deliver(message))
    return requests
  }

  /** A subject that nobody else has. */
  newInbox(): string {
    return `${this.values.inbox_prefix}.${randomBytes(11).toString('hex')}`
  }

  /** A message did not fit. */
  overflowed(): void {
    if (this.#isOverflowing) return
    this.#isOverflowing = true
    this.#owner.report(
      new NatsError('ERR_NATS_OVERFLOW', 'messages are dropped: queue_size bytes wait to be sent'),
    )
  }

  /** Everything that was written has gone. */
  emptied(): void {
    this.#isOverflowing = false
  }

  // ---- subscriptions, and in --------------------------------------------------------------------

  subscribe(
    subject: string,
    group: string,
    handler: NatsHandler | undefined,
    max?: number,
  ): Delivery {
    const one = new Delivery(this, ++this.#lastSid, subject, group, handler)
    this.#subscribers.set(one.sid, one)
    if (this.#wire?.isReady === true) this.#wire.line(subscribeLine(subject, group, one.sid))
    if (max !== undefined && max !== Infinity) one.unsubscribe(max)
    return one
  }

  deliver(message: NatsMessage): void {
    this.#subscribers.get(message.sid)?.deliver(message)
  }

  unsubscribe(one: Delivery, max?: number): void {
    if (this.#wire?.isReady === true) this.#wire.line(unsubscribeLine(one.sid, max))
  }

  forget(one: Delivery): void {
    this.#subscribers.delete(one.sid)
  }

  async drained(one: Delivery): Promise<void> {
    this.unsubscribe(one)
    // Not to be restored if the connection is lost meanwhile. Messages on their way still find it.
    one.isLeaving = true
    await this.#wire?.roundTrip().catch(noop)
  }

  slow(one: Delivery): void {
    this.#owner.slow(one)
  }

  handlerFailed(error: unknown, isLate: boolean): void {
    this.#owner.handlerFailed(error, isLate)
  }

  /** The server does not let it subscribe: of those that are open, the ones to this subject. */
  refused(subject: string, error: NatsError): void {
    for (const one of this.#subscribers.values())
      if (one.isOpen && one.subject === subject) one.stop(error)
  }

  // ---- connections ------------------------------------------------------------------------------

  /** From now on everything goes by this connection. */
  goBy(wire: Wire): void {
    this.#wire = wire
    for (const one of this.#subscribers.values()) {
      if (one.isLeaving || !one.isOpen) continue
      wire.line(subscribeLine(one.subject, one.group, one.sid))
      if (one.left !== Infinity) wire.line(unsubscribeLine(one.sid, one.left))
    }
    const queue = [...this.#queue]
    this.#queue.clear()
    this.#queued = 0
    this.#isOverflowing = false
    this.#requests?.sent()
    for (const [key, one] of queue) {
      const fault = faultOf(one, wire.info)
      if (fault === undefined) wire.write(one.bytes)
      else if (typeof key === 'string') this.#requests?.refuse(key, fault)
      else this.#owner.report(fault)
    }
  }

  /** There is no connection for now. With an error: it was lost, with what was on its way. */
  wait(error?: Error): void {
    this.#wire = undefined
    if (error !== undefined) this.#requests?.lost(error)
  }

  /** Nothing more is wanted by this connection. */
  withdrawFrom(wire: Wire): void {
    for (const { sid, isOpen } of this.#subscribers.values())
      if (isOpen) wire.line(unsubscribeLine(sid))
  }

  // ---- the end ----------------------------------------------------------------------------------

  /**
   * Resolves when what was sent to us before is delivered, and every request is settled. What
   * nobody reads is not waited for.
   */
  async drain(): Promise<void> {
    const inbox = this.#requests?.subject
    const all = [...this.#subscribers.values()].filter(({ subject }) => subject !== inbox)
    await Promise.all(
      all.map(one => {
        const drained = one.drain()
        return one.isRead ? drained : undefined
      }),
    )
    await this.#requests?.idle()
  }

  /** It is over. */
  stop(error: Error | undefined): void {
    this.opening++
    this.#wire = undefined
    this.#queue.clear()
    this.#queued = 0
    for (const one of this.#subscribers.values()) one.stop(error)
    this.#requests?.stop(error ?? clientClosed())
    this.#requests = undefined
  }
}

/** Why the server would not take it: what it takes was not known when it was published. */
function faultOf({ size, hasHeader }: Waiting, info: NatsServerInfo): NatsError | undefined {
  if (hasHeader && !info.headers) return noHeaders()
  return size > info.max_payload ? payloadTooLarge(size, info.max_payload) : undefined
}

/** The bytes that count for `max_payload`. */
export function sizeOf(header: Uint8Array | undefined, data: Data): Bytes {
  const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  return length + (header === undefined ? 0 : header.length)
}

export function payloadTooLarge(size: Bytes, most: Bytes): NatsError {
  return new NatsError(
    'ERR_NATS_MAX_PAYLOAD',
    `a message of ${size} bytes, header included; the server takes at most ${most}`,
  )
}

export function noHeaders(): NatsError {
  return new NatsError('ERR_NATS_UNSUPPORTED', 'this server knows no headers')
}
