/**
 * Layer 2. One end of a pipe in memory; its members are described in ../../transport.ts.
 *
 * A step reports in the order of the seam: open → receive → drain → hear (the end or the break) →
 * fail → close.
 *
 * Rules:
 * 1. A step looks at the states and pipes as they are now. There is no queue of reports: a report
 *    could be out of date after `destroy`.
 * 2. A sink may call anything, so a step looks everything up again after each report.
 * 3. TCP in short: `destroy` sends the end, or a break (ECONNRESET) if input was left unread. Both
 *    come after the bytes, so a paused reader sees neither; but a writer that waits for `drained`
 *    sees the break. Writing to a peer that has gone is EPIPE.
 */

import { Buffer } from 'node:buffer'
import type {
  ConnectOptions,
  Endpoint,
  SystemError,
  Transport,
  TransportSink,
} from '../../transport.ts'
import type { Bytes, Encoding, SocketAddress } from '../../types.ts'
import type { Hub } from './hub.ts'
import type { Pipe } from './pipe.ts'
import { addressOf, nameOf, systemError } from './place.ts'

/** How a transport was made: by connecting, or by a listener. */
type Origin =
  | { to: Endpoint; from: ConnectOptions['local'] }
  | { local: SocketAddress | undefined; remote: SocketAddress }

/** It reads from the pipe `inward` and writes to the pipe `outward`. */
export class MemoryTransport implements Transport {
  #sink: TransportSink | undefined
  readonly fileno: undefined
  local_address: SocketAddress | undefined
  remote_address: SocketAddress | undefined
  bytes_read: Bytes = 0
  readonly #hub: Hub
  readonly #in: Pipe
  readonly #out: Pipe
  #state: 'connecting' | 'open' | 'failing' | 'closing' | 'closed' = 'open'
  #flow: 'paused' | 'flowing' = 'paused'
  #peer: 'open' | 'ended' = 'open'
  #room: 'ready' | 'full' = 'ready'
  #corks = 0
  #error: SystemError | undefined
  readonly #origin: Origin

  constructor(hub: Hub, inward: Pipe, outward: Pipe, origin: Origin) {
    this.#hub = hub
    this.#in = inward
    this.#out = outward
    this.#origin = origin
    if ('to' in origin) this.#state = 'connecting'
    else [this.local_address, this.remote_address] = [origin.local, origin.remote]
    hub.transports.set(this, [inward, outward])
    hub.wake(this.#step)
  }

  get sink(): TransportSink | undefined {
    return this.#sink
  }

  set sink(sink: TransportSink | undefined) {
    this.#sink = sink
    if (this.#state === 'closed') queueMicrotask(() => sink?.closed())
  }

  get bytes_written(): Bytes {
    return this.#out.total - this.#out.queued
  }

  get bytes_queued(): Bytes {
    return this.#out.queued
  }

  readonly #step = (budget: Bytes): number => {
    let moved = 0
    if (this.#state === 'connecting') moved += this.#open()
    if (this.#state === 'open') moved += this.#receive(budget)
    if (this.#state === 'open') moved += this.#drain()
    if (this.#state === 'open') moved += this.#hear()
    if (this.#state === 'failing') moved += this.#fail()
    if (this.#state === 'closing') moved += this.#close()
    return moved
  }

  #open(): number {
    const { to, from } = this.#origin as { to: Endpoint; from: ConnectOptions['local'] }
    const waiting = this.#hub.listeners.get(nameOf(to))
    if (waiting === undefined)
      return this.#break(systemError(to.kind === 'unix' ? 'ENOENT' : 'ECONNREFUSED', 'connect', to))
    const local = this.#hub.place(
      { kind: 'ip', host: from?.host ?? '', port: from?.port ?? 0 },
      this.#hub.listeners,
    )
    this.local_address = to.kind === 'unix' ? '' : addressOf(local)
    this.remote_address = addressOf(to)
    waiting.push([this.#out, this.#in, this.local_address])
    this.#in.capacity = this.#out.capacity = this.#hub.capacity
    this.#state = 'open'
    this.sink?.opened()
    return 1
  }

  #receive(budget: Bytes): number {
    // What a hook adds waits for the next pump.
    const limit = Math.min(budget, this.#in.size - this.#in.corked)
    let moved = 0
    while (moved < limit && this.#state === 'open' && this.#flow === 'flowing') {
      const chunk = this.#in.take(Math.min(limit - moved, this.#hub.chunk()))
      // The pipe was reset meanwhile.
      if (chunk.length === 0) break
      moved += chunk.length
      this.bytes_read += chunk.length
      this.sink?.received(chunk)
    }
    return moved
  }

  /** Reports no `drained` after `end`, like Node's sockets. */
  #drain(): number {
    if (
      this.#room === 'ready' ||
      this.#out.size > 0 ||
      this.#out.reader === 'gone' ||
      this.#out.tail === 'end'
    )
      return 0
    this.#room = 'ready'
    this.sink?.drained()
    return 1
  }

  #hear(): number {
    const all = this.#flow === 'flowing' && this.#in.size === 0
    if (this.#in.tail === 'break' && (all || this.#room === 'full'))
      return this.#break(systemError('ECONNRESET', 'read'))
    let moved = 0
    if (this.#in.tail === 'end' && all && this.#peer === 'open') {
      this.#peer = 'ended'
      this.sink?.ended()
      moved = 1
    }
    if (this.#peer === 'ended' && this.#out.tail === 'end' && this.#out.queued === 0)
      this.#state = 'closing'
    return moved
  }

  #break(error: SystemError): number {
    this.#state = 'failing'
    this.#error = error
    this.#in.abandon()
    this.#out.cut('break')
    this.#hub.wake()
    return 0
  }

  #fail(): number {
    this.#state = 'closing'
    this.sink?.failed(this.#error!)
    return 1
  }

  #close(): number {
    this.#state = 'closed'
    this.#hub.transports.delete(this)
    this.#hub.steps.delete(this.#step)
    this.sink?.closed()
    return 1
  }

  write(data: string | Uint8Array, encoding: Encoding): boolean {
    if ((this.#state !== 'open' && this.#state !== 'connecting') || this.#out.tail === 'end')
      return false
    const chunk = typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data)
    if (chunk.length > 0 && this.#out.reader === 'gone')
      return this.#break(systemError('EPIPE', 'write')) > 0
    this.#out.push(chunk, this.#corks > 0)
    if (this.#out.size > this.#out.capacity) this.#room = 'full'
    this.#hub.wake()
    return this.#room === 'ready'
  }

  cork(): void {
    this.#corks++
  }

  uncork(): void {
    this.#corks = Math.max(0, this.#corks - 1)
    if (this.#corks === 0) this.#out.corked = 0
    this.#hub.wake()
  }

  pause(): void {
    this.#flow = 'paused'
  }

  resume(): void {
    this.#flow = 'flowing'
    this.#hub.wake()
  }

  end(): void {
    if (this.#out.tail === 'open') this.#out.tail = 'end'
    this.#out.corked = 0
    this.#hub.wake()
  }

  destroy(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    if (this.#out.tail !== 'break') this.#out.cut(this.#in.size > 0 ? 'break' : 'end')
    this.#in.abandon()
    this.#state = 'closing'
    this.#hub.wake()
  }

  set_no_delay(): void {}

  set_keep_alive(): void {}
}
