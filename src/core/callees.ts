/**
 * Layer 1. Callees: functions of a program that are called for the same thing, each once, in the
 * order in which they came.
 *
 * While they are called, one that is removed is not called any more, and one that is added is not
 * called yet. (Otherwise it could go on adding for ever.) What is removed and added again counts as
 * added.
 */

interface Entry<Extra> {
  readonly order: number
  extra: Extra
}

export class Callees<Callee, Extra> {
  readonly #entries = new Map<Callee, Entry<Extra>>()
  /** How many were ever added. To count those that are left would not do: some go meanwhile. */
  #added = 0

  get size(): number {
    return this.#entries.size
  }

  has(callee: Callee): boolean {
    return this.#entries.has(callee)
  }

  get(callee: Callee): Extra | undefined {
    return this.#entries.get(callee)?.extra
  }

  /** Adds it. If it is there, it keeps its place. */
  set(callee: Callee, extra: Extra): void {
    const entry = this.#entries.get(callee)
    if (entry !== undefined) entry.extra = extra
    else this.#entries.set(callee, { order: ++this.#added, extra })
  }

  /** False: it was not there. */
  delete(callee: Callee): boolean {
    return this.#entries.delete(callee)
  }

  clear(): void {
    this.#entries.clear()
  }

  each(call: (callee: Callee, extra: Extra) => void): void {
    const last = this.#added
    for (const [callee, { order, extra }] of this.#entries) {
      if (order > last) break
      call(callee, extra)
    }
  }
}
