/**
 * Layer 9. RedisWorker: does the work of the jobs that wait on a Redis server.
 *
 * The way of a job: #read (XREADGROUP) or #tend (XAUTOCLAIM from a worker that has died) → #begin →
 * the runner → DONE; or RETRY, and it is read again when it is due; or BURY, after the last try.
 *
 * Rules:
 * 1. A job is acknowledged after its work, so a worker that dies in the middle costs no job. It is
 *    run again, so its work may be done twice.
 * 2. A worker has a lease of each job that it works on, and renews it. Jobs whose lease is over are
 *    claimed by others. Whoever has just connected claims nothing for one lease: when the server
 *    was away, the others must be able to renew first.
 * 3. Each try counts, also one in which the worker died: a job that kills its worker does so at
 *    most `tries` times.
 */

import { Backoff } from '../../../core/backoff.ts'
import { type Checks, instanceOf } from '../../../core/checks.ts'
import { noop } from '../../../core/noop.ts'
import type { Complete } from '../../../core/option-types.ts'
import { checkOptions, optionsOf } from '../../../core/options.ts'
import { pause } from '../../../core/time/pause.ts'
import { DRIVE, Engine, logSafely } from '../../../engine.ts'
import { ChannelError, codeOf, messageOf } from '../../../errors.ts'
import { isLoss } from '../../../protocols/redis/errors.ts'
import { checkNestedRedis, type NestedRedisOptions } from '../../../protocols/redis/target.ts'
import type { Cancel, Milliseconds } from '../../../types.ts'
import { checkNumber, checkQueueName, checkRunner } from '../job-checks.ts'
import type { JobData } from '../job-queue.ts'
import { giveUp, type JobRunner, runsHere } from '../job-runner.ts'
import { placeOf } from '../place.ts'
import { LastingClient } from './lasting-client.ts'
import { BURY, DONE, GROUP, keysOf, LEAVE, type QueueKeys, RETRY, TEND } from './scripts.ts'

/** Options of `new RedisWorker`. */
export interface RedisWorkerOptions {
  /** The name of the queue. @default 'default' */
  readonly name?: string | undefined
  /** How many jobs it works on at a time. @default 16 */
  readonly count?: number | undefined
  /** How often a job is tried, in all. @default 3 */
  readonly tries?: number | undefined
  /** How long to wait before a job is tried again. @default { first: 1000, longest: 60 000 } ms */
  readonly retry?:
    | { readonly first?: Milliseconds | undefined; readonly longest?: Milliseconds | undefined }
    | undefined
  /** Jobs of a worker that has died are claimed after this. @default 30 000 ms */
  readonly lease?: Milliseconds | undefined
  /** How many jobs are kept that have failed for good. @default 10 000 */
  readonly dead_size?: number | undefined
  /** Does the work. @default this process */
  readonly runner?: JobRunner | undefined
  /** Options of its client, such as `tls` or `reconnect`. @default {} */
  readonly redis?: NestedRedisOptions | undefined
  /** The engine of its connections and timers. @default Engine.instance() */
  readonly engine?: Engine | undefined
}

const RETRY_CHECKS: Checks<Complete<RedisWorkerOptions>['retry']> = {
  first: checkNumber,
  longest: checkNumber,
}

const CHECKS: Checks<RedisWorkerOptions> = {
  name: checkQueueName,
  count: checkNumber,
  tries: checkNumber,
  retry: optionsOf(RETRY_CHECKS),
  lease: checkNumber,
  dead_size: checkNumber,
  runner: checkRunner,
  redis: checkNestedRedis,
  engine: instanceOf(Engine),
}

/** How long one read waits. */
const BLOCK: Milliseconds = 5000

/** The longest time between two looks at what is due, in ms. */
const TEND_EVERY: Milliseconds = 1000

/** How long is kept what is no job: a week, in ms. */
const KEPT: Milliseconds = 604_800_000

/** A job that it works on. */
interface Work {
  /** Its id in the stream. */
  readonly entry: string
  /** Its id, as `put` has returned it. */
  readonly id: string
  /** As it is stored: JSON of JobData. */
  readonly text: string
  /** Which try this is, from 1. */
  readonly attempt: number
}

/** What is stored of a job, in an entry of the stream. */
type Fields = Readonly<Record<string, string>>

/**
 * Works on the jobs of one queue on a Redis or Valkey server. Any number of processes may have one.
 *
 * @example
 * const worker = new RedisWorker('redis://localhost')
 * process.once('SIGTERM', () => worker.close())
 */
