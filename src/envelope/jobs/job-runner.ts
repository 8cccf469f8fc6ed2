/**
 * Layer 9. JobRunner: who does the work of jobs that a worker has taken from a queue. This process
 * by default; a ThreadPool does it in worker threads.
 */

import { type Engine, logSafely } from '../../engine.ts'
import { messageOf } from '../../errors.ts'
import type { JobData } from './job-queue.ts'
import { placeOf } from './place.ts'
import { failJob, runJob } from './run-job.ts'

/** Runs jobs. */
export interface JobRunner {
  /** Runs a job. Rejects if it has failed, see `runJob`. */
  run(job: JobData): Promise<void>
}

/** Runs jobs in this process. */
export function runsHere(engine: Engine): JobRunner {
  return { run: job => runJob(job, engine) }
}

/** Logs that a job has failed for good, and tells its sender. Never throws. */
export function giveUp(job: JobData, error: unknown, engine: Engine): void {
  logSafely(engine, `the job ${job.t} failed: ${messageOf(error)}${placeOf(error)}`, error)
  try {
    failJob(job, error)
  } catch (fault) {
    logSafely(engine, `the failure of ${job.t} cannot be told: ${messageOf(fault)}`, fault)
  }
}
