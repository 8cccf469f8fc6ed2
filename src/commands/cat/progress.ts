/**
 * Layer 10. The line on a terminal that shows how much was received so far:
 * `12345 messages, 1.20 MB, 340 kB/s`.
 */

import type { Engine } from '../../engine.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'

/** Between two looks: often enough to look alive, seldom enough to be read. */
const INTERVAL: Milliseconds = 250

/** Counts from its construction on, and draws the line again at each interval until `stop`. */
export class Progress {
  readonly #engine: Engine
  readonly #write: (text: string) => void
  readonly #cancel: Cancel
  #messages = 0
  #bytes: Bytes = 0
  #before: Bytes = 0
  #isShown = false

  constructor(engine: Engine, write: (text: string) => void) {
    this.#engine = engine
    this.#write = write
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
    this.#write(`\r\x1b[K${this.#messages} messages, ${size(this.#bytes)}, ${size(rate)}/s`)
  }

  /** Takes the line away, to make room for other output. It comes back at the next interval. */
  clear(): void {
    if (!this.#isShown) return
    this.#isShown = false
    this.#write('\r\x1b[K')
  }

  /** Takes the line away for good. */
  stop(): void {
    this.#cancel()
    this.clear()
  }
}

function size(bytes: Bytes): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toPrecision(3)} ${['', 'k', 'M', 'G'][power]}B`
}
