/**
 * Layer 2. Jobs of which each begins when the one before is done: packets of a socket that would
 * not keep their order otherwise.
 */

import { noop } from '../../core/noop.ts'

/** It calls `done` once, in a later tick. */
type Job = (done: () => void) => void

export class InTurn {
  #jobs: Job[] = []
  #isBusy = false

  run(job: Job): void {
    this.#jobs.push(job)
    if (!this.#isBusy) this.#next()
  }

  #next = (): void => {
    const job = this.#jobs.shift()
    this.#isBusy = job !== undefined
    job?.(this.#next)
  }

  /** Begins all that wait, at once. */
  flush(): void {
    for (const job of this.#jobs.splice(0)) job(noop)
  }
}
