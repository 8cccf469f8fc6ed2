/**
 * Layer 4. What a packet socket is told of the settings of its Datagram.
 *
 * Rules:
 * 1. A socket is told only what differs from the default: on a socket for both families some
 *    settings are refused by the system.
 */

import { ChannelError, codeOf, messageOf } from '../../errors.ts'
import type { PacketOptions, PacketSocket } from '../../transport.ts'
import { DATAGRAM_DEFAULTS, type DatagramValues } from './datagram-settings.ts'

/** The settings that an open socket can be told. */
const LIVE = [
  'broadcast',
  'ttl',
  'multicast_ttl',
  'multicast_loopback',
  'multicast_interface',
  'socket_recv_buffer_size',
  'socket_send_buffer_size',
] as const
export type LiveSetting = (typeof LIVE)[number]

/** Those that it must be opened with. */
const FIRST = ['reuse_address', 'ipv6_only'] as const

export function isLive(name: string): name is LiveSetting {
  return (LIVE as readonly string[]).includes(name)
}

/** Is it a setting of the socket, and not of what is done with its packets? */
export function isOfSocket(name: string): boolean {
  return isLive(name) || (FIRST as readonly string[]).includes(name)
}

/** What a new socket is told. */
export function packetOptions(values: DatagramValues): Omit<PacketOptions, 'bind' | 'connect'> {
  const names = [...LIVE, ...FIRST]
  return Object.fromEntries(
    names
      .filter(name => values[name] !== DATAGRAM_DEFAULTS[name])
      .map(name => [name, values[name]]),
  )
}

/**
 * Any host, for a socket that serves one family only: because of an option that systems set for one
 * family, or of `ipv6_only`. Undefined: both.
 */
export function anyHostOf({
  ttl,
  multicast_ttl,
  multicast_loopback,
  ipv6_only,
}: Omit<PacketOptions, 'bind' | 'connect'>): string | undefined {
  if (ipv6_only === true) return '::'
  const isOfOne =
    ttl !== undefined || multicast_ttl !== undefined || multicast_loopback !== undefined
  return isOfOne ? '0.0.0.0' : undefined
}

/**
 * Tells something to the open socket, if there is one. If the system refuses it, the error is
 * thrown: the argument of the call that is under way is at fault, so no hook is told.
 */
export function tell(
  socket: PacketSocket | undefined,
  what: string,
  call: (socket: PacketSocket) => void,
): void {
  if (socket === undefined) return
  try {
    call(socket)
  } catch (error) {
    if (error instanceof ChannelError) throw error
    throw new ChannelError(codeOf(error) || 'ERR_UNKNOWN', `${what}: ${messageOf(error)}`, error)
  }
}
