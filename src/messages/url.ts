/**
 * Layer 8. Url: the URL of a message channel, `proto://host;key=value;key=value`.
 *
 *     tcp://localhost:5555;mode=client;frame=line
 *     rate+file://log;speed=1mb;rate.dir=r
 *
 * Rules:
 * 1. The host ends at the first ';', a value at the next one. A value may contain '='. There are no
 *    escapes.
 * 2. Empty parts are ignored (';;', or a ';' at the end). A part without '=' is an error. So is a
 *    key that is given twice, and `proto` or `host` as a key.
 * 3. Dots in keys form a tree. `branch` returns the part below one key.
 * 4. Every value records its position in the text, so that a later error can point at it.
 */
// Source: TLL `Url`, `ConstConfig`.

import { checkFunction, checkText } from '../core/checks.ts'
import { InvalidArgumentError, UrlError } from '../errors.ts'

/** A value, and its position in the text. */
export interface Entry {
  /** The value. */
  readonly value: string
  /** The text that the value was read from. */
  readonly source: string
  /** The index in `source` where the value begins. */
  readonly at: number
  /** The index in `source` where its key begins. */
  readonly key_at: number
}

/** Parameters by key. */
export type Entries = ReadonlyMap<string, Entry>

/** Parameters as a program may give them: text as in a URL, or an object. */
export type Parameters = string | Readonly<Record<string, string | number | bigint | boolean>>

/** The parts that `embedded` reads from keys of these names. */
const RESERVED: readonly string[] = ['proto', 'host']

/** The most prefixes. Each adds to the stack of every message. Nobody means more than a few. */
const PREFIXES = 32

/**
 * Has `host` been read, also by making text or another URL of this one? A host that nobody reads
 * would be ignored in silence, see asked.ts.
 */
export function hostWasRead(url: Url): boolean {
  return hostsRead.has(url)
}

const hostsRead = new WeakSet<Url>()

/** A URL, split into its parts. It does not change. */
export class Url {
  /**
   * The part before '://'. If it is several protocols joined by '+', the first is the outermost.
   */
  readonly protocol: string
  /** The parameters. */
  readonly entries: Entries
  /** The text that the URL was read from, for error messages. */
  readonly source: string
  /** The index in `source` where the URL begins. */
  readonly at: number
  readonly #host: string

  constructor(protocol: string, host: string, entries: Entries, source: string, at: number) {
    this.protocol = protocol
    this.#host = host
    this.entries = entries
    this.source = source
    this.at = at
  }

  /** The part between '://' and the first ';'. What it means depends on the protocol. */
  get host(): string {
    hostsRead.add(this)
    return this.#host
  }

  /**
   * Splits a URL into its parts. Throws UrlError, which points at the error. If the URL is part of
   * a longer text, `source` is that text and `at` the index where the URL begins in it.
   */
  static parse(text: string, source = text, at = 0): Url {
    if (typeof text !== 'string')
      throw new InvalidArgumentError('url', 'a string like tcp://host:port;key=value', text)
    checkText('url: source', source)
    const colon = text.indexOf('://')
    if (colon === -1)
      throw new UrlError('a URL needs "://" after its protocol', source, at, text.length)
    const protocol = text.slice(0, colon)
    checkProtocol(protocol, source, at)
    const semicolon = text.indexOf(';', colon)
    const end = semicolon === -1 ? text.length : semicolon
    const entries = parseEntries(text.slice(end), source, at + end)
    checkReserved(entries)
    return new Url(protocol, text.slice(colon + 3, end), entries, source, at)
  }

  /**
   * Returns the same URL with another protocol, and without the parameters for whose key
   * `isLeftOut` returns true.
   */
  with(protocol: string, isLeftOut: (key: string) => boolean = () => false): Url {
    checkText('with: protocol', protocol)
    checkFunction('with: isLeftOut', isLeftOut)
    const entries = new Map([...this.entries].filter(([key]) => !isLeftOut(key)))
    // Without its prefix, it begins after the prefix: errors point there.
    const isRest =
      this.protocol.endsWith(protocol) && this.source.startsWith(this.protocol, this.at)
    return new Url(
      protocol,
      this.host,
      entries,
      this.source,
      this.at + (isRest ? this.protocol.length - protocol.length : 0),
    )
  }

  /** Returns the error to throw for an invalid protocol. It points at the protocol. */
  protocol_fault(why: string): UrlError {
    return new UrlError(
      why,
      this.source,
      this.at,
      Math.max(1, this.source.indexOf('://', this.at) - this.at),
    )
  }

