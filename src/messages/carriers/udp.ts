/**
 * Layer 8. `udp://host:port`: messages as packets.
 *
 * A client sends to one address and receives from it. A server receives from any address: the
 * `addr` of a message is its sender, and posting needs an `addr`. If a packet cannot be sent,
 * on_error is called and the channel goes on. A packet that is shorter than its frame is dropped.
 *
 * | parameter | meaning |
 * |---|---|
 * | `mode=client` | or `mode=server` |
 * | `frame=std` | how a message is written in a packet, see frames.ts; also `seq32` |
 * | `multicast=no` | yes: the host of a server is a multicast group, which it joins |
 */

import { Buffer } from 'node:buffer'
import { Datagram, type DatagramOptions } from '../../channels/datagrams/datagram.ts'
import { LIFE } from '../../channels/life.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { SocketAddress } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { type Frame, PACKET_FRAMES } from './frames.ts'
import { formatHost, hostFault, parseHost } from './host.ts'

/** The channel of `udp://`. */
// Source: TLL `udp`.
export class Udp extends MessageChannel {
  static override readonly protocol = 'udp'
  static override readonly caps = ['long_close'] as const

  readonly #address: readonly [host: string, port: number]
  readonly #isServer: boolean
  readonly #isMulticast: boolean
  readonly #frame: Frame
  #socket: Packets | undefined
  #isFull = false

  constructor(init: Init) {
    super(init)
    const { params } = init
    const address = parseHost(params.url.host, false)
    if (!Array.isArray(address))
      throw params.url.host_fault(hostFault(params.url.host, 'the address must be host:port'))
    this.#address = address as [string, number]
    this.#isServer = params.choice('mode', ['client', 'server'], 'client') === 'server'
    this.#isMulticast = params.boolean('multicast', false)
    this.#frame = PACKET_FRAMES.get(
      params.choice('frame', [...PACKET_FRAMES.keys()], 'std'),
    ) as Frame
  }

  override get carries(): Carries {
    return this.#frame.carries
  }

  override get info(): Readonly<Record<string, unknown>> {
    return {
      local: this.#socket?.local_address,
      remote: this.#isServer ? undefined : this.#address,
    }
  }

  override get client_url(): string | undefined {
    const address =
      this.#isServer && this.state === 'active' ? this.#socket?.local_address : undefined
    return address === undefined
      ? undefined
      : `udp://${formatHost(address)};mode=client;frame=${this.#frame.name}`
  }

  override do_open(): 'opening' {
    const socket = new Packets(this.#owner, {
      engine: this.engine,
      name: this.name,
      ...(this.#isMulticast && { reuse_address: true }),
    })
    this.#socket = socket
    this.#isFull = false
    if (this.suspended) socket.suspend()
    if (this.#isServer) {
      if (this.#isMulticast) socket.join(this.#address[0])
      socket.listen(this.#address)
    } else {
      socket.connect(this.#address)
    }
    this.update_dcaps(['poll_in'])
    return 'opening'
  }

  readonly #owner: PacketsOwner = {
    opened: () => this.become_active(),
    received: (packet, from) => {
      const message = this.#frame.unpackPacket(packet, this.#isServer ? from : undefined)
      return message === undefined ? undefined : this.emit(message)
    },
    written: () => this.#ready(),
    failed: error => {
      if (this.state === 'opening') this.fail(error)
      else if (this.state !== 'closed') this[LIFE].call('on_error', error)
    },
    closed: socket => {
      if (socket !== this.#socket) return
      this.#socket = undefined
      if (this.state === 'closing') this.finish_close()
    },
  }

  override do_close(force: boolean): void {
    const socket = this.#socket
    if (socket === undefined) return this.finish_close()
    if (!force) return socket.end()
    this.#socket = undefined
    socket.close()
  }

  /** Control messages are dropped. */
  override do_post(message: Message): boolean {
    const { addr, type, data } = message
    if (type !== 'data') return true
    if (this.#isServer && !Array.isArray(addr))
      throw new InvalidArgumentError(
        'post: addr',
        'the addr of a message from the peer, or [host, port]',
        addr,
      )
    const head = this.#frame.head(message)
    if (this.#isFull) return false
    const socket = this.#socket as Packets
    const packet = head === undefined ? data : Buffer.concat([head, data])
    if (!socket.write(packet, this.#isServer ? (addr as [string, number]) : undefined)) {
      this.#isFull = true
      void this.emit(new Message({ type: 'control', msgid: Control.WriteFull }))
    }
    return true
  }

  #ready(): void {
    if (!this.#isFull) return
    this.#isFull = false
    void this.emit(new Message({ type: 'control', msgid: Control.WriteReady }))
  }

  override do_suspend(): void {
    this.#socket?.suspend()
  }

  override do_resume(): void {
    this.#socket?.resume()
  }
}

/** What the socket reports. */
interface PacketsOwner {
  opened(): void
  received(packet: Buffer, from: SocketAddress): Promise<void> | undefined
  /** The queue is empty. */
  written(): void
  failed(error: Error): void
  closed(socket: Packets): void
}

/** Sends and receives the packets of a channel. */
class Packets extends Datagram {
  readonly #owner: PacketsOwner

  constructor(owner: PacketsOwner, options: DatagramOptions) {
    super(options)
    this.#owner = owner
  }

  override on_listen(): void {
    this.#owner.opened()
  }

  override on_connect(): void {
    this.#owner.opened()
  }

  override on_read(packet: Buffer, from: SocketAddress): Promise<void> | void {
    return this.#owner.received(packet, from)
  }

  override on_write(): void {
    this.#owner.written()
  }

  override on_error(error: Error): void {
    this.#owner.failed(error)
  }

  override on_close(): void {
    this.#owner.closed(this)
  }
}
