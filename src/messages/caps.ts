/**
 * Layer 8. Capabilities: what a channel is (`caps`), and what it needs at the moment (`dcaps`).
 */

/**
 * What a channel is. It does not change while the channel lives.
 * - 'parent': it may have children
 * - 'proxy': it has one child, whose messages it passes on
 * - 'in': it only gives messages, or `dir` says so
 * - 'out': it only takes messages, or `dir` says so
 * - 'custom': it belongs to its parent, and the context does not know its name
 * - 'long_close': closing may take longer than the call of `close()`; `close(true)` never does
 */
// Source: TLL, static capabilities.
export type Cap = 'parent' | 'proxy' | 'in' | 'out' | 'custom' | 'long_close'

/**
 * What a channel needs at the moment.
 * - 'process': it has work that `process` does
 * - 'pending': the work can be done at once, without waiting for anything
 * - 'suspend': the channel is suspended
 * - 'suspend_permanent': it was suspended itself, not through a channel above it
 * - 'poll_in', 'poll_out': it waits until a socket can be read or written. This is information
 *   only: the engine does the waiting
 */
// Source: TLL, dynamic capabilities.
export type Dcap = 'process' | 'pending' | 'suspend' | 'suspend_permanent' | 'poll_in' | 'poll_out'

/** What a channel keeps of a message on its way, and what data it can carry at all. */
export interface Carries {
  /**
   * - 'any': any bytes, and where they end
   * - 'text': text in UTF-8
   * - 'line': one line of text
   * - 'document': a BSON document
   * - 'stream': any bytes; where a message ends is lost
   */
  readonly data: 'any' | 'text' | 'line' | 'document' | 'stream'
  /** Is `msgid` kept? */
  readonly msgid: boolean
  /** Is `seq` kept? */
  readonly seq: boolean
}

/** Everything. */
export const CARRIES_ALL: Carries = { data: 'any', msgid: true, seq: true }

/** The values of the parameter `dir`, and the capabilities that each of them means. */
export const DIRECTIONS: Readonly<Record<string, readonly Cap[]>> = {
  r: ['in'],
  w: ['out'],
  rw: ['in', 'out'],
  in: ['in'],
  out: ['out'],
  inout: ['in', 'out'],
}

/** The dcaps that end with an opening. Those of a suspension stay: it outlives the opening. */
export const OF_AN_OPENING: readonly Dcap[] = ['process', 'pending', 'poll_in', 'poll_out']

export const NO_DCAPS: readonly Dcap[] = []
