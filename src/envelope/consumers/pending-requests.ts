/**
 * Layer 9. PendingRequests: the requests of a consumer that wait for their answers. An answer has
 * the trace id of the request, and a state.
 *
 * | state of the answer | what becomes of the request |
 * |---|---|
 * | `s` | it resolves with the message |
 * | `f` | it rejects: with the message if that is an error message |
 * | any other | `on_progress` is called with the message |
 */

import { checkDuration, checkFunction, checkName, type Checks } from '../../core/checks.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { checkOptions } from '../../core/options.ts'
import { attempt } from '../../core/promises.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { RequestError } from '../../errors.ts'
import type { Cancel, CloseReason, Milliseconds } from '../../types.ts'
import { ErrorMessage } from '../error-message.ts'
import type { Message } from '../message.ts'
import { FailedError } from './failed-error.ts'

/** Options of `consumer.request`. */
export interface RequestOptions<Answer = Message, Expected = string> {
  /**
   * The longest time until the answer has come, in milliseconds.
   * @default 30 000 ms
   */
  readonly timeout?: Milliseconds | undefined
  /**
   * Called with each message about the request that does not settle it: its state is not 's' or
   * 'f'.
   */
  readonly on_progress?: ((message: Answer) => void) | undefined
  /**
   * The type that the answer must have. If it has another one, the request rejects.
   * @default any
   */
  readonly expect?: Expected | undefined
}

/** About as long as a person waits. */
const TIMEOUT: Milliseconds = 30_000

/** A bound that a correct program never reaches. */
const LIMIT = 10_000

interface Pending extends Deferred<Message> {
  readonly on_progress: ((message: Message) => unknown) | undefined
  readonly expect: string | undefined
  cancel: Cancel
}

const CHECKS: Checks<RequestOptions<any>> = {
  timeout: checkDuration,
  on_progress: checkFunction,
  expect: checkName,
}

export class PendingRequests {
  readonly #engine: Engine
  readonly #tell: (thrown: unknown) => void
  readonly #pending = new Map<string, Pending>()
  #count = 0

  /** `tell` gets what `on_progress` throws. */
  constructor(engine: Engine, tell: (thrown: unknown) => void) {
    this.#engine = engine
    this.#tell = tell
  }

  /**
   * A request begins. `send` sends it with the trace id. The promise never becomes an unhandled
   * rejection. Throws InvalidArgumentError for an invalid option, and what `send` throws.
   */
  ask(options: RequestOptions<any>, send: (id: string) => boolean): Promise<Message> {
    checkOptions('request', options, CHECKS)
    const { timeout = TIMEOUT, on_progress, expect } = options
    const pending: Pending = { ...deferred<Message>(), on_progress, expect, cancel: noop }
    pending.promise.catch(noop)
    const id = `r${(this.#count++).toString(36)}`
    if (this.#pending.size >= LIMIT)
      pending.reject(new RequestError('ERR_OVERFLOW', `${LIMIT} requests wait already`))
    else this.#begin(id, pending, timeout, send)
    return pending.promise
  }

  #begin(id: string, pending: Pending, timeout: number, send: (id: string) => boolean): void {
    // Before it is sent: the answer may come inside the call.
    this.#pending.set(id, pending)
    if (timeout !== Infinity)
      pending.cancel = this.#engine[DRIVE].after(timeout, () => {
        this.#take(id)
        pending.reject(new RequestError('ERR_TIMEOUT', `no answer came within ${timeout} ms`))
      })
    try {
      if (!send(id)) this.#take(id)?.reject(new RequestError('ERR_CLOSED', 'it is not connected'))
    } catch (error) {
      this.#take(id)
      throw error
    }
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.cancel()
    return pending
  }

  /** A message with a state was received. Returns false if it is for no request. */
  answer(message: Message): boolean {
    const { id, state } = message.mm
    if (id === null || state === null) return false
    const pending = this.#pending.get(id)
    if (pending === undefined) return false
    if (state === 's') this.#settle(id, message)
    else if (state === 'f') this.#take(id)?.reject(failure(message))
    else attempt(() => pending.on_progress?.(message), this.#tell)
    return true
  }

  #settle(id: string, message: Message): void {
    const pending = this.#take(id) as Pending
    const { expect } = pending
    if (expect === undefined || expect === message.type_name) pending.resolve(message)
    else
      pending.reject(new FailedError(`${expect} was expected, ${message.type_name} came`, message))
  }

  /** The answer to that request is invalid. Returns false if there is no such request. */
  fail(id: string | null, error: Error): boolean {
    const pending = id === null ? undefined : this.#take(id)
    pending?.reject(error)
    return pending !== undefined
  }

  /** The consumer has closed. */
  close(reason: CloseReason): void {
    for (const id of [...this.#pending.keys()])
      this.#take(id)?.reject(new RequestError('ERR_CLOSED', `it closed (${reason})`, reason))
  }
}

function failure(message: Message): Error {
  return (message as unknown) instanceof ErrorMessage
    ? (message as unknown as ErrorMessage)
    : new FailedError(`${message.type_name} says that it failed`, message)
}
