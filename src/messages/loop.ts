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
export interface Pending {
  /** Has it something to do? */
  readonly isPending: boolean
  /** Is it in the loop? The loop sets it. */
  isInLoop: boolean
  /** Does one piece of work. Returns false if there was none. */
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
  /** In the order in which they are processed. A channel that goes on comes after the others. */
  readonly #pending: Pending[] = []
  #isAwake = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  add(channel: Pending): void {
    if (channel.isInLoop) return
    channel.isInLoop = true
    this.#pending.push(channel)
    this.#wake()
  }

  turn(): void {
    const pending = this.#pending
    let done = 0
    while (done < MESSAGES && done < pending.length)
      for (const end = pending.length; done < end; done++) this.#process(pending[done] as Pending)
    pending.splice(0, done)
    this.#isAwake = false
    if (pending.length > 0) this.#wake()
  }

  /** A channel that had nothing to do leaves the loop. */
  #process(channel: Pending): void {
    if (channel.process() && channel.isPending) this.#pending.push(channel)
    else channel.isInLoop = false
  }

  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    this.#engine[DRIVE].wake(this)
  }
}
