/**
 * Layer 8. `timer://`: gives a message when a time has come.
 *
 * | parameter | meaning |
 * |---|---|
 * | `interval` | the time between two messages; without it the timer waits for a post |
 * | `oneshot=no` | yes: one message, after one interval |
 * | `clock=monotonic` | realtime: messages carry the time of day, and a time of day can be posted |
 * | `skip-old=no` | yes: a timer that is late by several intervals gives one message, not several |
 *
 * Messages carry nanoseconds in 8 bytes, little endian, see `TimerMessage`.
 */

import { Buffer } from 'node:buffer'
import { noop } from '../../core/noop.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { Init } from '../init.ts'
import { Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'

/**
 * The `msgid` of a timer's messages. Their data is a time in nanoseconds: 8 bytes, little endian.
 */
export const TimerMessage = {
  /** Post it to get one message after this time. A time of 0 stops the timer. */
  relative: 1,
  /**
   * Received when the time has come; the time of day with `clock=realtime`, otherwise 0. With
   * `clock=realtime` it can be posted, to get one message at this time.
   */
  absolute: 2,
} as const

/** In a millisecond. */
const NANOSECONDS = 1_000_000

/** The channel of `timer://`. */
// Source: TLL `timer`.
export class Timer extends MessageChannel {
  static override readonly protocol = 'timer'
  static override readonly caps = ['in'] as const
  static override readonly process_policy = 'never'

  readonly #isRealtime: boolean
  readonly #skipsOld: boolean
  #interval: Milliseconds = 0
  #due: Milliseconds = 0
  /** The number of messages that are due and not given yet. */
  #owed = 0
  #cancel: Cancel = noop

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#isRealtime = params.choice('clock', ['monotonic', 'realtime'], 'monotonic') === 'realtime'
    this.#skipsOld = params.boolean('skip-old', false)
    params.duration('interval', 0)
    params.boolean('oneshot', false)
  }

  /** `interval` and `oneshot` of the opening take precedence over those of the URL. */
  override do_open(params: Params): void {
    const interval = params.duration('interval', this.params.duration('interval', 0))
    const isOnce = params.boolean('oneshot', this.params.boolean('oneshot', false))
    if (interval > 0) this.#start(interval, isOnce)
  }

  override do_close(): void {
    this.#stop()
  }

  override do_post({ msgid, data }: Message): void {
    if (msgid !== TimerMessage.relative && msgid !== TimerMessage.absolute)
      throw new InvalidArgumentError('post: msgid', '1 (relative) or 2 (absolute)', msgid)
    if (data.length !== 8)
      throw new InvalidArgumentError(
        'post: data',
        '8 bytes: nanoseconds, little endian',
        data.length,
      )
    if (msgid === TimerMessage.absolute && !this.#isRealtime) {
      throw new InvalidArgumentError(
        'post: msgid',
        '1 (relative) with clock=monotonic: its times of day mean nothing',
        msgid,
      )
    }
    const time = Number(data.readBigInt64LE()) / NANOSECONDS
    this.#stop()
    if (msgid === TimerMessage.absolute) this.#start(Math.max(1, time - Date.now()), true)
    else if (time > 0) this.#start(time, true)
  }

  override do_process(): false | void {
    if (this.#owed === 0) return false
    this.#owed--
    if (this.#owed === 0)
      this.update_dcaps([], this.#interval === 0 ? ['process', 'pending'] : ['pending'])
    const data = Buffer.alloc(8)
    if (this.#isRealtime) data.writeBigInt64LE(BigInt(Date.now()) * BigInt(NANOSECONDS))
    this.emit(new Message({ msgid: TimerMessage.absolute, data }))
  }

  #start(after: Milliseconds, isOnce: boolean): void {
    this.#interval = isOnce ? 0 : after
    this.#due = this.engine.now + after
    this.#cancel = this.engine.defer(after, this.#fire)
    this.update_dcaps(['process'])
  }

  /** Nothing is processed until the timer is set again. */
  #stop(): void {
    this.#cancel()
    this.#owed = 0
    this.update_dcaps([], ['process', 'pending'])
  }

  readonly #fire = (): void => {
    const { now } = this.engine
    const late =
      this.#interval === 0 ? 0 : Math.max(0, Math.floor((now - this.#due) / this.#interval))
    this.#owed = this.#skipsOld ? 1 : this.#owed + 1 + late
    if (this.#interval > 0) {
      this.#due += this.#interval * (1 + late)
      this.#cancel = this.engine.defer(Math.max(1, this.#due - now), this.#fire)
    }
    this.update_dcaps(['pending'])
    // Processed now, not a turn later, unless the channel is suspended or held.
    this.process()
  }
}
