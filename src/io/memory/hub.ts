/**
 * Layer 2. What the parts of one `MemoryNetwork` share: the list of parts, and the pump that lets
 * each take one step.
 *
 * Rules:
 * 1. Only a pump makes reports, never the call that caused them (rule 1 of transport.ts). A call
 *    only wakes the hub.
 * 2. In a pump each part takes one step, in the order in which the parts were made. A pump inside a
 *    pump does nothing.
 */

import type { Endpoint, Transport } from '../../transport.ts'
import type { Bytes, Port, SocketAddress } from '../../types.ts'
import type { Pipe } from './pipe.ts'
import { nameOf } from './place.ts'

/** One step of one part. Returns the number of bytes moved, plus one for each other report. */
export type Step = (budget: Bytes) => number

/** A connection that waits to be accepted: its pipes as the listener sees them, and its address. */
export type Call = readonly [inward: Pipe, outward: Pipe, from: SocketAddress]

/** The ports that a system chooses from: the dynamic ports of RFC 6335. */
const FIRST_PORT: Port = 49152
const LAST_PORT: Port = 65535

/** `chunk` returns the size of the next `received`; `capacity` is that of every pipe. */
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

  /** There may be something to do. A new step is added at the end; a known one keeps its place. */
  wake(step?: Step): void {
    if (step !== undefined) this.steps.add(step)
    if (!this.#auto || this.#turn === 'scheduled') return
    this.#turn = 'scheduled'
    setImmediate(() => {
      this.#turn = 'none'
      // A sink that throws stops this pump, not the next one.
      let moved = 1
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

  /** The address; port 0 becomes a free one. */
  place(at: Endpoint, taken: ReadonlyMap<string, unknown>): Endpoint {
    if (at.kind === 'unix' || at.port !== 0) return at
    do this.#port = this.#port === LAST_PORT ? FIRST_PORT : this.#port + 1
    while (taken.has(nameOf({ ...at, port: this.#port })))
    return { ...at, port: this.#port }
  }
}
