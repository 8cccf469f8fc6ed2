/**
 * Layer 8. `rate+child://;speed=1mb;interval=1s`: no more than so much an interval.
 *
 * By default what is posted: when the bucket is empty `post` returns false and WriteFull is told
 * once, and later WriteReady. With `rate.dir=r` what is received: the child is suspended meanwhile.
 * `rate.dir=rw`: both, each with a bucket of its own.
 *
 *   unit=byte|message what is counted; speed=100 then is messages max-window=16kb the most that may
 *   pass at once, after a pause; initial=: what is there at first, by default half of it
 *   watermark=1b goes on when there is so much again bucket.x.speed=… one more limit, with the same
 *   parameters: all of them hold master=name the limits of that rate+, shared with it; its own are
 *   not asked for
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

/**
 * Source: TLL `rate`. `Differs:` messages have no flags, so none is urgent; control messages are
 * never held up.
 */
export class Rate extends Prefix {
  static override readonly protocol = 'rate+'

  readonly #master: Rate | undefined
  readonly #in: RateLimit
  readonly #out: RateLimit
  /** Which of them hold here. */
  readonly #limits: { readonly in: boolean; readonly out: boolean }
  #cancelIn: Cancel = noop
  #cancelOut: Cancel = noop
  /**
   * Why posting waits; told as WriteFull when the first begins, as WriteReady when none is left.
   */
  readonly #full = new Set<'bucket' | 'child'>()

  constructor(init: Init) {
    super(init)
    const { params } = init
    const master = init.master && channel_cast(init.master, Rate)
    this.#master = master
    this.#in = master === undefined ? new RateLimit(params, this.engine.now) : master.#in
    this.#out = master === undefined ? new RateLimit(params, this.engine.now) : master.#out
    const caps = DIRECTIONS[params.choice('dir', Object.keys(DIRECTIONS), 'w')] as readonly string[]
    this.#limits = { in: caps.includes('in'), out: caps.includes('out') }
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
    if (message.type !== 'data' || !this.#limits.out || this.state !== 'active')
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
    if (this.#limits.in) {
      limit.take(message.data.length)
      if (!limit.has(this.engine.now) && this.#cancelIn === noop) {
        this.child.suspend()
        this.#cancelIn = this.#after(limit, () => this.#goOn())
      }
    }
    return super.child_data(message)
  }

  /**
   * The child was suspended by itself: while the prefix is suspended it has to wait for do_resume.
   */
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
