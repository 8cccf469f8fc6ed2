/**
 * Layer 2. Packet sockets in memory; their members are described in transport.ts.
 *
 * A step reports in this order: opened → received → done of what was sent → refused → closed.
 *
 * Rules:
 * 1. A packet leaves when its sender takes a step, and arrives when its receiver takes its next
 *    one: whole, and in order.
 * 2. A packet to an address where no socket is bound is lost. Only a connected sender is told
 *    (`refused`), as with ICMP.
 */

import { Buffer } from 'node:buffer'
import { InvalidStateError } from '../../errors.ts'
import type {
  Endpoint,
  LivePacketOptions,
  PacketOptions,
  PacketSink,
  PacketSocket,
  SystemError,
} from '../../transport.ts'
import type { Bytes, Encoding, Port, SocketAddress } from '../../types.ts'
import type { Hub } from './hub.ts'
import { addressOf, nameOf, systemError } from './place.ts'

/** The sockets of one network by address. Several may share one, if all of them allow it. */
export type PacketSockets = Map<string, MemoryPackets[]>

/** The largest UDP payload over IPv4: 65 535 − 8 (UDP header) − 20 (IP header). */
const MAX_PACKET: Bytes = 65_507

/** Multicast addresses: 224.0.0.0/4 and ff00::/8. */
const GROUP = /^(22[4-9]|23\d)\.|^ff/i

/** Opens at the next pump. Without `options.bind` the hub chooses a port. */
export class MemoryPackets implements PacketSocket {
  sink: PacketSink | undefined
  readonly fileno: undefined
  local_address: SocketAddress | undefined
  remote_address: SocketAddress | undefined
  readonly #hub: Hub
  readonly #sockets: PacketSockets
  readonly #settings: PacketOptions
  #at: Endpoint
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'
  /** Its memberships: a group and a source, '' for any. */
  readonly #groups = new Set<string>()
  #inbox: [data: Buffer, from: SocketAddress][] = []
  #refusals: SystemError[] = []
  #outbox: [data: Buffer, to: Endpoint | undefined, done: (error: SystemError | null) => void][] =
    []

  constructor(hub: Hub, sockets: PacketSockets, options: PacketOptions) {
    this.#hub = hub
    this.#sockets = sockets
    this.#settings = { ...options }
    this.#at = options.bind ?? { kind: 'ip', host: '', port: 0 }
    hub.wake(this.#step)
  }

  readonly #step = (): number => {
    let moved = 0
    if (this.#state === 'opening') moved += this.#open()
    for (const [data, from] of this.#state === 'open' ? this.#inbox.splice(0) : []) {
      if (this.#state === 'open') this.sink?.received(data, from)
      moved++
    }
    for (const [data, to, done] of this.#outbox.splice(0)) {
      done(this.#state === 'open' ? this.#deliver(data, to) : systemError('ECANCELED', 'send'))
      moved++
    }
    for (const error of this.#refusals.splice(0)) {
      if (this.#state === 'open') this.sink?.refused(error)
      moved++
    }
    if (this.#state === 'closing') moved += this.#close()
    if (this.#state === 'closed') this.#hub.steps.delete(this.#step)
    return moved
  }

  #open(): number {
    this.#at = this.#hub.place(this.#at, this.#sockets)
    const sharers = this.#sockets.get(nameOf(this.#at)) ?? []
    if (sharers.length > 0 && ![this, ...sharers].every(socket => socket.#settings.reuse_address)) {
      this.#state = 'closing'
      this.sink?.failed(systemError('EADDRINUSE', 'bind', this.#at))
      return 1
    }
    this.#sockets.set(nameOf(this.#at), [...sharers, this])
    this.#state = 'open'
    this.local_address = addressOf(this.#at)
    if (this.#settings.connect !== undefined)
      this.remote_address = addressOf(this.#settings.connect)
    this.sink?.opened()
    return 1
  }

  /**
   * Puts a packet into inboxes: of all members of a group, else of one socket, the one that was
   * bound last.
   */
  #deliver(data: Buffer, to: Endpoint | undefined): SystemError | null {
    const target = to ?? this.#settings.connect
    if (target === undefined) return systemError('EDESTADDRREQ', 'send')
    if (to !== undefined && this.remote_address !== undefined)
      return systemError('EISCONN', 'send', to)
    if (data.length > MAX_PACKET) return systemError('EMSGSIZE', 'send', target)
    const from = this.local_address!
    if (target.kind === 'ip' && GROUP.test(target.host)) {
      if (this.#settings.multicast_loopback !== false) this.#multicast(data, target)
      return null
    }
    const receiver = this.#sockets.get(nameOf(target))?.findLast(socket => socket.#hears(from))
    if (receiver !== undefined) receiver.#inbox.push([data, from])
    // Only a connected socket is told that no socket is there (ICMP), and only after the packet has
    // gone.
    else if (to === undefined) this.#refusals.push(systemError('ECONNREFUSED', 'recv', target))
    return null
  }

  #multicast(data: Buffer, group: { host: string; port: Port }): void {
    const from = this.local_address!
    const memberships = ['', from[0]].map(source => `${group.host} ${source}`)
    for (const socket of [...this.#sockets.values()].flat()) {
      const isMember = memberships.some(each => socket.#groups.has(each))
      const isThere = (socket.#at as { port?: Port }).port === group.port
      if (isMember && isThere && socket.#hears(from)) socket.#inbox.push([Buffer.from(data), from])
    }
  }

  /** A connected socket receives packets of its peer only. */
  #hears(from: SocketAddress): boolean {
    return this.remote_address === undefined || String(this.remote_address) === String(from)
  }

  send(
    data: string | Uint8Array,
    encoding: Encoding,
    to: Endpoint | undefined,
    done: (error: SystemError | null) => void,
  ): void {
    this.#outbox.push([
      typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data),
      to,
      done,
    ])
    this.#hub.wake(this.#step)
  }

  configure(options: LivePacketOptions): void {
    this.#checkOpen('configure')
    Object.assign(this.#settings, options)
  }

  join(group: string, _interface?: string, source = ''): void {
    this.#checkOpen('join')
    if (!GROUP.test(group)) throw systemError('EINVAL', 'addMembership')
    const membership = `${group} ${source}`
    if (this.#groups.has(membership)) throw systemError('EADDRINUSE', 'addMembership')
    this.#groups.add(membership)
  }

  leave(group: string, _interface?: string, source = ''): void {
    this.#checkOpen('leave')
    if (!this.#groups.delete(`${group} ${source}`))
      throw systemError('EADDRNOTAVAIL', 'dropMembership')
  }

  #checkOpen(call: string): void {
    if (this.#state === 'opening' || this.#state === 'open') return
    throw new InvalidStateError(call, 'the packet socket is closed', 'open another')
  }

  destroy(): void {
    if (this.#state === 'open') this.#release()
    if (this.#state !== 'closed') this.#state = 'closing'
    this.#hub.wake()
  }

  #release(): void {
    const others = this.#sockets.get(nameOf(this.#at))!.filter(socket => socket !== this)
    if (others.length > 0) this.#sockets.set(nameOf(this.#at), others)
    else this.#sockets.delete(nameOf(this.#at))
  }

  #close(): number {
    this.#state = 'closed'
    this.sink?.closed()
    return 1
  }
}
