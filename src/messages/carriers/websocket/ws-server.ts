/**
 * Layer 8. `ws://host:port/path;mode=server` and `wss://host:port/path;mode=server`: messages from
 * and to any number of peers, browsers among them. One message is one message of WebSocket.
 *
 * It is as a server of `tcp://`: every message has the `addr` of its peer; control Connect reports
 * a new peer, control Disconnect one that has gone; post Disconnect to close a peer. A peer that is
 * turned away, or whose handshake fails, has no `addr`: on_error is called, and the channel goes
 * on.
 *
 * The `value` of Connect is the request of the peer (`UpgradeRequest`). The `seq` of Disconnect is
 * the code of closing, in both directions; 0 is none. The `data` of a posted one is the reason.
 *
 * The parameters are in ws-params.ts.
 */

import { LIFE } from '../../../channels/life.ts'
import type { StreamServerOptions } from '../../../channels/servers/server-options.ts'
import { StreamServer } from '../../../channels/servers/stream-server.ts'
import { formatAddress } from '../../../core/address.ts'
import { ConnectError, InvalidArgumentError } from '../../../errors.ts'
import type { Origins } from '../../../protocols/websocket/origins.ts'
import { changeRule } from '../../../protocols/websocket/rules.ts'
import type { Transport } from '../../../transport.ts'
import type { DropReason, SocketAddress } from '../../../types.ts'
import type { Carries } from '../../caps.ts'
import type { Init } from '../../init.ts'
import { type Addr, Control, Message, type MessageFields } from '../../message.ts'
import { MessageChannel } from '../../message-channel.ts'
import { Deliveries, refusing } from '../deliveries.ts'
import { formatHost } from '../host.ts'
import { serverParams } from '../stream-params.ts'
import { type LoadTlsOptions, tlsOptions } from '../tls-options.ts'
import { wsOrigins, type WsParams, wsParams, type WsTarget, wsTarget } from './ws-params.ts'
import { packMessages, WsPeer, type WsStream, type WsStreamOwner } from './ws-stream.ts'

/** The channel of `ws://;mode=server` and `wss://;mode=server`. */
export class WsServer extends MessageChannel {
  static override readonly protocol: string = 'ws-server'
  static override readonly caps = ['long_close'] as const

  readonly #params: WsParams
  readonly #origins: Origins
  readonly #target: WsTarget
  readonly #listening: StreamServerOptions
  readonly #tls: LoadTlsOptions | undefined
  readonly #peers = new Map<Addr, WsStream>()
  #server: Listening | undefined
  #deliveries = this.#makeDeliveries()
  /** The number of the newest peer. */
  #count = 0

  constructor(init: Init) {
    super(init)
    this.#target = wsTarget(init.params, init.params.url.host)
    this.#params = wsParams(init.params, 'server')
    this.#origins = wsOrigins(init.params)
    this.#listening = serverParams(init.params)
    this.#tls = tlsOptions(init.params, 'server')
  }

  override get carries(): Carries {
    return this.#params.carries
  }

  /** `local`: the address it listens on. `peers`: the number of its peers. */
  override get info(): Readonly<Record<string, unknown>> {
    return { local: this.#server?.local_address, peers: this.#peers.size }
  }

  override get client_url(): string | undefined {
    const address = this.state === 'active' ? this.#server?.local_address : undefined
    if (address === undefined) return undefined
    const { protocol } = this.params.url
    const { resource = '' } = this.#target
    return `${protocol}://${formatHost(address)}${resource};mode=client${this.#params.ofPeer}`
  }

  override do_open(): 'opening' {
    const tls = this.#tls?.(this[LIFE].drive.files)
    this.#deliveries = this.#makeDeliveries()
    const { engine, name } = this
    const server = new Listening(this.#listener, { engine, name, ...this.#listening })
    this.#server = server
    changeRule(server, 'path', this.#target.resource)
    changeRule(server, 'origins', this.#origins)
    changeRule(server, 'protocols', this.#params.protocols)
    this.update_dcaps(['poll_in'])
    if (this.suspended) server.suspend()
    if (tls !== undefined) server.start_tls(tls)
    server.listen(this.#target.address)
    return 'opening'
  }

  #makeDeliveries(): Deliveries {
    return new Deliveries(message => this.emit(message))
  }

  readonly #listener: ListeningOwner = {
    listening: () => this.become_active(),
    accepted: (server, socket) => this.#accept(server, socket),
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

  #accept(server: Listening, socket: Transport): void {
    const addr = ++this.#count
    const { engine } = this
    const carrying = { owner: this.#peerOwner, params: this.#params, addr }
    new WsPeer(carrying, { engine, server, socket, name: `${this.name}#${addr}` })
  }

  readonly #peerOwner: WsStreamOwner = {
    connected: peer => {
      this.#peers.set(peer.addr as Addr, peer)
      const { request: value } = peer as WsPeer
      this.#report(Control.Connect, peer, { data: formatAddress(peer.remote_address), value })
      ;(peer as WsPeer).request = undefined
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
      const seq = BigInt(peer.close_code ?? 0)
      this.#report(Control.Disconnect, peer, { data: peer.fault?.message ?? '', seq })
    },
  }

  #report(msgid: number, { addr }: WsStream, fields: MessageFields): void {
    void this.#deliveries.add(new Message({ ...fields, type: 'control', msgid, addr }))
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
    if (type === 'control' && msgid === Control.Disconnect)
      peer.end(message.seq === 0n ? undefined : Number(message.seq), message.data.toString())
    else if (type === 'control' && msgid === Control.WriteFlush) peer.flush()
    return true
  }

  /** Packs the messages once, for all peers. They are not compressed. */
  override do_post_all(messages: readonly Message[], addrs: Iterable<Addr>): Addr[] {
    const packed = packMessages(this.#params, messages)
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
interface ListeningOwner {
  listening(): void
  accepted(server: Listening, socket: Transport): void
  failed(server: Listening, error: Error): void
  closed(server: Listening): void
}

/** Accepts the peers of a server. */
class Listening extends StreamServer {
  readonly #owner: ListeningOwner

  constructor(owner: ListeningOwner, options: StreamServerOptions) {
    super(options)
    this.#owner = owner
  }

  override on_listen(): void {
    this.#owner.listening()
  }

  override on_accept(socket: Transport): void {
    this.#owner.accepted(this, socket)
  }

  override on_drop(reason: DropReason, address: SocketAddress): void {
    const peer = formatAddress(address)
    this.#owner.failed(this, new ConnectError('ERR_DROPPED', `${peer} was turned away: ${reason}`))
  }

  override on_error(error: Error): void {
    this.#owner.failed(this, error)
  }

  override on_close(): void {
    this.#owner.closed(this)
  }
}
