/**
 * Layer 9. ChannelDoor: lets peers in to a router by a message channel, `mode=server`.
 */

import { deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Context } from '../../messages/context.ts'
import { type Addr, Control, type Message } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import type { Peer, PeerOwner } from './peer.ts'

class DoorPeer implements Peer {
  readonly address: string
  readonly #channel: MessageChannel
  readonly #addr: Addr
  isFull = false

  constructor(channel: MessageChannel, addr: Addr, address: string) {
    this.#channel = channel
    this.#addr = addr
    this.address = address
  }

  send(text: string): boolean {
    if (this.isFull || this.#channel.state !== 'active') return false
    return this.#channel.post({ data: text, addr: this.#addr })
  }

  end(): void {
    if (this.#channel.state === 'active')
      this.#channel.post({ type: 'control', msgid: Control.Disconnect, addr: this.#addr })
  }
}

export class ChannelDoor {
  readonly #channel: MessageChannel
  readonly #owner: PeerOwner
  readonly #peers = new Map<Addr, DoorPeer>()
  #isOver = false

  /** Throws UrlError, and InvalidArgumentError unless the URL is that of a server. */
  constructor(url: string, context: Context, owner: PeerOwner) {
    const channel = context.init(url)
    if (channel.params.text('mode', 'client') !== 'server') {
      channel.destroy()
      throw new InvalidArgumentError('listen: url', 'that of a server, with mode=server', url)
    }
    this.#channel = channel
    this.#owner = owner
    channel.on_message = message => this.#heard(message)
    channel.on_control = message => this.#controlled(message)
    channel.on_error = error => owner.failed(error)
  }

  /** Listens. Resolves with the URL of its clients; rejects if it cannot listen. */
  async open(): Promise<string> {
    await this.#channel.open().opened
    return this.#channel.client_url as string
  }

  #heard({ addr, data }: Message): void {
    const peer = this.#peers.get(addr as Addr)
    if (peer !== undefined) this.#owner.heard(peer, data.toString())
  }

  #controlled({ msgid, addr, data }: Message): void {
    if (addr === undefined) return
    if (msgid === Control.Connect) {
      this.#peers.set(addr, new DoorPeer(this.#channel, addr, data.toString()))
      return
    }
    const peer = this.#peers.get(addr)
    if (peer === undefined) return
    if (msgid === Control.WriteFull) peer.isFull = true
    else if (msgid === Control.WriteReady) {
      peer.isFull = false
      this.#owner.ready(peer)
    } else if (msgid === Control.Disconnect) {
      this.#peers.delete(addr)
      if (!this.#isOver) this.#owner.gone(peer)
    }
  }

  /** Closes all its connections. */
  async close(): Promise<void> {
    this.#isOver = true
    const channel = this.#channel
    if (channel.state !== 'active') return channel.destroy()
    const done = deferred<void>()
    void channel.closed.then(() => done.resolve(), noop)
    channel.close()
    await done.promise
    channel.destroy()
  }
}
