/**
 * Layer 2. Packet sockets on node:dgram.
 *
 * openPackets → planFor (names to addresses, udp-address.ts) → #bind → #bound (options, connect) →
 * #opened; then #received, and send → #route → #transmit; until #fail or destroy → #release.
 *
 * Rules:
 * 1. node:dgram gets addresses only, never names, and a `lookup` option that returns them at once.
 *    By default it runs dns.lookup for every packet, for addresses, too (measured: 1.1 times the
 *    packets a second without).
 * 2. If no host is given, one socket serves both families ('::', not v6-only). On a machine without
 *    IPv6 it is an IPv4 socket.
 * 3. `done` is called exactly once a packet, in a later tick. node:dgram forgets its queue if it is
 *    closed before it was bound or during a lookup. So both queues are here: #waiting, #lookups.
 * 4. What an ICMP message refuses is an earlier packet, never the one that is being sent. It is
 *    reported to `sink.refused`; see #transmit.
 * 5. Deno 2.9 takes some hundred packets at once, and sends the others from the last to the first.
 *    So each waits for the one before, where a socket cannot tell its queue: Deno's cannot.
 * 6. A connected socket of Deno's receives from everybody. So the sender is looked at.
 *
 * The descriptor of a socket is found where Node does not document it: see descriptor.ts.
 */

import { Buffer } from 'node:buffer'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup } from 'node:dns'
import { codeOf, InvalidStateError, WriteError } from '../../errors.ts'
import type {
  Endpoint,
  LivePacketOptions,
  PacketOptions,
  PacketSink,
  PacketSocket,
  SystemError,
} from '../../transport.ts'
import type { Encoding, SocketAddress } from '../../types.ts'
import { packetDescriptorOf } from '../descriptor.ts'
import { InTurn } from './in-turn.ts'
import {
  type Family,
  ipEndpoint,
  type IpEndpoint,
  literal,
  lookUpNothing,
  type Plan,
  planFor,
  reportedAddress,
} from './udp-address.ts'
import { apply, checkDual, checkIpv6, type MakeSocket } from './udp-options.ts'

type Done = (error: SystemError | null) => void

interface Packet {
  readonly bytes: Uint8Array
  readonly to: IpEndpoint | undefined
  readonly done: Done
}

/** Errors of binding '::' on a machine without IPv6: the kernel has none, or it is switched off. */
const NO_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

/**
 * Opens a packet socket. Returns before anything is done; the port is taken in a later turn of the
 * loop.
 *
 * Family: that of `bind`, else that of `connect`; both families if neither has a host. An IPv4
 * destination works on an IPv6 socket that is bound to any address. IPv4 addresses are always
 * reported as such ('1.2.3.4').
 *
 * Defaults: without `bind`, any host and a port that the system chooses. The host '' as a
 * destination is this machine.
 *
 * Order: a packet to a host name leaves when the name is resolved. A name is resolved once for all
 * packets that wait for it, and these keep their order; packets to addresses may overtake them.
 * Packets sent before `opened` leave in order when the socket opens.
 *
 * Errors of opening (EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND …, a setting that the system
 * refuses) are reported by `failed`, then `closed`. In between, the `done` of each waiting packet
 * gets ECANCELED. An open socket does not fail: later errors of the system go to `refused`.
 *
 * Errors of one packet go to its `done`: EMSGSIZE, EINVAL (an IPv6 address on an IPv4 socket),
 * EACCES (broadcast without `broadcast`), ENOTFOUND …; ERR_SOCKET_DGRAM_NOT_CONNECTED without a
 * destination; ERR_SOCKET_DGRAM_IS_CONNECTED with one on a connected socket; ECANCELED if the
 * socket was destroyed first or is closed.
 *
 * `configure`, `join` and `leave` before `opened` are done when the socket is bound. What the
 * system refuses then is `failed`.
 *
 * Throws InvalidAddressError if `bind` or `connect` is a path; so does `send`. Throws
 * UnsupportedOptionError for `ipv6_only` with an IPv4 host, and for `ttl`, `multicast_ttl` or
 * `multicast_loopback` on a socket for both families; so does `configure`. `configure`, `join` and
 * `leave` throw InvalidStateError on a closed socket.
 */
// Source: Node dgram.createSocket; Pants datagram.Datagram.
export function openPackets(options: PacketOptions, make: MakeSocket = createSocket): PacketSocket {
  return new UdpSocket(options, make)
}

class UdpSocket implements PacketSocket {
  sink: PacketSink | undefined = undefined

