/**
 * Layer 5. Groups: the multicast groups of a Datagram. They are remembered, and every socket that
 * the datagram opens joins them again.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { PacketSocket } from '../../transport.ts'
import { tell } from './packet-options.ts'

/** Multicast addresses: 224.0.0.0/4 and ff00::/8. */
const GROUP = /^(22[4-9]|23\d)\.|^ff[0-9a-f]{2}:/i

export class Groups {
  readonly #members = new Map<
    string,
    readonly [group: string, network_interface: string | undefined]
  >()

  /**
   * Joins at once if there is an open socket. A group that the socket refuses is not remembered.
   */
  join(
    group: string,
    network_interface: string | undefined,
    socket: PacketSocket | undefined,
  ): void {
    checkGroup('join', group, network_interface)
    const key = `${group} ${network_interface}`
    if (this.#members.has(key)) return
    tell(socket, `join ${group}`, socket => socket.join(group, network_interface))
    this.#members.set(key, [group, network_interface])
  }

  leave(
    group: string,
    network_interface: string | undefined,
    socket: PacketSocket | undefined,
  ): void {
    checkGroup('leave', group, network_interface)
    if (this.#members.delete(`${group} ${network_interface}`))
      tell(socket, `leave ${group}`, socket => socket.leave(group, network_interface))
  }

  /** Joins all of them with a new socket. Throws what the socket throws. */
  joinAll(socket: PacketSocket): void {
    for (const [group, network_interface] of this.#members.values())
      socket.join(group, network_interface)
  }
}

function checkGroup(call: string, group: unknown, network_interface: unknown): void {
  if (typeof group !== 'string' || !GROUP.test(group)) {
    throw new InvalidArgumentError(
      `${call}: group`,
      'the address of a multicast group: 224.0.0.0 to 239.255.255.255, or one that begins with ff',
      group,
    )
  }
  if (
    network_interface !== undefined &&
    (typeof network_interface !== 'string' || network_interface === '')
  ) {
    throw new InvalidArgumentError(
      `${call}: network_interface`,
      'the address of a network interface',
      network_interface,
    )
  }
}
