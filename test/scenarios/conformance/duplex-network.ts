/**
 * A network whose pipes are sockets of node:net that were adopted (io/duplex/duplex-transport.ts).
 * For the suite: a program adopts one at a time.
 */

import { createConnection, Server } from 'node:net'
import { socketAddress } from '../../../src/core/address.ts'
import { type DuplexTransport, duplexTransport } from '../../../src/io/duplex/duplex-transport.ts'
import { openPackets } from '../../../src/io/udp/udp.ts'
import type {
  Endpoint,
  Listener,
  ListenerSink,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  SystemError,
  Transport,
} from '../../../src/transport.ts'
import type { SocketAddress } from '../../../src/types.ts'

export class DuplexNetwork implements Network {
  connect(to: Endpoint): Transport {
    const transport = duplexTransport(createConnection(to))
    transport.open()
    return transport
  }

  listen(at: Endpoint, options: ListenOptions): Listener {
    return new DuplexListener(at, options)
  }

  packets(options: PacketOptions): PacketSocket {
    return openPackets(options)
  }
}

class DuplexListener implements Listener {
  sink: ListenerSink | undefined
  local_address: SocketAddress | undefined
  readonly #server: Server
  /** Has `close` been called, or has it failed? */
  #isOver = false

  constructor(at: Endpoint, { backlog }: ListenOptions) {
    this.#server = new Server({ allowHalfOpen: true, pauseOnConnect: true }, socket => {
      const transport: DuplexTransport = duplexTransport(socket)
      if (this.#isOver) transport.destroy()
      else this.sink?.accepted(transport)
    })
    this.#server.on('error', error => this.#failed(error))
    this.#server.listen({ ...at, backlog }, () => this.#listening())
  }

  get fileno(): undefined {
    return undefined
  }

  #listening(): void {
    const at = this.#server.address()
    if (at === null) return
    this.local_address = typeof at === 'string' ? at : socketAddress(at.address, at.port)
    if (!this.#isOver) this.sink?.listening()
  }

  #failed(error: SystemError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.sink?.failed(error)
    queueMicrotask(() => this.sink?.closed())
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#server.close()
    setImmediate(() => this.sink?.closed())
  }
}
