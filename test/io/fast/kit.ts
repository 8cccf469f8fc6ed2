/**
 * What the tests of the fast network share: transports whose reports are written down, both ends of
 * real connections, and handles that answer what they are told to. So both forms of a write, that
 * up to Node 24 and that since Node 26, are tested on every Node.
 */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import {
  type Handle,
  type HandleRequest,
  type HandleRules,
  learnHandles,
  rules,
} from '../../../src/io/fast/handles.ts'
import { FastNetwork } from '../../../src/io/fast/network.ts'
import { ahead } from '../../../src/io/fast/requests.ts'
import type { Endpoint, SystemError, Transport } from '../../../src/transport.ts'
import { until } from '../../kit.ts'

export const LOOPBACK: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 0 }

/** A transport whose reports are recorded, and what it received. */
export class Watched<Kind extends Transport = Transport> {
  readonly transport: Kind
  readonly log: string[] = []
  #bytes = Buffer.alloc(0)
  readonly #more: Buffer[] = []

  constructor(transport: Kind) {
    this.transport = transport
    transport.sink = {
      opened: () => this.log.push('opened'),
      received: chunk => void this.#more.push(Buffer.from(chunk)),
      drained: () => this.log.push('drained'),
      ended: () => this.log.push('ended'),
      failed: error => this.log.push(`failed ${error.syscall} ${error.code}`),
      closed: () => this.log.push('closed'),
    }
  }

  get bytes(): Buffer {
    if (this.#more.length > 0) this.#bytes = Buffer.concat([this.#bytes, ...this.#more.splice(0)])
    return this.#bytes
  }

  /** Waits until that was reported. */
  saw(report: string): Promise<void> {
    return until(() => this.log.some(line => line.startsWith(report)))
  }

  /** Does this as well, when that is reported. */
  when(report: 'opened' | 'received' | 'drained' | 'ended' | 'failed', action: () => void): void {
    const sink = this.transport.sink!
    this.transport.sink = Object.assign(Object.create(sink), {
      [report]: (detail: never) => {
        sink[report](detail)
        action()
      },
    })
  }
}

/** A listener that listens, and what it accepts; closed at the end. */
export async function listen(
  t: Test,
  at = LOOPBACK,
): Promise<{ endpoint: Endpoint & { port: number }; accepted: Watched[]; failed: SystemError[] }> {
  const listener = new FastNetwork().listen(at, { backlog: 5 })
  const [accepted, failed]: [Watched[], SystemError[]] = [[], []]
  await new Promise<void>(resolve => {
    listener.sink = {
      listening: resolve,
      accepted: transport => accepted.push(new Watched(transport)),
      failed: error => failed.push(error),
      closed() {},
    }
  })
  t.teardown(() => {
    for (const { transport } of accepted) transport.destroy()
    listener.close()
  })
  const port = at.kind === 'unix' ? 0 : (listener.local_address as [string, number])[1]
  return { endpoint: { ...at, port } as Endpoint & { port: number }, accepted, failed }
}

/** Both ends of a connection. */
export async function pair(t: Test, at?: Endpoint): Promise<[near: Watched, far: Watched]> {
  const { endpoint, accepted } = await listen(t, at)
  const near = new Watched(new FastNetwork().connect(endpoint, {}))
  t.teardown(() => near.transport.destroy())
  await until(() => near.log.length > 0 && accepted.length > 0)
  return [near, accepted[0]!]
}

// ---- handles that are told what to answer -------------------------------------------------------

/** A request as Node up to 24 has it. `id` is that of a request that is under way. */
export class FakeRequest implements HandleRequest {
  oncomplete: ((this: HandleRequest, status: number) => void) | undefined
  writeStatus?: number | null
  id = -1

  getAsyncId(): number {
    return this.id
  }

  complete(status: number): void {
    this.oncomplete!.call(this, status)
  }
}

/** What the system does with a write. */
export type Outcome =
  | 'taken'
  | 'waits'
  | 'refused'
  | 'waits, and is refused'
  | 'is complete'
  | { readonly error: number }

export class FakeHandle {
  reading = false
  onread: unknown
  fd = 7
  bytesRead = 0
  bytesWritten = 0
  writeQueueSize = 0
  /** What was called, with what. */
  readonly calls: unknown[][] = []
  /** What becomes of the next writes. */
  next: Outcome = 'taken'
  /** What the next `shutdown` and `readStart` answer. */
  status = 0
  /** What addresses it tells; none if the peer has gone. */
  peer: object = { address: '127.0.0.2', port: 2, family: 'IPv4' }
  readonly requests: FakeRequest[] = []
  closed: (() => void) | undefined;
  [owner: symbol]: unknown

  as(): Handle {
    return this as unknown as Handle
  }

  useUserBuffer(): void {}

  readStart(): number {
    this.calls.push(['readStart'])
    return this.status
  }

  readStop(): number {
    return 0
  }

  writeLatin1String(request: FakeRequest | null, text: string): number | FakeRequest {
    return this.#write(request, text, text.length)
  }

  writeUtf8String(request: FakeRequest | null, text: string): number | FakeRequest {
    return this.#write(request, text, Buffer.byteLength(text))
  }

  writeBuffer(request: FakeRequest | null, bytes: Uint8Array): number | FakeRequest {
    return this.#write(request, String(bytes), bytes.length)
  }

  writev(request: FakeRequest | null, chunks: unknown[]): number | FakeRequest {
    return this.#write(request, chunks.map(String), 1)
  }

  #write(request: FakeRequest | null, data: unknown, size: number): number | FakeRequest {
    this.calls.push(['write', data])
    this.bytesWritten += size
    if (this.next === 'taken') return 0
    if (typeof this.next === 'object') return this.next.error
    const answer = request ?? new FakeRequest()
    this.requests.push(answer)
    if (this.next === 'waits') {
      answer.id = 1
      this.writeQueueSize += size
    }
    if (this.next === 'is complete') answer.writeStatus = 0
    return request === null ? answer : 0
  }

  shutdown(request: FakeRequest): number {
    this.calls.push(['shutdown'])
    this.requests.push(request)
    return this.status
  }

  close(closed: () => void): void {
    this.calls.push(['close'])
    this.closed = closed
  }

  getpeername(into: object): void {
    Object.assign(into, this.peer)
  }

  getsockname(into: object): void {
    Object.assign(into, { address: '127.0.0.1', port: 1, family: 'IPv4' })
  }

  setNoDelay(on: boolean): void {
    this.calls.push(['setNoDelay', on])
  }

  setKeepAlive(on: boolean, seconds: number, interval?: number, count?: number): void {
    this.calls.push(['setKeepAlive', on, seconds, interval, count])
  }
}

/**
 * Fills the rules with what a Node has that gives each write a request, or none (since Node 26).
 */
export function useRules(t: Test, form: 'request' | 'none'): void {
  if (rules.owner === undefined) learnHandles()
  const before: HandleRules = { ...rules }
  Object.assign(rules, {
    WriteRequest: form === 'request' ? FakeRequest : undefined,
    ShutdownRequest: FakeRequest,
  })
  ahead.request = null
  t.teardown(() => {
    Object.assign(rules, before)
    ahead.request = null
  })
}
