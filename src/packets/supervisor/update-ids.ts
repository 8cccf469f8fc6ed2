/**
 * Layer 9. UpdateIds: the last `update_id`s of an agent. One that comes again is dropped: an agent
 * that does not confirm may send a live update twice.
 */
// Source: Mephisto of today, `mephisto_bound_live_update`.

/** How many are remembered: more than an agent ever has on its way. */
const MANY = 1000

export class UpdateIds {
  readonly #seen = new Set<string>()

  /** Is it new? */
  add(id: string): boolean {
    if (this.#seen.has(id)) return false
    if (this.#seen.size >= MANY) this.#seen.delete(this.#seen.values().next().value as string)
    this.#seen.add(id)
    return true
  }
}
