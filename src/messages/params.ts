/**
 * Layer 8. Params: a channel reads the parameters of its URL by name and kind, each with a default.
 *
 * A parameter is looked up in this order:
 * 1. `prefix.name` in the URL
 * 2. `name` in the URL
 * 3. `prefix.name` in the defaults of the context
 * 4. the default that the channel gives
 *
 * The prefix is the protocol: in `rate+mem://;mem.size=1kb;size=1mb` the size of mem is 1kb.
 *
 * What is looked up is remembered, see asked.ts: a parameter that nobody looks up is refused.
 */

import { checkCount, checkFunction, checkText, instanceOf, listOf } from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'
import { UrlError } from '../errors.ts'
import type { Bytes, Milliseconds } from '../types.ts'
import { ASKED, Asked } from './asked.ts'
import { branch, embedded, type Entries, type Entry, Url } from './url.ts'
import { parseBoolean, parseDuration, parseInteger, parseSeq, parseSize } from './values.ts'

const NOTHING: Entries = new Map()

const checkUrl = instanceOf(Url)
const checkMap = instanceOf(Map)
const checkWords = listOf(checkText, 'words')

/** From where to where a number may be. */
interface Bounds {
  readonly least?: number
  readonly most?: number
}

const SIZE_FORM = 'a whole number and b, kb, mb, gb, bit, kbit, mbit or gbit'

/**
 * The parameters of a channel's URL, or those of one opening.
 *
 * Each method that reads one takes its name and a default. It throws UrlError, which points at the
 * value, if the value is invalid, or if there is neither a value nor a default. It throws
 * InvalidArgumentError if it is called with something else.
 */
export class Params {
  /** The URL, with its aliases resolved. For parameters of `open` it has no host. */
  readonly url: Url
  /** What was asked for, for other files of sluice. @hidden */
  readonly [ASKED]: Asked
  readonly #prefix: string
  readonly #defaults: Entries

  /** Throws InvalidArgumentError unless they are a Url and a Map. */
  constructor(url: Url, defaults: Entries = NOTHING) {
    this.url = checkUrl('new Params: url', url)
    this.#prefix = url.protocol.split('+')[0] as string
    this[ASKED] = new Asked(this.#prefix)
    checkMap('new Params: defaults', defaults)
    this.#defaults = defaults
  }

  /** The parameters of an opening, for a channel of that protocol. */
  static of(entries: Entries, protocol: string): Params {
    return new Params(new Url(checkText('Params.of: protocol', protocol), '', entries, '', 0))
  }

  /** Returns the same parameters without those for whose key `isLeftOut` returns true. */
  without(isLeftOut: (key: string) => boolean): Params {
    checkFunction('without: isLeftOut', isLeftOut)
    return new Params(this.url.with(this.url.protocol, isLeftOut), this.#defaults)
  }

  /** Every parameter that is given, as text. This counts as asking for each of them. */
  get values(): Record<string, string> {
    this[ASKED].addAll('')
    return Object.fromEntries([...this.url.entries].map(([key, { value }]) => [key, value]))
  }

  /** Is the parameter given, in the URL or in the defaults of the context? */
  has(key: string): boolean {
    return this.#entry(key) !== undefined
  }

  /** Text, unchanged. */
  text(key: string, fallback?: string): string {
    return this.#as(key, 'given', fallback, text => text)
  }

  /** yes, true, 1, no, false or 0. */
  boolean(key: string, fallback?: boolean): boolean {
    return this.#as(key, 'yes or no', fallback, parseBoolean)
  }

  /** A whole number from `least` to `most`, decimal or with the prefix 0x. */
  integer(key: string, fallback?: number, bounds: Bounds = {}): number {
    checkOptions('integer: bounds', bounds, ['least', 'most'])
    const { least = -Infinity, most = Infinity } = bounds
    const range =
      least === -Infinity && most === Infinity
        ? ''
        : most === Infinity
          ? ` of at least ${least}`
          : ` from ${least} to ${most}`
    return this.#as(key, `a whole number${range}`, fallback, text => {
      const number = parseInteger(text)
      return number === undefined || number < least || number > most ? undefined : number
    })
  }

  /** A sequence number: a whole number of 64 bits. */
  seq(key: string, fallback?: bigint): bigint {
    return this.#as(key, 'a whole number of 64 bits', fallback, parseSeq)
  }

  /** A size in bytes, at least `least`: a whole number with a unit, for example 64kb. */
  size(key: string, fallback?: Bytes, least: Bytes = 0): Bytes {
    checkCount('size: least', least, 0)
    return this.#as(
      key,
      `a size${least > 0 ? ` of at least ${least}b` : ''}: ${SIZE_FORM}`,
      fallback,
      text => {
        const size = parseSize(text)
        return size !== undefined && Number.isSafeInteger(size) && size >= least ? size : undefined
      },
    )
  }

  /** A duration in milliseconds: a whole number with a unit, for example 30s. */
  duration(key: string, fallback?: Milliseconds): Milliseconds {
    return this.#as(
      key,
      'a duration: a whole number and ns, us, ms, s, m, h or d',
      fallback,
      parseDuration,
    )
  }

  /** One of the words. */
  choice<Word extends string>(key: string, words: readonly Word[], fallback?: Word): Word {
    checkWords('choice: words', words)
    return this.#as(key, `one of ${words.join(', ')}`, fallback, text =>
      words.find(word => word === text),
    )
  }

  /** Texts separated by commas, without the spaces around them. */
  list(key: string, fallback?: readonly string[]): readonly string[] {
    return this.#as(key, 'given', fallback, text =>
      text === '' ? [] : text.split(',').map(each => each.trim()),
    )
  }

  /**
   * A URL. It may be given in three forms: `key=null://`, which ends at the next ';';
   * `key.url=null://;key.stat=yes`; or `key.proto=null;key.host=…;key.stat=yes`.
   */
  embedded(key: string): Url {
    checkText('params: key', key)
    const url = embedded(this.url.entries, key)
    this[ASKED].addAll(`${key}.`)
    if (url === undefined) throw this.fault(key, 'given')
    this[ASKED].add(key)
    return url
  }

  /** The names directly below `key`: if `bucket.x.speed` is given, `x` is below `bucket`. */
  names(key: string): string[] {
    checkText('params: key', key)
    const keys = [key, `${this.#prefix}.${key}`].flatMap(each => [
      ...branch(this.url.entries, each).keys(),
    ])
    return [...new Set(keys.map(each => each.split('.')[0] as string))]
  }

  /**
   * Returns the error to throw for an invalid parameter. It points at the value. `expected`
   * completes "must be".
   */
  fault(key: string, expected: string): UrlError {
    checkText('fault: expected', expected)
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
    checkText('params: key', key)
    this[ASKED].add(key)
    const { entries } = this.url
    const full = `${this.#prefix}.${key}`
    return entries.get(full) ?? entries.get(key) ?? this.#defaults.get(full)
  }
}
