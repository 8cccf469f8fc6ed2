/**
 * Layer 8. `rate+child://;speed=1mb`: limits how much passes in an interval.
 *
 * | parameter | meaning |
 * |---|---|
 * | `speed` | how much may pass in an interval: a size, or a number with `unit=message` |
 * | `interval=1s` | the interval |
 * | `unit=byte` | or `unit=message`: what is counted |
 * | `max-window=16kb` | the most that may pass at once, after a pause; 16 with `unit=message` |
 * | `initial` | how much may pass at once at first; by default half of `max-window` |
 * | `watermark=1b` | after a stop, messages pass again when this much may pass |
 * | `rate.dir=w` | what is limited: r what is received; w, or rw, what is posted |
 * | `bucket.x.speed` … | a further limit named x, with the same parameters; all limits apply |
 * | `master=name` | shares the limits of that `rate+` channel, and has none of its own |
 *
 * Posting: if the limit is reached, `post` returns false and the channel emits WriteFull once,
 * later WriteReady. Receiving: the child is suspended until messages may pass again.
 */

import { noop } from '../../core/noop.ts'
import type { Cancel } from '../../types.ts'
import { DIRECTIONS } from '../caps.ts'
import { channel_cast } from '../cast.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import type { Params } from '../params.ts'
import { Prefix } from './prefix.ts'
import { RateLimit } from './rate-limit.ts'

/** The prefix `rate+`. */
// Source: TLL `rate`. Differs: messages have no flag that makes them urgent. Control messages are
// never limited.
export class Rate extends Prefix {
  static override readonly protocol = 'rate+'

  readonly #master: Rate | undefined
  readonly #in: RateLimit
  readonly #out: RateLimit
  /** Is what is received limited? Otherwise what is posted is. */
  readonly #isIn: boolean
  #cancelIn: Cancel = noop
  #cancelOut: Cancel = noop
  /**
   * The reasons why posting must wait. WriteFull is emitted with the first of them, WriteReady when
   * none is left.
   */
  readonly #full = new Set<'bucket' | 'child'>()

  constructor(init: Init) {
    super(init)
    const { params } = init
    const master = init.master && channel_cast(init.master, Rate)
    this.#master = master
    this.#in = master === undefined ? new RateLimit(params, this.engine.now) : master.#in
    this.#out = master === undefined ? new RateLimit(params, this.engine.now) : master.#out
    this.#isIn = /^(r|in)$/.test(params.choice('dir', Object.keys(DIRECTIONS), 'w'))
    if (master !== undefined && params.has('speed'))
      throw params.fault('speed', 'left out: the limits are those of the master')
    const { caps } = this.carrier
    const idle = this.#isIn ? 'out' : 'in'
    if (caps.has(idle) && !caps.has(idle === 'in' ? 'out' : 'in'))
      throw params.fault('dir', `${idle === 'in' ? 'r' : 'w'}: nothing else passes here`)
  }

  override do_open(params: Params): 'opening' {
    if (this.#master === undefined)
      for (const limit of [this.#in, this.#out]) limit.start(this.engine.now)
    this.#full.clear()
    return super.do_open(params)
  }

  override do_close(force: boolean): void {
    this.#cancelOut()
    this.#goOn()
    super.do_close(force)
  }

  // ---- what is posted ---------------------------------------------------------------------------

  override do_post(message: Message): boolean {
    const limit = this.#out
    if (message.type !== 'data' || this.#isIn || this.state !== 'active')
      return super.do_post(message)
    if (this.#full.size > 0) return false
    if (!limit.has(this.engine.now)) {
      this.#setFull('bucket')
      this.#cancelOut = this.#after(limit, () => this.#setReady('bucket'))
      return false
    }
    if (!super.do_post(message)) return false
    limit.take(message.data.length)
    return true
  }

  override child_control(message: Message): Promise<void> | undefined {
    if (message.msgid === Control.WriteFull) this.#setFull('child')
    else if (message.msgid === Control.WriteReady) this.#setReady('child')
    else return super.child_control(message)
    return undefined
  }

  #setFull(why: 'bucket' | 'child'): void {
    this.#full.add(why)
    if (this.#full.size === 1) this.emit(new Message({ type: 'control', msgid: Control.WriteFull }))
  }

  #setReady(why: 'bucket' | 'child'): void {
    if (this.#full.delete(why) && this.#full.size === 0)
      this.emit(new Message({ type: 'control', msgid: Control.WriteReady }))
  }

  // ---- what is received -------------------------------------------------------------------------

  override child_data(message: Message): Promise<void> | undefined {
    const limit = this.#in
    if (this.#isIn) {
      limit.take(message.data.length)
      if (!limit.has(this.engine.now) && this.#cancelIn === noop) {
        this.child.suspend()
        this.#cancelIn = this.#after(limit, () => this.#goOn())
      }
    }
    return super.child_data(message)
  }

  /** Messages may pass again. If the prefix is suspended, the child is resumed with it. */
  #goOn(): void {
    this.#cancelIn()
    this.#cancelIn = noop
    if (!this.suspended) this.child.resume()
  }

  override do_resume(): void {
    if (this.#cancelIn === noop) this.child.resume()
  }

  #after(limit: RateLimit, callback: () => void): Cancel {
    return this.engine.defer(Math.max(1, limit.wait()), callback)
  }
}
