/**
 * Layer 1. What a read path reports to: the target gets the reads, the owner everything else.
 */

import type { Bytes } from '../../types.ts'

/** What gets the reads: the channel itself, or an object for one peer of a Datagram. */
export interface ReadTarget {
  on_read(...data: any[]): unknown
}

/** What a read path reports everything else to. */
export interface ReadOwner {
  /** The hook returned a value. If it is a promise, hold 'promise' until it settles. */
  hookReturned(result: unknown): void
  /** The hook threw. */
  hookFailed(error: unknown): void
  /** The next message is over the limit; `size`: its bytes at least, if known. Then as `broken`. */
  overflowed(limit: Bytes, size: Bytes | undefined): void
  /** The delimiter threw. Reads are held ('stuck') until a setting changes. */
  broken(error: unknown): void
  /** Everything that the peer sent before it ended has been delivered. */
  delivered(): void
  /** Bytes have come that cannot be delivered now: stop the transport. */
  pause(): void
  /** Bytes can be delivered again: start the transport. */
  resume(): void
}
