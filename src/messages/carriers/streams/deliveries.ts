/**
 * Layer 8. Deliveries: what the peers of a server send, one message at a time. While a hook or
 * callback works on one (it returned a promise), those of the other peers wait here, one of each
 * peer: a peer whose message waits is not read.
 */

import type { Addr, Message } from '../../message.ts'

interface Waiting {
  readonly message: Message
  readonly done: () => void
}

export class Deliveries {
  readonly #emit: (message: Message) => Promise<void> | undefined
  readonly #waiting: Waiting[] = []
  #isBusy = false

  /** `emit` delivers a message. It may return a promise, which never rejects. */
  constructor(emit: (message: Message) => Promise<void> | undefined) {
    this.#emit = emit
  }

  /** Must what comes wait? */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Delivers the message, now or in its turn. The promise resolves when that is done. */
  add(message: Message): Promise<void> | undefined {
    if (this.#isBusy)
      return new Promise(done => {
        this.#waiting.push({ message, done })
      })
    const busy = this.#emit(message)
    if (busy === undefined) return undefined
    this.#isBusy = true
    return busy.then(() => this.#next())
  }

  #next(): void {
    this.#isBusy = false
    for (;;) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const busy = this.#emit(next.message)
      if (busy === undefined) {
        next.done()
        continue
      }
      this.#isBusy = true
      void busy.then(next.done).then(() => this.#next())
      return
    }
  }

  /** Delivers what waits, without waiting any more. */
  flush(): void {
    for (const { message, done } of this.#waiting.splice(0)) {
      void this.#emit(message)
      done()
    }
  }
}

/** The peers that did not take what was posted to each of them. */
export function refusing(addrs: Iterable<Addr>, post: (addr: Addr) => boolean | undefined): Addr[] {
  const refused: Addr[] = []
  for (const addr of addrs) if (post(addr) !== true) refused.push(addr)
  return refused
}
