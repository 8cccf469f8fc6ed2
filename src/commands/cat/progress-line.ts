/**
 * Layer 10. The line on a terminal that shows how much was received so far:
 * `12345 messages, 1.20 MB, 340 kB/s`.
 */

import type { Engine } from '../../engine.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'

/** Between two looks: often enough to look alive, seldom enough to be read. */
const INTERVAL: Milliseconds = 250

/** The part of stderr that is used here. */
export interface Screen {
  write(text: string): unknown
  /** How many characters a line has. */
  readonly columns?: number | undefined
}

/** Counts from its construction on, and draws the line again at each interval until `stop`. */
export class ProgressLine {
  readonly #engine: Engine
  readonly #screen: Screen
  readonly #cancel: Cancel
  readonly #begin: Milliseconds
  #messages = 0
  #bytes: Bytes = 0
  #before: Bytes = 0
  #isShown = false

  constructor(engine: Engine, screen: Screen) {
    this.#engine = engine
    this.#screen = screen
    this.#begin = engine.now
    this.#cancel = this.#engine.cycle(INTERVAL, () => this.#show())
  }

  /** A message of this many bytes was received. */
  count(bytes: Bytes): void {
    this.#messages++
    this.#bytes += bytes
  }

  #show(): void {
    const rate = ((this.#bytes - this.#before) * 1000) / INTERVAL
    this.#before = this.#bytes
    this.#isShown = true
    // A line that is too long would go on in the next one, and stay there.
    const text = `${this.#amount}, ${size(rate)}/s`.slice(0, (this.#screen.columns ?? 80) - 1)
    this.#screen.write(`\r\x1b[K${text}`)
  }

  get #amount(): string {
    const count = this.#messages
    return `${count} ${count === 1 ? 'message' : 'messages'}, ${size(this.#bytes)}`
  }

  /** Takes the line away, to make room for other output. It comes back at the next interval. */
  clear(): void {
    if (!this.#isShown) return
    this.#isShown = false
    this.#screen.write('\r\x1b[K')
  }

  /** Replaces the line with a summary, which stays. */
  stop(): void {
    this.#cancel()
    this.clear()
    const seconds = (this.#engine.now - this.#begin) / 1000
    this.#screen.write(`${this.#amount} in ${seconds.toFixed(1)} s\n`)
  }
}

function size(bytes: Bytes): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toPrecision(3)} ${['', 'k', 'M', 'G'][power]}B`
}
