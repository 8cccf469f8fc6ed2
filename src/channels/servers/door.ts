/**
 * Layer 5. The door of a server: which connections come in, which are turned away, and which are
 * not taken yet.
 *
 * The way of a connection: accepted → (its PROXY header read →) turned away, or offered (later,
 * while suspended) → taken by a channel, kept until one takes it, or gone.
 *
 * Rules:
 * 1. A limit is never exceeded: what was accepted and not yet taken counts, too.
 * 2. Every connection that is turned away is reported. (Node at its limit of descriptors drops
 *    connections in silence.)
 * 3. A connection that is taken over at once, as nearly all are, is not put in a list.
 */

import { noop } from '../../core/noop.ts'
import { isPromiseLike, onRejection } from '../../core/promises.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Transport } from '../../transport.ts'
import type { Cancel, DropReason, Milliseconds, SocketAddress } from '../../types.ts'
import type { TlsDemand } from '../streams/tls-start.ts'
import { Accepted } from './accepted.ts'
import { ProxyReader } from './proxied.ts'

/** A list of addresses: the BlockList of node:net, or any object with such a method. */
export interface BlockList {
  /**
   * Is this address in the list? A promise is not an answer: it is an error, and the host is not
   * let in.
   */
  check(address: string, family: 'ipv4' | 'ipv6'): boolean
}

/** The settings that the door goes by. */
export interface DoorValues {
  readonly max_connections: number
  readonly max_connections_per_address: number
  readonly block_list: BlockList | null
  readonly backlog: number
  readonly proxy_protocol: 'require' | 'optional' | null
  readonly proxy_trusted: BlockList | null
  readonly proxy_timeout: Milliseconds
}

/**
 * A connection, or the channel of one. Its address is looked at only where it matters: each look
 * makes an array.
 */
interface Located {
  readonly remote_address: SocketAddress | undefined
}

/** Whose door it is. */
export interface DoorOwner {
  readonly values: DoorValues
  readonly isSuspended: boolean
  /** Its channels. */
  readonly channels: ReadonlySet<Located>
  /** With this descriptor, or a higher one, the process is near its limit. */
  readonly lastFileno: number
  /** TLS from the first byte on, for connections that are accepted now. */
  readonly demand: TlsDemand | undefined
  /** Asks the program whether a channel takes it. */
  offer(connection: Accepted): void
  turnedAway(transport: Transport, reason: DropReason): void
  /** There is no room for a connection, for the first time since there was room. */
  overloaded(): void
  /** What a block list threw. */
  hookFailed(error: unknown): void
  /** Calls back after that long, unless cancelled. */
  after(delay: Milliseconds, callback: () => void): Cancel
}

export class Door {
  readonly #owner: DoorOwner
  /** Accepted, and not taken over by a channel of this server. */
  readonly #unclaimed = new Set<Accepted>()
  /** Accepted while suspended: to be offered when resumed. They are unclaimed too. */
  #held: Accepted[] = []
  /** Those whose PROXY header has not come yet. */
  readonly #waiting = new Set<Transport>()
  /** How many connections each host has; only where there is a limit to it. */
  #crowd: Map<string, number> | undefined
  #isOverloaded = false

  constructor(owner: DoorOwner) {
    this.#owner = owner
  }

  // ---- accepted ---------------------------------------------------------------------------------

