/**
 * Layer 2. An opt-in network that bypasses Node's sockets:
 * `new Engine({ network: new FastNetwork() })`.
 *
 *   accepted handle, or the handle of a socket that has connected → FastTransport → the sink
 *
 * What it does differently from `NodeNetwork`, and nothing else:
 * 1. A connection is the handle that libuv accepts, with a light owner of ours (transport.ts). No
 *    net.Socket is made for it. A connection that we open is dialled by a Socket, whose handle is
 *    taken when it has connected.
 * 2. All connections read into one buffer, so no memory is allocated for a read.
 * 3. A write goes to the handle at once, without the queue, the ticks and the objects of Writable.
 * TLS is spoken over a Socket that is made of the handle then. UDP and files are those of the
 * default network.
 *
 * Everything that is used of Node beyond its documentation stands in handles.ts and is looked for
 * by the constructor. This is never the default, as any of it may change.
 */

import type { Server } from 'node:net'
import { checkOptions } from '../../core/options.ts'
import { UnsupportedOptionError } from '../../errors.ts'
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
import { HAS_PROBES } from '../keep-alive.ts'
import { NodeListener } from '../listening/listener.ts'
import { runtimeOf } from '../runtimes/runtime-of.ts'
import { openPackets } from '../udp/udp.ts'
import { handleOf, learnHandles, type ListeningHandle } from './handles.ts'
import { FastTransport } from './transport.ts'

/**
 * TCP and unix sockets that cost less CPU time a message than Node's streams. The gain is greatest
 * for small messages that are answered one at a time. UDP, TLS and files are those of the default
 * network.
 *
 * It relies on parts of Node that are not documented: test it with the versions of Node that you
 * run. The constructor throws UnsupportedOptionError (ERR_UNSUPPORTED_OPTION) if this Node lacks
 * something that it needs, and InvalidArgumentError if it is given an argument: it has no options.
 */
export class FastNetwork implements Network {
  constructor() {
    checkOptions('FastNetwork', arguments[0] ?? {}, [])
    const missing = learnHandles()
    if (missing.length === 0) {
      FastTransport.prepare()
      return
    }
    throw new UnsupportedOptionError(
      'FastNetwork',
      `${missing.join(', ')}, as Node 20 to 26 has it on Linux; ` +
        `${runtimeOf(process.versions)} on ${process.platform} does not. Use the default network`,
    )
  }

  connect(to: Endpoint, options: ConnectOptions): Transport {
    return FastTransport.connect(to, options)
  }

  listen(at: ListenEndpoint, options: ListenOptions): Listener {
    return new FastListener(at, options)
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

/** Takes the handles that its server accepts, before Node makes sockets of them. */
class FastListener extends NodeListener {
  override takeFrom(server: Server): void {
    const listening = handleOf<ListeningHandle>(server) as ListeningHandle
    const { onconnection } = listening
    listening.onconnection = (status, accepted) => {
      if (accepted === undefined) return onconnection.call(listening, status)
      this.accept(FastTransport.accepted(accepted, this.bound))
    }
  }
}
