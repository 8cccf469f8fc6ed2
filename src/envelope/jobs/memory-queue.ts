/**
 * Layer 9. MemoryQueue: the jobs of one process, run in that process. For work that waits (a
 * database, another server); what computes for long would block the loop.
 *
 * All queues of a Pool share its workers. They take turns: a queue that is full of jobs does not
 * keep those of the others from being run.
 */

import { checkName, type Checks, instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { Engine } from '../../engine.ts'
import { ClosedError, OverflowError } from '../../errors.ts'
import { checkJob, checkNumber, checkRunner } from './job-checks.ts'
import type { JobData, JobQueue } from './job-queue.ts'
import { giveUp, type JobRunner, runsHere } from './job-runner.ts'

/** Options of `new MemoryQueue`. */
export interface MemoryQueueOptions {
  /** Its name. @default 'default' */
  readonly name?: string | undefined
  /** The most jobs that may wait. @default 1000 */
  readonly size?: number | undefined
  /** Who runs the jobs. @default one of its own, with 16 workers */
  readonly pool?: JobPool | undefined
}

/** Tells a pool that a queue has a job. */
const OFFER: unique symbol = Symbol('sluice.offer')

/** Runs the jobs of several queues, a limited number at a time. */
export class JobPool {
  readonly #engine: Engine
  readonly #count: number
  /** Those that have a job, in the order of their turns. */
  readonly #ready: Waiting[] = []
  #running = 0

  readonly #runner: JobRunner

  /**
   * `count`: how many jobs run at a time. `runner`: who does their work, by default this process.
   * Throws InvalidArgumentError.
   */
  constructor(count = 16, engine: Engine = Engine.instance(), runner?: JobRunner) {
    this.#count = checkNumber('new JobPool: count', count)
    this.#engine = instanceOf(Engine)('new JobPool: engine', engine)
    if (runner !== undefined) checkRunner('new JobPool: runner', runner)
    this.#runner = runner ?? runsHere(engine)
  }

  /** @hidden */
  [OFFER](waiting: Waiting): void {
    if (!this.#ready.includes(waiting)) this.#ready.push(waiting)
    this.#next()
  }

  #next(): void {
    while (this.#running < this.#count) {
      const waiting = this.#ready.shift()
      if (waiting === undefined) return
      const job = waiting.jobs.shift() as JobData
      if (waiting.jobs.length > 0) this.#ready.push(waiting)
      this.#running++
      void this.#run(job).then(() => {
        this.#running--
        waiting.done()
        this.#next()
      })
    }
  }

  async #run(job: JobData): Promise<void> {
    try {
      await this.#runner.run(job)
    } catch (error) {
      giveUp(job, error, this.#engine)
    }
  }
}

/** The jobs of one queue. */
interface Waiting {
  readonly jobs: JobData[]
  done(): void
}

const CHECKS: Checks<MemoryQueueOptions> = {
  name: checkName,
  size: checkNumber,
  pool: instanceOf(JobPool),
}

/** A queue in this process. */
export class MemoryQueue implements JobQueue {
  /** Its name. */
  readonly name: string
  readonly #size: number
  readonly #pool: JobPool
  readonly #waiting: Waiting = { jobs: [], done: () => this.#done() }
  /** Those that wait or run. */
  #open = 0
  #count = 0
  #closed: Promise<void> | undefined
  #settle: (() => void) | undefined

  /** Throws InvalidArgumentError for an invalid option. */
  constructor(options: MemoryQueueOptions = {}) {
    checkOptions('new MemoryQueue', options, CHECKS)
    const { name = 'default', size = 1000, pool = new JobPool() } = options
    this.name = name
    this.#size = size
    this.#pool = pool
  }

  /** How many jobs wait. */
  get size(): number {
    return this.#waiting.jobs.length
  }

  /** Takes a job. Rejects with OverflowError if too many wait, with ClosedError after `close`. */
  async put(job: JobData): Promise<string> {
    if (this.#closed !== undefined) throw new ClosedError('the queue is closed', 'local')
    if (this.#waiting.jobs.length >= this.#size)
      throw new OverflowError('send', this.#size, `more than ${this.#size} jobs wait`)
    checkJob(job)
    this.#open++
    this.#waiting.jobs.push(job)
    const id = String(++this.#count)
    this.#pool[OFFER](this.#waiting)
    return id
  }

  /** Takes no more jobs. Resolves when those that it has are done. */
  close(): Promise<void> {
    this.#closed ??= new Promise(resolve => (this.#settle = resolve))
    if (this.#open === 0) this.#settle?.()
    return this.#closed
  }

  #done(): void {
    this.#open--
    if (this.#open === 0) this.#settle?.()
  }
}
