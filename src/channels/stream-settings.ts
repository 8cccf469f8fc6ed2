/**
 * Layer 4. The settings of a Stream: their defaults, what each of them may be, and how streams
 * share them.
 */

import { Buffer } from 'node:buffer'
import { checkDelimiter, type ReadDelimiter, type ReadSettings } from '../core/delimiters.ts'
import { type ReadOwner, ReadPath, type ReadTarget } from '../core/read-path.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { TlsOptions } from '../transport.ts'
import type { Bytes, Encoding, Milliseconds } from '../types.ts'
import { checkBoolean, checkCount, checkDuration, checkTls } from './settings.ts'

/**
 * The values of all settings of one Stream. What each means is said where the class declares it.
 */
export interface StreamValues {
  readonly read_delimiter: ReadDelimiter
  readonly regex_search: boolean
  readonly encoding: Encoding | null
  readonly buffer_size: Bytes
  readonly send_high_water: Bytes
  readonly send_buffer_size: Bytes
  readonly backpressure: boolean
  readonly no_delay: boolean
  readonly keep_alive: Milliseconds | false
  readonly tls: TlsOptions | undefined
  readonly connect_timeout: Milliseconds
  readonly handshake_timeout: Milliseconds
  readonly read_timeout: Milliseconds
  readonly write_timeout: Milliseconds
  readonly idle_timeout: Milliseconds
  readonly max_lifetime: Milliseconds
  readonly end_timeout: Milliseconds
}

/** One object for all streams that change nothing: an idle connection should cost little. */
export const STREAM_DEFAULTS: StreamValues = {
  read_delimiter: null,
  regex_search: true,
  encoding: null,
  buffer_size: 64 * 1024,
  send_high_water: 64 * 1024,
  send_buffer_size: 16 * 1024 * 1024,
  backpressure: false,
  no_delay: true,
  keep_alive: false,
  tls: undefined,
  connect_timeout: 30_000,
  handshake_timeout: 10_000,
  read_timeout: Infinity,
  write_timeout: Infinity,
  idle_timeout: Infinity,
  max_lifetime: Infinity,
  end_timeout: 30_000,
}

/**
 * For streams that were accepted: they answer, and must not read what they cannot answer, nor keep
 * it for a peer that takes nothing. (A minute is nginx's `send_timeout`. No timeout of reading: how
 * long a peer may be silent is the protocol's affair.)
 */
export const ACCEPTED_DEFAULTS: StreamValues = {
  ...STREAM_DEFAULTS,
  backpressure: true,
  write_timeout: 60_000,
}

/** Returns the value as it is kept, or throws. */
export const STREAM_CHECKS: {
  readonly [Name in keyof StreamValues]: (name: string, value: unknown) => StreamValues[Name]
} = {
  read_delimiter: (_name, value) => checkDelimiter(value),
  regex_search: checkBoolean,
  encoding: checkEncoding,
  buffer_size: (name, value) => checkCount(name, value, 1),
  send_high_water: (name, value) => checkCount(name, value, 1),
  send_buffer_size: (name, value) => checkCount(name, value, 1),
  backpressure: checkBoolean,
  no_delay: checkBoolean,
  keep_alive: (name, value) => (value === false ? false : checkDuration(name, value)),
  tls: checkTls,
  connect_timeout: checkDuration,
  handshake_timeout: checkDuration,
  read_timeout: checkDuration,
  write_timeout: checkDuration,
  idle_timeout: checkDuration,
  max_lifetime: checkDuration,
  end_timeout: checkDuration,
}

/** The names that Node has for the same encoding, as one of them. */
const ALIASES: Readonly<Record<string, Encoding>> = {
  'utf-8': 'utf8',
  binary: 'latin1',
  ucs2: 'utf16le',
  'ucs-2': 'utf16le',
  'utf-16le': 'utf16le',
}

export function checkEncoding(name: string, value: unknown): Encoding | null {
  if (value === null) return null
  if (typeof value !== 'string' || !Buffer.isEncoding(value))
    throw new InvalidArgumentError(name, "an encoding of Node's Buffer, or null", value)
  const encoding = value.toLowerCase() as Encoding
  return ALIASES[encoding] ?? encoding
}

/**
 * So many streams of different settings may follow from one: a program that gives each stream its
 * own must not fill the memory.
 */
const BRANCHES_MAX = 16

/**
 * So many idle read paths are kept: more streams than this hardly ever stand in the middle of a
 * message at once.
 */
const IDLE_MAX = 64

/**
 * The values of one stream, or of all streams that were given the same: a thousand connections of
 * one class have one object. What is set before a stream opens (options, class fields) leads from
 * the defaults to a shared object; what is set later makes the stream's own one, which is changed
 * in place.
 */
export class StreamSettings {
  readonly values: StreamValues
  readonly #defaults: StreamValues
  /** Is it one stream's alone? */
  readonly #isOwn: boolean
  /** By name and value, what leads on from here. */
  #branches: Map<string, Map<unknown, StreamSettings>> | undefined
  /** How many of them there are. */
  #count = 0
  /**
   * What reads for a stream while it has something to read: hardly any of a thousand connections
   * has.
   */
  readonly #idle: ReadPath[] = []

  constructor(defaults: StreamValues, values = defaults, isOwn = false) {
    this.#defaults = defaults
    this.values = values
    this.#isOwn = isOwn
  }

  /** The settings with another value for one of them. Not `shared`: those of one stream only. */
  with(name: keyof StreamValues, value: unknown, shared: boolean): StreamSettings {
    if (this.#isOwn) return this.#change(name, value)
    // Only away from a default, so that it cannot go round in circles and the way is never long.
    const branches =
      shared && this.values[name] === this.#defaults[name] ? this.#branchesOf(name) : undefined
    const known = branches?.get(value)
    if (known !== undefined) return known
    const isOwn = branches === undefined || this.#count === BRANCHES_MAX
    const settings = new StreamSettings(this.#defaults, { ...this.values, [name]: value }, isOwn)
    if (!isOwn) {
      this.#count++
      branches.set(value, settings)
    }
    return settings
  }

  #change(name: keyof StreamValues, value: unknown): this {
    ;(this.values as Record<keyof StreamValues, unknown>)[name] = value
    return this
  }

  #branchesOf(name: string): Map<unknown, StreamSettings> {
    this.#branches ??= new Map()
    const branches = this.#branches.get(name) ?? new Map<unknown, StreamSettings>()
    this.#branches.set(name, branches)
    return branches
  }

  /** A read path for these settings, until it is given back. */
  borrow(target: ReadTarget, owner: ReadOwner, areChunksLent: boolean): ReadPath {
    const { read_delimiter, encoding, regex_search, buffer_size } = this.values
    const path =
      this.#idle.pop() ??
      new ReadPath(target, owner, read_delimiter, readSettings(encoding, regex_search), buffer_size)
    path.serve(target, owner, areChunksLent)
    return path
  }

  /** Takes an idle one back, unless nobody else could use it. False: keep it. */
  takeBack(path: ReadPath): boolean {
    if (this.#isOwn) return false
    path.leave()
    if (this.#idle.length < IDLE_MAX) this.#idle.push(path)
    return true
  }
}

const interned = {
  search: new Map<Encoding | null, ReadSettings>(),
  match: new Map<Encoding | null, ReadSettings>(),
}

/** The same object for the same settings, so that they are compared by identity. */
export function readSettings(encoding: Encoding | null, regex_search: boolean): ReadSettings {
  const known = regex_search ? interned.search : interned.match
  let settings = known.get(encoding)
  if (settings === undefined) known.set(encoding, (settings = { encoding, regex_search }))
  return settings
}
