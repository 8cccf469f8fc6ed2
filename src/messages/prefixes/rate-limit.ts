/**
 * Layer 8. What `rate+` allows in one direction: one token bucket, or several that all have to have
 * something.
 */

import type { Bytes, Milliseconds } from '../../types.ts'
import type { Params } from '../params.ts'
import { TokenBucket } from './token-bucket.ts'
import { branch } from '../url.ts'

/** One bucket, as the URL says. */
interface Settings {
  readonly isBytes: boolean
  /** Tokens per ms. */
  readonly speed: number
  readonly window: number
  readonly initial: number
  readonly watermark: number
}

export class RateLimit {
  readonly #settings: readonly Settings[]
  #buckets: readonly TokenBucket[] = []

  /** Throws UrlError. */
  constructor(params: Params, now: Milliseconds) {
    const { entries } = params.url
    const names = new Set(
      ['bucket', 'rate.bucket']
        .flatMap(key => [...branch(entries, key).keys()])
        .map(key => key.split('.')[0]),
    )
    this.#settings = ['', ...[...names].map(name => `bucket.${name}.`)].map(prefix =>
      settingsOf(params, prefix),
    )
    this.start(now)
  }

  /** Begins anew, with what is there at first. */
  start(now: Milliseconds): void {
    this.#buckets = this.#settings.map(
      ({ speed, window, initial }) => new TokenBucket(speed, window, initial, now),
    )
  }

  /** May the next message pass? */
  has(now: Milliseconds): boolean {
    // All of them are asked: each is brought up to date.
    return this.#buckets.filter(bucket => !bucket.has(now)).length === 0
  }

  /** A message of so many bytes has passed. */
  take(size: Bytes): void {
    for (const [index, bucket] of this.#buckets.entries())
      bucket.take((this.#settings[index] as Settings).isBytes ? size : 1)
  }

  /** In how many ms each bucket is at its watermark. */
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
  if (!(interval > 0)) throw params.fault(`${prefix}interval`, 'longer than nothing')
  const speed = amount('speed')
  if (!(speed > 0)) throw params.fault(`${prefix}speed`, 'more than nothing')
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
