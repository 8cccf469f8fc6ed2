/**
 * Layer 8. RateLimit: what `rate+` lets through in one direction. It has one token bucket, or
 * several; a message passes if none of them is empty.
 */

import type { Bytes, Milliseconds } from '../../types.ts'
import type { Params } from '../params.ts'
import { TokenBucket } from './token-bucket.ts'

/** The parameters of one bucket. Its tokens are bytes or messages. */
interface Settings {
  readonly isBytes: boolean
  /** Tokens per millisecond. */
  readonly speed: number
  /** The most tokens in the bucket. */
  readonly window: number
  /** The tokens in the bucket at first. */
  readonly initial: number
  /** After the bucket was empty, messages pass again at this many tokens. */
  readonly watermark: number
}

export class RateLimit {
  readonly #settings: readonly Settings[]
  #buckets: readonly TokenBucket[] = []

  /** Reads the parameters. Throws UrlError. */
  constructor(params: Params, now: Milliseconds) {
    const prefixes = params.names('bucket').map(name => `bucket.${name}.`)
    this.#settings = ['', ...prefixes].map(prefix => settingsOf(params, prefix))
    this.start(now)
  }

  /** Starts again with the initial tokens. */
  start(now: Milliseconds): void {
    this.#buckets = this.#settings.map(
      ({ speed, window, initial }) => new TokenBucket(speed, window, initial, now),
    )
  }

  /** May the next message pass? */
  has(now: Milliseconds): boolean {
    // Every bucket must be asked: that brings it up to date.
    return this.#buckets.filter(bucket => !bucket.has(now)).length === 0
  }

  /** Called for each message that has passed, with its size. */
  take(size: Bytes): void {
    for (const [index, bucket] of this.#buckets.entries())
      bucket.take((this.#settings[index] as Settings).isBytes ? size : 1)
  }

  /** The time until every bucket has reached its watermark. */
  wait(): Milliseconds {
    return Math.max(
      ...this.#buckets.map((bucket, index) =>
        bucket.wait((this.#settings[index] as Settings).watermark),
      ),
    )
  }
}

function settingsOf(params: Params, prefix: string): Settings {
  const isBytes = params.choice(`${prefix}unit`, ['byte', 'message'], 'byte') === 'byte'
  const amount = (key: string, fallback?: number): number =>
    isBytes
      ? params.size(prefix + key, fallback)
      : params.integer(prefix + key, fallback, { least: 0 })
  const interval: Milliseconds = params.duration(`${prefix}interval`, 1000)
  if (!(interval > 0)) throw params.fault(`${prefix}interval`, 'longer than 0')
  const speed = amount('speed')
  if (!(speed > 0)) throw params.fault(`${prefix}speed`, 'more than 0')
  const window = amount('max-window', isBytes ? 16_384 : 16)
  const watermark = amount('watermark', 1)
  if (watermark > window) throw params.fault(`${prefix}watermark`, `at most max-window, ${window}`)
  return {
    isBytes,
    speed: speed / interval,
    window,
    watermark,
    initial: amount('initial', Math.floor(window / 2)),
  }
}
