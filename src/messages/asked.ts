/**
 * Layer 8. Asked: which parts of a URL its channels have asked for. A parameter that is given, and
 * that none of them asked for, is refused: it would be ignored in silence, and a misspelt limit
 * would be no limit. So is a parameter in place of the host, whose ';' is missing, if nobody has
 * read the host. (Another host is taken by every protocol: programs write names there.)
 *
 * A channel asks in its constructor, and for the parameters of an opening in `do_open`. So there is
 * no second list of names that could differ from what is read.
 */

import { didYouMean } from '../core/nearest.ts'
import { UrlError } from '../errors.ts'
import { type Entries, hostWasRead, type Url } from './url.ts'

export const ASKED: unique symbol = Symbol('sluice.asked')

/** The part of Params that is used here. */
export interface Asker {
  readonly [ASKED]: Asked
  readonly url: Url
}

interface Tree {
  readonly params: Asker
  readonly children: Iterable<Tree>
}

export class Asked {
  readonly #prefix: string
  readonly #names = new Set<string>()
  /** Everything whose key begins with one of these counts as asked for. */
  readonly #beginnings = new Set<string>()

  /** `prefix`: a name may also be given as `prefix.name`. */
  constructor(prefix: string) {
    this.#prefix = `${prefix}.`
  }

  /** One parameter was asked for. */
  add(name: string): void {
    this.#names.add(name)
  }

  /** All parameters whose keys begin like that were; with '' all. */
  addAll(beginning: string): void {
    this.#beginnings.add(beginning)
  }

  has(key: string): boolean {
    return (
      this.#names.has(key) ||
      (key.startsWith(this.#prefix) && this.#names.has(key.slice(this.#prefix.length))) ||
      [...this.#beginnings].some(each => key.startsWith(each))
    )
  }

  /** The names, as one would have to give them instead of this key. */
  like(key: string): string[] {
    return [...this.#names].map(name => (key.startsWith(this.#prefix) ? this.#prefix + name : name))
  }
}

/** The parameters of a channel, and of the channels below it. */
export function* askers(channel: Tree): Iterable<Asker> {
  yield channel.params
  for (const child of channel.children) yield* askers(child)
}

/**
 * Throws UrlError for what was given to a channel, and was asked for neither by it nor by those
 * below it. `what` is what the parameters are those of, and `entries` those that were given.
 */
export function checkAsked(what: string, entries: Entries, channel: Tree): void {
  const all = [...askers(channel)]
  for (const { url } of all) {
    if (hostWasRead(url) || !url.host.includes('=')) continue
    throw url.host_fault(`a parameter comes after ';', as in ${url.protocol}://;${url.host}`)
  }
  const unknown = unknownParameter(what, entries, all)
  if (unknown !== undefined) throw unknown
}

/**
 * The error for the first of these parameters that nobody has asked for; undefined if there is
 * none. `what` is what they are parameters of.
 */
export function unknownParameter(
  what: string,
  entries: Entries,
  askers: Iterable<Asker>,
): UrlError | undefined {
  const all = Array.from(askers, each => each[ASKED])
  for (const [key, { source, key_at }] of entries) {
    if (all.some(asked => asked.has(key))) continue
    const names = [...new Set(all.flatMap(asked => asked.like(key)))].sort()
    const advice = didYouMean(key, names)
    return new UrlError(`${what} has no parameter ${key}; ${advice}`, source, key_at, key.length)
  }
  return undefined
}
