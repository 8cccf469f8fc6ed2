/**
 * Layer 8. What a channel asks of its URL: parameters by name and kind, each with a default.
 *
 * A parameter is looked for in this order: `prefix.name` in the URL, `name` in the URL,
 * `prefix.name` in the defaults of the context, the default that the channel gives. The prefix is
 * the protocol: in `rate+mem://;mem.size=1kb;size=1mb` the size of mem is 1kb.
 */

import { UrlError } from '../errors.ts'
import type { Bytes, Milliseconds } from '../types.ts'
import { embedded, type Entries, type Entry, Url } from './url.ts'
import { parseBoolean, parseDuration, parseInteger, parseSeq, parseSize } from './values.ts'

const NOTHING: Entries = new Map()

export class Params {
  /** The URL itself, aliases resolved. Of parameters of `open`: one with no protocol. */
  readonly url: Url
  readonly #prefix: string
  readonly #defaults: Entries

  constructor(url: Url, defaults: Entries = NOTHING) {
    this.url = url
    this.#prefix = url.protocol.split('+')[0] as string
    this.#defaults = defaults
  }

  /** Those of `open`, of a channel of that protocol. */
  static of(entries: Entries, protocol: string): Params {
    return new Params(new Url(protocol, '', entries, '', 0))
  }

  /** The same without the parameters whose keys `isLeftOut` names. */
  without(isLeftOut: (key: string) => boolean): Params {
    return new Params(this.url.with(this.url.protocol, isLeftOut), this.#defaults)
  }

  /** All that are given, as texts. */
  get values(): Record<string, string> {
    return Object.fromEntries([...this.url.entries].map(([key, { value }]) => [key, value]))
  }

  /** Is it given? */
  has(key: string): boolean {
    return this.#entry(key) !== undefined
  }

  /**
   * Text as it is. Throws UrlError where it is not given and there is no default; so do the others.
   */
  text(key: string, fallback?: string): string {
    return this.#as(key, 'given', fallback, text => text)
  }

  /** yes, true, 1, no, false, 0. */
  boolean(key: string, fallback?: boolean): boolean {
    return this.#as(key, 'yes or no', fallback, parseBoolean)
  }

  /** A whole number, decimal or 0x…, from `least` to `most`. */
  integer(key: string, fallback?: number, { least = -Infinity, most = Infinity } = {}): number {
    const range =
      least === -Infinity && most === Infinity
        ? ''
        : ` from ${least}${most === Infinity ? ' on' : ` to ${most}`}`
    return this.#as(key, `a whole number${range}`, fallback, text => {
      const number = parseInteger(text)
      return number === undefined || number < least || number > most ? undefined : number
    })
  }

  /** A number in a sequence, 64 bits. */
  seq(key: string, fallback?: bigint): bigint {
    return this.#as(key, 'a whole number of 64 bits', fallback, parseSeq)
  }

  /** Bytes: a whole number with a unit, as 64kb. */
  size(key: string, fallback?: Bytes, least: Bytes = 0): Bytes {
    return this.#as(
      key,
      `a size${least > 0 ? ` of at least ${least}b` : ''}: a whole number and b, kb, mb, gb, bit, kbit, mbit or gbit`,
      fallback,
      text => {
        const size = parseSize(text)
        return size !== undefined && Number.isSafeInteger(size) && size >= least ? size : undefined
      },
    )
  }

  /** Milliseconds: a whole number with a unit, as 30s. */
  duration(key: string, fallback?: Milliseconds): Milliseconds {
    return this.#as(
      key,
      'a duration: a whole number and ns, us, ms, s, m, h or d',
      fallback,
      parseDuration,
    )
  }

  /** One of several words. */
  choice<Word extends string>(key: string, words: readonly Word[], fallback?: Word): Word {
    return this.#as(key, `one of ${words.join(', ')}`, fallback, text =>
      words.find(word => word === text),
    )
  }

  /** What stands between commas. */
  list(key: string, fallback?: readonly string[]): readonly string[] {
    return this.#as(key, 'given', fallback, text =>
      text === '' ? [] : text.split(',').map(each => each.trim()),
    )
  }

  /** A URL in a parameter, see `embedded` of url.ts. */
  embedded(key: string): Url {
    const url = embedded(this.url.entries, key)
    if (url === undefined) throw this.fault(key, 'given')
    return url
  }

  /** What is wrong with a parameter: the error to be thrown. `expected` completes "must be". */
  fault(key: string, expected: string): UrlError {
    const entry = this.#entry(key)
    if (entry === undefined) {
      const text = this.url.source === '' ? '(open)' : this.url.source
      return new UrlError(`${key} must be ${expected}`, text, text.length, 1)
    }
    return new UrlError(
      `${key} must be ${expected}; got ${JSON.stringify(entry.value)}`,
      entry.source,
      entry.at,
      entry.value.length,
    )
  }

  #as<Value>(
    key: string,
    expected: string,
    fallback: Value | undefined,
    parse: (text: string) => Value | undefined,
  ): Value {
    const entry = this.#entry(key)
    const value = entry === undefined ? fallback : parse(entry.value)
    if (value === undefined)
      throw this.fault(
        key,
        entry === undefined && expected !== 'given' ? `given, ${expected}` : expected,
      )
    return value
  }

  #entry(key: string): Entry | undefined {
    const { entries } = this.url
    const full = `${this.#prefix}.${key}`
    return entries.get(full) ?? entries.get(key) ?? this.#defaults.get(full)
  }
}
