/**
 * Layer 2. Keep-alive of TCP, as a socket of Node's takes it.
 *
 * Node rounds down to seconds, takes 0 to mean the system's own two hours, and says nothing if the
 * system refuses. It sets the interval and the count of probes always: if they are not given, to
 * 1 s and 10 (libuv), and not to what the system has.
 *
 * Node takes both from some release of 24 on; those that do not ignore them (seen: 24.21 and 26.10
 * take them, 20.20 and 22.23 do not).
 */

import { Socket } from 'node:net'
import type { KeepAliveProbes } from '../transport.ts'
import type { Milliseconds } from '../types.ts'

/** The longest that Linux takes, for the time and the interval: 32 767 s. */
const LONGEST: Milliseconds = 32_767_000

/** The arguments of `setKeepAlive`. */
type HowKept = [
  isOn: boolean,
  after: Milliseconds,
  interval?: Milliseconds | undefined,
  count?: number | undefined,
]

/** Does this Node take the interval and the count? */
export const HAS_PROBES: boolean = Socket.prototype.setKeepAlive.length > 2

export function keepAlive(after: Milliseconds | false, probes: KeepAliveProbes = {}): HowKept {
  if (after === false) return [false, 0]
  const { interval, count } = probes
  if (interval === undefined && count === undefined) return [true, within(after)]
  return [true, within(after), interval && within(interval), count]
}

/** Tells a socket. */
export function setKeepAlive(socket: Socket, how: HowKept): void {
  // The types of Node 20 know two arguments.
  ;(socket.setKeepAlive as (...how: HowKept) => void).apply(socket, how)
}

function within(time: Milliseconds): Milliseconds {
  return Math.min(Math.max(time, 1000), LONGEST)
}
