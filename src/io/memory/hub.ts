/**
 * Layer 2. What the parts of one `MemoryNetwork` share: who there is, and the pump that lets each
 * take one step.
 *
 * Rules:
 * 1. Reports come from a pump alone, never from the call that caused them (rule 1 of transport.ts):
 *    a call only wakes.
 * 2. Each part takes one step a pump, in the order of their making. A pump inside a pump does
 *    nothing.
 */

import type { Endpoint, Transport } from '../../transport.ts'
import type { Bytes, Port, SocketAddress } from '../../types.ts'
import type { Pipe } from './pipe.ts'
import { nameOf } from './place.ts'

/** One step of one part; returns the bytes moved plus the other reports. */
export type Step = (budget: Bytes) => number

/** A connection that waits to be accepted: the listener's view of its pipes, and who calls. */
export type Call = readonly [inward: Pipe, outward: Pipe, from: SocketAddress]

/** The ports that a system chooses from (RFC 6335, dynamic ports). */
const FIRST_PORT: Port = 49152
const LAST_PORT: Port = 65535

/**
 * The middle of one network. `chunk` is asked for the size of each `received`; `capacity` is that
 * of every pipe.
 */
export class Hub {
  readonly steps = new Set<Step>()
  readonly transports = new Map<Transport, readonly Pipe[]>()
  readonly listeners = new Map<string, Call[]>()
  readonly chunk: () => Bytes
  readonly capacity: Bytes
  readonly #auto: boolean
  #turn: 'none' | 'scheduled' = 'none'
  #work: 'idle' | 'pumping' = 'idle'
  #port: Port = LAST_PORT

  constructor(chunk: () => Bytes, auto: boolean, capacity: Bytes) {
    this.chunk = chunk
    this.#auto = auto
    this.capacity = capacity
  }

  /**
   * There may be something to do, for this part or for any. A step that is known keeps its place:
   * the order is that of making.
   */
  wake(step?: Step): void {
    if (step !== undefined) this.steps.add(step)
    if (!this.#auto || this.#turn === 'scheduled') return
    this.#turn = 'scheduled'
    setImmediate(() => {
      this.#turn = 'none'
      let moved = 1 // a sink that throws stops this pump, not the next
      try {
        moved = this.pump(Infinity)
      } finally {
        if (moved > 0) this.wake()
      }
    })
  }

  pump(bytes: Bytes): number {
    if (this.#work === 'pumping') return 0
    this.#work = 'pumping'
    try {
      return [...this.steps].reduce((moved, step) => moved + step(bytes), 0)
    } finally {
      this.#work = 'idle'
    }
  }

  /** The address, with a port that is free where it asks for 0. */
  place(at: Endpoint, taken: ReadonlyMap<string, unknown>): Endpoint {
    if (at.kind === 'unix' || at.port !== 0) return at
    do this.#port = this.#port === LAST_PORT ? FIRST_PORT : this.#port + 1
    while (taken.has(nameOf({ ...at, port: this.#port })))
    return { ...at, port: this.#port }
  }
}
