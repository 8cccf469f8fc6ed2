/**
 * Layer 8. `ws://host:port/path;mode=server` and `wss://host:port/path;mode=server`: messages from
 * and to any number of peers, browsers among them. One message is one message of WebSocket. How
 * peers come and go is in streams/carrier-server.ts.
 *
 * The `value` of Connect is the request of the peer (`UpgradeRequest`). The `seq` of Disconnect is
 * the code of closing, in both directions; 0 is none. The `data` of a posted one is the reason.
 *
 * The parameters are in ws-params.ts.
 */

import { WebSocketConnection } from '../../../protocols/websocket/connection.ts'
import type { Origins } from '../../../protocols/websocket/origins.ts'
import { changeRule } from '../../../protocols/websocket/rules.ts'
import type { UpgradeRequest } from '../../../protocols/websocket/upgrade-request.ts'
import type { Transport } from '../../../transport.ts'
import type { Address, SocketAddress } from '../../../types.ts'
import type { Carries } from '../../caps.ts'
import type { Init } from '../../init.ts'
import type { Addr, Message, MessageFields } from '../../message.ts'
import { POST_TEXT } from '../../texts.ts'
import { formatHost } from '../host.ts'
import { CarrierServer } from '../streams/carrier-server.ts'
import type { ListeningSocket } from '../streams/listening-socket.ts'
import { wsOrigins, type WsParams, wsParams, type WsTarget, wsTarget } from './ws-params.ts'
import { carrying, packMessages } from './ws-stream.ts'

/** The channel of `ws://;mode=server` and `wss://;mode=server`. */
export class WsServer extends CarrierServer<WsPeer> {
  static override readonly protocol: string = 'ws-server'

  readonly #params: WsParams
  readonly #origins: Origins
  readonly #target: WsTarget

  constructor(init: Init) {
    super(init)
    this.#target = wsTarget(init.params, init.params.url.host)
    this.#params = wsParams(init.params, 'server')
    this.#origins = wsOrigins(init.params)
  }

  override get carries(): Carries {
    return this.#params.carries
  }

  get address(): Address {
    return this.#target.address
  }

  override toClient(address: SocketAddress): string {
    const { resource = '' } = this.#target
    return `${formatHost(address)}${resource}${this.#params.ofPeer}`
  }

  override demand(server: ListeningSocket): void {
    changeRule(server, 'path', this.#target.resource)
    changeRule(server, 'origins', this.#origins)
    changeRule(server, 'protocols', this.#params.protocols)
  }

  override makePeer(addr: Addr, socket: Transport, server: ListeningSocket): void {
    const { engine } = this
    const carrying = { owner: this.peerOwner, params: this.#params, addr }
    new WsPeer(carrying, { engine, server, socket, name: `${this.name}#${addr}` })
  }

  override ofConnect(peer: WsPeer): MessageFields {
    const { request: value } = peer
    peer.request = undefined
    return { value }
  }

  override ofDisconnect({ close_code }: WsPeer): MessageFields {
    return { seq: BigInt(close_code as number) }
  }

  override endPeer(peer: WsPeer, { seq, data }: Message): void {
    peer.end(seq === 0n ? undefined : Number(seq), data.toString())
  }

  [POST_TEXT](text: string, addr: Addr | undefined): boolean | undefined {
    return this.#params.isPlainText ? (this.peerOf(addr)?.postText(text) ?? false) : undefined
  }

  /** They are not compressed. */
  override pack(messages: readonly Message[]): Uint8Array {
    return packMessages(this.#params, messages)
  }
}

/** One peer of a server. */
class WsPeer extends carrying<WebSocketConnection>(WebSocketConnection) {
  /** What the peer asked for. It is forgotten when its Connect has been reported. */
  request: UpgradeRequest | undefined

  override on_upgrade(request: UpgradeRequest): void {
    this.request = request
  }
}
