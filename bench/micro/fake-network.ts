/**
 * Bench. A network without sockets, which counts calls, and a clock that stands still. So a turn of
 * an engine can be run by hand, and its cost can be counted.
 */

import { Buffer } from 'node:buffer'
import type { Clock, Listener, ListenerSink, Network, Transport, TransportSink } from 'sluice'

export class FakeTransport implements Transport {
  sink: TransportSink | undefined
  readonly local_address = undefined
  readonly remote_address = undefined
  readonly fileno = undefined
  readonly bytes_read = 0
  readonly bytes_queued = 0
  bytes_written = 0
  /** Calls of `write`. */
  writes = 0
  /** System calls of a socket: one for each write, or one for all from `cork` to `uncork`. */
  system_calls = 0
  /** How often it was paused or resumed. */
  switches = 0
  /** The data of the last write. */
  last: string | Uint8Array = ''
  #corked = false
  #hasCorked = false

  write(data: string | Uint8Array): boolean {
    this.writes++
    this.last = data
    this.bytes_written += data.length
    if (this.#corked) this.#hasCorked = true
    else this.system_calls++
    return true
  }

  cork(): void {
    this.#corked = true
  }

  uncork(): void {
    if (this.#hasCorked) this.system_calls++
    this.#corked = this.#hasCorked = false
  }

  pause(): void {
    this.switches++
  }

  resume(): void {
    this.switches++
  }

  end(): void {}
  destroy(): void {}
  set_no_delay(): void {}
  set_keep_alive(): void {}
}

export class FakeNetwork implements Network {
  #sink: ListenerSink | undefined

  connect(): Transport {
    throw new Error('the fake network has no clients')
  }

  packets(): never {
    throw new Error('the fake network has no packets')
  }

  listen(): Listener {
    const listener: Listener = {
      sink: undefined,
      local_address: ['127.0.0.1', 1],
      fileno: undefined,
      close: () => {},
    }
    // The sink is set when this call has returned.
    queueMicrotask(() => {
      this.#sink = listener.sink
      this.#sink?.listening()
    })
    return listener
  }

  /** A client connects. Resolves when the server's connection is open. */
  async accept(): Promise<FakeTransport> {
    const transport = new FakeTransport()
    this.#sink?.accepted(transport)
    for (let i = 0; i < 10; i++) await undefined
    Object.assign(transport, { writes: 0, system_calls: 0, switches: 0, bytes_written: 0 })
    return transport
  }
}

export class FakeClock implements Clock {
  /** How many calls were asked for, after some time and in the next turn. */
  timers = 0
  turns = 0
  #due: (() => void)[] = []

  now(): number {
    return 0
  }

  after(): () => void {
    this.timers++
    return () => {}
  }

  soon(callback: () => void): void {
    this.turns++
    this.#due.push(callback)
  }

  /** Ends a turn whose reads are done. */
  turn(): void {
    const due = this.#due
    this.#due = []
    for (const callback of due) callback()
  }
}

/** A stream in chunks of this size; each is a new Buffer, as from a socket. */
export function chunks(stream: Buffer, size: number): Buffer[] {
  const all: Buffer[] = []
  for (let at = 0; at < stream.length; at += size)
    all.push(Buffer.from(stream.subarray(at, at + size)))
  return all
}
