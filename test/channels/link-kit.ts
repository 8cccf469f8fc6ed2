/**
 * A stream on a transport whose reports the test makes itself: what comes in when, and what is done
 * to the transport then.
 */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import type { Stream } from '../../src/channels/streams/stream.ts'
import type { StreamOptions } from '../../src/channels/streams/stream-options.ts'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import type { KeepAliveProbes, Network, Transport, TransportSink } from '../../src/transport.ts'
import type { SocketAddress } from '../../src/types.ts'
import { spy, turn } from '../kit.ts'

/** Writes down what is called. Takes everything, unless `room` says how much. */
export class FakeTransport implements Transport {
  sink: TransportSink | undefined
  readonly calls: string[] = []
  local_address: SocketAddress | undefined = ['here', 1]
  remote_address: SocketAddress | undefined = ['there', 2]
  fileno = 3
  bytes_read = 4
  bytes_written = 5
  bytes_queued = 0
  room = Infinity

  write(data: string | Uint8Array): boolean {
    this.calls.push(`write ${data.length > 20 ? `${data.length} bytes` : Buffer.from(data)}`)
    this.bytes_queued += Math.max(0, data.length - this.room)
    return this.bytes_queued === 0
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  end(): void {
    this.calls.push('end')
  }
  destroy(): void {
    this.calls.push('destroy')
  }
  set_no_delay(on: boolean): void {
    this.calls.push(`no_delay ${on}`)
  }
  set_keep_alive(after: number | false, probes?: KeepAliveProbes): void {
    const how = probes === undefined ? '' : `, every ${probes.interval}, ${probes.count} times`
    this.calls.push(`keep_alive ${after}${how}`)
  }

  /** What was called since the last time. */
  get news(): string {
    return this.calls.splice(0).join(', ')
  }
}

export interface Kit<Of extends Stream> {
  stream: Of
  transport: FakeTransport
  /** Reports. */
  sink: TransportSink
  clock: ManualClock
  engine: Engine
  logged: string[]
  /** The hooks since the last time, without on_state. */
  news(): string[]
}

/** A stream that connects; `isOpen`: has connected. */
export async function kit<Of extends Stream>(
  t: Test,
  StreamClass: new (options: StreamOptions) => Of,
  options: StreamOptions = {},
  isOpen = true,
): Promise<Kit<Of>> {
  const transports: FakeTransport[] = []
  const network = {
    connect: () => (transports.push(new FakeTransport()), transports.at(-1)!),
  } as unknown as Network
  const clock = new ManualClock()
  const logged: string[] = []
  const engine = new Engine({ network, clock, log: message => logged.push(message) })
  const log: string[] = []
  const stream = spy(new StreamClass({ engine, encoding: 'utf8', ...options }), '', log)
  stream.connect(1)
  await turn()
  const made: Kit<Of> = {
    stream,
    clock,
    engine,
    logged,
    get transport() {
      return transports.at(-1)!
    },
    get sink() {
      return transports.at(-1)!.sink!
    },
    news: () =>
      log
        .splice(0)
        .map(line => line.trim())
        .filter(line => !line.startsWith('state')),
  }
  if (isOpen) {
    made.sink.opened()
    t.equal(made.transport.news, 'resume')
    t.same(made.news(), ['connect'])
  }
  return made
}

export const error = (code: string, syscall: string) =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall })

export interface PromiseWithResolvers {
  promise: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
}

export function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions))
  return { promise, resolve, reject }
}
