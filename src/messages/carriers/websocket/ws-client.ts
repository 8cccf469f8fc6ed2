/**
 * Layer 8. The client of `ws://host:port/path` and `wss://host:port/path`: one message is one
 * message of WebSocket.
 *
 * It is 'opening' until the handshake is done. It closes when the peer does. A failure, also a
 * server that answers in another way, leads to the state 'error'. `close()` first sends what was
 * posted.
 *
 * The parameters are in ws-params.ts.
 */

import { LIFE } from '../../../channels/life.ts'
import type { WebSocketClient } from '../../../protocols/websocket/client.ts'
import type { Bytes, CloseReason } from '../../../types.ts'
import type { Carries } from '../../caps.ts'
import type { Init } from '../../init.ts'
import { Control, type Message } from '../../message.ts'
import { MessageChannel } from '../../message-channel.ts'
import type { Params } from '../../params.ts'
import { formatHost } from '../host.ts'
import { type LoadTlsOptions, tlsOptions } from '../tls-options.ts'
import { wsHeaders, type WsParams, wsParams, wsTarget } from './ws-params.ts'
import { WsCaller, type WsStream, type WsStreamOwner } from './ws-stream.ts'

/** The channel of `ws://` and `wss://`. */
export class WsClient extends MessageChannel {
  static override readonly protocol: string = 'ws-client'
  static override readonly caps = ['long_close'] as const

  readonly #params: WsParams
  readonly #headers: Record<string, string>
  readonly #tls: LoadTlsOptions | undefined
  #stream: (WebSocketClient & WsStream) | undefined
  #reason: CloseReason | undefined
  #unsent: Bytes = 0

  constructor(init: Init) {
    super(init)
    this.#params = wsParams(init.params, 'client')
    this.#headers = wsHeaders(init.params)
    this.#tls = tlsOptions(init.params, 'client')
    const { host } = init.params.url
    if (host !== '') wsTarget(init.params, host)
    else init.params.has('path')
  }

  override get carries(): Carries {
    return this.#params.carries
  }

  /**
   * `local` and `remote`: the addresses of the connection. `unsent`: the bytes that were posted and
   * have not gone; after the connection has failed, those that were lost. `protocol`: the
   * subprotocol.
   */
  override get info(): Readonly<Record<string, unknown>> {
    const stream = this.#stream
    return {
      local: stream?.local_address,
      remote: stream?.remote_address,
      unsent: stream?.bytes_queued ?? this.#unsent,
      protocol: stream?.protocol,
    }
  }

  /** If the URL has no host, the opening must give it: `open('host=127.0.0.1:5555')`. */
  override do_open(params: Params): 'opening' {
    const url = this.#target(params)
    const tls = this.#tls?.(this[LIFE].drive.files)
    this.#reason = undefined
    this.#unsent = 0
    const { engine, name } = this
    const carrying = { owner: this.#owner, params: this.#params }
    this.#stream = new WsCaller(carrying, { engine, name })
    if (this.suspended) this.#stream.suspend()
    if (tls !== undefined) this.#stream.start_tls(tls)
    this.#stream.connect(url, { protocols: this.#params.protocols, headers: this.#headers })
    this.update_dcaps(['poll_out'])
    return 'opening'
  }

  #target(params: Params): string {
    const { url } = this.params
    if (url.host === '' && !params.has('host'))
      throw url.host_fault("the address is missing; without one, open('host=…') must give it")
    const { address, resource = '/' } = wsTarget(
      this.params,
      url.host === '' ? params.text('host') : url.host,
    )
    return `${url.protocol}://${formatHost(address as [string, number])}${resource}`
  }

  readonly #owner: WsStreamOwner = {
    connected: () => {
      this.update_dcaps(['poll_in'], ['poll_out'])
      this.become_active()
    },
    received: message => {
      if (message.msgid === Control.WriteFull && message.type === 'control')
        this.update_dcaps(['poll_out'])
      else if (message.type === 'control') this.update_dcaps([], ['poll_out'])
      return this.emit(message)
    },
    failed: (stream, error) => {
      this.#unsent = stream.bytes_queued
      this.fail(error)
    },
    closed: (stream, reason) => {
      if (stream !== this.#stream) return
      this.#stream = undefined
      this.#reason = reason
      if (this.state === 'closing') this.finish_close(reason)
      else if (this.state !== 'error') this.close()
    },
  }

  override do_close(force: boolean): void {
    const stream = this.#stream
    if (stream === undefined) return this.finish_close(this.#reason)
    if (!force) return stream.end()
    this.#unsent = Math.max(this.#unsent, stream.bytes_queued)
    this.#stream = undefined
    stream.close()
  }

  /** Control WriteFlush sends what is queued at once. Other control messages are dropped. */
  override do_post(message: Message): boolean {
    const stream = this.#stream as WebSocketClient & WsStream
    if (message.type === 'data') return stream.post(message)
    if (message.type === 'control' && message.msgid === Control.WriteFlush) stream.flush()
    return true
  }

  override do_suspend(): void {
    this.#stream?.suspend()
  }

  override do_resume(): void {
    this.#stream?.resume()
  }
}
