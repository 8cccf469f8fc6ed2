/**
 * Layer 2. Packet sockets on node:dgram.
 *
 * Call order: openPackets → choose (names to addresses) → #bind → #bound (options, connect) →
 * #opened; then #received and send → #route → #transmit, until #fail or destroy → #release.
 *
 * Rules:
 * 1. Everything handed to node:dgram is an IP literal, which its `lookup` option gives back at
 *    once: by default it runs dns.lookup for every packet, literals included (measured: 1.1 times
 *    the packets a second without).
 * 2. With no host given, one socket serves both families ('::', not v6-only); where there is no
 *    IPv6, it is an IPv4 socket.
 * 3. `done` is called exactly once a packet, from a later tick. node:dgram forgets what it still
 *    queues when it is closed before it was bound, or closed during a lookup: so both queues are
 *    ours (#waiting, #lookups).
 * 4. What an ICMP message refuses is an earlier packet, never the one being sent: it goes to
 *    `sink.refused`, see #transmit.
 */

import { Buffer } from 'node:buffer'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup, promises } from 'node:dns'
import { isIP } from 'node:net'
import {
  codeOf,
  InvalidAddressError,
  InvalidStateError,
  UnsupportedOptionError,
  WriteError,
} from '../errors.ts'
import type {
  Endpoint,
  PacketOptions,
  PacketSink,
  PacketSocket,
  SystemError,
} from '../transport.ts'
import type { Encoding, SocketAddress } from '../types.ts'

type Settings = Parameters<PacketSocket['configure']>[0]
type Target = Extract<Endpoint, { kind: 'ip' }>
type Done = (error: SystemError | null) => void

/**
 * Which addresses a socket reaches: IPv4 ones, IPv6 ones, or (0, as dns.lookup says it) both. Both
 * means an IPv6 socket.
 */
type Family = 0 | 4 | 6

/** What to open, all names resolved. */
interface Plan {
  readonly family: Family
  readonly local: string
  readonly peer: string | undefined
}

interface Packet {
  readonly bytes: Uint8Array
  readonly to: Target | undefined
  readonly done: Done
}

/**
 * What binding '::' comes to on a machine without IPv6: the kernel has none, or it is there and
 * switched off.
 */
const NO_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

/** IPv4 addresses as an IPv6 socket takes and reports them. */
const MAPPED = '::ffff:'

/**
 * Settings that Node makes for one family only: on a socket for both they would not touch IPv4
 * packets.
 */
const ONE_FAMILY = ['ttl', 'multicast_ttl', 'multicast_loopback'] as const

/**
 * Opens a packet socket. Returns before anything is done; the port is taken in a later turn of the
 * loop.
 *
 * The family follows `bind`, else `connect`. Without a host in either, the socket serves both
 * families. An IPv4 destination works on an IPv6 socket that is bound to any address; IPv4
 * addresses are reported as such ('1.2.3.4') in every case. `bind` absent means any host and a port
 * that the system chooses. The host '' as a destination means this machine.
 *
 * A packet to a host name leaves when the name is resolved (a name is resolved once for all packets
 * that wait for it, and they keep their order); packets to addresses may overtake it. Packets sent
 * before `opened` leave in order when it opens.
 *
 * What can go wrong in opening (EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND …, a setting that the
 * system refuses) is reported by `failed`, then `closed`; the `done` of packets that waited gets
 * ECANCELED in between. An open socket does not fail: what the system reports then goes to
 * `refused`. `done` gets what concerns its own packet: EMSGSIZE, EINVAL (an IPv6 address on an IPv4
 * socket), EACCES (broadcast without `broadcast`), ENOTFOUND …; ERR_SOCKET_DGRAM_NOT_CONNECTED
 * without a destination; ERR_SOCKET_DGRAM_IS_CONNECTED with one too many; ECANCELED when the socket
 * was destroyed first, or is closed.
 *
 * `configure`, `join` and `leave` before `opened` are kept and made when it is bound; what the
 * system refuses then is `failed`.
 *
 * @throws InvalidAddressError (`bind` or `connect` is a path; so does `send`),
 * UnsupportedOptionError (`ttl`, `multicast_ttl` or `multicast_loopback` on a socket for both
 * families; so does `configure`), InvalidStateError (`configure`, `join`, `leave` on a closed
 * socket).
 *
 * Origin: Node dgram.createSocket; Pants datagram.Datagram.
 */
