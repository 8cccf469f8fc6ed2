/**
 * Layer 4. The values of the settings of a stream, as one object for all streams that were given
 * the same: a thousand connections of one class share one.
 *
 * The objects form a tree. Its root has the defaults; each branch changes one value. A setting that
 * is given before a stream opens (an option, a class field) leads from the root to a shared object.
 * A setting that is assigned later makes an object of the stream's own, which is changed in place.
 * It remembers the object that it was made from: with that one the next opening begins.
 */

import { ReadPathPool } from '../core/reading/read-path-pool.ts'
import type { StreamValues } from './streams/stream-settings.ts'

/**
 * At most this many branches of one object are shared. A program that gives each stream values of
 * its own must not fill the memory.
 */
const BRANCHES_MAX = 16

/** Is it a setting that an open stream does not look at? */
function isOfNextOpening(name: keyof StreamValues): boolean {
  return name === 'tls' || name === 'connect_timeout'
}

export class SharedValues {
  readonly values: StreamValues
  /** What reads for the streams that have these values. */
  readonly paths: ReadPathPool
  readonly #defaults: StreamValues
  /** Does a single stream own these values? */
  readonly #isOwn: boolean
  /** What the stream had when it opened, if these are its values for this opening only. */
  #lasting: SharedValues | undefined
  /** The branches, by the name of the changed setting, then by its value. */
  #branches: Map<string, Map<unknown, SharedValues>> | undefined
  /** The number of branches. */
  #count = 0

  constructor(defaults: StreamValues, values = defaults, isOwn = false) {
    this.#defaults = defaults
    this.values = values
    this.#isOwn = isOwn
    this.paths = new ReadPathPool(values, !isOwn)
  }

  /** The values with which the next opening begins. */
  get lasting(): SharedValues {
    return this.#lasting ?? this
  }

  /**
   * The values after an assignment. One that was made while the stream was open lasts for that
   * opening, unless it takes effect with the next one only.
   */
  assigned(name: keyof StreamValues, value: unknown, isBefore: boolean): SharedValues {
    if (isBefore || isOfNextOpening(name)) return this.with(name, value, isBefore)
    if (this.#lasting !== undefined) return this.#change(name, value)
    const changed = new SharedValues(this.#defaults, { ...this.values, [name]: value }, true)
    changed.#lasting = this
    return changed
  }

  /**
   * The values with one of them changed, for good. `isShared`: other streams may have them too;
   * otherwise they are of one stream only.
   */
  with(name: keyof StreamValues, value: unknown, isShared: boolean): SharedValues {
    this.#lasting = this.#lasting?.with(name, value, isShared)
    if (this.#isOwn) return this.#change(name, value)
    // Only a change away from the default is shared: so branches cannot form a cycle and stay
    // short.
    const branches =
      isShared && this.values[name] === this.#defaults[name] ? this.#branchesOf(name) : undefined
    const known = branches?.get(value)
    if (known !== undefined) return known
    const isOwn = branches === undefined || this.#count === BRANCHES_MAX
    const changed = new SharedValues(this.#defaults, { ...this.values, [name]: value }, isOwn)
    if (!isOwn) {
      this.#count++
      branches.set(value, changed)
    }
    return changed
  }

  #change(name: keyof StreamValues, value: unknown): this {
    ;(this.values as Record<keyof StreamValues, unknown>)[name] = value
    return this
  }

  #branchesOf(name: string): Map<unknown, SharedValues> {
    this.#branches ??= new Map()
    const branches = this.#branches.get(name) ?? new Map<unknown, SharedValues>()
    this.#branches.set(name, branches)
    return branches
  }
}
