/**
 * Layer 8. `tcp://host:port;mode=server`, `tls+tcp://` and `unix://path;mode=server`: messages from
 * and to any number of connections.
 *
 * Every message has the `addr` of its peer, a number that is never used again; posting needs one.
 * Control Connect says who came, Disconnect who has gone; posting Disconnect closes that peer. What
 * goes wrong with one peer is told as the data of its Disconnect, and disturbs no other.
 */

import { hookFailed } from '../../channels/channel.ts'
import { StreamServer, takeOver } from '../../channels/stream-server.ts'
import { formatAddress } from '../../core/address.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Transport } from '../../transport.ts'
import type { Address, SocketAddress } from '../../types.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { formatPlace, parsePlace } from '../place.ts'
import { Socket, type SocketOwner, type SocketParams, socketParams } from './socket.ts'
import { tlsOptions } from './tls.ts'

/** Source: TLL `tcp`, server. `Differs:` it is 'opening' until it listens, which may fail. */
export class TcpServer extends MessageChannel {
  static override readonly protocol: string = 'tcp-server'
  static override readonly caps = ['long_close'] as const

  readonly #params: SocketParams
  readonly #address: Address
  readonly #peers = new Map<Addr, Socket>()
  #server: Listener | undefined
  /** The number of the last peer. */
  #count = 0

  constructor(init: Init) {
    super(init)
    const { url } = init.params
    const isUnix = url.protocol === 'unix'
    const address = parsePlace(url.host, isUnix)
    if (address === undefined)
      throw url.host_fault(
        isUnix
          ? 'a unix socket has a path'
          : 'the address must be host:port, *:port, or a path with a slash',
      )
    this.#address = address
    this.#params = socketParams(init.params)
  }

  /** Where it listens, and how many peers it has. */
  override get info(): Readonly<Record<string, unknown>> {
    return { local: this.#server?.local_address, peers: this.#peers.size }
  }

  override get client_url(): string | undefined {
    const address = this.state === 'active' ? this.#server?.local_address : undefined
    if (address === undefined) return undefined
    return `${this.params.url.protocol}://${formatPlace(address)};mode=client;frame=${this.#params.frame.name}`
  }

  override do_open(): 'opening' {
    const tls = tlsOptions(this.params, 'server')
    this.#server = new Listener({ engine: this.engine, name: this.name })
    this.#server.owner = {
      listening: () => this.become_active(),
      accepted: transport => this.#accept(transport),
      failed: (server, error) => {
        // A peer that could not be accepted is no concern of the others.
        if (server.state === 'active') hookFailed(this, error)
        else this.fail(error)
      },
      closed: server => {
        if (server === this.#server) this.finish_close()
      },
    }
    this.update_dcaps(['poll_in'])
    if (this.suspended) this.#server.suspend()
    if (tls !== undefined) this.#server.start_tls(tls)
    this.#server.listen(this.#address)
    return 'opening'
  }

  #accept(transport: Transport): void {
    const server = this.#server as Listener
    const addr = ++this.#count
    const socket = new Socket(
      this.#owner,
      this.#params,
      { engine: this.engine, socket: transport, name: `${this.name}#${addr}` },
      addr,
    )
    takeOver(server, transport, socket)
  }

  readonly #owner: SocketOwner = {
    connected: socket => {
      this.#peers.set(socket.addr as Addr, socket)
      void this.emit(
        new Message({
          type: 'control',
          msgid: Control.Connect,
          addr: socket.addr,
          data: formatAddress(socket.remote_address),
        }),
      )
    },
    received: message => this.emit(message),
    failed: () => {},
    closed: socket => {
      if (!this.#peers.delete(socket.addr as Addr) || this.state === 'closed') return
      void this.emit(
        new Message({
          type: 'control',
          msgid: Control.Disconnect,
          addr: socket.addr,
          data: socket.fault?.message ?? '',
        }),
      )
    },
  }

  override do_close(force: boolean): void {
    const server = this.#server
    // Not there: it was closed in on_state, before it was opened.
    if (!force && server !== undefined && server.state !== 'closed') return server.end()
    this.#server = undefined
    this.#peers.clear()
    server?.close()
    this.finish_close()
  }

  /**
   * To the peer of `addr`. False also where it has gone. Throws InvalidArgumentError for an `addr`
   * that no peer ever had.
   */
  override do_post(message: Message): boolean {
    const { addr, type, msgid } = message
    if (typeof addr !== 'number' || !(addr >= 1 && addr <= this.#count))
      throw new InvalidArgumentError('post: addr', 'that of a message from the peer', addr)
    const socket = this.#peers.get(addr)
    if (socket === undefined) return false
    if (type === 'data') return socket.post(message)
    if (type === 'control' && msgid === Control.Disconnect) socket.end()
    else if (type === 'control' && msgid === Control.WriteFlush) socket.flush()
    return true
  }

  override do_suspend(): void {
    this.#server?.suspend()
  }

  override do_resume(): void {
    this.#server?.resume()
  }
}

/** What the listening socket reports. */
interface ListenerOwner {
  listening(): void
  accepted(transport: Transport): void
  failed(server: Listener, error: Error): void
  closed(server: Listener): void
}

class Listener extends StreamServer {
  owner!: ListenerOwner

  override on_listen(): void {
    this.owner.listening()
  }

  override on_accept(transport: Transport, _address: SocketAddress): void {
    this.owner.accepted(transport)
  }

  override on_error(error: Error): void {
    this.owner.failed(this, error)
  }

  override on_close(): void {
    this.owner.closed(this)
  }
}
