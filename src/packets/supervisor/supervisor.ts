/**
 * Layer 9. Supervisor: runs jobs. It asks the architect of each job for its channels and opens
 * them. A JobRun does the rest.
 */
// Source: Mephisto, `operations/supervisor.py`. Differs: a run is an object of its own.

import { tellMisspeltNames } from '../../channels/misspelt-names.ts'
import {
  checkDuration,
  checkFunction,
  checkRecord,
  type Checks,
  checkWait,
  countFrom,
  instanceOf,
  oneOf,
} from '../../core/checks.ts'
import { noop } from '../../core/noop.ts'
import type { Complete } from '../../core/option-types.ts'
import { checkOptions, withDefaults } from '../../core/options.ts'
import { attempt } from '../../core/promises.ts'
import { Engine, logSafely } from '../../engine.ts'
import { InvalidArgumentError, InvalidStateError, messageOf } from '../../errors.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { PacketChannel } from '../channel/packet-channel.ts'
import { takeHooks } from '../given-hooks.ts'
import type { Packet, PacketFields } from '../packet.ts'
import type { Job, PacketTypes, Run, RunEnd } from './job.ts'
import { JobRun } from './run.ts'

/** The options of a Supervisor. */
export interface SupervisorOptions {
  /** The engine whose timers it uses. @default Engine.instance() */
  readonly engine?: Engine | undefined
  /** The shape of the packets that the supervisor makes itself. @default '2020' */
  readonly shape?: '2020' | 'today' | undefined
  /** How long the channels of a job may take until they are alive. @default 10 000 ms */
  readonly start_death_time?: Milliseconds | undefined
  /** How often each channel is asked for the statuses of its agents. @default 4000 ms */
  readonly status_interval?: Milliseconds | undefined
  /**
   * The most packets that wait for one channel, including those that are not confirmed yet.
   *
   * @default 100 000
   */
  readonly queue_limit?: number | undefined
  /** The most bytes of them, as JSON. @default 64 MiB */
  readonly queue_size?: Bytes | undefined
  /**
   * The hook `on_error`.
   *
   * @default logs one line by `engine.log`
   */
  readonly on_error?: ((error: Error, run?: Run) => unknown) | undefined
}

const CHECKS: Checks<SupervisorOptions> = {
  engine: instanceOf(Engine),
  shape: oneOf('2020', 'today'),
  start_death_time: checkDuration,
  status_interval: checkDuration,
  queue_limit: countFrom(1),
  queue_size: countFrom(1),
  on_error: checkFunction,
}

type Settings = Complete<Omit<SupervisorOptions, 'engine' | 'on_error'>>

const DEFAULTS: Settings = {
  shape: '2020',
  start_death_time: 10_000,
  status_interval: 4000,
  queue_limit: 100_000,
  queue_size: 64 * 1024 * 1024,
}

const SHUTDOWN_CHECKS = { timeout: checkWait }

/**
 * Talks to people through the servers of its jobs, which may be anywhere and may fail.
 *
 * @example
 * const supervisor = new Supervisor()
 * const run = await supervisor.register_job({
 *   architect,
 *   handlers: { agent_action: packet => console.log(packet.sender_id, packet.data) },
 * })
 * run.send({ packet_type: 'request_act', sender_id: 'mephisto', receiver_id: 'ann' })
 */
export class Supervisor {
  readonly #engine: Engine
  readonly #options: Settings
  readonly #runs = new Set<JobRun>()
  #isOver = false

  /** Throws InvalidArgumentError if an option is invalid or does not exist. */
  constructor(options: SupervisorOptions = {}) {
    checkOptions('new Supervisor', options, CHECKS)
    const { engine = Engine.instance(), on_error, ...rest } = options
    this.#engine = engine
    this.#options = withDefaults(DEFAULTS, rest)
    takeHooks(this, { on_error })
  }

  /** The runs that are not over. Live: do not change it. */
  get runs(): ReadonlySet<Run> {
    return this.#runs
  }

