/**
 * Layer 8. The URL of a message channel: `proto://host;key=value;key=value`.
 *
 *     tcp://localhost:5555;mode=client;frame=line
 *     rate+file://log;speed=1mb;rate.dir=r
 *
 * Rules:
 * 1. The host ends at the first ';'. A value ends at the next one, and may contain '='. There are
 *    no escapes.
 * 2. Empty parts (';;', one at the end) are nothing. A part without '=', a key that comes twice,
 *    `proto` or `host` as a key: errors.
 * 3. Dots in keys make a tree; `branch` is what is below one of them.
 * 4. Every value knows where it was written, so that whoever refuses it later can point there.
 */

import { InvalidArgumentError, UrlError } from '../errors.ts'

/** A value, and where it stands. */
export interface Entry {
  readonly value: string
  /** What it was written in, where in there the value begins, and where its key does. */
  readonly source: string
  readonly at: number
  readonly key_at: number
}

export type Entries = ReadonlyMap<string, Entry>

/** Parameters as a program may write them: as in a URL, or an object. */
export type Parameters = string | Readonly<Record<string, string | number | bigint | boolean>>

const RESERVED: readonly string[] = ['proto', 'host']

export class Url {
  /** What precedes '://'; of several, joined by '+', the first is the outermost. */
  readonly protocol: string
  readonly host: string
  readonly entries: Entries
  /** Where protocol and host are written. */
  readonly source: string
  readonly at: number

  constructor(protocol: string, host: string, entries: Entries, source: string, at: number) {
    this.protocol = protocol
    this.host = host
    this.entries = entries
    this.source = source
    this.at = at
  }

  /** Throws UrlError. With `source`, the URL is the part of that which begins at `at`. */
  static parse(text: string, source = text, at = 0): Url {
    if (typeof text !== 'string')
      throw new InvalidArgumentError('url', 'a string, as tcp://host:port;key=value', text)
    const colon = text.indexOf('://')
    if (colon === -1)
      throw new UrlError('a URL needs "://" behind its protocol', source, at, text.length)
    const protocol = text.slice(0, colon)
    if (!/^[^;=\s]+$/.test(protocol))
      throw new UrlError('a URL begins with a protocol', source, at, Math.max(1, colon))
    const semicolon = text.indexOf(';', colon)
    const end = semicolon === -1 ? text.length : semicolon
    const entries = parseEntries(text.slice(end), source, at + end)
    for (const key of RESERVED) {
      const entry = entries.get(key)
      if (entry !== undefined)
        throw new UrlError(
          `${key} is no parameter: it is written before the first ";"`,
          source,
          entry.key_at,
          key.length,
        )
    }
    return new Url(protocol, text.slice(colon + 3, end), entries, source, at)
  }

  /** The same with another protocol, and without the parameters whose keys `isLeftOut` names. */
  with(protocol: string, isLeftOut: (key: string) => boolean = () => false): Url {
    const entries = new Map([...this.entries].filter(([key]) => !isLeftOut(key)))
    // Behind a prefix: what is wrong with the rest is pointed at there.
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

  /** What is wrong with its protocol. */
  protocol_fault(why: string): UrlError {
    return new UrlError(
      why,
      this.source,
      this.at,
      Math.max(1, this.source.indexOf('://', this.at) - this.at),
    )
  }

  /** What is wrong with its host. */
  host_fault(why: string): UrlError {
    const at = this.source.indexOf('://', this.at) + 3
    return new UrlError(why, this.source, at, this.host.length)
  }

  toString(): string {
    return `${this.protocol}://${this.host}${formatEntries(this.entries)}`
  }
}

/** `;key=value;key=value`. */
export function formatEntries(entries: Entries): string {
  return [...entries].map(([key, { value }]) => `;${key}=${value}`).join('')
}

/**
 * The parameters in a text of the form `key=value;key=value`, or in an object. Throws UrlError,
 * InvalidArgumentError.
 */
export function parseParameters(given: Parameters): Entries {
  if (typeof given === 'string') return parseEntries(given, given, 0)
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('parameters', "text, as 'a=1;b=2', or an object", given)
  const text = Object.entries(given)
    .map(([key, value]) => `${key}=${textOf(key, value)}`)
    .join(';')
  return parseEntries(text, text, 0)
}

/**
 * One value of an object. It is one value, whatever it says: a ';' in it would begin a parameter
 * that the program did not mean.
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

function parseEntries(text: string, source: string, at: number): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  let key_at = at
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    const key = part.slice(0, equals)
    if (part !== '') {
      if (equals === -1) throw new UrlError('a parameter is key=value', source, key_at, part.length)
      if (!/^[^.\s]+(\.[^.\s]+)*$/.test(key))
        throw new UrlError('this is no key', source, key_at, Math.max(1, equals))
      if (entries.has(key)) throw new UrlError(`${key} is given twice`, source, key_at, part.length)
      entries.set(key, { value: part.slice(equals + 1), source, at: key_at + equals + 1, key_at })
    }
    key_at += part.length + 1
  }
  return entries
}

/** The branch below `key`, by what follows the dot. */
export function branch(entries: Entries, key: string): Map<string, Entry> {
  const prefix = `${key}.`
  return new Map(
    [...entries]
      .filter(([each]) => each.startsWith(prefix))
      .map(([each, entry]) => [each.slice(prefix.length), entry]),
  )
}

/**
 * The URL that is the value of `key`, in any of three forms: `key=null://` (which ends at the next
 * ';'), `key.proto=null;key.host=…;key.stat=yes`, `key.url=null://;key.stat=yes`. Undefined where
 * there is none. Throws UrlError.
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

/** A URL with more parameters. Throws UrlError where one of them is there already. */
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
