/**
 * Layer 0. The part of the seam that is about packets (UDP): contracts only. The rules are those of
 * transport.ts.
 */

import type { Buffer } from 'node:buffer'
import type { Bytes, Encoding, Endpoint, SocketAddress, SystemError } from './types.ts'

/**
 * What a packet socket reports to: opened; any mix of received and refused; at most one failed;
 * exactly one closed. Rule 1 holds here, too, and only closed follows `destroy`. An empty packet,
 * unlike an empty chunk, is received.
 */
export interface PacketSink {
  /** The socket is open; its addresses are known. */
  opened(): void
  /** A packet arrived. It belongs to the sink. */
  received(data: Buffer, from: SocketAddress): void
  /**
   * The destination refused an earlier packet (ICMP), although its `done` said that it was sent.
   * The socket goes on.
   */
  refused(error: SystemError): void
  /** The socket could not be opened. `closed` follows. */
  failed(error: SystemError): void
  /** The socket is gone. Nothing follows, except a `done` that is still due. */
  closed(): void
}

/** How to open a packet socket: bound to `bind`, connected to `connect`, or both. */
export interface PacketOptions {
  /**
   * The address to bind to.
   *
   * @default any host, and a port that the system chooses
   */
  readonly bind?: Endpoint | undefined
  /** The only peer: packets go there and come from there. */
  readonly connect?: Endpoint | undefined
  /** May packets be sent to broadcast addresses? The default is that of the system. */
  readonly broadcast?: boolean | undefined
  /** May other sockets be bound to the same port, if they ask for it, too? */
  readonly reuse_address?: boolean | undefined
  /** Is an IPv6 socket one for IPv6 only? */
  readonly ipv6_only?: boolean | undefined
  /** How much the system may keep of what was received. It throws if the system gives less. */
  readonly socket_recv_buffer_size?: Bytes | undefined
  /** How much the system may keep of what is to be sent. It throws if the system gives less. */
  readonly socket_send_buffer_size?: Bytes | undefined
  /** How many hops a unicast packet may take, 1 to 255. */
  readonly ttl?: number | undefined
  /** How many hops a multicast packet may take. */
  readonly multicast_ttl?: number | undefined
  /** Do multicast packets reach sockets of this machine, too? */
  readonly multicast_loopback?: boolean | undefined
  /** The address of the interface that multicast packets leave by. */
  readonly multicast_interface?: string | undefined
}

/** The options that an open packet socket can be told. */
export type LivePacketOptions = Omit<
  PacketOptions,
  'bind' | 'connect' | 'reuse_address' | 'ipv6_only'
>

/** One packet socket (UDP). */
export interface PacketSocket {
  /** What it reports to; without one it is silent. Set it before the turn of the loop ends. */
  sink: PacketSink | undefined
  /** Its own address. `undefined` before it is open; still known after it has closed. */
  readonly local_address: SocketAddress | undefined
  /** The address that it is connected to; `undefined` if it is not connected. */
  readonly remote_address: SocketAddress | undefined
  /** The file descriptor; `undefined` if there is none or it is closed. */
  readonly fileno: number | undefined
  /**
   * Sends one packet, to `to` or to the connected peer. It must be one of the two, or `done` gets
   * an error. What is sent before `opened` leaves in order when the socket opens.
   *
   * `done` is called exactly once, never inside a call: with null if the packet has gone, else with
   * the reason (EMSGSIZE …); with ECANCELED if the socket was destroyed, could not be opened or is
   * closed. It may come after `closed`.
   */
  send(
    data: string | Uint8Array,
    encoding: Encoding,
    to: Endpoint | undefined,
    done: (error: SystemError | null) => void,
  ): void
  /**
   * Changes settings of an open socket; the names are those of `PacketOptions`. Throws the error of
   * the system. Before the socket is open, `failed` reports that error instead. `configure`, `join`
   * and `leave` throw InvalidStateError after `destroy`, a failure or `closed`.
   */
  configure(options: LivePacketOptions): void
  /**
   * Joins a multicast group, or what one sender sends to it: its `source`. Errors are those of
   * `configure`.
   */
  join(group: string, network_interface?: string, source?: string): void
  /** Leaves a multicast group, as it was joined. Errors are those of `configure`. */
  leave(group: string, network_interface?: string, source?: string): void
  /**
   * Closes at once, at any time, any number of times. What is not sent yet is dropped, and its
   * `done` gets ECANCELED.
   */
  destroy(): void
}