  /** Returns the error to throw for an invalid host. It points at the host. */
  host_fault(why: string): UrlError {
    const at = this.source.indexOf('://', this.at) + 3
    return new UrlError(why, this.source, at, this.#host.length)
  }

  /** The URL as text. `Url.parse` of it gives the same parts. */
  toString(): string {
    return `${this.protocol}://${this.host}${formatEntries(this.entries)}`
  }
}

/** Parameters as text: `;key=value;key=value`. */
export function formatEntries(entries: Entries): string {
  return [...entries].map(([key, { value }]) => `;${key}=${value}`).join('')
}

/**
 * Reads parameters from a text of the form `key=value;key=value`, or from an object. Throws
 * UrlError for an invalid text, InvalidArgumentError for an invalid object.
 */
export function parseParameters(given: Parameters): Entries {
  if (typeof given === 'string') return parseEntries(given, given, 0)
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('parameters', "text like 'a=1;b=2', or an object", given)
  const text = Object.entries(given)
    .map(([key, value]) => `${key}=${textOf(key, value)}`)
    .join(';')
  return parseEntries(text, text, 0)
}

/**
 * One value of an object as text. It must not contain ';': that would begin another parameter,
 * which the program did not intend.
 */
function textOf(key: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : ';'
  if (text.includes(';'))
    throw new InvalidArgumentError(
      `parameters: ${key}`,
      "text without ';', a number or a boolean",
      value,
    )
  return text
}

function checkProtocol(protocol: string, source: string, at: number): void {
  if (!/^[^;=\s]+$/.test(protocol))
    throw new UrlError('a URL begins with a protocol', source, at, Math.max(1, protocol.length))
  if (protocol.split('+').length > PREFIXES + 1)
    throw new UrlError(`a URL has at most ${PREFIXES} prefixes`, source, at, protocol.length)
}

/** What stands before the first ';' is no parameter. */
function checkReserved(entries: Entries): void {
  for (const key of RESERVED) {
    const entry = entries.get(key)
    if (entry === undefined) continue
    const why = `${key} is not a parameter: it comes before the first ";"`
    throw new UrlError(why, entry.source, entry.key_at, key.length)
  }
}

function parseEntries(text: string, source: string, at: number): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  let key_at = at
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    const key = part.slice(0, equals)
    if (part !== '') {
      if (equals === -1) throw new UrlError('a parameter is key=value', source, key_at, part.length)
      if (!/^[^.\s]+(\.[^.\s]+)*$/.test(key))
        throw new UrlError('this key is invalid', source, key_at, Math.max(1, equals))
      if (entries.has(key)) throw new UrlError(`${key} is given twice`, source, key_at, part.length)
      entries.set(key, { value: part.slice(equals + 1), source, at: key_at + equals + 1, key_at })
    }
    key_at += part.length + 1
  }
  return entries
}

/** The parameters below `key`. Their keys are what follows the dot. */
export function branch(entries: Entries, key: string): Map<string, Entry> {
  const prefix = `${key}.`
  return new Map(
    [...entries]
      .filter(([each]) => each.startsWith(prefix))
      .map(([each, entry]) => [each.slice(prefix.length), entry]),
  )
}

/**
 * The URL that is the value of `key`, in one of three forms: `key=null://`, which ends at the next
 * ';'; `key.url=null://;key.stat=yes`; `key.proto=null;key.host=…;key.stat=yes`. Returns undefined
 * if there is none. Throws UrlError if it is invalid or given in two forms.
 */
export function embedded(entries: Entries, key: string): Url | undefined {
  const plain = entries.get(key)
  const rest = branch(entries, key)
  const url = rest.get('url')
  const proto = rest.get('proto')
  rest.delete('url')
  const [whole, second] = [plain, url, proto].filter(each => each !== undefined)
  if (whole === undefined) return undefined
  if (second !== undefined)
    throw new UrlError(
      `${key} is given in two ways`,
      second.source,
      second.key_at,
      second.at - 1 - second.key_at,
    )
  if (whole !== proto) return merge(Url.parse(whole.value, whole.source, whole.at), rest)
  const host = rest.get('host')?.value ?? ''
  rest.delete('proto')
  rest.delete('host')
  return new Url(whole.value, host, rest, whole.source, whole.key_at)
}

/** A URL with additional parameters. Throws UrlError if it has one of them already. */
export function merge(url: Url, more: Entries): Url {
  for (const [key, entry] of more) {
    if (url.entries.has(key))
      throw new UrlError(
        `${key} is given twice`,
        entry.source,
        entry.key_at,
        entry.at + entry.value.length - entry.key_at,
      )
  }
  return new Url(url.protocol, url.host, new Map([...url.entries, ...more]), url.source, url.at)
}
