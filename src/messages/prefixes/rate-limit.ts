/**
 * Layer 8. RateLimit: what one or several `rate+` let through together. It has one token bucket, or
 * several; a message passes if each of them has a token.
 *
 * Call order: join → (take → tellIfUsedUp)* → leave.
 *
 * Rules:
 * 1. The limit is used up from the message that took the last token until each bucket has its
 *    watermark. Both are told to all members, also to one that joins in between.
 * 2. It belongs to no member: one that leaves, or is destroyed, changes nothing for the others.
 */

import { noop } from '../../core/noop.ts'
import type { Engine } from '../../engine.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import type { Params } from '../params.ts'
import { parseDecimal, parseDuration, parseSize } from '../values.ts'
import { TokenBucket } from './token-bucket.ts'

/** One channel that a limit applies to. */
export interface Limited {
  limited(isUsedUp: boolean): void
}

/** The parameters of one bucket. Its tokens are bytes or messages. */
interface Settings {
  readonly isBytes: boolean
  /** Tokens per millisecond. */
  readonly speed: number
  /** The most tokens in the bucket. */
  readonly window: number
  /** The tokens in the bucket at first. */
  readonly initial: number
  /** After the bucket was used up, messages pass again at this many tokens. */
  readonly watermark: number
}

export class RateLimit {
  readonly #engine: Engine
  readonly #settings: readonly Settings[]
  #buckets: readonly TokenBucket[] = []
  readonly #members = new Set<Limited>()
  #isUsedUp = false
  #cancel: Cancel = noop

  /** Reads the parameters. Throws UrlError. */
  constructor(params: Params, engine: Engine) {
    const prefixes = params.names('bucket').map(name => `bucket.${name}.`)
    this.#engine = engine
    this.#settings = ['', ...prefixes].map(prefix => settingsOf(params, prefix))
    this.start()
  }

  get isUsedUp(): boolean {
    return this.#isUsedUp
  }

  /** Starts again with the initial tokens. */
  start(): void {
    const { now } = this.#engine
    this.#buckets = this.#settings.map(
      ({ speed, window, initial }) => new TokenBucket(speed, window, initial, now),
    )
    if (this.#isUsedUp) this.#look()
    else this.tellIfUsedUp()
  }

  /** Tells the member at once if the limit is used up. */
  join(member: Limited): void {
    this.#members.add(member)
    if (this.#members.size === 1 && this.#isUsedUp) this.#look()
    if (this.#isUsedUp) member.limited(true)
  }

  /** Without members there is no timer. */
  leave(member: Limited): void {
    this.#members.delete(member)
    if (this.#members.size === 0) this.#cancel()
  }

  /** May the next message pass? */
  has(): boolean {
    return !this.#isUsedUp && this.#has(() => 1)
  }

  #has(least: (settings: Settings) => number): boolean {
    const { now } = this.#engine
    // Every bucket must be asked: that brings it up to date.
    return this.#each((bucket, settings) => bucket.has(least(settings), now)).every(Boolean)
  }

  #each<Result>(call: (bucket: TokenBucket, settings: Settings) => Result): Result[] {
    return this.#buckets.map((bucket, index) => call(bucket, this.#settings[index] as Settings))
  }

  /** Takes the tokens of one message of that size; with -1 as `sign` gives them back. */
  take(size: Bytes, sign: 1 | -1 = 1): void {
    for (const [index, bucket] of this.#buckets.entries())
      bucket.take(sign * ((this.#settings[index] as Settings).isBytes ? size : 1))
  }

  /** To be called after `take`. */
  tellIfUsedUp(): void {
    if (this.#isUsedUp || this.#has(() => 1)) return
    this.#isUsedUp = true
    this.#wait()
    for (const member of [...this.#members]) member.limited(true)
  }

  #wait(): void {
    this.#cancel()
    const times = this.#each((bucket, { watermark }) => bucket.wait(watermark))
    if (this.#members.size > 0)
      this.#cancel = this.#engine.defer(Math.max(1, ...times), () => this.#look())
  }

  /** Are the watermarks reached? */
  #look(): void {
    // A timer may come a fraction early, or something was taken meanwhile.
    if (!this.#has(({ watermark }) => watermark)) return this.#wait()
    this.#cancel()
    this.#isUsedUp = false
    for (const member of [...this.#members]) member.limited(false)
  }
}

function settingsOf(params: Params, prefix: string): Settings {
  const isBytes = params.choice(`${prefix}unit`, ['byte', 'message'], 'byte') === 'byte'
  const amount = (key: string, fallback?: number): number =>
    amountOf(params, prefix + key, isBytes, fallback)
  const interval = decimal(params, `${prefix}interval`, 1000)
  const speed = amount('speed')
  if (!(speed > 0)) throw params.fault(`${prefix}speed`, 'more than 0')
  const window = amount('max-window', WINDOW)
  if (window < 1) throw params.fault(`${prefix}max-window`, 'at least 1')
  const watermark = Math.max(1, amount('watermark', 1))
  if (watermark > window) throw params.fault(`${prefix}watermark`, `at most max-window, ${window}`)
  const initial = Math.min(window, amount('initial', Math.floor(window / 2)))
  return { isBytes, speed: speed / interval, window, watermark, initial }
}

/** The default of `max-window`, in bytes or messages. */
const WINDOW = 16_384

/** An amount of bytes, or of messages. The original writes those with the unit of a size, too. */
function amountOf(params: Params, key: string, isBytes: boolean, fallback?: number): number {
  if (fallback !== undefined && !params.has(key)) return fallback
  const text = params.text(key)
  const value = parseDecimal(!isBytes && /^\d+$/.test(text) ? `${text}b` : text, parseSize)
  if (value === undefined)
    throw params.fault(
      key,
      isBytes
        ? 'a size: a number and b, kb, mb, gb, bit, kbit, mbit or gbit'
        : 'a number of messages: 100, 100b or 1kb',
    )
  return value
}

function decimal(params: Params, key: string, fallback: Milliseconds): Milliseconds {
  if (!params.has(key)) return fallback
  const value = parseDecimal(params.text(key), parseDuration)
  if (value === undefined)
    throw params.fault(key, 'a duration: a number and ns, us, ms, s, m, h or d')
  if (!(value > 0)) throw params.fault(key, 'longer than 0')
  return value
}
