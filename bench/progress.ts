/**
 * Bench. How far a run has come, and the line that says so; that on a terminal only, and never in
 * what is piped elsewhere.
 */

export class Progress {
  readonly #total: number
  readonly #share: number
  readonly #start = Date.now()
  #done = 0

  /** So many samples, each with a share of so many milliseconds of the whole. */
  constructor(total: number, share: number) {
    this.#total = total
    this.#share = share
  }

  /** Has what is done taken less than its share? */
  get hasTime(): boolean {
    return Date.now() - this.#start < this.#done * this.#share
  }

  /** `what` is begun. */
  begin(what: string): void {
    const left =
      this.#done === 0
        ? ''
        : `, ${duration(((Date.now() - this.#start) / this.#done) * (this.#total - this.#done))} left`
    this.#show(`[${this.#done + 1}/${this.#total}] ${what}${left}`)
    this.#done++
  }

  /** Makes room for other output. */
  clear(): void {
    this.#show('')
  }

  #show(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
