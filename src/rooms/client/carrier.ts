/**
 * Layer 9. The seam below a channel: what it needs of the outside. RoomSession knows nothing else
 * of the machine that it runs on.
 *
 * Call order: `World.carrier` → `open` → opened → any mix of `send`, received and drained → at most
 * one failed → exactly one closed, and nothing after it. `close` leads to closed, `abort` to no
 * report. A carrier that cannot open reports failed, if it knows why, and then closed.
 */

import type { Cancel, Milliseconds } from '../../types.ts'

/** One connection that carries messages, whatever the transport is. */
export interface Carrier {
  /** False as soon as it closes, which may be a while before it reports closed. */
  readonly isOpen: boolean
  /** Begins to connect. The sink may be told at once. */
  open(): void
  /**
   * Sends one message. Returns false if there is no room for another one: drained follows. Throws
   * for a message that this transport cannot carry.
   */
  send(data: string | Uint8Array): boolean
  /** Closes politely: what was taken is sent first. */
  close(code: number, reason: string): void
  /** Ends it at once. Nothing is reported any more. */
  abort(): void
}

/** What a carrier reports to. */
export interface CarrierSink {
  opened(): void
  received(data: string | Uint8Array): void
  /** There is room again. */
  drained(): void
  /** Why it will close now. */
  failed(error: Error): void
  /** Codes are those of WebSocket. The default is 1006: there was no goodbye. */
  closed(code?: number, reason?: string): void
}

/** What is around a channel: connections, the time, and the log. */
export interface World {
  carrier(sink: CarrierSink): Carrier
  now(): Milliseconds
  /**
   * Calls `callback` once, after that time. Returns the function that cancels it. `stopped` is
   * called instead if the engine stops.
   *
   * Default of `stopped`: the channel is closed.
   */
  after(delay: Milliseconds, callback: () => void, stopped?: (why: string) => void): Cancel
  log(message: string, error: unknown): void
}
