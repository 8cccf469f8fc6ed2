/**
 * Layer 8. The client of `ws://host:port/path` and `wss://host:port/path`: one message is one
 * message of WebSocket. How it opens and closes is in streams/carrier-client.ts. It is 'opening'
 * until the handshake is done. A server that answers in another way is a failure.
 *
 * The parameters are in ws-params.ts.
 */

import type { WebSocketClient } from '../../../protocols/websocket/client.ts'
import type { Carries } from '../../caps.ts'
import type { Init } from '../../init.ts'
import type { Params } from '../../params.ts'
import { POST_TEXT } from '../../texts.ts'
import { formatHost } from '../host.ts'
import { CarrierClient } from '../streams/carrier-client.ts'
import { wsHeaders, type WsParams, wsParams, wsTarget } from './ws-params.ts'
import { WsCaller, type WsStream, type WsStreamOwner } from './ws-stream.ts'

type Calling = WebSocketClient & WsStream

/** The channel of `ws://` and `wss://`. */
export class WsClient extends CarrierClient<Calling> {
  static override readonly protocol: string = 'ws-client'

  readonly #params: WsParams
  readonly #headers: Record<string, string>

  constructor(init: Init) {
    super(init)
    this.#params = wsParams(init.params, 'client')
    this.#headers = wsHeaders(init.params)
    const { host } = init.params.url
    if (host !== '') wsTarget(init.params, host)
    else init.params.has('path')
  }

  override get carries(): Carries {
    return this.#params.carries
  }

  /** As that of every client, and `protocol`: the subprotocol. */
  override get info(): Readonly<Record<string, unknown>> {
    return { ...super.info, protocol: this.stream?.protocol }
  }

  override makeStream(owner: WsStreamOwner): Calling {
    const { engine, name } = this
    return new WsCaller({ owner, params: this.#params }, { engine, name })
  }

  [POST_TEXT](text: string): boolean | undefined {
    return this.#params.isPlainText ? this.stream?.postText(text) : undefined
  }

  override connecting(params: Params): (stream: Calling) => void {
    const url = this.#target(params)
    const { protocols } = this.#params
    return stream => stream.connect(url, { protocols, headers: this.#headers })
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
}
