/**
 * Layer 9. The checks of what a program gives to queues and workers.
 */

import { having, wholeFrom } from '../../core/checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { JobData } from './job-queue.ts'
import type { JobRunner } from './job-runner.ts'

/** The longest delay of a timer, in ms: 24.8 days. */
const LARGEST = 2 ** 31 - 1

/** A count, or a time in ms: whole, and at least 1. */
export const checkNumber = wholeFrom(1, LARGEST)

/** The name of a queue: it is part of a key, and nobody else's. Throws InvalidArgumentError. */
export function checkQueueName(what: string, name: unknown): string {
  if (typeof name !== 'string' || !/^[\w\-.]{1,99}$/.test(name))
    throw new InvalidArgumentError(what, 'a name of up to 99 letters, digits and any of -_.', name)
  return name
}

/** What does the work of jobs. */
export const checkRunner = having<JobRunner>('run', 'a JobRunner')

/** What a queue can run, and tell the failure of. Throws InvalidArgumentError. */
export function checkJob(job: JobData): void {
  if (typeof job?.env !== 'string' || typeof job.t !== 'string' || Object(job.mm) !== job.mm)
    throw new InvalidArgumentError('put: job', 'a job, as a DeferredJob makes it', job)
}
