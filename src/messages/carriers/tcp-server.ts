/**
 * Layer 8. `tcp://host:port;mode=server`, `tls+tcp://host:port;mode=server` and
 * `unix://path;mode=server`: messages from and to any number of peers.
 *
 * Every message has the `addr` of its peer: a number that is never used again. Posting needs an
 * `addr`. Control Connect reports a new peer, control Disconnect one that has gone. Post Disconnect
 * to close a peer. An error of one peer is the data of its Disconnect, and affects no other peer.
 *
 * A peer that is turned away, or whose TLS handshake fails, has no `addr`: on_error is called, and
 * the channel goes on.
 *
 * The parameters are in stream-params.ts, those of `tls+tcp` in tls-options.ts.
 */

import { LIFE } from '../../channels/life.ts'
import { takeOver } from '../../channels/servers/server-link.ts'
import type { StreamServerOptions } from '../../channels/servers/server-options.ts'
import { StreamServer } from '../../channels/servers/stream-server.ts'
import { formatAddress } from '../../core/address.ts'
import { ConnectError, InvalidArgumentError } from '../../errors.ts'
import type { Transport } from '../../transport.ts'
import type { Address, DropReason, SocketAddress } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { Deliveries, refusing } from './deliveries.ts'
import { formatHost, hostFault, parseHost } from './host.ts'
import { packFrames } from './frames.ts'
import { FramedStream, type FramedStreamOwner } from './framed-stream.ts'
import { inFamily, serverParams, type StreamParams, streamParams } from './stream-params.ts'
import { type LoadTlsOptions, tlsOptions } from './tls-options.ts'

/** The channel of `tcp://;mode=server`, `tls+tcp://;mode=server` and `unix://;mode=server`. */
// Source: TLL `tcp`, server. Differs: it is 'opening' until it listens, which may fail.
export class TcpServer extends MessageChannel {
  static override readonly protocol: string = 'tcp-server'
  static override readonly caps = ['long_close'] as const

  readonly #params: StreamParams
  readonly #address: Address
  readonly #listening: StreamServerOptions
  readonly #tls: LoadTlsOptions | undefined
  readonly #peers = new Map<Addr, FramedStream>()
  #server: ListeningSocket | undefined
  #deliveries = this.#makeDeliveries()
  /** The number of the newest peer. */
  #count = 0

  constructor(init: Init) {
    super(init)
    const { url } = init.params
    const isUnix = url.protocol === 'unix'
    const address = parseHost(url.host, isUnix)
    if (address === undefined)
      throw url.host_fault(
        isUnix
          ? 'a unix socket must have a path'
          : hostFault(url.host, 'the address must be host:port, *:port, or a path with a slash'),
      )
    this.#address = inFamily(init.params, address)
    this.#params = streamParams(init.params, 'server')
    this.#listening = serverParams(init.params)
    this.#tls = tlsOptions(init.params, 'server')
  }

  override get carries(): Carries {
    return this.#params.frame.carries
  }

