/**
 * Bench. How far a run has come, and the line that says so, if stderr is a terminal.
 */

export class Progress {
  readonly #total: number
  readonly #share: number
  readonly #start = Date.now()
  #done = 0

  /** `total` samples, each of which may take `share` milliseconds on average. */
  constructor(total: number, share: number) {
    this.#total = total
    this.#share = share
  }

  /** Has the run taken less than its share so far? */
  get hasTime(): boolean {
    return Date.now() - this.#start < this.#done * this.#share
  }

  /** The next sample begins; `what` says which. */
  begin(what: string): void {
    this.#show(`[${this.#done + 1}/${this.#total}] ${what}${this.#left}`)
    this.#done++
  }

  get #left(): string {
    if (this.#done === 0) return ''
    const each = (Date.now() - this.#start) / this.#done
    return `, ${duration(each * (this.#total - this.#done))} left`
  }

  /** Takes the line away, to make room for other output. */
  clear(): void {
    this.#show('')
  }

  #show(text: string): void {
    const { isTTY, columns } = process.stderr
    // A line that wraps could not be taken away.
    if (isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, columns - 1)}`)
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
