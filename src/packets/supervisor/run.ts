/**
 * Layer 9. JobRun: one job at work: the lines over its channels, and its agents.
 *
 *     opening → active → closing → closed
 *        └────────┴────► suspended → closed
 *
 * What arrives goes to its Dispatch. When the run is over, callbacks of its channels are ignored.
 */

import { checkWait } from '../../core/checks.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { messageOf } from '../../errors.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import type { PacketChannel } from '../channel/packet-channel.ts'
import { PacketChannelError } from '../errors.ts'
import { Budget } from '../lines/budget.ts'
import type { ChannelStats } from '../lines/channel-stats.ts'
import { PacketLine } from '../lines/packet-line.ts'
import { type Packet, type PacketFields, toOf, toPacket } from '../packet.ts'
import { Dispatch, partyOf } from './dispatch.ts'
import type { AgentRecord, Job, Run, RunEnd } from './job.ts'
import { JobHooks } from './job-hooks.ts'

/** What a supervisor gives to all its runs. */
interface RunSettings {
  readonly engine: Engine
  readonly shape: '2020' | 'today'
  readonly startDeathTime: Milliseconds
  readonly statusInterval: Milliseconds
  readonly queueLimit: number
  readonly queueSize: Bytes
  report(error: Error, run: Run): void
}

/**
 * How often a channel is looked at that does not say when it is alive: every 0.3 s, as in the
 * original.
 */
const LOOK: Milliseconds = 300

/** The channels are closed after this time, even if `on_suspend` has not finished. */
const SUSPEND: Milliseconds = 5000

let runs = 0

export class JobRun implements Run {
  readonly id = String(++runs)
  readonly job: Job
  readonly #settings: RunSettings
  readonly #lines = new Map<string, PacketLine>()
  readonly #hooks: JobHooks
  readonly #dispatch: Dispatch
  readonly #opened: Deferred<void> = deferred()
  readonly #closed: Deferred<RunEnd> = deferred()
  readonly #nonce = Math.random().toString(36).slice(2, 10)
  #state: Run['state'] = 'opening'
  #error: Error | undefined
  #cancelDeath: Cancel = noop
  #cancelLook: Cancel = noop
  #cancelStatus: Cancel = noop

  constructor(job: Job, settings: RunSettings) {
    this.job = job
    this.#settings = settings
    this.#hooks = new JobHooks(job, this, settings.report)
    this.#dispatch = new Dispatch(this.#hooks, settings.shape)
    this.#opened.promise.catch(noop)
  }

  get state(): Run['state'] {
    return this.#state
  }

  get closed(): Promise<RunEnd> {
    return this.#closed.promise
  }

  get agents(): ReadonlyMap<string, AgentRecord> {
    return this.#dispatch.agents.all
  }

