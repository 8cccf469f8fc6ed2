/**
 * Layer 8. The processing of pending channels: one loop for each engine, which runs in its turns.
 *
 * Rules:
 * 1. A channel is in here while it has something to do at once ('pending'); while none has, nothing
 *    runs.
 * 2. Every pending channel is processed once a round, until so many messages are done; then sockets
 *    and timers have their turn.
 */

import { type Engine, type Turn, wake } from '../engine.ts'

/** As the loop sees a channel. */
export interface Pending {
  readonly dcaps: ReadonlySet<string>
  process(): boolean
}

/**
 * No more rounds in a turn after so many messages. A turn of Node's loop costs about as much as
 * several messages, so one a turn would be slow; 64 take well under a millisecond, which a socket
 * can wait. Counted over all channels: rounds alone would be longer the more of them there are.
 */
const MESSAGES = 64

const loops = new WeakMap<Engine, Loop>()

/** Has the channel processed in the next turn of its engine. */
export function request(engine: Engine, channel: Pending): void {
  let loop = loops.get(engine)
  if (loop === undefined) loops.set(engine, (loop = new Loop(engine)))
  loop.add(channel)
}

class Loop implements Turn {
  readonly #engine: Engine
  readonly #pending = new Set<Pending>()
  #isAwake = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  add(channel: Pending): void {
    this.#pending.add(channel)
    this.#wake()
  }

  turn(): void {
    for (let done = 0; done < MESSAGES && this.#pending.size > 0;) done += this.#round()
    this.#isAwake = false
    if (this.#pending.size > 0) this.#wake()
  }

  /** One that had nothing to do asks again when it has. Returns how many there were. */
  #round(): number {
    const channels = [...this.#pending]
    for (const channel of channels) {
      if (!channel.process() || !channel.dcaps.has('pending')) this.#pending.delete(channel)
    }
    return channels.length
  }

  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    wake(this.#engine, this)
  }
}
