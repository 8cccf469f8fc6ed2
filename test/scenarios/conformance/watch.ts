/** Checks rule 1 of the seam, and lets a scenario wait for reports. */

/** All instruments of one scenario tell it of calls and reports. */
export class Watch {
  /** Breaches of rule 1. The suite fails for them. */
  readonly breaches: string[] = []
  readonly #waiting = new Set<() => void>()
  #calls = 0

  /** Makes a call, and checks rule 1: nothing is reported inside it. */
  call<Result>(made: () => Result): Result {
    this.#calls++
    try {
      return made()
    } finally {
      this.#calls--
    }
  }

  /** Something was reported. */
  noted(what: string): void {
    if (this.#calls > 0) this.breaches.push(`rule 1: ${what} was reported inside a call`)
    for (const wake of [...this.#waiting]) wake()
  }

  /** Waits until reports have made the condition true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>(resolve => this.#waiting.add(resolve))
      this.#waiting.clear()
    }
  }
}

/** Some turns of the loop, sockets included. */
export async function turns(many: number): Promise<void> {
  for (let turn = 0; turn < many; turn++) await new Promise(resolve => setImmediate(resolve))
}
