/**
 * Layer 2. A listener in memory; its members are described in transport.ts.
 *
 * `backlog` limits nothing: every pump accepts all connections that wait.
 */

import type { Endpoint, Listener, ListenerSink } from '../../transport.ts'
import type { SocketAddress } from '../../types.ts'
import type { Call, Hub } from './hub.ts'
import { addressOf, nameOf, systemError } from './place.ts'
import { MemoryTransport } from './transport.ts'

/** Listens from the next pump on. If `at` is port 0, the hub chooses a port. */
export class MemoryListener implements Listener {
  sink: ListenerSink | undefined
  readonly fileno: undefined
  local_address: SocketAddress | undefined
  readonly #hub: Hub
  #at: Endpoint
  #state: 'opening' | 'listening' | 'closing' = 'opening'
  #waiting: Call[] = []

  constructor(hub: Hub, at: Endpoint) {
    this.#hub = hub
    this.#at = at
    hub.wake(this.#step)
  }

  readonly #step = (): number => {
    if (this.#state === 'opening') return this.#open()
    if (this.#state === 'listening') return this.#accept()
    this.#hub.steps.delete(this.#step)
    this.sink?.closed()
    return 1
  }

  #open(): number {
    this.#at = this.#hub.place(this.#at, this.#hub.listeners)
    if (this.#hub.listeners.has(nameOf(this.#at))) {
      this.#state = 'closing'
      this.sink?.failed(systemError('EADDRINUSE', 'listen', this.#at))
      return 1
    }
    this.#state = 'listening'
    this.#hub.listeners.set(nameOf(this.#at), this.#waiting)
    this.local_address = addressOf(this.#at)
    this.sink?.listening()
    return 1
  }

  #accept(): number {
    let moved = 0
    for (
      let call = this.#waiting.shift();
      call !== undefined;
      call = this.#waiting.shift(), moved++
    ) {
      const [inward, outward, remote] = call
      const transport = new MemoryTransport(this.#hub, inward, outward, {
        local: this.local_address,
        remote,
      })
      this.sink?.accepted(transport)
    }
    return moved
  }

  /** Connections that were not accepted yet are reset, as a kernel does. */
  close(): void {
    if (this.#state === 'listening') this.#hub.listeners.delete(nameOf(this.#at))
    for (const [inward, outward] of this.#waiting.splice(0))
      for (const pipe of [inward, outward]) pipe.break()
    this.#state = 'closing'
    this.#hub.wake()
  }
}
