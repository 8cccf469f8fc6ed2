/**
 * Layer 7. NatsRequests: pairs answers with requests, by one subscription to all inboxes of a
 * client.
 *
 * The way of a request: begin → (sent) → answer, its timeout, or the end of its connection.
 *
 * Rules:
 * 1. Every inbox is used once. A second answer, or a late one, is dropped.
 * 2. If the connection that a request was sent on is lost, it is rejected at once: nobody knows
 *    whether it has arrived. One that has waited for a connection is not.
 * 3. No promise becomes an unhandled rejection.
 * 4. A request whose time is over is not sent any more.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import type { Drive } from '../../core/drive.ts'
import { noop } from '../../core/noop.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { NatsError } from './errors.ts'
import type { NatsMessage } from './message.ts'

/** A request that waits for its answer. */
interface Pending extends Deferred<NatsMessage> {
  cancel: Cancel
  isSent: boolean
}

/** What became of a message. 'full': it is sent, and it is better to wait before the next. */
export type Outcome = 'sent' | 'full' | 'waits' | 'dropped'

export class NatsRequests {
  readonly #drive: Drive
  readonly #expired: (inbox: string) => void
  /** What all inboxes begin with, and all of them as a subject. */
  readonly prefix: string
  readonly subject: string
  #last = 0
  readonly #pending = new Map<string, Pending>()
  #idle: Deferred<void> | undefined

  /** `expired` is told the inbox of each request whose time is over. */
  constructor(drive: Drive, prefix: string, expired: (inbox: string) => void) {
    this.#drive = drive
    this.#expired = expired
    this.prefix = prefix
    this.subject = `${prefix}*`
  }

  /** A new request to `subject`; `send` publishes it, with this inbox as reply. */
  begin(
    subject: string,
    timeout: Milliseconds,
    send: (inbox: string) => Outcome,
  ): Promise<NatsMessage> {
    const key = (++this.#last).toString(36)
    const pending: Pending = { ...deferred<NatsMessage>(), cancel: noop, isSent: false }
    pending.promise.catch(noop)
    const outcome = send(this.prefix + key)
    if (outcome === 'dropped') {
      pending.reject(new NatsError('ERR_NATS_OVERFLOW', `the request to ${subject} was dropped`))
      return pending.promise
    }
    pending.isSent = outcome !== 'waits'
    this.#pending.set(key, pending)
    if (timeout !== Infinity)
      pending.cancel = this.#drive.after(timeout, () => {
        const what = `${subject}: no answer within ${timeout} ms`
        this.#expired(this.prefix + key)
        this.refuse(this.prefix + key, new NatsError('ERR_NATS_TIMEOUT', what))
      })
    return pending.promise
  }

  /** What waited for a connection has been sent. */
  sent(): void {
    for (const each of this.#pending.values()) each.isSent = true
  }

  /** An answer has come. */
  deliver(message: NatsMessage): void {
    const pending = this.#take(message.subject.slice(this.prefix.length))
    if (pending === undefined) return
    if (message.status === 503 && message.data.length === 0)
      pending.reject(new NatsError('ERR_NATS_NO_RESPONDERS', 'nobody answers this subject'))
    else pending.resolve(message)
  }

  /** It gets no answer. */
  refuse(inbox: string, error: Error): void {
    this.#take(inbox.slice(this.prefix.length))?.reject(error)
  }

  /** A connection is lost: what was sent on it gets no answer. */
  lost(error: Error): void {
    for (const [key, { isSent }] of this.#pending) if (isSent) this.#take(key)?.reject(error)
  }

  /** Nothing gets an answer any more. */
  stop(error: Error): void {
    for (const key of [...this.#pending.keys()]) this.#take(key)?.reject(error)
  }

  /** Resolves when no request waits any more. */
  idle(): Promise<void> {
    this.#idle ??= deferred<void>()
    this.#checkIdle()
    return this.#idle.promise
  }

  #take(key: string): Pending | undefined {
    const pending = this.#pending.get(key)
    if (pending === undefined) return undefined
    this.#pending.delete(key)
    pending.cancel()
    this.#checkIdle()
    return pending
  }

  #checkIdle(): void {
    if (this.#pending.size === 0) this.#idle?.resolve()
  }
}
