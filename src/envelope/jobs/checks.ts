/**
 * Layer 9. The checks of what a program gives to queues and workers.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { JobData } from './job-queue.ts'

/** The longest delay of a timer, in ms: 24.8 days. */
const LARGEST = 2 ** 31 - 1

/** A count, or a time in ms. Throws InvalidArgumentError unless it is whole and at least 1. */
export function checkCount(what: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > LARGEST)
    throw new InvalidArgumentError(what, `a whole number from 1 to ${LARGEST}`, value)
  return value as number
}

/** The name of a queue: it is part of a key, and nobody else's. Throws InvalidArgumentError. */
export function checkQueueName(what: string, name: unknown): string {
  if (typeof name !== 'string' || !/^[\w\-.]{1,99}$/.test(name))
    throw new InvalidArgumentError(what, 'a name of up to 99 letters, digits and any of -_.', name)
  return name
}

/** What a queue can run, and tell the failure of. Throws InvalidArgumentError. */
export function checkJob(job: JobData): void {
  if (typeof job?.env !== 'string' || typeof job.t !== 'string' || Object(job.mm) !== job.mm)
    throw new InvalidArgumentError('put: job', 'a job, as a DeferredJob makes it', job)
}
