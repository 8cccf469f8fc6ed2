/**
 * Layer 1. What looks like a promise: the one place where it is recognised and counted.
 *
 * A hook may return anything. Whatever has a method `then` is taken for a promise. It always passes
 * through `Promise.resolve`, because a `then` of unknown make may throw, or settle twice.
 */

import { noop } from './noop.ts'

/** Is it something that is not done yet? */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}

/** Calls `rejected` if the result is a promise and is rejected. */
export function onRejection(result: unknown, rejected: (error: unknown) => void): void {
  if (isPromiseLike(result)) Promise.resolve(result).catch(rejected)
}

/**
 * What a callback of Node's is asked for may also be returned as a promise: its value is the
 * answer, or its rejection says why there is none. (If it is undefined, the callback was called.)
 * Node would ignore it: no answer would ever come, and a rejection would end the process.
 *
 * `isAnswer`: what was asked takes no callback. So whatever it returns is the answer.
 */
export function answerLater<Value>(
  result: unknown,
  answer: (value: Value) => void,
  failed: (error: any) => void,
  isAnswer: boolean,
): void {
  if (!isAnswer && !isPromiseLike(result)) return
  Promise.resolve(result as Value | PromiseLike<Value>)
    .then(value => {
      if (isAnswer || value !== undefined) answer(value)
    })
    .catch(failed)
}

/** Calls a hook. `failed` gets what it throws, and what its promise rejects with. */
export function attempt(hook: () => unknown, failed: (error: unknown) => void): void {
  try {
    onRejection(hook(), failed)
  } catch (error) {
    failed(error)
  }
}

/** The same promise. Nobody need look at it: its rejection never ends the process. */
export function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(noop)
  return promise
}

/** Gets the rejections. */
export interface PromisesOwner {
  /** `isLate`: after `abandon`. */
  promiseRejected(error: unknown, isLate: boolean): void
}

/** The promises of one opening of a channel that its reads wait for. */
export class Promises {
  readonly #owner: PromisesOwner
  readonly #allSettled: () => void
  /** Those that have not settled. */
  #pending = 0
  #isAbandoned = false
  /** How often the first of them has come. */
  holds = 0
  /** What the first of those that are pending comes from. */
  by = ''

  /** `allSettled` is called whenever none is left, but not after `abandon`. */
  constructor(owner: PromisesOwner, allSettled: () => void) {
    this.#owner = owner
    this.#allSettled = allSettled
  }

  /** Is there a promise that has not settled? */
  get areAny(): boolean {
    return this.#pending > 0
  }

  /** Returns a promise that resolves, never rejects, when the owner was told what became of it. */
  add(promise: PromiseLike<unknown>, by = ''): Promise<void> {
    if (this.#pending++ === 0) {
      this.holds++
      this.by = by
    }
    return Promise.resolve(promise).then(this.#settled, this.#rejected)
  }

  /** The opening is over: a promise that is left from it must not touch the next one. */
  abandon(): void {
    this.#isAbandoned = true
  }

  readonly #settled = (): void => {
    if (--this.#pending === 0 && !this.#isAbandoned) this.#allSettled()
  }

  readonly #rejected = (error: unknown): void => {
    this.#owner.promiseRejected(error, this.#isAbandoned)
    this.#settled()
  }
}
