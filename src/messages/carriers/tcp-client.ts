/**
 * Layer 8. The client of `tcp://host:port`, `tls+tcp://host:port` and `unix://path`: messages in
 * frames, over one connection. How it opens and closes is in streams/carrier-client.ts.
 *
 * The parameters are in stream-params.ts, those of `tls+tcp` in tls-options.ts.
 */

import type { Address } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import type { Params } from '../params.ts'
import { FramedStream, type FramedStreamOwner } from './framed-stream.ts'
import { hostFault, parseHost } from './host.ts'
import { bindAddress, inFamily, type StreamParams, streamParams } from './stream-params.ts'
import { CarrierClient } from './streams/carrier-client.ts'

/** The channel of `tcp://`, `tls+tcp://` and `unix://`. */
// Source: TLL `tcp`, client.
export class TcpClient extends CarrierClient<FramedStream> {
  static override readonly protocol: string = 'tcp-client'

  readonly #params: StreamParams
  readonly #bind: [host: string, port: number] | undefined

  constructor(init: Init) {
    super(init)
    this.#params = streamParams(init.params, 'client')
    this.#bind = bindAddress(init.params)
    const { host } = init.params.url
    if (host !== '') this.#address(host)
  }

  override get carries(): Carries {
    return this.#params.frame.carries
  }

  override makeStream(owner: FramedStreamOwner): FramedStream {
    const { engine, name } = this
    return new FramedStream(owner, this.#params, { engine, name })
  }

  override connecting(params: Params): (stream: FramedStream) => void {
    const address = this.#target(params)
    return stream => stream.connect(address, this.#bind && { local_address: this.#bind })
  }

  #target(params: Params): Address {
    const { url } = this.params
    if (url.host !== '') return this.#address(url.host)
    if (!params.has('host'))
      throw url.host_fault("the address is missing; without one, open('host=…') must give it")
    const address = parseHost(params.text('host'), this.#isUnix)
    if (address === undefined) throw params.fault('host', 'host:port, or a path')
    return inFamily(this.params, address)
  }

  get #isUnix(): boolean {
    return this.params.url.protocol === 'unix'
  }

  #address(text: string): Address {
    const address = parseHost(text, this.#isUnix)
    if (address === undefined)
      throw this.params.url.host_fault(
        hostFault(text, 'the address must be host:port, or a path with a slash'),
      )
    return inFamily(this.params, address)
  }

  override half_close(): boolean {
    if (this.state === 'active') this.stream?.half_close()
    return true
  }
}
