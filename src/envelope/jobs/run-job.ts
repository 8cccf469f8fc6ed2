/**
 * Layer 9. What a worker does with a job, whichever queue it comes from: runJob makes the message
 * again, calls its run_job, and tells its sender; failJob tells the sender that it has failed.
 *
 * Rules:
 * 1. What the sender gets goes through the layer, so the worker may be in any process.
 * 2. An error message that run_job throws is an answer: the job is done. Anything else rejects. The
 *    queue says then whether it is tried again, or calls failJob.
 */

import { checkFunction, type Checks } from '../../core/checks.ts'
import { noop } from '../../core/noop.ts'
import { checkOptions } from '../../core/options.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { ChannelError, InvalidStateError, messageOf } from '../../errors.ts'
import { JobError } from '../builtin/common-errors.ts'
import { Progress, Stat } from '../builtin/common-messages.ts'
import type { Envelope } from '../envelope.ts'
import { get_envelope } from '../envelope-table.ts'
import { ErrorMessage } from '../error-message.ts'
import { Message } from '../message.ts'
import { websocket_send, websocket_send_error } from '../outside/sending.ts'
import { DeferredJob, type JobRun } from './deferred-job.ts'
import type { JobData } from './job-queue.ts'

/** What the jobs of a program run with. */
export interface JobSurroundings {
  /**
   * Finds the user of a message by `mm.user_pk`: the worker has no consumer.
   * @default none: `user` is undefined
   */
  readonly find_user?: ((user_pk: string | number) => unknown) | undefined
  /**
   * Runs the work of a job that is `atomic` inside a transaction, and returns what it returns.
   * @default it is just run
   */
  readonly atomic?: (<Result>(work: () => Promise<Result>) => Promise<Result>) | undefined
}

const CHECKS: Checks<JobSurroundings> = { find_user: checkFunction, atomic: checkFunction }

let surroundings: JobSurroundings = {}

/** Says what jobs run with, in this process. Throws InvalidArgumentError. */
export function jobs_with(given: JobSurroundings): void {
  checkOptions('jobs_with', given, CHECKS)
  surroundings = given
}

/**
 * Runs a job. Rejects if it has failed in a way that is no answer: with what run_job has thrown,
 * with ERR_JOB_EXPIRED if it waited for longer than its `ttl`, with ERR_JOB_TIMEOUT if it runs for
 * longer than its `job_timeout`.
 */
export async function runJob(job: JobData, engine: Engine): Promise<void> {
  if (job.ttl !== null && Date.now() - job.enqueued_at > job.ttl)
    throw new ChannelError('ERR_JOB_EXPIRED', `the job waited for more than ${job.ttl} ms`)
  const message = await messageOfJob(job)
  const reply = new Reply(job, message)
  reply.stat('r')
  try {
    const result = await within(job.job_timeout, engine, signal => work(message, signal, reply))
    if (result instanceof Message) reply.send(result, 's')
    else reply.stat('s')
  } catch (error) {
    if (!(error instanceof ErrorMessage)) throw error
    reply.fail(error)
  }
}

/** Tells the sender of a job that it has failed. */
export function failJob(job: JobData, error: unknown): void {
  const { id = null, consumer_name = null } = job.mm
  if (consumer_name === null) return
  const mm = { id, consumer_name, state: 'f' }
  const msg = messageOf(error)
  websocket_send_error(new JobError({ msg, mm }), { envelope: get_envelope(job.errors) })
}

async function messageOfJob({ env, t, p, mm }: JobData): Promise<DeferredJob> {
  const envelope = get_envelope(env)
  const data = { t, p: p as Record<string, unknown>, i: mm.id ?? null }
  const message = (await envelope.unpack(data, { mm })) as Message
  if (!(message instanceof DeferredJob))
    throw new InvalidStateError('runJob()', `${t} is no DeferredJob here`, 'import its class')
  const { find_user } = surroundings
  const { user_pk } = message.mm
  if (find_user !== undefined && user_pk !== null) message.user = await find_user(user_pk)
  return message
}

function work(message: DeferredJob, signal: AbortSignal, reply: Reply): Promise<unknown> {
  const run = async (): Promise<unknown> => message.run_job(reply.run(signal))
  const { atomic } = surroundings
  return message.atomic && atomic !== undefined ? atomic(run) : run()
}

/** Rejects with TimeoutError after so long. */
async function within<Result>(
  timeout: number,
  engine: Engine,
  task: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  let cancel: () => void = noop
  const over = new Promise<never>((_, reject) => {
    cancel = engine[DRIVE].after(timeout, () => {
      const error = new ChannelError('ERR_JOB_TIMEOUT', `the job ran for more than ${timeout} ms`)
      controller.abort(error)
      reject(error)
    })
  })
  try {
    return await Promise.race([task(controller.signal), over])
  } finally {
    cancel()
  }
}

/** Tells the sender of a job. */
class Reply {
  readonly #envelope: Envelope<any>
  readonly #errors: Envelope<any>
  readonly #message: DeferredJob

  constructor({ answers, errors }: JobData, message: DeferredJob) {
    this.#envelope = get_envelope(answers)
    this.#errors = get_envelope(errors)
    this.#message = message
  }

  run(signal: AbortSignal): JobRun {
    return {
      signal,
      progress: (curr, total, msg) =>
        this.send(Progress.from_message(this.#message, { curr, total, msg: msg ?? null }), 'r'),
      answer: (message, state = 'r') => this.send(message, state),
    }
  }

  /** `s.stat`, if somebody waits, and the envelope has it. */
  stat(state: string): void {
    if (this.#message.mm.id !== null && this.#envelope.registry.has(Stat.type_name))
      this.send(Stat.from_message(this.#message), state)
  }

  send(message: Message, state: string): void {
    if (this.#message.mm.consumer_name === null) return
    const { consumer_name: channel_name } = this.#message.mm
    // Its transaction is over, or what is said must not wait for it.
    const on_commit = false
    websocket_send(message, { envelope: this.#envelope, channel_name, state, on_commit })
  }

  /** An error message of the program: the answer is that the job has failed. */
  fail(error: ErrorMessage): void {
    const { id, consumer_name: channel_name } = this.#message.mm
    if (channel_name === null) return
    const Class = error.constructor as typeof ErrorMessage
    const mm = { id, consumer_name: channel_name, state: 'f' }
    const whole = new Class({ data: error.data, mm })
    // As a consumer does: an error of the program may be among what it answers.
    const isAnswer = !this.#errors.registry.has(whole.type_name)
    const envelope = isAnswer ? this.#envelope : this.#errors
    websocket_send_error(whole, { envelope, channel_name })
  }
}
