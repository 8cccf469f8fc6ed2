/**
 * Layer 9. Work: the tasks of what a consumer has received. They are done one after the other.
 *
 * Rules:
 * 1. While a task's promise has not settled, the tasks after it wait, in their order.
 * 2. A task never throws and never rejects: it deals with its errors itself.
 */

import { isPromiseLike } from '../../core/promises.ts'

/** With this number of waiting tasks, a channel that can wait is not read. */
const HIGH = 64

type Task = () => unknown

export class Work {
  #isWaiting = false
  #tasks: Task[] = []
  #gate: Promise<void> | undefined
  #open: (() => void) | undefined

  /** Must the next task wait? */
  get isBusy(): boolean {
    return this.#isWaiting || this.#tasks.length > 0
  }

  /** How many tasks wait. */
  get size(): number {
    return this.#tasks.length
  }

  /** A task for later. */
  wait(task: Task): void {
    this.#tasks.push(task)
  }

  /** What a task has returned: if it is a promise, the next task waits. */
  returned(result: unknown): void {
    if (!isPromiseLike(result)) return
    this.#isWaiting = true
    void Promise.resolve(result).then(this.#goOn)
  }

  readonly #goOn = (): void => {
    this.#isWaiting = false
    while (!this.#isWaiting && this.#tasks.length > 0)
      this.returned((this.#tasks.shift() as Task)())
    if (this.#tasks.length >= HIGH) return
    this.#gate = undefined
    this.#open?.()
  }

  /** A promise if so much waits that the channel should not be read. */
  get full(): Promise<void> | undefined {
    if (this.#tasks.length < HIGH) return undefined
    this.#gate ??= new Promise(open => (this.#open = open))
    return this.#gate
  }

  /** Forgets what waits. */
  clear(): void {
    this.#tasks = []
    this.#open?.()
  }
}