export function openPackets(options: PacketOptions): PacketSocket {
  return new UdpSocket(options)
}

class UdpSocket implements PacketSocket {
  sink: PacketSink | undefined = undefined

  #state: 'opening' | 'open' | 'closed' = 'opening'
  readonly #options: PacketOptions
  readonly #bindTo: Target | undefined
  readonly #connectTo: Target | undefined
  #socket: Socket | undefined = undefined
  #family: Family = 0
  #localAddress: SocketAddress | undefined = undefined
  #remoteAddress: SocketAddress | undefined = undefined
  /** Packets sent before the socket is open. */
  #waiting: Packet[] = []
  /** Packets whose host name is being looked up, by name. */
  readonly #lookups: Map<string, Packet[]> = new Map()
  /** `configure`, `join` and `leave` called before the socket is bound. */
  readonly #jobs: ((socket: Socket) => void)[] = []

  constructor(options: PacketOptions) {
    this.#options = options
    this.#bindTo = options.bind && target(options.bind)
    this.#connectTo = options.connect && target(options.connect)
    this.configure(options)
    // Not before the next phase of the loop: the sink may be set until then, and nothing may be
    // reported inside this call.
    choose(this.#bindTo?.host ?? '', this.#connectTo?.host).then(
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

  /**
   * Node has no public way to it: `socket._handle` warns that it is deprecated. Where Node changes,
   * this is `undefined`.
   */
  get fileno(): number | undefined {
    const socket = this.#socket as unknown as
      Record<symbol, { handle?: { fd?: number } | null }> | undefined
    const key = Object.getOwnPropertySymbols(socket ?? {}).find(
      symbol => symbol.description === 'state symbol',
    )
    // Negative where a handle has no descriptor (Windows).
    return [socket?.[key as symbol]?.handle?.fd].find(fd => fd !== undefined && fd >= 0)
  }

  // ---- Opening ----------------------------------------------------------------------------------

  #bind(plan: Plan): void {
    if (this.#state === 'closed') return
    const reuseAddr = this.#options.reuse_address ?? false
    const socket = createSocket({
      type: plan.family === 4 ? 'udp4' : 'udp6',
      reuseAddr,
      lookup: asGiven,
    })
    this.#socket = socket
    this.#family = plan.family
    socket.on('error', error => this.#erred(error))
    socket.on('message', (data, from) => this.#received(data, from))
    socket.on('listening', () => this.#bound(socket, plan))
    // In a cluster, workers share a port that was asked for, as they do in Node, but not one that
    // nobody named.
    socket.bind({
      port: this.#bindTo?.port ?? 0,
      address: plan.local,
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
    this.#localAddress = addressOf(socket.address())
    if (this.#connectTo !== undefined) this.#remoteAddress = addressOf(socket.remoteAddress())
    // Before `opened`, for what is sent in there comes after what waits.
    for (const packet of this.#waiting.splice(0)) this.#route(packet)
    this.sink?.opened()
  }

  /** Is it one socket for both families, because nobody asked for one of them? */
  #isDual(): boolean {
    return (this.#bindTo?.host ?? '') === '' && this.#connectTo === undefined
  }

  // ---- Reports ----------------------------------------------------------------------------------

  #received(data: Buffer, from: RemoteInfo): void {
    this.sink?.received(data, addressOf(from))
  }

  #erred(error: SystemError): void {
    // ICMP, seen by the read side; anything else that a read meets (ENOMEM …) does not end the
    // socket either.
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

  // ---- Sending ----------------------------------------------------------------------------------

  send(data: string | Uint8Array, encoding: Encoding, to: Endpoint | undefined, done: Done): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding) : data
    const packet = { bytes, to: to && target(to), done }
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
    const { bytes, to, done } = packet
    try {
      if (to !== undefined) return this.#socket!.send(bytes, to.port, ip, done)
      // On a connected socket the system hands the ICMP answer to whichever call comes next. A send
      // that gets it has sent nothing, and its packet is not the refused one: so it is reported as
      // what it is, and the packet goes again. That ends, for each packet that leaves is refused at
      // most once, and each refusal is told once.
      this.#socket!.send(bytes, error => {
        if (codeOf(error) !== 'ECONNREFUSED') return done(error)
        if (this.#state === 'open') this.sink?.refused(error!)
        this.#route(packet)
      })
    } catch (error) {
      // Port 0, or a destination though the socket is connected.
      process.nextTick(done, error as SystemError)
    }
  }

  // ---- Settings ---------------------------------------------------------------------------------

  configure(options: Settings): void {
    const refused = this.#isDual() && ONE_FAMILY.find(name => options[name] !== undefined)
    if (refused)
      throw new UnsupportedOptionError(
        refused,
        'a socket of one family: bind it to "0.0.0.0" or to "::"',
      )
    this.#whenBound('configure', socket => apply(socket, options))
  }

  join(group: string, network_interface?: string): void {
    this.#whenBound('join', socket => socket.addMembership(group, network_interface))
  }

  leave(group: string, network_interface?: string): void {
    this.#whenBound('leave', socket => socket.dropMembership(group, network_interface))
  }

  #whenBound(call: string, job: (socket: Socket) => void): void {
    if (this.#state === 'closed')
      throw new InvalidStateError(call, 'the packet socket is closed', 'open another')
    if (this.#state === 'opening') this.#jobs.push(job)
    else job(this.#socket!)
  }

  // ---- Closing ----------------------------------------------------------------------------------

  destroy(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#release()
  }

  #release(): void {
    for (const packets of [this.#waiting, ...this.#lookups.values()]) {
      for (const { done } of packets.splice(0)) process.nextTick(done, canceled())
    }
    const socket = this.#socket
    if (socket === undefined) return void setImmediate(() => this.sink?.closed())
    // A 'connect' may be on its way. 'error' keeps its listener: a late one would end the process.
    for (const event of ['message', 'listening', 'connect']) socket.removeAllListeners(event)
    socket.close(() => this.sink?.closed())
  }
}

/** What to open. The family is that of `local`, or where that is open, of `peer`. */
async function choose(local: string, peer: string | undefined): Promise<Plan> {
  if (local === '' && peer === undefined) return { family: 0, local: '::', peer }
  if (local === '') {
    const ip = await resolve(peer!, 0)
    const family = isIP(ip) as Family
    return { family, local: family === 4 ? '0.0.0.0' : '::', peer: ip }
  }
  const ip = await resolve(local, isIP(peer ?? '') as Family)
  const family = ip === '::' ? 0 : (isIP(ip) as Family)
  if (peer === undefined) return { family, local: ip, peer }
  return {
    family,
    local: ip,
    peer: literal(peer, family) ?? literal(await resolve(peer, family), family),
  }
}

/** A host as an address, unmapped. */
async function resolve(host: string, family: Family): Promise<string> {
  return literal(host, 4) ?? (await promises.lookup(host, { family })).address
}

/**
 * A host as a socket of that family takes it; `undefined` for a name, which must be looked up
 * first.
 */
function literal(host: string, family: Family): string | undefined {
  switch (isIP(host)) {
    case 4:
      return family === 4 ? host : MAPPED + host
    case 6:
      return host
    default:
      return host === '' ? literal(family === 6 ? '::1' : '127.0.0.1', family) : undefined
  }
}

/** The `lookup` of node:dgram for what needs none. */
function asGiven(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, host, 0)
}

function target(endpoint: Endpoint): Target {
  if (endpoint.kind === 'ip') return endpoint
  throw new InvalidAddressError('a packet socket has a host and a port, not a path', endpoint.path)
}

function addressOf({
  address,
  port,
}: {
  address: string
  port: number
}): [host: string, port: number] {
  const mapped = address.startsWith(MAPPED) && address.includes('.')
  return [mapped ? address.slice(MAPPED.length) : address, port]
}

function apply(socket: Socket, settings: Settings): void {
  const { broadcast, ttl, multicast_ttl, multicast_loopback, multicast_interface } = settings
  if (broadcast !== undefined) socket.setBroadcast(broadcast)
  if (ttl !== undefined) socket.setTTL(ttl)
  if (multicast_ttl !== undefined) socket.setMulticastTTL(multicast_ttl)
  if (multicast_loopback !== undefined) socket.setMulticastLoopback(multicast_loopback)
  if (multicast_interface !== undefined) socket.setMulticastInterface(multicast_interface)
}

function canceled(): SystemError {
  return new WriteError('ECANCELED', 'the packet was not sent: its socket is closed')
}

function notConnected(): SystemError {
  const message = 'the packet was not sent: it has no destination, and its socket is not connected'
  return new WriteError('ERR_SOCKET_DGRAM_NOT_CONNECTED', message)
}
