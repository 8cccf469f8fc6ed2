/**
 * Layer 8. The loop that processes pending channels. Each engine has one; it runs in the engine's
 * turns.
 *
 * Rules:
 * 1. A channel is in the loop while it is 'pending'. If no channel is, nothing runs.
 * 2. Each round processes every pending channel once. After 64 messages no further round begins:
 *    sockets and timers have their turn first.
 */

import type { Turn } from '../core/time/turns.ts'
import { DRIVE, type Engine } from '../engine.ts'

/** The part of a channel that the loop uses. */
interface Pending {
  readonly dcaps: ReadonlySet<string>
  process(): boolean
}

/**
 * After this many messages a turn begins no further round. A turn of Node's loop costs about as
 * much as several messages, so one message a turn would be slow. 64 messages take well under a
 * millisecond, which a socket can wait. All channels are counted together: a fixed number of rounds
 * would take longer with more channels.
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

  /** Returns how many channels were processed. One that had nothing to do leaves the loop. */
  #round(): number {
    const pending = this.#pending
    const { size } = pending
    let left = size
    // A set is walked through in the order of adding, and what is added meanwhile comes last.
    for (const channel of pending) {
      if (!channel.process() || !channel.dcaps.has('pending')) pending.delete(channel)
      if (--left === 0) break
    }
    return size
  }

  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    this.#engine[DRIVE].wake(this)
  }
}
