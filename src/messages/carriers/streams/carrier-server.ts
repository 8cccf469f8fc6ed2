/**
 * Layer 8. CarrierServer: a server of messages over connections, whatever they speak. TcpServer and
 * WsServer say what a peer is; the rest is here.
 *
 * Every message has the `addr` of its peer: a number that is never used again. Posting needs an
 * `addr`. Control Connect reports a new peer, control Disconnect one that has gone. Post Disconnect
 * to close a peer. An error of one peer is the data of its Disconnect, and affects no other peer.
 *
 * A peer that is turned away, or whose handshake fails, has no `addr`: on_error is called, and the
 * channel goes on.
 */

import { LIFE } from '../../../channels/life.ts'
import type { StreamServerOptions } from '../../../channels/servers/server-options.ts'
import { formatAddress } from '../../../core/address.ts'
import { InvalidArgumentError } from '../../../errors.ts'
import type { Transport } from '../../../transport.ts'
import type { Address, SocketAddress } from '../../../types.ts'
import type { Init } from '../../init.ts'
import { type Addr, checkPosts, Control, Message, type MessageFields } from '../../message.ts'
import { MessageChannel } from '../../message-channel.ts'
import { emitText } from '../../texts.ts'
import { serverParams } from '../stream-params.ts'
import { type LoadTlsOptions, tlsOptions } from '../tls-options.ts'
import type { CarryingOwner, CarryingStream, TextOwner } from './carrying.ts'
import { Deliveries, refusing } from './deliveries.ts'
import { ListeningSocket, type ListeningSocketOwner } from './listening-socket.ts'

export abstract class CarrierServer<Peer extends CarryingStream> extends MessageChannel {
  static override readonly caps = ['long_close'] as const

  readonly #listening: StreamServerOptions
  readonly #tls: LoadTlsOptions | undefined
  readonly #peers = new Map<Addr, Peer>()
  #server: ListeningSocket | undefined
  #deliveries = this.#makeDeliveries()
  /** The number of the newest peer. */
  #count = 0

  constructor(init: Init) {
    super(init)
    this.#listening = serverParams(init.params)
    this.#tls = tlsOptions(init.params, 'server')
  }

  // ---- what each server says of itself ----------------------------------------------------------

  abstract readonly address: Address

  /** What a URL of a client has after `PROTOCOL://`. */
  abstract toClient(address: SocketAddress): string

  /** What the server demands of its peers beside its options. By default nothing. */
  demand(_server: ListeningSocket): void {}

  /** Makes the peer `addr` out of a connection; it reports to `peerOwner`. */
  abstract makePeer(addr: Addr, socket: Transport, server: ListeningSocket): void

  /** What Connect says of a peer beside its address. By default nothing. */
  ofConnect(_peer: Peer): MessageFields {
    return {}
  }

  /** What Disconnect says of a peer beside its fault. By default nothing. */
  ofDisconnect(_peer: Peer): MessageFields {
    return {}
  }

  /** Sends what was posted, then ends. `message`: the Disconnect that was posted. */
  endPeer(peer: Peer, _message: Message): void {
    peer.end()
  }

  /** Packs messages once, for all peers. */
  abstract pack(messages: readonly Message[]): Uint8Array

  // ---- what is told -----------------------------------------------------------------------------

  /** `local`: the address it listens on. `peers`: the number of its peers. */
  override get info(): Readonly<Record<string, unknown>> {
    return { local: this.#server?.local_address, peers: this.#peers.size }
  }

  override get client_url(): string | undefined {
    const address = this.state === 'active' ? this.#server?.local_address : undefined
    if (address === undefined) return undefined
    return `${this.params.url.protocol}://${this.toClient(address)}`
  }

  // ---- opening ----------------------------------------------------------------------------------

  override do_open(): 'opening' {
    const tls = this.#tls?.(this[LIFE].drive.files)
    this.#deliveries = this.#makeDeliveries()
    const { engine, name } = this
    const server = new ListeningSocket(this.#owner, { engine, name, ...this.#listening })
    this.#server = server
    this.demand(server)
    this.update_dcaps(['poll_in'])
    if (this.suspended) server.suspend()
    if (tls !== undefined) server.start_tls(tls)
    server.listen(this.address)
    return 'opening'
  }

  #makeDeliveries(): Deliveries {
    return new Deliveries(message => this.emit(message))
  }

  readonly #owner: ListeningSocketOwner = {
    listening: () => this.become_active(),
    accepted: (server, socket) => this.makePeer(++this.#count, socket, server),
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

  // ---- what peers report ------------------------------------------------------------------------

  readonly peerOwner: CarryingOwner<Peer> & TextOwner = {
    connected: peer => {
      if (this.state !== 'active') return peer.close()
      this.#peers.set(peer.addr as Addr, peer)
      const data = formatAddress(peer.remote_address)
      this.#report(Control.Connect, peer, { data, ...this.ofConnect(peer) })
    },
    text: (text, addr) => !this.#deliveries.isBusy && emitText(this, text, addr),
    // What is full, or has room again, is told at once: nobody waits for a hook with that.
    received: message =>
      message.type === 'data' ? this.#deliveries.add(message) : this.emit(message),
    failed: (peer, error) => {
      // A peer that has connected gets its Disconnect, with the error as its data.
      if (!this.#peers.has(peer.addr as Addr)) this.#tell(error)
    },
    closed: peer => {
      if (!this.#peers.delete(peer.addr as Addr) || this.state === 'closed') return
      const data = peer.fault?.message ?? ''
      this.#report(Control.Disconnect, peer, { data, ...this.ofDisconnect(peer) })
    },
  }

  #report(msgid: number, { addr }: Peer, fields: MessageFields): void {
    void this.#deliveries.add(new Message({ ...fields, type: 'control', msgid, addr }))
  }

  // ---- posting, holding, closing ----------------------------------------------------------------

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
    if (type === 'control' && msgid === Control.Disconnect) this.endPeer(peer, message)
    else if (type === 'control' && msgid === Control.WriteFlush) peer.flush()
    return true
  }

  /** The peer with that `addr`, if it is there. */
  peerOf(addr: Addr | undefined): Peer | undefined {
    return this.#peers.get(addr as Addr)
  }

  override do_post_all(messages: readonly Message[], addrs: Iterable<Addr>): Addr[] {
    checkPosts(messages, addrs)
    const packed = this.pack(messages)
    return refusing(addrs, addr => this.#peers.get(addr)?.postPacked(packed))
  }

  override do_suspend(): void {
    this.#server?.suspend()
  }

  override do_resume(): void {
    this.#server?.resume()
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
}