  #state: 'opening' | 'open' | 'closed' = 'opening'
  readonly #make: MakeSocket
  readonly #options: PacketOptions
  readonly #bindTo: IpEndpoint | undefined
  readonly #connectTo: IpEndpoint | undefined
  #socket: Socket | undefined = undefined
  #family: Family = 0
  #localAddress: SocketAddress | undefined = undefined
  #remoteAddress: SocketAddress | undefined = undefined
  /** Packets sent before it was open. */
  readonly #waiting: Packet[] = []
  /** Packets whose host name is being looked up, by name. */
  readonly #lookups: Map<string, Packet[]> = new Map()
  /** There if the socket does not keep the order; see rule 5. */
  #inTurn: InTurn | undefined = undefined
  /** `configure`, `join` and `leave` called before the socket is bound. */
  readonly #jobs: ((socket: Socket) => void)[] = []

  constructor(options: PacketOptions, make: MakeSocket) {
    this.#make = make
    this.#options = options
    this.#bindTo = options.bind && ipEndpoint(options.bind)
    this.#connectTo = options.connect && ipEndpoint(options.connect)
    if (options.ipv6_only === true) checkIpv6(this.#bindTo, this.#connectTo)
    this.configure(options)
    // In the next phase of the loop: the sink may be set until then, and nothing may be reported
    // inside this call.
    const only = options.ipv6_only === true ? 6 : 0
    planFor(this.#bindTo?.host ?? '', this.#connectTo?.host, only).then(
      plan => setImmediate(() => this.#bind(plan)),
      (error: SystemError) => setImmediate(() => this.#fail(error)),
    )
  }

  get local_address(): SocketAddress | undefined {
    return this.#localAddress
  }

  get remote_address(): SocketAddress | undefined {
    return this.#remoteAddress
  }

  get fileno(): number | undefined {
    return packetDescriptorOf(this.#socket)
  }

  // ---- opening ----------------------------------------------------------------------------------

  #bind(plan: Plan): void {
    if (this.#state === 'closed') return
    const { reuse_address: reuseAddr = false, ipv6_only: ipv6Only = false } = this.#options
    const { family, local, peer } = plan
    const type = family === 4 ? 'udp4' : 'udp6'
    const connect = peer === undefined ? undefined : { hostname: peer, port: this.#connectTo!.port }
    const socket = this.#make({ type, reuseAddr, ipv6Only, lookup: lookUpNothing, connect })
    this.#socket = socket
    this.#family = family
    socket.on('error', error => this.#erred(error))
    socket.on('message', (data, from) => this.#received(data, from))
    socket.on('listening', () => this.#bound(socket, plan))
    // In a cluster, workers share a port that was asked for, as in Node. A port that the system
    // chooses belongs to one of them.
    socket.bind({
      port: this.#bindTo?.port ?? 0,
      address: local,
      exclusive: this.#bindTo === undefined,
    })
  }

  #bound(socket: Socket, plan: Plan): void {
    try {
      for (const job of this.#jobs) job(socket)
      if (plan.peer === undefined) return this.#opened(socket)
      socket.on('connect', () => this.#opened(socket))
      socket.connect(this.#connectTo!.port, plan.peer)
    } catch (error) {
      this.#fail(error as SystemError)
    }
  }

  #opened(socket: Socket): void {
    this.#state = 'open'
    this.#localAddress = reportedAddress(socket.address())
    if (this.#connectTo !== undefined) this.#remoteAddress = reportedAddress(socket.remoteAddress())
    if (typeof socket.getSendQueueSize !== 'function') this.#inTurn = new InTurn()
    // Before `opened`: what is sent inside that report comes after what waits.
    for (const packet of this.#waiting.splice(0)) this.#route(packet)
    this.sink?.opened()
  }

  /** Does the socket serve both families, because none was asked for? */
  #isDual(): boolean {
    const isAny = (this.#bindTo?.host ?? '') === '' && this.#connectTo === undefined
    return isAny && this.#options.ipv6_only !== true
  }

  // ---- reports ----------------------------------------------------------------------------------

  #received(data: Buffer, from: RemoteInfo): void {
    const address = reportedAddress(from)
    const peer = this.#remoteAddress
    if (peer === undefined || (peer[1] === address[1] && peer[0] === address[0]))
      this.sink?.received(data, address)
  }

  #erred(error: SystemError): void {
    // ICMP, seen by a read. Any other error of a read (ENOMEM …) does not end the socket either.
    if (this.#state === 'open') return this.sink?.refused(error)
    if (this.#family !== 0 || !this.#isDual() || !NO_IPV6.includes(codeOf(error)))
      return this.#fail(error)
    this.#socket!.close()
    this.#bind({ family: 4, local: '0.0.0.0', peer: undefined })
  }

  #fail(error: SystemError): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.sink?.failed(error)
    this.#release()
  }

  // ---- sending ----------------------------------------------------------------------------------

  send(data: string | Uint8Array, encoding: Encoding, to: Endpoint | undefined, done: Done): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding) : data
    const packet = { bytes, to: to && ipEndpoint(to), done }
    if (this.#state === 'opening') this.#waiting.push(packet)
    else this.#route(packet)
  }

  #route(packet: Packet): void {
    const { to, done } = packet
    if (this.#state === 'closed') return process.nextTick(done, canceled())
    if (to === undefined && this.#connectTo === undefined)
      return process.nextTick(done, notConnected())
    const ip = to && literal(to.host, this.#family)
    if (to !== undefined && ip === undefined) this.#lookUp(to.host, packet)
    else this.#transmit(packet, ip)
  }

  #lookUp(host: string, packet: Packet): void {
    const waiting = this.#lookups.get(host)
    if (waiting !== undefined) return void waiting.push(packet)
    const packets = [packet]
    this.#lookups.set(host, packets)
    lookup(host, { family: this.#family }, (error, address) => {
      this.#lookups.delete(host)
      // #release has emptied the list if the socket was destroyed meanwhile.
      for (const packet of packets.splice(0)) {
        if (error) packet.done(error)
        else this.#transmit(packet, literal(address, this.#family))
      }
    })
  }

  /** The socket is open. */
  #transmit(packet: Packet, ip: string | undefined): void {
    if (this.#inTurn === undefined) return this.#hand(packet, ip)
    this.#inTurn.run(next => {
      const done: Done = error => {
        next()
        packet.done(error)
      }
      this.#hand({ ...packet, done }, ip)
    })
  }

  #hand(packet: Packet, ip: string | undefined): void {
    const { bytes, to, done } = packet
    if (this.#state === 'closed') return process.nextTick(done, canceled())
    try {
      if (to !== undefined) return this.#socket!.send(bytes, to.port, ip, done)
      // On a connected socket the system gives the ICMP answer to whichever call comes next. A send
      // that gets it has sent nothing, and its packet is not the refused one. So the refusal is
      // reported, and the packet is sent again. That ends: each packet that left is refused at most
      // once, and each refusal is reported once.
      this.#socket!.send(bytes, error => {
        if (codeOf(error) !== 'ECONNREFUSED') return done(error)
        if (this.#state === 'open') this.sink?.refused(error!)
        this.#hand(packet, ip)
      })
    } catch (error) {
      // Port 0, or a destination on a connected socket.
      process.nextTick(done, error as SystemError)
    }
  }

  // ---- settings ---------------------------------------------------------------------------------

  configure(options: LivePacketOptions): void {
    if (this.#isDual()) checkDual(options)
    this.#whenBound('configure', socket => apply(socket, options))
  }

  join(group: string, network_interface?: string, source?: string): void {
    this.#whenBound('join', socket => {
      if (source === undefined) socket.addMembership(group, network_interface)
      else socket.addSourceSpecificMembership(source, group, network_interface)
    })
  }

  leave(group: string, network_interface?: string, source?: string): void {
    this.#whenBound('leave', socket => {
      if (source === undefined) socket.dropMembership(group, network_interface)
      else socket.dropSourceSpecificMembership(source, group, network_interface)
    })
  }

  #whenBound(call: string, job: (socket: Socket) => void): void {
    if (this.#state === 'closed')
      throw new InvalidStateError(call, 'the packet socket is closed', 'open another')
    if (this.#state === 'opening') this.#jobs.push(job)
    else job(this.#socket!)
  }

  // ---- closing ----------------------------------------------------------------------------------

  destroy(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#release()
  }

  #release(): void {
    this.#inTurn?.flush()
    for (const packets of [this.#waiting, ...this.#lookups.values()]) {
      for (const { done } of packets.splice(0)) process.nextTick(done, canceled())
    }
    const socket = this.#socket
    if (socket === undefined) return void setImmediate(() => this.sink?.closed())
    // A 'connect' may be on its way. 'error' keeps its listener: without one, a late error would
    // end the process.
    for (const event of ['message', 'listening', 'connect']) socket.removeAllListeners(event)
    socket.close(() => this.sink?.closed())
  }
}

function canceled(): SystemError {
  return new WriteError('ECANCELED', 'the packet was not sent: its socket is closed')
}

function notConnected(): SystemError {
  const message = 'the packet was not sent: it has no destination, and its socket is not connected'
  return new WriteError('ERR_SOCKET_DGRAM_NOT_CONNECTED', message)
}