  /** `local`: the address it listens on. `peers`: the number of its peers. */
  override get info(): Readonly<Record<string, unknown>> {
    return { local: this.#server?.local_address, peers: this.#peers.size }
  }

  override get client_url(): string | undefined {
    const address = this.state === 'active' ? this.#server?.local_address : undefined
    if (address === undefined) return undefined
    const { protocol } = this.params.url
    return `${protocol}://${formatHost(address)};mode=client${this.#params.ofPeer}`
  }

  override do_open(): 'opening' {
    const tls = this.#tls?.(this[LIFE].drive.files)
    this.#deliveries = this.#makeDeliveries()
    this.#server = new ListeningSocket(this.#owner, {
      engine: this.engine,
      name: this.name,
      ...this.#listening,
    })
    this.update_dcaps(['poll_in'])
    if (this.suspended) this.#server.suspend()
    if (tls !== undefined) this.#server.start_tls(tls)
    this.#server.listen(this.#address)
    return 'opening'
  }

  #makeDeliveries(): Deliveries {
    return new Deliveries(message => this.emit(message))
  }

  readonly #owner: ListeningSocketOwner = {
    listening: () => this.become_active(),
    accepted: transport => this.#accept(transport),
    failed: (server, error) => {
      // A peer that could not be accepted does not affect the others.
      if (server.state === 'active') this.#tell(error)
      else this.fail(error)
    },
    closed: server => {
      if (server !== this.#server) return
      this.#deliveries.flush()
      this.finish_close()
    },
  }

  /** A peer that never came to be one. on_error is told, and the channel goes on. */
  #tell(error: Error): void {
    if (this.state === 'active') this[LIFE].call('on_error', error)
  }

  #accept(transport: Transport): void {
    const server = this.#server as ListeningSocket
    const addr = ++this.#count
    const peer = new FramedStream(
      this.#peerOwner,
      this.#params,
      { engine: this.engine, socket: transport, name: `${this.name}#${addr}` },
      addr,
    )
    takeOver(server, transport, peer)
  }

  readonly #peerOwner: FramedStreamOwner = {
    connected: peer => {
      if (this.state !== 'active') return peer.close()
      this.#peers.set(peer.addr as Addr, peer)
      void this.#deliveries.add(
        new Message({
          type: 'control',
          msgid: Control.Connect,
          addr: peer.addr,
          data: formatAddress(peer.remote_address),
        }),
      )
    },
    // What is full, or has room again, is told at once: nobody waits for a hook with that.
    received: message =>
      message.type === 'data' ? this.#deliveries.add(message) : this.emit(message),
    failed: (peer, error) => {
      // A peer that has connected gets its Disconnect, with the error as its data.
      if (!this.#peers.has(peer.addr as Addr)) this.#tell(error)
    },
    closed: peer => {
      if (!this.#peers.delete(peer.addr as Addr) || this.state === 'closed') return
      void this.#deliveries.add(
        new Message({
          type: 'control',
          msgid: Control.Disconnect,
          addr: peer.addr,
          data: peer.fault?.message ?? '',
        }),
      )
    },
  }

  override do_close(force: boolean): void {
    const server = this.#server
    // There is no server if on_state closed the channel before it was opened.
    if (!force && server !== undefined && server.state !== 'closed') return server.end()
    this.#server = undefined
    this.#peers.clear()
    server?.close()
    this.finish_close()
  }

  /**
   * Sends to the peer `addr`. Returns false also if that peer has gone. Throws InvalidArgumentError
   * for an `addr` that no peer ever had.
   */
  override do_post(message: Message): boolean {
    const { addr, type, msgid } = message
    if (typeof addr !== 'number' || !(addr >= 1 && addr <= this.#count))
      throw new InvalidArgumentError('post: addr', 'the addr of a message from the peer', addr)
    const peer = this.#peers.get(addr)
    if (peer === undefined) return false
    if (type === 'data') return peer.post(message)
    if (type === 'control' && msgid === Control.Disconnect) peer.end()
    else if (type === 'control' && msgid === Control.WriteFlush) peer.flush()
    return true
  }

  /** Packs the messages once, for all peers. */
  override do_post_all(messages: readonly Message[], addrs: Iterable<Addr>): Addr[] {
    const packed = packFrames(this.#params.frame, messages)
    return refusing(addrs, addr => this.#peers.get(addr)?.postPacked(packed))
  }

  override do_suspend(): void {
    this.#server?.suspend()
  }

  override do_resume(): void {
    this.#server?.resume()
  }
}

/** What the listening socket reports. */
interface ListeningSocketOwner {
  listening(): void
  accepted(transport: Transport): void
  failed(server: ListeningSocket, error: Error): void
  closed(server: ListeningSocket): void
}

/** Accepts the peers of a server. */
class ListeningSocket extends StreamServer {
  readonly #owner: ListeningSocketOwner

  constructor(owner: ListeningSocketOwner, options: StreamServerOptions) {
    super(options)
    this.#owner = owner
  }

  override on_listen(): void {
    this.#owner.listening()
  }

  override on_accept(transport: Transport, _address: SocketAddress): void {
    this.#owner.accepted(transport)
  }

  override on_drop(reason: DropReason, address: SocketAddress): void {
    // Near the limit of descriptors every peer is turned away: on_overload tells it once.
    if (reason === 'overload') return
    const peer = formatAddress(address)
    this.#owner.failed(this, new ConnectError('ERR_DROPPED', `${peer} was turned away: ${reason}`))
  }

  override on_overload(): void {
    this.#owner.failed(
      this,
      new ConnectError(
        'ERR_OVERLOAD',
        'peers are turned away: the process is near its limit of open files (see ulimit -n)',
      ),
    )
  }

  override on_error(error: Error): void {
    this.#owner.failed(this, error)
  }

  override on_close(): void {
    this.#owner.closed(this)
  }
}