  /**
   * Asks the job's architect for its channels and opens them. Resolves with the run when all of
   * them have become alive.
   *
   * Rejects, with all channels closed, if they are not alive within `start_death_time`
   * (PacketChannelError, ERR_NOT_ALIVE), if one is lost for good (ERR_LOST), if the job is invalid
   * (InvalidArgumentError), or with what the architect throws. Rejects with an InvalidStateError
   * after `shutdown`.
   */
  async register_job<Types extends PacketTypes>(job: Job<Types>): Promise<Run> {
    if (this.#isOver)
      throw new InvalidStateError('register_job()', 'the supervisor was shut down', 'make another')
    checkJob(job)
    tellMisspeltNames(this, Supervisor.prototype, this.#engine)
    const run = this.#newRun(job)
    try {
      const channels = await this.#channelsFor(job, run)
      await run.open(channels)
      return run
    } catch (error) {
      await run.shutdown(0)
      throw error
    }
  }

  #newRun(job: Job<any>): JobRun {
    const { shape, start_death_time, status_interval, queue_limit, queue_size } = this.#options
    const run = new JobRun(job, {
      engine: this.#engine,
      shape,
      startDeathTime: start_death_time,
      statusInterval: status_interval,
      queueLimit: queue_limit,
      queueSize: queue_size,
      report: (error, run) => this.#report(error, run),
    })
    this.#runs.add(run)
    void run.closed.then(() => this.#runs.delete(run))
    return run
  }

  async #channelsFor({ architect }: Job<any>, run: JobRun): Promise<readonly PacketChannel[]> {
    const { on_channel_open, on_catastrophic_disconnect, on_message } = run.callbacks
    const channels = await architect.get_channels(
      on_channel_open,
      on_catastrophic_disconnect,
      on_message,
    )
    this.#checkChannels(channels)
    return channels
  }

  #checkChannels(channels: readonly PacketChannel[]): void {
    const isArray = Array.isArray(channels) && channels.length > 0
    if (!isArray || !channels.every(each => each instanceof PacketChannel))
      throw new InvalidArgumentError('get_channels', 'an array of PacketChannels', channels)
    const ids = [...this.#runs].flatMap(run => [...run.channels.keys()])
    for (const { channel_id } of channels) {
      if (ids.includes(channel_id))
        throw new InvalidArgumentError(
          'get_channels: channel_id',
          'the id of no other channel of the supervisor',
          channel_id,
        )
      ids.push(channel_id)
    }
  }

  /**
   * Sends a packet over the channel of that id. Returns false if its queue is full, or if no run
   * that is active has that channel. Throws PacketError (ERR_PACKET) if the packet is invalid or
   * too large for the channel.
   */
  send(packet: Packet | PacketFields, channel_id: string): boolean {
    for (const run of this.#runs)
      if (run.channels.has(channel_id)) return run.send(packet, channel_id)
    return false
  }

  /** Closes a channel and forgets it. Its run goes on. Returns false if there is none. */
  close_channel(channel_id: string): boolean {
    return [...this.#runs].some(run => run.close_channel(channel_id))
  }

  /** Ends the run of a job: see `Run.shutdown`. Undefined if the job has none. */
  async shutdown_job(job: Job, timeout?: Milliseconds): Promise<RunEnd | undefined> {
    for (const run of this.#runs) if (run.job === job) return run.shutdown(timeout)
    return undefined
  }

  /**
   * Ends all runs. What was sent has up to `timeout` ms to go out; then every channel is closed.
   * The promise resolves when the hooks of the jobs are done, and never rejects. Afterwards no job
   * can be registered.
   *
   * Throws InvalidArgumentError for an invalid timeout. Its default is 5000 ms.
   */
  shutdown(options: { readonly timeout?: Milliseconds | undefined } = {}): Promise<void> {
    checkOptions('shutdown', options, SHUTDOWN_CHECKS)
    const { timeout = 5000 } = options
    this.#isOver = true
    return Promise.all([...this.#runs].map(run => run.shutdown(timeout))).then(noop)
  }

  /**
   * Called with each error that ends nothing, if the job has no `on_error` of its own. By default
   * it logs one line.
   */
  on_error(error: Error, run?: Run): unknown {
    const text = `${run === undefined ? '' : `run ${run.id}: `}${messageOf(error)}`
    return logSafely(this.#engine, text, error)
  }

  #report(error: Error, run: Run): void {
    attempt(
      () => this.on_error(error, run),
      thrown => logSafely(this.#engine, messageOf(thrown), thrown),
    )
  }
}

const HOOKS = [
  'on_register',
  'on_status',
  'on_suspend',
  'on_shutdown',
  'on_cleanup',
  'on_error',
] satisfies (keyof Job)[]

function checkJob(job: Job): void {
  if (typeof job?.architect?.get_channels !== 'function')
    throw new InvalidArgumentError('register_job: job', 'a job with an architect', job)
  const { handlers = {} } = job
  checkRecord('register_job: handlers', handlers)
  const functions = [
    ...Object.entries(handlers).map(([type, value]) => [`handlers.${type}`, value] as const),
    ...HOOKS.map(name => [name, job[name]] as const),
  ]
  for (const [name, value] of functions)
    if (value !== undefined) checkFunction(`register_job: ${name}`, value)
}
