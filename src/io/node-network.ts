/**
 * Layer 2. The network of the machine under Node: what every engine has by default. Engines get it
 * from node.ts.
 *
 * It has TCP, unix sockets and UDP by node:net and node:dgram, TLS by node:tls, and the files of
 * node:fs.
 */

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
} from '../transport.ts'
import { fileLimit } from './file-limit.ts'
import { nodeFiles } from './files.ts'
import { keepFreed } from './heap.ts'
import { HAS_PROBES } from './keep-alive.ts'
import { NodeListener } from './listening/listener.ts'
import { connectTcp } from './tcp.ts'
import { nodeTls } from './tls.ts'
import { openPackets } from './udp/udp.ts'

export class NodeNetwork implements Network {
  readonly tls = nodeTls
  readonly files = nodeFiles

  constructor() {
    keepFreed()
  }

  connect(to: Endpoint, options: ConnectOptions): Transport {
    return connectTcp(to, options)
  }

  listen(at: ListenEndpoint, options: ListenOptions): Listener {
    return new NodeListener(at, options)
  }

  get file_limit(): number {
    return fileLimit()
  }

  get has_keep_alive_probes(): boolean {
    return HAS_PROBES
  }

  packets(options: PacketOptions): PacketSocket {
    return openPackets(options)
  }
}
