/**
 * Layer 2. Listening sockets on node:net.
 *
 * A unix socket is bound under a hidden name first, and gets its own one then: see socket-path.ts.
 * The exception is a worker of a cluster. The workers share the socket that the primary process
 * opens for the first of them, and they share it by its name.
 *
 * The descriptor of a server is found where Node does not document it: see descriptor.ts.
 */

import { lookup } from 'node:dns'
import type { EventEmitter } from 'node:events'
import { chmod, lstat, rm } from 'node:fs/promises'
import { type AddressInfo, type ListenOptions as NodeOptions, Server } from 'node:net'
import { socketAddress } from '../../core/address.ts'
import { noop } from '../../core/noop.ts'
import { codeOf } from '../../errors.ts'
import type {
  Listener,
  ListenEndpoint,
  ListenerSink,
  ListenOptions,
  SystemError,
  Transport,
} from '../../transport.ts'
import type { Bytes, Port, SocketAddress } from '../../types.ts'
import { descriptorOf } from '../descriptor.ts'
import { TcpTransport } from '../tcp.ts'
import { TicketSeed } from '../ticket-keys.ts'
import { descriptorFault, hostFault, pathFault } from './listen-fault.ts'
import { checkNeeds } from './listen-needs.ts'
import { hiddenName, releaseName, takeName } from './socket-path.ts'

/**
 * Node's own default since Node 22. The 16 KiB of Node 20 cost a tenth of the throughput of large
 * messages.
 */
const HIGH_WATER: Bytes = 65_536

const ANY: ReadonlySet<string> = new Set(['::', '0.0.0.0'])

/** What a listener needs of its server. */
export interface ListeningServer extends EventEmitter, Pick<Server, 'address' | 'listening'> {
  listen(how: HowToListen, listening: () => void): unknown
  close(): unknown
}

export type HowToListen = NodeOptions & { readonly fd?: number; readonly reusePort?: boolean }

export class NodeListener implements Listener {
  sink: ListenerSink | undefined
  readonly #server: ListeningServer
  readonly #at: ListenEndpoint
  readonly #options: ListenOptions
  readonly #tickets: TicketSeed
  #local: SocketAddress | undefined
  /** The inode of our socket, while its path is ours to remove. */
  #inode: bigint | undefined
  /** The local address of all accepted connections, if it is bound to one address. */
  #bound: SocketAddress | undefined
  #state: 'opening' | 'open' | 'failed' | 'closing' | 'closed' = 'opening'

  constructor(
    at: ListenEndpoint,
    options: ListenOptions,
    server: ListeningServer = nodeServer(at.kind !== 'unix'),
  ) {
    checkNeeds(at, options)
    this.#at = at
    this.#options = options
    this.#server = server
    this.#tickets = new TicketSeed(server)
    // Before `listen`, so that it comes before #setOpen.
    this.#server.once('listening', () => this.takeFrom(server))
    this.#server.on('error', error => void this.#refused(error))
    this.#listen()
  }

  get local_address(): SocketAddress | undefined {
    return this.#local
  }

  get fileno(): number | undefined {
    return descriptorOf(this.#server)
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    const hasFailed = this.#state === 'failed'
    this.#state = 'closing'
    this.#releasePath()
    if (this.#server.listening) this.#server.close()
    // Node's own 'close' waits for all connections, and a server that did not listen never emits
    // it.
    if (!hasFailed) setImmediate(() => this.#setClosed())
  }

  // ---- opening ----------------------------------------------------------------------------------

  #listen(): void {
    try {
      if (!mayListen()) throw accessDenied()
      this.#listenAt(this.#at)
    } catch (error) {
      // Deno throws instead of reporting it.
      queueMicrotask(() => this.#fail(error as SystemError))
    }
  }

  #listenAt(at: ListenEndpoint): void {
    const { backlog } = this.#options
    if (at.kind === 'ip') this.#listenOnPort(at.host, at.port)
    else if (at.kind === 'descriptor') this.#listenWith({ fd: at.fd, backlog })
    else if (at.path.startsWith('\0')) this.#listenWith({ path: at.path, backlog })
    else if (process.send === undefined) this.#listenHidden(at.path)
    else void this.#listenAsChild(at.path).catch((error: SystemError) => this.#fail(error))
  }

  /** Without a host Node listens on both families, or on IPv4 alone if there is no IPv6. */
  #listenOnPort(host: string, port: Port): void {
    const { backlog, reuse_port: reusePort = false, ipv6_only: ipv6Only = false } = this.#options
    const how = { port, backlog, reusePort, ipv6Only }
    if (!ipv6Only) this.#listenWith({ ...how, ...(host !== '' && { host }) })
    else if (host === '') this.#listenWith({ ...how, host: '::' })
    else
      lookup(host, { family: 6 }, (error, address) => {
        if (error) this.#fail(error)
        else if (this.#state === 'opening') this.#listenWith({ ...how, host: address })
      })
  }

  #listenWith(how: HowToListen): void {
    this.#server.listen(how, () => this.#setOpen())
  }

  #listenHidden(path: string): void {
    const { backlog } = this.#options
    const hidden = hiddenName(path)
    this.#server.listen({ path: hidden, backlog }, () => void this.#claim(hidden, path))
  }

