/**
 * Layer 8. `rate+child://;speed=1mb`: limits how much passes in an interval.
 *
 * | parameter | meaning |
 * |---|---|
 * | `speed` | how much may pass in an interval: a size; with `unit=message` a number, or a size |
 * | `interval=1s` | the interval |
 * | `unit=byte` | or `unit=message`: what is counted |
 * | `max-window=16kb` | the most that may pass at once, after a pause; 16384 messages |
 * | `initial` | how much may pass at once at first; by default half of `max-window` |
 * | `watermark=1b` | after a stop, messages pass again when this much may pass |
 * | `rate.dir=w` | what is limited: r what is received; w, or rw, what is posted |
 * | `bucket.x.speed` … | a further limit named x, with the same parameters; all limits apply |
 * | `master=name` | shares the limits of that `rate+` channel, and has none of its own |
 *
 * Posting: the post that uses the limit up emits WriteFull, and so does every channel that shares
 * the limit. Then `post` returns false until WriteReady. Receiving: the child is suspended until
 * messages may pass again.
 */

import { DIRECTIONS } from '../caps.ts'
import { channel_cast } from '../cast.ts'
import type { Init } from '../init.ts'
import { Control, type Message } from '../message.ts'
import type { Params } from '../params.ts'
import { Fullness } from './fullness.ts'
import { Prefix } from './prefix.ts'
import { type Limited, RateLimit } from './rate-limit.ts'

/** The prefix `rate+`. */
// Source: TLL `rate`. Differs: messages have no flag that makes them urgent. Control messages are
// never limited.
export class Rate extends Prefix implements Limited {
  static override readonly protocol = 'rate+'

  readonly #limit: RateLimit
  /** Does another channel share its limit with this one? */
  readonly #isGuest: boolean
  /** Is what is received limited? Otherwise what is posted is. */
  readonly #isIn: boolean
  readonly #full = new Fullness<'limit' | 'child'>(msgid => this.emit({ type: 'control', msgid }))

  constructor(init: Init) {
    super(init)
    const { params } = init
    const master = init.master && channel_cast(init.master, Rate)
    if (master !== undefined && params.has('speed'))
      throw params.fault('speed', 'left out: the limits are those of the master')
    this.#isGuest = master !== undefined
    this.#limit = master === undefined ? new RateLimit(params, this.engine) : master.#limit
    this.#isIn = /^(r|in)$/.test(params.choice('dir', Object.keys(DIRECTIONS), 'w'))
    const { caps } = this.carrier
    const idle = this.#isIn ? 'out' : 'in'
    if (caps.has(idle) && !caps.has(idle === 'in' ? 'out' : 'in'))
      throw params.fault('dir', `${idle === 'in' ? 'r' : 'w'}: nothing else passes here`)
  }

  override do_open(params: Params): 'opening' {
    if (!this.#isGuest) this.#limit.start()
    this.#full.clear()
    return super.do_open(params)
  }

  override child_active(): void {
    super.child_active()
    // A hook may have closed it.
    if (this.state === 'active') this.#limit.join(this)
  }

  override do_close(force: boolean): void {
    this.#limit.leave(this)
    this.#resumeChild()
    super.do_close(force)
  }

  /** Called by the limit: messages may pass no more, or again. */
  limited(isUsedUp: boolean): void {
    if (this.#isIn) {
      if (isUsedUp) this.child.suspend()
      else this.#resumeChild()
    } else if (isUsedUp) {
      this.#full.add('limit')
    } else {
      this.#full.delete('limit')
    }
  }

  // ---- what is posted ---------------------------------------------------------------------------

  override do_post(message: Message): boolean {
    const limit = this.#limit
    if (message.type !== 'data' || this.#isIn || this.state !== 'active')
      return super.do_post(message)
    if (this.#full.isFull) return false
    let isTaken = false
    // A callback inside the post may post, too: so it is taken before.
    if (limit.has()) {
      limit.take(message.data.length)
      try {
        isTaken = super.do_post(message)
      } finally {
        if (!isTaken) limit.take(message.data.length, -1)
      }
    }
    limit.tellIfUsedUp()
    return isTaken
  }

  /** What has an `addr` is about one peer of a server, and passes. */
  override child_control(message: Message): Promise<void> | undefined {
    const { msgid, addr } = message
    if (addr !== undefined || this.#isIn) return super.child_control(message)
    if (msgid === Control.WriteFull) this.#full.add('child')
    else if (msgid === Control.WriteReady) this.#full.delete('child')
    else return super.child_control(message)
    return undefined
  }

  // ---- what is received -------------------------------------------------------------------------

  override child_data(message: Message): Promise<void> | undefined {
    if (this.#isIn) {
      this.#limit.take(message.data.length)
      this.#limit.tellIfUsedUp()
    }
    return super.child_data(message)
  }

  /** If the prefix is suspended, the child is resumed with it. */
  #resumeChild(): void {
    if (this.#isIn && !this.suspended) this.child.resume()
  }

  override do_resume(): void {
    if (!this.#limit.isUsedUp) this.#resumeChild()
  }
}
