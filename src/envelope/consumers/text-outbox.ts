/**
 * Layer 9. TextOutbox: the texts of a consumer that wait until its port has room.
 */

import { OverflowError } from '../../errors.ts'
import type { Port } from './port.ts'

/** Sends what it can, and keeps the rest until there is room. */
export class TextOutbox {
  readonly #port: Port
  readonly #owner: { readonly queue_limit: number }
  #waiting: string[] = []

  constructor(port: Port, owner: { readonly queue_limit: number }) {
    this.#port = port
    this.#owner = owner
  }

  /** Throws OverflowError if too much waits, and what the channel throws. */
  send(text: string): void {
    if (this.#waiting.length === 0 && this.#port.post(text)) return
    const { queue_limit } = this.#owner
    if (this.#waiting.length >= queue_limit)
      throw new OverflowError(
        'send',
        queue_limit,
        `more than ${queue_limit} messages wait for room`,
      )
    this.#waiting.push(text)
  }

  /** There is room again. */
  flush(): void {
    const { length } = this.#waiting
    let sent = 0
    while (sent < length && this.#port.post(this.#waiting[sent] as string)) sent++
    this.#waiting = this.#waiting.slice(sent)
  }
}