  get channels(): ReadonlyMap<string, PacketChannel> {
    return new Map([...this.#lines].map(([id, { channel }]) => [id, channel]))
  }

  stats(): ChannelStats[] {
    return [...this.#lines.values()].map(({ stats }) => stats)
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** Makes the lines and opens the channels. Rejects if that fails. */
  async open(channels: readonly PacketChannel[]): Promise<void> {
    const { engine, startDeathTime } = this.#settings
    if (this.#state !== 'opening') {
      // It was shut down while the architect was at work.
      for (const channel of channels) this.#hooks.call(() => channel.close())
      return this.#opened.promise
    }
    for (const channel of channels) this.#addLine(channel)
    this.#cancelDeath = engine[DRIVE].after(startDeathTime, () => this.#notAlive())
    for (const channel of channels) channel.open()
    this.#look()
    return this.#opened.promise
  }

  #addLine(channel: PacketChannel): void {
    const { engine, queueLimit, queueSize } = this.#settings
    const budget = new Budget(queueLimit, queueSize, channel.packet_size)
    const stream = `${this.#nonce}.${this.#lines.size}`
    const line = new PacketLine(channel, this.#dispatch, { engine, budget, stream })
    this.#lines.set(channel.channel_id, line)
  }

  #notAlive(): void {
    const dead = this.stats().filter(({ is_alive }) => !is_alive)
    const names = dead.map(({ channel_id }) => channel_id).join(', ')
    const time = `${this.#settings.startDeathTime} ms`
    this.#failOpening(
      new PacketChannelError(
        'ERR_NOT_ALIVE',
        `register_job: no connection within ${time}: ${names}; is the server there?`,
      ),
    )
  }

  #look(): void {
    this.#cancelLook()
    if (this.#state !== 'opening') return
    for (const line of this.#lines.values())
      if (line.opened === 0 && line.channel.is_alive()) line.becomeAlive()
    if ([...this.#lines.values()].every(line => line.opened > 0)) this.#activate()
    else this.#cancelLook = this.#settings.engine[DRIVE].after(LOOK, () => this.#look())
  }

  #activate(): void {
    const { engine, statusInterval } = this.#settings
    this.#cancelDeath()
    this.#state = 'active'
    this.#cancelStatus = engine.cycle(statusInterval, () => {
      for (const line of this.#lines.values())
        if (line.channel.is_alive()) this.#dispatch.askStatus(line)
    })
    this.#opened.resolve()
  }

  #failOpening(error: Error): void {
    this.#error = error
    this.#opened.reject(error)
    this.#close('lost')
  }

  // ---- the callbacks of the channels ------------------------------------------------------------

  /** What the channels of this run call. */
  readonly callbacks = {
    on_channel_open: (channel_id: string): void => {
      if (this.#isOver) return
      this.#lines.get(channel_id)?.becomeAlive()
      this.#look()
    },
    on_catastrophic_disconnect: (channel_id: string, error?: Error): void => {
      if (this.#isOver || !this.#lines.has(channel_id)) return
      const why = new PacketChannelError(
        'ERR_LOST',
        `channel ${channel_id} is lost${error === undefined ? '' : `: ${messageOf(error)}`}`,
        error,
      )
      if (this.#state === 'opening') return this.#failOpening(why)
      void this.#suspend(why)
    },
    on_message: (channel_id: string, packet: Packet): void => {
      const line = this.#lines.get(channel_id)
      if (!this.#isOver && line !== undefined) this.#dispatch.received(line, packet)
    },
  }

  get #isOver(): boolean {
    return this.#state === 'closed' || this.#state === 'suspended'
  }

  // ---- packets out ------------------------------------------------------------------------------

  send(packet: Packet | PacketFields, channel_id?: string): boolean {
    const whole = toPacket(packet)
    const to = toOf(whole)
    const line = this.#lineFor(channel_id ?? this.#dispatch.agents.channelOf(to))
    return this.#state === 'active' && line.send(whole, partyOf(whole))
  }

  async ready(channel_id?: string): Promise<void> {
    await this.#lineFor(channel_id).budget.half()
  }

  #lineFor(channel_id: string | undefined): PacketLine {
    const [first] = this.#lines.values()
    const line = channel_id === undefined ? first : this.#lines.get(channel_id)
    if (line !== undefined) return line
    throw new PacketChannelError('ERR_CLOSED', `the run has no channel ${channel_id ?? 'at all'}`)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** A channel has given up: suspend, shut down, clean up. */
  async #suspend(error: Error): Promise<void> {
    this.#error = error
    this.#state = 'suspended'
    this.#cancelStatus()
    await this.#within(
      SUSPEND,
      this.#hooks.call(() => this.job.on_suspend?.(this, error)),
    )
    this.#close('lost')
  }

  shutdown(timeout: Milliseconds = 5000): Promise<RunEnd> {
    checkWait('shutdown: timeout', timeout)
    if (this.#state === 'opening')
      this.#failOpening(new PacketChannelError('ERR_CLOSED', 'the run was shut down'))
    if (this.#state !== 'active') return this.closed
    this.#state = 'closing'
    this.#cancelStatus()
    const empty = Promise.all([...this.#lines.values()].map(({ budget }) => budget.empty()))
    void this.#within(timeout, empty).then(() => this.#close('shutdown'))
    return this.closed
  }

  /** Resolves when the promise does, or when it is late. */
  async #within(timeout: Milliseconds, promise: Promise<unknown> | undefined): Promise<void> {
    const late = deferred<void>()
    const cancel = this.#settings.engine[DRIVE].after(timeout, () => late.resolve())
    await Promise.race([promise, late.promise])
    cancel()
  }

  close_channel(channel_id: string): boolean {
    const line = this.#lines.get(channel_id)
    if (line === undefined) return false
    this.#lines.delete(channel_id)
    this.#closeLine(line)
    return true
  }

  #closeLine(line: PacketLine): number {
    this.#hooks.call(() => line.channel.close())
    return line.end()
  }

  #close(reason: RunEnd['reason']): void {
    this.#state = 'closed'
    for (const cancel of [this.#cancelDeath, this.#cancelLook, this.#cancelStatus]) cancel()
    let unsent = 0
    for (const line of this.#lines.values()) unsent += this.#closeLine(line)
    void this.#finish({ reason, error: this.#error, unsent })
  }

  async #finish(end: RunEnd): Promise<void> {
    await this.#hooks.call(() => this.job.on_shutdown?.(this))
    await this.#hooks.call(() => this.job.on_cleanup?.(this))
    this.#closed.resolve(end)
  }
}
