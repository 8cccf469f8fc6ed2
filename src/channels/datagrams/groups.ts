/**
 * Layer 5. Groups: the multicast groups of a Datagram. They are remembered, and every socket that
 * the datagram opens joins them again.
 */

import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { PacketSocket } from '../../transport.ts'
import { tell } from './packet-options.ts'

/** How to join a multicast group. */
export interface GroupOptions {
  /**
   * The address of the interface.
   *
   * @default the system chooses one
   */
  readonly network_interface?: string | undefined
  /**
   * The address of a sender: what others send to the group is not received. To hear several
   * senders, join once for each of them.
   *
   * @default anybody
   */
  // Source: RFC 4607, source-specific multicast.
  readonly source?: string | undefined
}

type Membership = readonly [
  group: string,
  network_interface: string | undefined,
  source: string | undefined,
]

/** Multicast addresses: 224.0.0.0/4 and ff00::/8. */
const GROUP = /^(22[4-9]|23\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$|^ff[0-9a-f]{2}:/i

export class Groups {
  readonly #members = new Map<string, Membership>()

  /**
   * Joins at once if there is an open socket. A group that the socket refuses is not remembered.
   */
  join(group: string, options: string | GroupOptions, socket: PacketSocket | undefined): void {
    const membership = membershipOf('join', group, options)
    const key = String(membership)
    if (this.#members.has(key)) return
    tell(socket, `join ${group}`, socket => socket.join(...membership))
    this.#members.set(key, membership)
  }

  leave(group: string, options: string | GroupOptions, socket: PacketSocket | undefined): void {
    const membership = membershipOf('leave', group, options)
    if (this.#members.delete(String(membership)))
      tell(socket, `leave ${group}`, socket => socket.leave(...membership))
  }

  /** Joins all of them with a new socket. Throws what the socket throws. */
  joinAll(socket: PacketSocket): void {
    for (const membership of this.#members.values()) socket.join(...membership)
  }
}

function membershipOf(call: string, group: unknown, options: string | GroupOptions): Membership {
  if (typeof group !== 'string' || !GROUP.test(group)) {
    throw new InvalidArgumentError(
      `${call}: group`,
      'the address of a multicast group: 224.0.0.0 to 239.255.255.255, or one that begins with ff',
      group,
    )
  }
  const asked = typeof options === 'string' ? { network_interface: options } : options
  checkOptions(call, asked, ['network_interface', 'source'])
  const { network_interface, source } = asked
  checkAddress(
    `${call}: network_interface`,
    'the address of a network interface',
    network_interface,
  )
  checkAddress(`${call}: source`, 'the address of a sender', source)
  return [group, network_interface, source]
}

function checkAddress(name: string, what: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && value !== '')) return
  throw new InvalidArgumentError(name, what, value)
}