  /** A process that was forked may be a worker of a cluster. */
  async #listenAsChild(path: string): Promise<void> {
    const { default: cluster } = await import('node:cluster')
    // Closed meanwhile.
    if (this.#state !== 'opening') return
    if (!cluster.isWorker) return this.#listenHidden(path)
    const { backlog } = this.#options
    this.#server.listen({ path, backlog }, () => {
      this.#permit(path).then(
        () => this.#setOpen(),
        (error: SystemError) => this.#fail(error),
      )
    })
  }

  async #permit(path: string): Promise<void> {
    if (this.#options.mode !== undefined) await chmod(path, this.#options.mode)
  }

  async #claim(hidden: string, path: string): Promise<void> {
    try {
      await this.#permit(hidden)
      const { ino } = await lstat(hidden, { bigint: true })
      await takeName(hidden, path)
      this.#inode = ino
      // If it was closed meanwhile, the name must not stay behind.
      if (this.#state === 'opening') this.#setOpen()
      else this.#releasePath()
    } catch (error) {
      // libuv removes the hidden name as well. A Node with permissions may forbid it to us.
      await rm(hidden, { force: true }).catch(noop)
      this.#server.close()
      this.#fail(error as SystemError)
    }
  }

  #setOpen(): void {
    // Closed while the host was looked up: Node listens all the same, and must be closed again.
    if (this.#state !== 'opening') return void this.#server.close()
    this.#state = 'open'
    if (this.#at.kind === 'unix') this.#local = this.#at.path
    else {
      // A unix socket that was given as a descriptor: Node does not know its path.
      const found = this.#server.address() as AddressInfo | null
      this.#local = found === null ? '' : socketAddress(found.address, found.port)
      if (found === null || !ANY.has(found.address)) this.#bound = this.#local
    }
    this.sink?.listening()
  }

  // ---- accepting --------------------------------------------------------------------------------

  /**
   * The server listens. From now on each connection that it accepts is made a transport, and handed
   * to `accept`. A subclass may take connections in another form.
   */
  takeFrom(server: ListeningServer): void {
    server.on('connection', socket => this.accept(new TcpTransport(socket, undefined, this.bound)))
  }

  /** The local address of all accepted connections; `undefined` if it differs. */
  get bound(): SocketAddress | undefined {
    return this.#at.kind === 'unix' ? this.#at.path : this.#bound
  }

  accept(transport: Transport): void {
    // Reset before it was accepted: the peer has gone, and its address is unknown. (Other systems
    // than Linux do not even accept such a connection.)
    const isGone = transport.remote_address === undefined
    this.#tickets.note(transport)
    if (this.#state === 'open' && !isGone) this.sink?.accepted(transport)
    else transport.destroy()
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** The system names the hidden path, or nothing at all. */
  async #refused(error: SystemError): Promise<void> {
    const at = this.#at
    if (at.kind === 'unix') this.#fail(await pathFault(error, at.path))
    else if (at.kind === 'descriptor') this.#fail(descriptorFault(error, at.fd))
    else this.#fail(codeOf(error) === '' ? await hostFault(error, at.host) : error)
  }

  #fail(error: SystemError): void {
    if (this.#state !== 'opening' && this.#state !== 'open') return
    this.#state = 'failed'
    this.sink?.failed(error)
    setImmediate(() => this.#setClosed())
  }

  #setClosed(): void {
    this.#state = 'closed'
    this.sink?.closed()
  }

  /** In the call, so that a program that exits right after leaves nothing behind. */
  #releasePath(): void {
    if (this.#inode === undefined || this.#at.kind !== 'unix') return
    releaseName(this.#at.path, this.#inode)
    this.#inode = undefined
  }
}

function nodeServer(noDelay: boolean): Server {
  const highWaterMark = HIGH_WATER
  return new Server({ allowHalfOpen: true, pauseOnConnect: true, noDelay, highWaterMark })
}

/**
 * Does Node forbid this process to listen (`--permission` without `--allow-net`)? Node throws it
 * then, and for a host a turn later, where nobody can catch it. Up to Node 24, which do not know
 * `--allow-net`, sockets are allowed although they say otherwise.
 */
export function mayListen(
  permission: { has(scope: string): boolean } | undefined = process.permission,
  flags: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): boolean {
  return permission === undefined || !flags.has('--allow-net') || permission.has('net')
}

/** The error that Node throws. */
function accessDenied(): SystemError {
  const message = 'Access to this API has been restricted. Use --allow-net to manage permissions.'
  return Object.assign(new Error(message), { code: 'ERR_ACCESS_DENIED', syscall: 'listen' })
}
