/**
 * Layer 9. ThreadPool: runs jobs in worker threads, so that work that blocks does not block the
 * loop of the process.
 *
 * run → a thread that is idle, or a new one, or the next one that is done → the thread, see
 * serve.ts → `run` settles.
 *
 * Rules:
 * 1. A thread works on one job at a time. There are at most `threads` of them; each begins when it
 *    is needed, and stays.
 * 2. A thread that dies costs no job: it is run again by another thread, `tries` times in all.
 * 3. A thread that is in a loop cannot look at the time. So it is killed from outside, a second
 *    after `job_timeout`; that job is not run again.
 */

import { type Checks, instanceOf } from '../../../core/checks.ts'
import { type Deferred, deferred } from '../../../core/deferred.ts'
import { DRIVE } from '../../../core/drive.ts'
import { noop } from '../../../core/noop.ts'
import { checkOptions } from '../../../core/options.ts'
import { Engine, logSafely } from '../../../engine.ts'
import { ChannelError, ClosedError, InvalidArgumentError, messageOf } from '../../../errors.ts'
import type { Thread } from '../../../threads.ts'
import type { Cancel, Milliseconds } from '../../../types.ts'
import { get_layer } from '../../layers/layer-table.ts'
import { checkNumber } from '../job-checks.ts'
import type { JobData } from '../job-queue.ts'
import type { JobRunner } from '../job-runner.ts'
import type { Said } from './serve.ts'

/** Options of `new ThreadPool`. */
export interface ThreadPoolOptions {
  /** The most threads. @default 4 */
  readonly threads?: number | undefined
  /** How often a job is tried whose thread dies, in all. @default 3 */
  readonly tries?: number | undefined
  /** The engine of its timers. @default Engine.instance() */
  readonly engine?: Engine | undefined
}

export const THREAD_POOL_CHECKS: Checks<ThreadPoolOptions> = {
  threads: checkNumber,
  tries: checkNumber,
  engine: instanceOf(Engine),
}

/** What a thread runs. */
const SERVE = new URL(`./serve${import.meta.url.slice(-3)}`, import.meta.url).href

/** How much later than the thread itself the pool looks at `job_timeout`. */
const GRACE: Milliseconds = 1000

/** A job that waits, or is run. */
interface Task {
  readonly job: JobData
  readonly end: Deferred<void>
  tries: number
}

/** A thread, and what it does. */
interface Place {
  thread: Thread
  task: Task | undefined
  /** Has it loaded its module? */
  isReady: boolean
  cancel: Cancel
}

/** Runs jobs in worker threads. */
export class ThreadPool implements JobRunner {
  readonly #module: string
  readonly #engine: Engine
  readonly #most: number
  readonly #tries: number
  readonly #places = new Set<Place>()
  readonly #waiting: Task[] = []
  #closing: Deferred<void> | undefined

  /**
   * Each thread loads the module, which makes messages and envelopes known by `add_envelopes`. It
   * is a path such as './jobs.js', from the current directory on; or a `file:` URL, or the name of
   * a package. Throws InvalidArgumentError.
   */
  constructor(module: string | URL, options: ThreadPoolOptions = {}) {
    checkOptions('new ThreadPool', options, THREAD_POOL_CHECKS)
    const { threads = 4, tries = 3, engine = Engine.instance() } = options
    if ((typeof module !== 'string' && !(module instanceof URL)) || module === '')
      throw new InvalidArgumentError('new ThreadPool: module', 'a path or a URL', module)
    this.#module = String(module)
    this.#most = threads
    this.#tries = tries
    this.#engine = engine
  }

  /** How many threads there are. */
  get size(): number {
    return this.#places.size
  }

