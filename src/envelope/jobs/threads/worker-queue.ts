/**
 * Layer 9. WorkerQueue: a queue in this process whose work is done in worker threads.
 *
 * It is a MemoryQueue over a ThreadPool.
 */

import { checkName, type Checks } from '../../../core/checks.ts'
import { checkOptions } from '../../../core/options.ts'
import { Engine } from '../../../engine.ts'
import { checkNumber } from '../job-checks.ts'
import { JobPool, MemoryQueue } from '../memory-queue.ts'
import { THREAD_POOL_CHECKS, ThreadPool, type ThreadPoolOptions } from './thread-pool.ts'

/** Options of `new WorkerQueue`. */
export interface WorkerQueueOptions extends ThreadPoolOptions {
  /** Its name. @default 'default' */
  readonly name?: string | undefined
  /** The most jobs that may wait. @default 1000 */
  readonly size?: number | undefined
}

const CHECKS: Checks<WorkerQueueOptions> = {
  ...THREAD_POOL_CHECKS,
  name: checkName,
  size: checkNumber,
}

/**
 * A queue in this process whose jobs may compute, or block: they run in worker threads.
 *
 * @example
 * add_queues(new WorkerQueue(new URL('./jobs.js', import.meta.url), { threads: 2 }))
 */
export class WorkerQueue extends MemoryQueue {
  readonly #threads: ThreadPool

  /** The module is as for a ThreadPool. Throws InvalidArgumentError for an invalid option. */
  constructor(module: string | URL, options: WorkerQueueOptions = {}) {
    checkOptions('new WorkerQueue', options, CHECKS)
    const { name = 'default', size = 1000, engine = Engine.instance(), ...rest } = options
    const threads = new ThreadPool(module, { ...rest, engine })
    super({ name, size, pool: new JobPool(rest.threads ?? 4, engine, threads) })
    this.#threads = threads
  }

  /** Takes no more jobs. Resolves when those that it has are done, and its threads end. */
  override async close(): Promise<void> {
    await super.close()
    await this.#threads.close()
  }
}
