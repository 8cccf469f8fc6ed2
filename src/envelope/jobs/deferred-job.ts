/**
 * Layer 9. DeferredJob: a message whose work is done by a queue. The connection does not wait for
 * it.
 *
 * Call order, where it was received: pre_queue → should_run → the answer with state q → the queue →
 * post_queue. In the worker, maybe in another process, see run-job.ts: the answer with state r →
 * run_job → the answer with state s or f.
 */

import { InvalidStateError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import { Stat } from '../builtin/common-messages.ts'
import type { Envelope } from '../envelope.ts'
import { get_envelope } from '../envelope-table.ts'
import type { Message } from '../message.ts'
import { AsyncRunnable, type Run } from '../runnable.ts'
import { get_queue, type JobData } from './job-queue.ts'

/** What `post_queue` gets. */
export interface Queued<Of = any> extends Run<Of> {
  /** The id of the job in its queue. */
  readonly job: string
}

/** What `run_job` gets. */
export interface JobRun {
  /** Aborted when `job_timeout` is over: what is not done then has failed. */
  readonly signal: AbortSignal
  /** Tells the sender how far it has come: `progress.num`, with the state r. */
  progress(curr: number, total: number, msg?: string): void
  /** Sends the sender a message about the job, with a state. @default 'r' */
  answer(message: Message, state?: string): void
}

/** Who has received the message: the part of a consumer that is used here. */
interface From {
  readonly outgoing: Envelope<any>
  readonly errors: Envelope<any>
  last_job: Milliseconds
  send(message: Message): unknown
}

/**
 * A message whose work is done by a queue.
 *
 * @example
 * class Report extends message('report', shape({ year: integer }), DeferredJob) {
 *   override async run_job() {
 *     return Reported.from_message(this, { rows: await database.report(this.data.year) })
 *   }
 * }
 */
export class DeferredJob extends AsyncRunnable {
  static override readonly run_when: 'received' | 'always' = 'received'
  /** The name of its queue. @default 'default' */
  static readonly queue: string = 'default'
  /** The longest that it may wait, in ms; null: for ever. @default null */
  static readonly ttl: Milliseconds | null = null
  /** The longest that it may run. @default 180 000 ms */
  static readonly job_timeout: Milliseconds = 180_000
  /** How long a queue that keeps results keeps this one. @default 500 000 ms */
  static readonly result_ttl: Milliseconds = 500_000
  /** How long a queue that keeps failures keeps this one. @default a week, in ms */
  static readonly failure_ttl: Milliseconds = 604_800_000

  /** Is it run inside a transaction, see `jobs_with`? @default true */
  atomic = true
  /** Is it queued? `pre_queue` may say no. @default true */
  should_run = true

  /** Queues it. */
  override async run({ consumer }: Run): Promise<void> {
    const from = consumer as From
    await this.pre_queue({ consumer })
    if (!this.should_run) return
    // Before it is put: the worker may be faster than the promise of put.
    if (this.mm.id !== null && from.outgoing.registry.has(Stat.type_name))
      from.send(Stat.from_message(this, { state: 'q' }))
    const job = await this.enqueue(from)
    from.last_job = Date.now()
    await this.post_queue({ job, consumer })
  }

  /** Called before it is queued. It may set `should_run`. Default: nothing. */
  pre_queue(_run: Run): unknown {
    return undefined
  }

  /** Called when it was queued. Default: nothing. */
  post_queue(_queued: Queued): unknown {
    return undefined
  }

  /**
   * Puts it into its queue. Resolves with the id of the job. `from` says by which envelopes it is
   * answered; by default `ws_outgoing` and `errors`.
   *
   * Rejects with what the queue rejects with; with InvalidArgumentError if there is no such queue;
   * with InvalidStateError if the message came from no envelope that `get_envelope` finds, so that
   * the worker could not make it again.
   */
  async enqueue(from?: Pick<From, 'outgoing' | 'errors'>): Promise<string> {
    const Class = this.constructor as typeof DeferredJob
    const { env } = this.mm
    if (env === null || !get_envelope(env).registry.has(Class.type_name))
      throw new InvalidStateError('enqueue()', 'it came from no envelope', 'give mm: { env }')
    const { ttl, job_timeout, result_ttl, failure_ttl } = Class
    const job: JobData = {
      env,
      t: Class.type_name,
      p: this.data,
      mm: { ...this.mm },
      answers: from?.outgoing.name ?? 'ws_outgoing',
      errors: from?.errors.name ?? 'errors',
      enqueued_at: Date.now(),
      ttl,
      job_timeout,
      result_ttl,
      failure_ttl,
    }
    return get_queue(Class.queue).put(job)
  }

  /**
   * Does the work, in the worker. If it returns a message, that is the answer. What it throws makes
   * it fail: the sender gets the error message, if it is one, or else `error.job`. Default:
   * nothing.
   */
  run_job(_run: JobRun): unknown {
    return undefined
  }
}
