/**
 * Layer 2. An opt-in network for Bun: `new Engine({ network: new BunNetwork() })`.
 *
 *   Bun.listen → BunServer → BunListener → BunTransport → the sink
 *   a socket of node:net that connects → its handle → BunTransport → the sink
 *   Bun.udpSocket → BunUdp → UdpSocket of udp/ → the sink
 *
 * A connection is a socket of Bun's own, with a light owner of ours (transport.ts) and no stream.
 * TLS is that of node:tls, over a net.Socket that is made of the handle then. Files are those of
 * the default network. What is used of Bun stands in bun.ts.
 */

import { checkOptions } from '../../core/options.ts'
import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenEndpoint,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  Transport,
} from '../../transport.ts'
import { fileLimit } from '../file-limit.ts'
import { NodeListener } from '../listening/listener.ts'
import { openPackets } from '../udp/udp.ts'
import { type BunGlobal, findBun } from './bun.ts'
import { HANDLERS } from './handlers.ts'
import { BunServer } from './server.ts'
import { BunTransport } from './transport.ts'
import { bunUdp } from './udp.ts'

/**
 * TCP and unix sockets on `Bun.listen`, and UDP on `Bun.udpSocket`: they cost less CPU time than
 * node:net and node:dgram on Bun. TLS and files are those of the default network.
 *
 * The constructor throws UnsupportedOptionError (ERR_UNSUPPORTED_OPTION) where there is no Bun, and
 * InvalidArgumentError if it is given an argument: it has no options.
 *
 * The interval and the count of `keep_alive` are refused: Bun has its own, 1 s and 10. So are the
 * sizes of the buffers of a Datagram. `backlog` is 512, whatever it says.
 */
export class BunNetwork implements Network {
  readonly #bun: BunGlobal

  constructor() {
    checkOptions('BunNetwork', arguments[0] ?? {}, [])
    this.#bun = findBun()
  }

  connect(to: Endpoint, options: ConnectOptions): Transport {
    return BunTransport.connect(to, options)
  }

  listen(at: ListenEndpoint, options: ListenOptions): Listener {
    return new BunListener(at, options, new BunServer(this.#bun, HANDLERS))
  }

  get file_limit(): number {
    return fileLimit()
  }

  get has_keep_alive_probes(): boolean {
    return false
  }

  packets(options: PacketOptions): PacketSocket {
    return openPackets(options, how => bunUdp(this.#bun, how))
  }
}

class BunListener extends NodeListener {
  readonly #server: BunServer

  constructor(at: ListenEndpoint, options: ListenOptions, server: BunServer) {
    super(at, options, server)
    this.#server = server
  }

  override get fileno(): number | undefined {
    const { fd } = this.#server
    return fd < 0 ? undefined : fd
  }

  override takeFrom(server: BunServer): void {
    server.accept = socket => {
      const transport = BunTransport.accepted(socket, this.bound)
      this.accept(transport)
      transport.rest()
    }
  }
}
