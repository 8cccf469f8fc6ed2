/**
 * Layer 8. `tcp://host:port;mode=server`, `tls+tcp://host:port;mode=server` and
 * `unix://path;mode=server`: messages in frames, from and to any number of peers. How peers come
 * and go is in streams/carrier-server.ts.
 *
 * The parameters are in stream-params.ts, those of `tls+tcp` in tls-options.ts.
 */

import { takeOver } from '../../channels/servers/server-link.ts'
import type { Transport } from '../../transport.ts'
import type { Address, SocketAddress } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import type { Addr, Message } from '../message.ts'
import { FramedStream } from './framed-stream.ts'
import { packFrames } from './frames.ts'
import { formatHost, hostFault, parseHost } from './host.ts'
import { inFamily, type StreamParams, streamParams } from './stream-params.ts'
import { CarrierServer } from './streams/carrier-server.ts'
import type { ListeningSocket } from './streams/listening-socket.ts'

/** The channel of `tcp://;mode=server`, `tls+tcp://;mode=server` and `unix://;mode=server`. */
// Source: TLL `tcp`, server. Differs: it is 'opening' until it listens, which may fail.
export class TcpServer extends CarrierServer<FramedStream> {
  static override readonly protocol: string = 'tcp-server'

  readonly address: Address
  readonly #params: StreamParams

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
    this.address = inFamily(init.params, address)
    this.#params = streamParams(init.params, 'server')
  }

  override get carries(): Carries {
    return this.#params.frame.carries
  }

  override toClient(address: SocketAddress): string {
    return `${formatHost(address)};mode=client${this.#params.ofPeer}`
  }

  override makePeer(addr: Addr, socket: Transport, server: ListeningSocket): void {
    const { engine } = this
    const name = `${this.name}#${addr}`
    const peer = new FramedStream(this.peerOwner, this.#params, { engine, socket, name }, addr)
    takeOver(server, socket, peer)
  }

  override pack(messages: readonly Message[]): Uint8Array {
    return packFrames(this.#params.frame, messages)
  }
}
