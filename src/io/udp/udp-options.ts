/**
 * Layer 2. The options of a packet socket: which of them are refused, and how a socket of
 * node:dgram is told the others.
 */

import type { Socket, SocketOptions } from 'node:dgram'
import { isIPv4 } from 'node:net'
import { UnsupportedOptionError } from '../../errors.ts'
import type { LivePacketOptions } from '../../transport.ts'
import type { Bytes, Port } from '../../types.ts'
import type { IpEndpoint } from './udp-address.ts'

/**
 * Makes a socket. `connect`, its peer, is for one that must know it when it is bound; node:dgram
 * leaves that alone, and is told later.
 */
export type MakeSocket = (
  how: SocketOptions & { connect?: { hostname: string; port: Port } | undefined },
) => Socket

/** Settings that Node makes for one family only. On a socket for both, IPv4 packets ignore them. */
const ONE_FAMILY = ['ttl', 'multicast_ttl', 'multicast_loopback'] as const

/** Throws UnsupportedOptionError for an option that a socket for both families ignores. */
export function checkDual(options: LivePacketOptions): void {
  const refused = ONE_FAMILY.find(name => options[name] !== undefined)
  if (refused === undefined) return
  const needs = 'a socket of one family: bind it to "0.0.0.0" or to "::"'
  throw new UnsupportedOptionError(refused, needs)
}

/** Throws UnsupportedOptionError if `ipv6_only` is asked for with an IPv4 address. */
export function checkIpv6(...ends: (IpEndpoint | undefined)[]): void {
  const host = ends.find(end => isIPv4(end?.host ?? ''))?.host
  if (host !== undefined) throw new UnsupportedOptionError('ipv6_only', `an IPv6 host, not ${host}`)
}

/** Throws the error of the system, or UnsupportedOptionError. */
export function apply(socket: Socket, settings: LivePacketOptions): void {
  const { broadcast, ttl, multicast_ttl, multicast_loopback, multicast_interface } = settings
  if (broadcast !== undefined) socket.setBroadcast(broadcast)
  if (ttl !== undefined) socket.setTTL(ttl)
  if (multicast_ttl !== undefined) socket.setMulticastTTL(multicast_ttl)
  if (multicast_loopback !== undefined) socket.setMulticastLoopback(multicast_loopback)
  if (multicast_interface !== undefined) socket.setMulticastInterface(multicast_interface)
  const { socket_recv_buffer_size: received, socket_send_buffer_size: sent } = settings
  if (received !== undefined) {
    socket.setRecvBufferSize(received)
    checkGiven('socket_recv_buffer_size', received, socket.getRecvBufferSize(), 'rmem_max')
  }
  if (sent !== undefined) {
    socket.setSendBufferSize(sent)
    checkGiven('socket_send_buffer_size', sent, socket.getSendBufferSize(), 'wmem_max')
  }
}

/** Linux gives no more than its limit, without an error. (It gives twice what was asked for.) */
function checkGiven(option: string, asked: Bytes, given: Bytes, limit: string): void {
  if (given >= asked) return
  const needs = `a higher limit of the system for ${asked} bytes; it gives ${given}`
  throw new UnsupportedOptionError(option, `${needs} (on Linux: sysctl net.core.${limit})`)
}
