/**
 * Layer 8. `timer://;interval=1s;oneshot=no;clock=monotonic;skip-old=no`: gives a message when a
 * time has come.
 *
 * Messages: `Timer.relative` (posted: once, after so long; 0 stops it) and `Timer.absolute`
 * (posted: at that time, of `clock=realtime`; received: it is time, with the time of day where the
 * clock is realtime, otherwise 0). Both carry nanoseconds in 8 bytes, little endian.
 *
 * A timer that is late by several intervals gives as many messages, with `skip-old=yes` one.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../../errors.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { Message } from '../message.ts'
import type { Init } from '../init.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'

/** The `msgid` of a timer's messages. */
export const TimerMessage = { relative: 1, absolute: 2 } as const

const NANOSECONDS = 1_000_000

/** Source: TLL `timer`. */
export class Timer extends MessageChannel {
  static override readonly protocol = 'timer'
  static override readonly caps = ['in'] as const
  static override readonly process_policy = 'never'

  readonly #isRealtime: boolean
  readonly #skipsOld: boolean
  #interval: Milliseconds = 0
  #due: Milliseconds = 0
  /** Messages that are to be given. */
  #owed = 0
  #cancel: Cancel = () => {}

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#isRealtime = params.choice('clock', ['monotonic', 'realtime'], 'monotonic') === 'realtime'
    this.#skipsOld = params.boolean('skip-old', false)
    params.duration('interval', 0)
    params.boolean('oneshot', false)
  }

  /** `interval` and `oneshot` of the opening come before those of the URL. */
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
        '1 (relative) of a monotonic clock, whose times mean nothing',
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

  /** Nothing is to be processed until it is set again. */
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
    // Not a turn later, unless it has to wait.
    this.process()
  }
}
