/**
 * Layer 7. `rate+child://;speed=1mb;interval=1s`: no more than so much an interval.
 *
 * By default what is posted: when the bucket is empty `post` returns false and WriteFull is told once, and later WriteReady. With
 * `rate.dir=r` what is received: the child is suspended meanwhile. `rate.dir=rw`: both, each with a bucket of its own.
 *
 *   unit=byte|message    what is counted; speed=100 then is messages
 *   max-window=16kb      the most that may pass at once, after a pause; initial=: what is there at first, by default half of it
 *   watermark=1b         goes on when there is so much again
 */

import type { Cancel, Milliseconds } from '../types.ts'
import { DIRECTIONS } from './caps.ts'
import type { Init } from './init.ts'
import { Control, Message } from './message.ts'
import type { Params } from './params.ts'
import { Prefix } from './prefix.ts'
import { TokenBucket } from './token-bucket.ts'

interface Settings {
  readonly speed: number
  readonly window: number
  readonly initial: number
  readonly watermark: number
}

/** Source: TLL `rate`. */
export class Rate extends Prefix {
  static override readonly protocol = 'rate+'

  readonly #isBytes: boolean
  readonly #settings: Settings
  readonly #limits: { readonly in: boolean; readonly out: boolean }
  #in: TokenBucket | undefined
  #out: TokenBucket | undefined
  #cancelIn: Cancel = nothing
  #cancelOut: Cancel = nothing
  /** Why posting waits; told as WriteFull when the first begins, as WriteReady when none is left. */
  readonly #full = new Set<'bucket' | 'child'>()

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#isBytes = params.choice('unit', ['byte', 'message'], 'byte') === 'byte'
    this.#settings = settingsOf(params, this.#isBytes)
    const caps = DIRECTIONS[params.choice('dir', Object.keys(DIRECTIONS), 'w')] as readonly string[]
    this.#limits = { in: caps.includes('in'), out: caps.includes('out') }
  }

  override do_open(params: Params): 'opening' {
    const { speed, window, initial } = this.#settings
    const bucket = (): TokenBucket => new TokenBucket(speed, window, initial, this.engine.now)
    this.#in = this.#limits.in ? bucket() : undefined
    this.#out = this.#limits.out ? bucket() : undefined
    this.#full.clear()
    return super.do_open(params)
  }

  override do_close(force: boolean): void {
    this.#cancelOut()
    this.#goOn()
    super.do_close(force)
  }

  // ---- what is posted -----------------------------------------------------------------------------------------------

  override do_post(message: Message): boolean {
    const bucket = this.#out
    if (message.type !== 'data' || bucket === undefined || this.state !== 'active') return super.do_post(message)
    if (this.#full.size > 0) return false
    if (!bucket.has(this.engine.now)) {
      this.#setFull('bucket')
      this.#cancelOut = this.#after(bucket, () => this.#setReady('bucket'))
      return false
    }
    if (!super.do_post(message)) return false
    bucket.take(this.#cost(message))
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
    if (this.#full.delete(why) && this.#full.size === 0) this.emit(new Message({ type: 'control', msgid: Control.WriteReady }))
  }

  // ---- what is received ---------------------------------------------------------------------------------------------

  override child_data(message: Message): Promise<void> | undefined {
    const bucket = this.#in
    if (bucket !== undefined) {
      bucket.take(this.#cost(message))
      if (!bucket.has(this.engine.now) && this.#cancelIn === nothing) {
        this.child.suspend()
        this.#cancelIn = this.#after(bucket, () => this.#goOn())
      }
    }
    return super.child_data(message)
  }

  /** The child was suspended by itself: while the prefix is suspended it has to wait for do_resume. */
  #goOn(): void {
    this.#cancelIn()
    this.#cancelIn = nothing
    if (!this.suspended) this.child.resume()
  }

  override do_resume(): void {
    if (this.#cancelIn === nothing) this.child.resume()
  }

  #after(bucket: TokenBucket, callback: () => void): Cancel {
    return this.engine.defer(Math.max(1, bucket.wait(this.#settings.watermark)), callback)
  }

  #cost(message: Message): number {
    return this.#isBytes ? message.data.length : 1
  }
}

function settingsOf(params: Params, isBytes: boolean): Settings {
  const amount = (key: string, fallback?: number): number => (isBytes ? params.size(key, fallback) : params.integer(key, fallback, { least: 0 }))
  const interval: Milliseconds = params.duration('interval', 1000)
  if (!(interval > 0)) throw params.fault('interval', 'longer than nothing')
  const speed = amount('speed')
  if (!(speed > 0)) throw params.fault('speed', 'more than nothing')
  const window = amount('max-window', isBytes ? 16_384 : 16)
  const watermark = amount('watermark', 1)
  if (watermark > window) throw params.fault('watermark', `at most max-window, ${window}`)
  return { speed: speed / interval, window, watermark, initial: amount('initial', Math.floor(window / 2)) }
}

function nothing(): void {}
