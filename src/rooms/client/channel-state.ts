/**
 * Layer 9. The states of a channel to a room server, and their numbers.
 */

/**
 * The states of a channel.
 *
 * - CONNECTING: an attempt to connect is under way
 * - OPEN: it is connected
 * - CLOSING: `close()` was called, and the server has not answered yet
 * - CLOSED: it is not connected; with `auto_reconnect` it may be waiting for its next attempt
 */
export const ChannelState = {
  CONNECTING: 'connecting',
  OPEN: 'open',
  CLOSING: 'closing',
  CLOSED: 'closed',
} as const

/** One of the states of a channel. */
export type ChannelState = (typeof ChannelState)[keyof typeof ChannelState]

/** The state as WebSocket numbers it: 0 connecting, 1 open, 2 closing, 3 closed. */
export function readyStateOf(state: ChannelState): number {
  return Object.values(ChannelState).indexOf(state)
}