  /**
   * Runs a job. Rejects as `runJob` does; with ERR_JOB_LOST if its thread has died each time; with
   * ERR_MODULE if the module does not load; with ERR_CLOSED after `close`.
   */
  run(job: JobData): Promise<void> {
    if (this.#closing !== undefined)
      return Promise.reject(new ClosedError('the pool is closed', 'local'))
    const task = { job, end: deferred<void>(), tries: 0 }
    this.#waiting.push(task)
    this.#next()
    return task.end.promise
  }

  #next(): void {
    for (const place of this.#places) if (place.isReady && !place.task) this.#give(place)
    const coming = [...this.#places].filter(({ isReady }) => !isReady).length
    const wanted = Math.min(this.#waiting.length - coming, this.#most - this.#places.size)
    for (let count = 0; count < wanted; count++) this.#begin()
  }

  #begin(): void {
    const place: Place = {
      thread: undefined as never,
      task: undefined,
      isReady: false,
      cancel: noop,
    }
    place.thread = this.#engine[DRIVE].threads.start(
      SERVE,
      { module: this.#module },
      {
        received: said => this.#received(place, said as Said),
        ended: error => this.#ended(place, error),
      },
    )
    // It has somebody waiting for it.
    place.thread.hold(true)
    this.#places.add(place)
  }

  #give(place: Place): void {
    const task = this.#waiting.shift()
    place.thread.hold(task !== undefined)
    if (task === undefined) return
    place.task = task
    task.tries++
    const { job } = task
    place.cancel = this.#engine[DRIVE].after(job.job_timeout + GRACE, () => {
      this.#settle(place, new ChannelError('ERR_JOB_TIMEOUT', tooLong(job)))
      place.thread.kill()
    })
    place.thread.post(job)
  }

  #received(place: Place, { isReady, isDone, failed, code, log, ...parcel }: Said): void {
    const { layer, topic, bytes } = parcel
    if (log !== undefined) return logSafely(this.#engine, log)
    if (topic !== undefined) return this.#publish(layer as string, topic, bytes as Uint8Array)
    const error = failed === undefined ? undefined : new ChannelError(code || 'ERR_JOB', failed)
    if (isReady) place.isReady = true
    else if (code === 'ERR_MODULE') this.#refuse(place, error as Error)
    else if (isDone || error !== undefined) this.#settle(place, error)
    this.#next()
  }

  /** For the consumers of this thread. */
  #publish(layer: string, topic: string, bytes: Uint8Array): void {
    try {
      get_layer(layer).relay.publish(topic, bytes)
    } catch (error) {
      logSafely(this.#engine, `the sender of a job cannot be told: ${messageOf(error)}`, error)
    }
  }

  /** Its module does not load: nor would it for those that wait. */
  #refuse(place: Place, error: Error): void {
    this.#places.delete(place)
    place.thread.kill()
    for (const { end } of this.#waiting.splice(0)) end.reject(error)
  }

  #settle(place: Place, error?: Error): void {
    const { task } = place
    place.task = undefined
    place.cancel()
    if (error === undefined) task?.end.resolve()
    else task?.end.reject(error)
    this.#finish()
  }

  #ended(place: Place, error: Error | undefined): void {
    const { task } = place
    place.cancel()
    this.#places.delete(place)
    const why = error === undefined ? 'it has ended' : messageOf(error)
    // Starting it again and again would never end.
    if (!place.isReady) this.#refuse(place, new ChannelError('ERR_MODULE', `a thread died: ${why}`))
    if (task !== undefined) {
      logSafely(this.#engine, `the thread of the job ${task.job.t} has died: ${why}`, error)
      if (task.tries < this.#tries) this.#waiting.unshift(task)
      else
        this.#settle(
          place,
          new ChannelError('ERR_JOB_LOST', `its thread died, ${task.tries} times`),
        )
    }
    this.#next()
  }

  /** Takes no more jobs. Resolves when those that it has are done; then its threads end. */
  close(): Promise<void> {
    this.#closing ??= deferred<void>()
    this.#finish()
    return this.#closing.promise
  }

  #finish(): void {
    const isBusy = this.#waiting.length > 0 || [...this.#places].some(({ task }) => task)
    if (this.#closing === undefined || isBusy) return
    for (const { thread } of this.#places) thread.kill()
    this.#closing.resolve()
  }
}

function tooLong({ job_timeout }: JobData): string {
  return `the job ran for more than ${job_timeout} ms`
}
