/**
 * Layer 8. Capabilities: what a channel is, and what it wants.
 *
 * Source: seed 001, "State".
 */

/**
 * What a channel is for as long as it lives.
 * - 'parent': it has children; 'proxy': one child, whose messages it passes on
 * - 'in', 'out': what the parameter `dir` says; 'in' also of what only gives messages, 'out' of
 *   what only takes them
 * - 'custom': it belongs to its parent, and the context does not know its name
 * - 'long_close': closing it may take until later; `close(true)` does not
 */
export type Cap = 'parent' | 'proxy' | 'in' | 'out' | 'custom' | 'long_close'

/**
 * What it wants at the moment.
 * - 'process': to be processed; 'pending': at once, without waiting for anything
 * - 'suspend': it is suspended; 'suspend_permanent': by itself, not with a channel above it
 * - 'poll_in', 'poll_out': it waits for a socket that is to be read or written. For people: it is
 *   the engine that waits
 */
export type Dcap = 'process' | 'pending' | 'suspend' | 'suspend_permanent' | 'poll_in' | 'poll_out'

/** What `dir` may say. */
export const DIRECTIONS: Readonly<Record<string, readonly Cap[]>> = {
  r: ['in'],
  w: ['out'],
  rw: ['in', 'out'],
  in: ['in'],
  out: ['out'],
  inout: ['in', 'out'],
}

/** Closing takes these away. Not those of a suspension, which outlives it. */
export const OF_AN_OPENING: readonly Dcap[] = ['process', 'pending', 'poll_in', 'poll_out']

export const NO_DCAPS: readonly Dcap[] = []
