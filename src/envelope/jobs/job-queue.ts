/**
 * Layer 9. JobQueue: where the jobs of messages wait until a worker has time for them; and the
 * table of the queues of a program, by their names.
 *
 * The way of a job: DeferredJob.run → JobQueue.put → (maybe another process) → runJob, which makes
 * the message again and calls its run_job.
 */

import { didYouMean } from '../../core/nearest.ts'
import { InvalidArgumentError, InvalidStateError, show } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import type { MetaFields } from '../meta.ts'

/** A job as it waits: nothing but JSON. */
export interface JobData {
  /** The name of the envelope that its message was unpacked from. */
  readonly env: string
  /** The type of the message. */
  readonly t: string
  /** The payload of the message. It was checked, and is checked again. */
  readonly p: unknown
  /** What is known of the message: its trace id, its user, the consumer that gets the answer. */
  readonly mm: MetaFields
  /** The name of the envelope that answers are sent by. */
  readonly answers: string
  /** The name of the envelope that errors are sent by. */
  readonly errors: string
  /** When it was queued, in ms since 1970. */
  readonly enqueued_at: Milliseconds
  /** The longest that it may wait, in ms; null: for ever. */
  readonly ttl: Milliseconds | null
  /** The longest that it may run, in ms. */
  readonly job_timeout: Milliseconds
  /** How long its result is kept, in ms, by a queue that keeps results. */
  readonly result_ttl: Milliseconds
  /** How long its failure is kept, in ms, by a queue that keeps failures. */
  readonly failure_ttl: Milliseconds
}

/** A queue of jobs. */
export interface JobQueue {
  /** Its name: the `queue` of the classes whose jobs it gets. */
  readonly name: string
  /**
   * Takes a job. Resolves with its id when the queue has it. Rejects if it does not take it: with
   * ERR_OVERFLOW if it is full, with ERR_CLOSED if it has closed.
   */
  put(job: JobData): Promise<string>
  /** Takes no more jobs. Resolves when those that it runs in this process are done. */
  close(): Promise<void>
}

const queues = new Map<string, JobQueue>()

/**
 * Adds queues, for the jobs of this process.
 *
 * Throws InvalidArgumentError if it is no queue, InvalidStateError if the name is taken.
 */
export function add_queues(...added: readonly JobQueue[]): void {
  for (const each of added) {
    if (typeof each?.put !== 'function' || typeof each.name !== 'string')
      throw new InvalidArgumentError('add_queues', 'a JobQueue, such as a MemoryQueue', each)
    if ((queues.get(each.name) ?? each) !== each)
      throw new InvalidStateError('add_queues()', `${each.name} is taken`, 'choose another name')
    queues.set(each.name, each)
  }
}

/** The queue of that name. Throws InvalidArgumentError if there is none. */
export function get_queue(name = 'default'): JobQueue {
  const found = queues.get(name)
  if (found !== undefined) return found
  const hint = queues.size === 0 ? 'add_queues() first' : didYouMean(name, queues.keys())
  throw new InvalidArgumentError(`get_queue: there is no queue ${show(name)}; ${hint}`)
}

/** Forgets queues: for tests, which want new ones. They are not closed. */
export function remove_queues(...names: readonly string[]): void {
  for (const name of names) queues.delete(name)
}