  accepted(transport: Transport): void {
    const { proxy_protocol, proxy_trusted } = this.#owner.values
    if (proxy_protocol === null) return this.#admit(transport)
    if (this.#isIn(proxy_trusted, transport, false))
      return this.#awaitHeader(transport, proxy_protocol === 'optional')
    if (proxy_protocol === 'optional') this.#admit(transport)
    else this.#owner.turnedAway(transport, 'proxy_header')
  }

  /**
   * Limits come first: a connection that waits for its header counts, too. Then the connection of
   * the proxy becomes that of its client.
   */
  #awaitHeader(transport: Transport, isOptional: boolean): void {
    const reason = this.#whyNot(transport, false)
    if (reason !== undefined) return this.#owner.turnedAway(transport, reason)
    this.#waiting.add(transport)
    const { proxy_timeout } = this.#owner.values
    const reader = new ProxyReader(transport, isOptional, connection => {
      cancel()
      // The server may have closed meanwhile.
      if (!this.#waiting.delete(transport)) return
      if (connection === undefined) this.#owner.turnedAway(transport, 'proxy_header')
      else this.#admit(connection)
    })
    const cancel =
      proxy_timeout === Infinity ? noop : this.#owner.after(proxy_timeout, () => reader.expire())
  }

  #admit(transport: Transport): void {
    this.#forgetTaken()
    const reason = this.#whyNot(transport, true)
    if (reason !== undefined) return this.#owner.turnedAway(transport, reason)
    this.#count(transport, 1)
    const connection = new Accepted(transport, this.#owner.demand)
    if (this.#owner.isSuspended) {
      this.#keep(connection)
      this.#held.push(connection)
      return
    }
    this.#owner.offer(connection)
    if (connection.owner === undefined) this.#keep(connection)
    else if (connection.owner !== this) this.#count(transport, -1)
  }

  /**
   * Why it cannot come in; undefined if it can. `isPeer`: is the address that of a peer, and not
   * of a proxy with many peers?
   */
  #whyNot(transport: Transport, isPeer: boolean): DropReason | undefined {
    const { max_connections, max_connections_per_address, block_list, backlog } = this.#owner.values
    if (this.#isIn(block_list, transport, true)) return 'blocked'
    if (this.#owner.channels.size + this.#unclaimed.size + this.#waiting.size >= max_connections)
      return 'max_connections'
    if (
      isPeer &&
      this.#crowd !== undefined &&
      this.#crowdOf(transport.remote_address) >= max_connections_per_address
    )
      return 'per_address'
    if (this.#owner.isSuspended && this.#held.length >= backlog) return 'overload'
    return this.#isNearLimit(transport) ? 'overload' : undefined
  }

  /**
   * `otherwise`: the answer if the list gives none. A list that cannot say that an address is
   * welcome, or to be trusted, has not said so.
   */
  #isIn(list: BlockList | null, one: Located, otherwise: boolean): boolean {
    if (list === null) return false
    const address = one.remote_address
    if (!Array.isArray(address)) return false
    const host = address[0] as string
    try {
      const answer: unknown = list.check(host, host.includes(':') ? 'ipv6' : 'ipv4')
      if (!isPromiseLike(answer)) return answer as boolean
      // It would be taken for true, so every host would be trusted.
      onRejection(answer, noop)
      throw new InvalidArgumentError('the result of check(host, family)', 'true or false', answer)
    } catch (error) {
      this.#owner.hookFailed(error)
      return otherwise
    }
  }

  /**
   * A process gets the lowest descriptor that is free: a high one says that nearly all are taken.
   */
  #isNearLimit(transport: Transport): boolean {
    const isNear = (transport.fileno ?? -1) >= this.#owner.lastFileno
    const isFirst = isNear && !this.#isOverloaded
    this.#isOverloaded = isNear
    if (isFirst) this.#owner.overloaded()
    return isNear
  }

  // ---- unclaimed --------------------------------------------------------------------------------

  /** It counts until it is gone, or has an owner. */
  #keep(connection: Accepted): void {
    this.#unclaimed.add(connection)
    connection.watch(() => this.#leave(connection))
  }

  #leave(connection: Accepted): void {
    if (this.#unclaimed.delete(connection)) this.#count(connection, -1)
  }

  /** Forgets those that have an owner now: it answers for them. */
  #forgetTaken(): void {
    for (const connection of this.#unclaimed)
      if (connection.owner !== undefined) this.#leave(connection)
  }

  /** A channel of this server has taken it. */
  take(connection: Accepted): void {
    this.#unclaimed.delete(connection)
    connection.owner = this
  }

  /** The channel that took it has closed. */
  left(channel: Located): void {
    this.#count(channel, -1)
  }

  /** Offers what came while the server was suspended. */
  resumed(): void {
    const held = this.#held
    this.#held = []
    for (const connection of held) {
      // One of their hooks may have suspended the server again.
      if (!this.#unclaimed.has(connection)) continue
      if (this.#owner.isSuspended) this.#held.push(connection)
      else this.#owner.offer(connection)
    }
  }

  /** Closes the connections that were not taken. */
  shut(): void {
    this.#forgetTaken()
    for (const connection of this.#unclaimed) connection.destroy()
    for (const transport of this.#waiting) transport.destroy()
    this.#waiting.clear()
    this.#held = []
  }

  // ---- per address ------------------------------------------------------------------------------

  /** The limit for each address has changed. If there was none before, all must be counted. */
  recount(): void {
    this.#crowd =
      this.#owner.values.max_connections_per_address === Infinity ? undefined : new Map()
    for (const channel of this.#owner.channels) this.#count(channel, 1)
    for (const connection of this.#unclaimed) this.#count(connection, 1)
  }

  #crowdOf(address: SocketAddress | undefined): number {
    return Array.isArray(address) ? (this.#crowd?.get(address[0] as string) ?? 0) : 0
  }

  /** Peers of a unix socket have no address, and are not counted. */
  #count(one: Located, by: 1 | -1): void {
    if (this.#crowd === undefined) return
    const address = one.remote_address
    if (!Array.isArray(address)) return
    const count = this.#crowdOf(address) + by
    if (count > 0) this.#crowd.set(address[0] as string, count)
    else this.#crowd.delete(address[0] as string)
  }
}
