/**
 * A network whose pipes are TLS over those of another network. For the suite, which has no
 * handshakes.
 */

import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  TlsContext,
  Transport,
  TransportSink,
} from '../../../src/transport.ts'
import type { Encoding } from '../../../src/types.ts'

export class TlsNetwork implements Network {
  readonly #inner: Network
  readonly #client: TlsContext
  readonly #server: TlsContext

  constructor(inner: Network, client: TlsContext, server: TlsContext) {
    this.#inner = inner
    this.#client = client
    this.#server = server
  }

  connect(to: Endpoint, options: ConnectOptions): Transport {
    return new Caller(this.#inner.connect(to, options), this.#client)
  }

  /** A connection is reported when its handshake is done, and dropped if that fails. */
  listen(at: Endpoint, options: ListenOptions): Listener {
    const listener = this.#inner.listen(at, options)
    let outer: Listener['sink']
    listener.sink = {
      listening: () => outer?.listening(),
      accepted: transport => {
        const secured = this.#server.secure(transport, '')
        secured.sink = { ...SILENT, opened: () => outer?.accepted(secured) }
      },
      failed: error => outer?.failed(error),
      closed: () => outer?.closed(),
    }
    return new Proxy(listener, {
      get: (target, name) =>
        typeof Reflect.get(target, name, target) === 'function'
          ? target[name as 'close'].bind(target)
          : Reflect.get(target, name, target),
      set: (target, name, value) =>
        name === 'sink'
          ? ((outer = value as Listener['sink']), true)
          : Reflect.set(target, name, value, target),
    })
  }

  packets(options: PacketOptions): PacketSocket {
    return this.#inner.packets(options)
  }
}

const SILENT: TransportSink = {
  opened() {},
  received() {},
  drained() {},
  ended() {},
  failed() {},
  closed() {},
}

/** Connects, then does the handshake. Calls that come earlier wait until it is open. */
class Caller implements Transport {
  #sink: TransportSink | undefined
  #at: Transport
  #isOpen = false
  #isOver = false
  #isClosed = false
  #later: (() => void)[] = []

  constructor(inner: Transport, context: TlsContext) {
    this.#at = inner
    inner.sink = {
      ...SILENT,
      opened: () => this.#secure(context),
      failed: error => this.sink?.failed(error),
      closed: () => this.#closed(),
    }
  }

  #secure(context: TlsContext): void {
    this.#at = context.secure(this.#at, 'localhost')
    this.#at.sink = {
      opened: () => {
        this.#isOpen = true
        this.sink?.opened()
        for (const call of this.#later.splice(0)) call()
      },
      received: chunk => this.sink?.received(chunk),
      drained: () => this.sink?.drained(),
      ended: () => this.sink?.ended(),
      failed: error => this.sink?.failed(error),
      closed: () => this.#closed(),
    }
  }

  #closed(): void {
    this.#isClosed = true
    this.sink?.closed()
  }

  get sink() {
    return this.#sink
  }

  set sink(sink) {
    this.#sink = sink
    if (this.#isClosed) queueMicrotask(() => sink?.closed())
  }

  #do(call: () => void): void {
    if (this.#isOpen || this.#isOver) call()
    else this.#later.push(call)
  }

  get tls() {
    return this.#at.tls
  }

  get local_address() {
    return this.#isOpen ? this.#at.local_address : undefined
  }

  get remote_address() {
    return this.#isOpen ? this.#at.remote_address : undefined
  }

  get fileno() {
    return this.#at.fileno
  }

  get bytes_read() {
    return this.#at.bytes_read
  }

  get bytes_written() {
    return this.#at.bytes_written
  }

  get bytes_queued() {
    return this.#at.bytes_queued
  }

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    if (this.#isOpen) return this.#at.write(data, encoding)
    this.#do(() => this.#at.write(data, encoding))
    return false
  }

  cork(): void {
    this.#do(() => this.#at.cork())
  }

  uncork(): void {
    this.#do(() => this.#at.uncork())
  }

  pause(): void {
    this.#do(() => this.#at.pause())
  }

  resume(): void {
    this.#do(() => this.#at.resume())
  }

  end(): void {
    this.#do(() => this.#at.end())
  }

  destroy(): void {
    this.#isOver = true
    this.#later = []
    this.#at.destroy()
  }

  set_no_delay(on: boolean): void {
    this.#at.set_no_delay(on)
  }

  set_keep_alive(after: number | false): void {
    this.#at.set_keep_alive(after)
  }
}
