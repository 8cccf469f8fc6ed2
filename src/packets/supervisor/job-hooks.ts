/**
 * Layer 9. JobHooks: calls the handlers and hooks of a job. What they throw is reported, and
 * disturbs neither the run nor other runs.
 */

import { noop } from '../../core/noop.ts'
import { attempt, isPromiseLike } from '../../core/promises.ts'
import { asError } from '../../errors.ts'
import type { Packet } from '../packet.ts'
import type { Job, Run } from './job.ts'

export class JobHooks {
  readonly job: Job
  readonly run: Run
  readonly #report: (error: Error, run: Run) => void

  /** `report`: for a job without an `on_error`, and for what that throws. It must not throw. */
  constructor(job: Job, run: Run, report: (error: Error, run: Run) => void) {
    this.job = job
    this.run = run
    this.#report = report
  }

  /** Has the job a handler of that type? The type comes from outside: it may be 'constructor'. */
  handles(type: string): boolean {
    return !(type in Object.prototype) && typeof this.job.handlers?.[type] === 'function'
  }

  /** Calls the handler of its type. The promise, if there is one, never rejects. */
  handle(packet: Packet): Promise<void> | undefined {
    return this.call(() => this.job.handlers![packet.type]!(packet, this.run))
  }

  /** Calls a hook. The promise, if there is one, never rejects. */
  call(hook: () => unknown): Promise<void> | undefined {
    try {
      const result = hook()
      if (!isPromiseLike(result)) return undefined
      return Promise.resolve(result).then(noop, error => this.report(error))
    } catch (error) {
      this.report(error)
      return undefined
    }
  }

  report(thrown: unknown): void {
    const error = asError(thrown)
    if (this.job.on_error === undefined) return this.#report(error, this.run)
    attempt(
      () => this.job.on_error!(error, this.run),
      late => this.#report(late as Error, this.run),
    )
  }
}