export class RedisWorker {
  /** The name of its queue. */
  readonly name: string
  readonly #engine: Engine
  readonly #runner: JobRunner
  readonly #options: { count: number; tries: number; lease: Milliseconds; dead_size: number }
  readonly #retry: { readonly first: Milliseconds; readonly longest: Milliseconds }
  readonly #keys: QueueKeys
  /** Nobody else has this name. */
  readonly #me = globalThis.crypto.randomUUID()
  readonly #client: LastingClient
  /** Only reads: so that closing ends a read that waits. */
  readonly #reader: LastingClient
  readonly #running = new Map<string, Work>()
  #connected: Milliseconds = Infinity
  #isTending = false
  #cancel: Cancel
  #closing: Promise<void> | undefined
  /** Called when a job is done. */
  #freed: () => void = noop

  /**
   * The URL is one of RedisClient. It connects and works at once. Throws InvalidArgumentError for
   * an invalid option, and InvalidAddressError for an invalid URL.
   */
  constructor(url: string, options: RedisWorkerOptions = {}) {
    checkOptions('new RedisWorker', options, CHECKS)
    const { name = 'default', engine = Engine.instance(), runner, redis } = options
    const { count = 16, tries = 3, lease = 30_000, dead_size = 10_000, retry = {} } = options
    const { first = 1000, longest = 60_000 } = retry
    this.name = name
    this.#engine = engine
    this.#runner = runner ?? runsHere(engine)
    this.#options = { count, tries, lease, dead_size }
    this.#retry = { first, longest }
    this.#keys = keysOf(name)
    this.#client = new LastingClient(engine, redis).connect(url)
    this.#client.told = () => {
      this.#connected = engine.now
      void this.#tend()
    }
    this.#reader = new LastingClient(engine, redis).connect(url)
    // Both lose the server at the same moment: one line is enough.
    this.#reader.on_disconnect = noop
    this.#cancel = engine.cycle(Math.min(TEND_EVERY, lease / 3), () => this.#tend())
    void this.#read()
  }

  /** How many jobs it works on. */
  get running(): number {
    return this.#running.size
  }

  /** Resolves when it can work. Rejects with a RedisError if it never can: a wrong password. */
  get opened(): Promise<void> {
    return Promise.all([this.#client.ready, this.#reader.ready]).then(noop)
  }

  // ---- taking jobs ------------------------------------------------------------------------------

  async #read(): Promise<void> {
    const backoff = new Backoff({ first: 20, longest: 5000 })
    for (let goesOn = true; goesOn && this.#closing === undefined;) {
      try {
        await this.#readOnce()
        backoff.reset()
      } catch (error) {
        if (!this.#reader.isOpen) return
        if (isLoss(error)) await this.#reader.ready.catch(noop)
        else if (codeOf(error) === 'NOGROUP') await this.#makeGroup()
        else this.#log('cannot read', error)
        const { now } = this.#engine
        goesOn = await pause(this.#engine[DRIVE], backoff.next(now))
      }
    }
  }

  async #readOnce(): Promise<void> {
    while (this.#free <= 0) {
      await new Promise<void>(resolve => (this.#freed = resolve))
      if (this.#closing !== undefined) return
    }
    const { jobs } = this.#keys
    const how = { count: this.#free, block: BLOCK }
    const read = await this.#reader.xreadgroup(GROUP, this.#me, { [jobs]: '>' }, how)
    for (const { id, fields } of Object.values(read).flat()) this.#begin(id, fields, 1)
  }

  get #free(): number {
    return this.#options.count - this.#running.size
  }

  /** The group gets what was put before there was one. */
  async #makeGroup(): Promise<void> {
    try {
      await this.#client.call('XGROUP', 'CREATE', this.#keys.jobs, GROUP, '0', 'MKSTREAM')
    } catch (error) {
      // Another worker was faster.
      if (codeOf(error) !== 'BUSYGROUP') this.#log('cannot make its group', error)
    }
  }

  async #tend(): Promise<void> {
    if (this.#isTending || !this.#client.connected) return
    this.#isTending = true
    const { jobs, later } = this.#keys
    const { lease } = this.#options
    const mayClaim = this.#engine.now - this.#connected >= lease && this.#closing === undefined
    const most = mayClaim ? Math.max(0, this.#free) : 0
    const args = [GROUP, this.#me, lease, most, ...this.#running.keys()]
    try {
      const claimed = await this.#client.eval<Claimed[]>(TEND, [jobs, later], args)
      for (const [entry, fields, times] of claimed) this.#begin(entry, recordOf(fields), times)
    } catch (error) {
      if (!isLoss(error) && codeOf(error) !== 'NOGROUP') this.#log('cannot renew', error)
    } finally {
      this.#isTending = false
    }
  }

  // ---- working ----------------------------------------------------------------------------------

  #begin(entry: string, fields: Fields, times: number): void {
    // It is claimed from ourselves, if the lease was over before it could be renewed.
    if (this.#running.has(entry)) return
    // Somebody else may have written anything there.
    const { id = '', job: text = '', tries } = fields
    const attempt = (Number(tries) || 1) + times - 1
    const work = { entry, id: /^\S+$/.test(id) ? id : entry, text, attempt }
    this.#running.set(entry, work)
    void this.#work(work).finally(() => {
      this.#running.delete(entry)
      this.#freed()
    })
  }

  async #work(work: Work): Promise<void> {
    const { attempt, entry } = work
    let job: JobData | undefined
    try {
      try {
        job = jobOf(work.text)
        const { tries } = this.#options
        if (attempt > tries)
          throw new ChannelError('ERR_JOB_LOST', `its worker died, ${tries} times`)
        await this.#runner.run(job)
      } catch (error) {
        return await this.#failed(work, job, error)
      }
      await this.#client.run(DONE, [this.#keys.jobs], [GROUP, entry])
    } catch (error) {
      // It is claimed, and done again.
      if (!isLoss(error)) this.#log(`cannot acknowledge ${work.id}`, error)
    }
  }

  async #failed(work: Work, job: JobData | undefined, error: unknown): Promise<void> {
    const { attempt, entry, id, text } = work
    const { jobs, later, dead } = this.#keys
    const { tries, dead_size } = this.#options
    const isLast = attempt >= tries || job === undefined || codeOf(error) === 'ERR_JOB_EXPIRED'
    if (!isLast) {
      const backoff = new Backoff(this.#retry)
      backoff.attempts = attempt - 1
      const delay = backoff.next(this.#engine.now)
      this.#log(`${job!.t} failed, try ${attempt} of ${tries}, again in ${delay} ms`, error)
      const args = [GROUP, this.#me, entry, delay, `${id} ${attempt + 1} ${text}`]
      await this.#client.run(RETRY, [jobs, later], args)
      return
    }
    if (job === undefined) this.#log(`${id} is no job`, error)
    else giveUp(job, error, this.#engine)
    const kept = Number.isFinite(job?.failure_ttl) ? job!.failure_ttl : KEPT
    const args = [dead_size, kept, id, attempt, text, messageOf(error)]
    await this.#client.run(BURY, [jobs, dead], [GROUP, this.#me, entry, ...args])
  }

  #log(what: string, error: unknown): void {
    logSafely(
      this.#engine,
      `queue ${this.name}: ${what}: ${messageOf(error)}${placeOf(error)}`,
      error,
    )
  }

  // ---- closing ----------------------------------------------------------------------------------

  /**
   * Takes no more jobs. Resolves when those that it works on are done. What is not done within
   * `timeout` ms is left to other workers; the work itself is not ended.
   *
   * @param timeout Default: 30 000 ms.
   */
  close(timeout: Milliseconds = 30_000): Promise<void> {
    checkNumber('close: timeout', timeout)
    this.#closing ??= this.#close(timeout)
    return this.#closing
  }

  async #close(timeout: Milliseconds): Promise<void> {
    this.#reader.close()
    this.#freed()
    let isOver = false
    const cancel = this.#engine[DRIVE].after(timeout, () => {
      isOver = true
      this.#freed()
    })
    while (this.#running.size > 0 && !isOver)
      await new Promise<void>(resolve => (this.#freed = resolve))
    cancel()
    this.#cancel()
    if (this.#client.connected)
      await this.#client.run(LEAVE, [this.#keys.jobs], [GROUP, this.#me], timeout).catch(noop)
    this.#client.end()
    await Promise.all([this.#client.closed, this.#reader.closed])
  }
}

/** Throws if it is none. What is wrong inside of it is found when it is run. */
function jobOf(text: string): JobData {
  const job: unknown = JSON.parse(text)
  if (typeof job === 'object' && job !== null) return job as JobData
  throw new ChannelError('ERR_JOB', 'it is no object')
}

type Claimed = [entry: string, fields: readonly string[], times: number]

function recordOf(flat: readonly string[]): Fields {
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n], flat[2 * n + 1]]),
  )
}
