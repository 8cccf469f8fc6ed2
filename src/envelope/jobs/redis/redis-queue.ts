/**
 * Layer 9. RedisQueue: jobs that wait on a Redis server, until a RedisWorker of any process has
 * time for them.
 *
 * put → PUT of scripts.ts → (any process) RedisWorker.
 *
 * Rule: a job is put once, however often it had to be sent.
 */

import { type Checks, instanceOf } from '../../../core/checks.ts'
import { checkOptions } from '../../../core/options.ts'
import { Engine } from '../../../engine.ts'
import { ClosedError, OverflowError } from '../../../errors.ts'
import { checkNestedRedis, type NestedRedisOptions } from '../../../protocols/redis/target.ts'
import type { Milliseconds } from '../../../types.ts'
import { checkJob, checkNumber, checkQueueName } from '../job-checks.ts'
import type { JobData, JobQueue } from '../job-queue.ts'
import { LastingClient } from './lasting-client.ts'
import { keysOf, PUT, type QueueKeys } from './scripts.ts'

/** Options of `new RedisQueue`. */
export interface RedisQueueOptions {
  /** Its name. @default 'default' */
  readonly name?: string | undefined
  /** The most jobs that may wait, or be worked on. @default 10 000 */
  readonly size?: number | undefined
  /** How long `put` waits for a server that is away. @default 30 000 ms */
  readonly put_timeout?: Milliseconds | undefined
  /** Options of its client, such as `tls` or `reconnect`. @default {} */
  readonly redis?: NestedRedisOptions | undefined
  /** The engine of its connection. @default Engine.instance() */
  readonly engine?: Engine | undefined
}

const CHECKS: Checks<RedisQueueOptions> = {
  name: checkQueueName,
  size: checkNumber,
  put_timeout: checkNumber,
  redis: checkNestedRedis,
  engine: instanceOf(Engine),
}

/** A job that was put is known for so much longer than `put` may take. */
const KNOWN: Milliseconds = 10_000

/**
 * A queue on a Redis or Valkey server. A `RedisWorker`, or the command `sluice-worker`, does the
 * work.
 *
 * @example
 * add_queues(new RedisQueue('redis://localhost'))
 */
export class RedisQueue implements JobQueue {
  /** Its name. */
  readonly name: string
  readonly #client: LastingClient
  readonly #keys: QueueKeys
  readonly #size: number
  readonly #timeout: Milliseconds
  #closing: Promise<void> | undefined
  /** The calls of `put` that are not settled. */
  readonly #open = new Set<Promise<unknown>>()

  /**
   * The URL is one of RedisClient. It connects at once. Throws InvalidArgumentError for an invalid
   * option, and InvalidAddressError for an invalid URL.
   */
  constructor(url: string, options: RedisQueueOptions = {}) {
    checkOptions('new RedisQueue', options, CHECKS)
    const { name = 'default', size = 10_000, put_timeout = 30_000, redis } = options
    const { engine = Engine.instance() } = options
    this.name = name
    this.#size = size
    this.#timeout = put_timeout
    this.#keys = keysOf(name)
    this.#client = new LastingClient(engine, redis).connect(url)
  }

  /**
   * Takes a job. Resolves with its id when the server has it. While the server is away, it waits.
   *
   * Rejects with OverflowError if too many wait; with a RedisError ERR_TIMEOUT if there is no reply
   * within `put_timeout`: the server may have it all the same; with ClosedError after `close`.
   */
  async put(job: JobData): Promise<string> {
    if (this.#closing !== undefined) throw new ClosedError('the queue is closed', 'local')
    checkJob(job)
    const id = globalThis.crypto.randomUUID()
    const { jobs, later } = this.#keys
    const args = [this.#size, id, JSON.stringify(job), this.#timeout + KNOWN]
    const put = this.#client.run(PUT, [jobs, later, `${jobs}:put:${id}`], args, this.#timeout)
    this.#open.add(put)
    try {
      if ((await put) === 1) return id
    } finally {
      this.#open.delete(put)
    }
    throw new OverflowError('send', this.#size, `more than ${this.#size} jobs wait`)
  }

  /** How many jobs wait, or are worked on, in all processes. Rejects with a RedisError. */
  async size(): Promise<number> {
    const { jobs, later } = this.#keys
    const [waiting, due] = await Promise.all([
      this.#client.call('XLEN', jobs),
      this.#client.call('ZCARD', later),
    ])
    return Number(waiting) + Number(due)
  }

  /** Takes no more jobs. Resolves when the server has those that were put, or they were refused. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#open)
    this.#client.end()
    await this.#client.closed
  }
}
