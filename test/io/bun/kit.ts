/**
 * What the tests of the network of Bun share. There is no Bun under Node, so here is one that does
 * what Bun 1.4.5 was seen to do, with a socket for each end of a connection that nobody is at the
 * other end of. On Bun itself the conformance suite and the scenarios run.
 */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import type {
  BunGlobal,
  BunListening,
  BunListenOptions,
  BunSocket,
  BunUdpOptions,
  BunUdpSocket,
} from '../../../src/io/bun/bun.ts'
import { HANDLERS } from '../../../src/io/bun/handlers.ts'
import type { SystemError } from '../../../src/transport.ts'

/** A socket: what was asked of it, and how much the system takes. */
export class FakeSocket implements BunSocket {
  data: unknown
  fd = 7
  localAddress: string | undefined = '::ffff:127.0.0.1'
  localPort = 1
  remoteAddress: string | undefined = '::ffff:127.0.0.2'
  remotePort = 2
  /** How many bytes the system will take yet. */
  room = Infinity
  sent = ''
  readonly calls: string[] = []

  write(data: Uint8Array, from: number, size: number): number {
    if (this.fd < 0) return -1
    const taken = Buffer.from(data.subarray(from, from + Math.min(this.room, size)))
    this.room -= taken.length
    this.sent += taken.toString('latin1')
    return taken.length
  }

  pause(): void {
    this.calls.push('pause')
  }

  resume(): void {
    this.calls.push('resume')
  }

  shutdown(): void {
    this.calls.push('shutdown')
  }

  close(): void {
    this.calls.push('close')
    this.closed()
  }

  setNoDelay(on: boolean): boolean {
    this.calls.push(`no delay ${on}`)
    return true
  }

  setKeepAlive(on: boolean, after: number): boolean {
    this.calls.push(`keep alive ${on} ${after}`)
    return true
  }

  reload(): void {
    this.calls.push('reload')
  }

  /** Node, which is no Bun, asks a handle for it. */
  readStart(): number {
    return 0
  }

  // ---- what it reports ------------------------------------------------------------------------

  received(text: string): void {
    HANDLERS.data(this, Buffer.from(text))
  }

  drained(room: number): void {
    this.room = room
    HANDLERS.drain(this)
  }

  ended(): void {
    HANDLERS.end(this)
  }

  closed(code?: string): void {
    if (this.fd < 0) return
    this.fd = -1
    const error = code && Object.assign(new Error(`${code}: read`), { code, syscall: 'read' })
    HANDLERS.close(this, error as SystemError | undefined)
  }
}

/** A packet socket: what was asked of it, and what it answers. */
export class FakeUdp implements BunUdpSocket {
  readonly fd = 9
  readonly address = { address: '127.0.0.1', port: 5 }
  readonly remoteAddress = { address: '127.0.0.1', port: 7 }
  readonly calls: unknown[][] = []
  /** What the next calls throw. */
  error: Error | undefined
  isFull = false

  #called(...call: unknown[]): boolean {
    if (this.error !== undefined) throw this.error
    this.calls.push(call)
    return !this.isFull
  }

  send(data: Uint8Array, port?: number, host?: string): boolean {
    return this.#called('send', String(data), port, host)
  }

  setBroadcast = (on: boolean): unknown => this.#called('setBroadcast', on)
  setTTL = (hops: number): unknown => this.#called('setTTL', hops)
  setMulticastTTL = (hops: number): unknown => this.#called('setMulticastTTL', hops)
  setMulticastLoopback = (on: boolean): unknown => this.#called('setMulticastLoopback', on)
  setMulticastInterface = (at: string): unknown => this.#called('setMulticastInterface', at)
  addMembership = (...of: unknown[]): unknown => this.#called('addMembership', ...of)
  dropMembership = (...of: unknown[]): unknown => this.#called('dropMembership', ...of)
  addSourceSpecificMembership = (...of: unknown[]): unknown =>
    this.#called('addSourceSpecificMembership', ...of)
  dropSourceSpecificMembership = (...of: unknown[]): unknown =>
    this.#called('dropSourceSpecificMembership', ...of)
  close = (): void => void this.#called('close')
}

/** A Bun: what listens, and the errors that the next calls of `listen` throw. */
export class FakeBun implements BunGlobal {
  readonly asked: BunListenOptions[] = []
  readonly errors: Error[] = []
  address: { address?: string; port?: number } = { address: '127.0.0.1', port: 4040 }
  listening = 0
  readonly udp = new FakeUdp()
  readonly udpAsked: BunUdpOptions[] = []

  listen(options: BunListenOptions): BunListening {
    this.asked.push(options)
    const error = this.errors.shift()
    if (error !== undefined) throw error
    this.listening++
    return {
      fd: 5,
      getsockname: into => void Object.assign(into, this.address),
      stop: () => void this.listening--,
    }
  }

  /** Like Bun's, it throws what the system refuses. */
  udpSocket(options: BunUdpOptions): Promise<BunUdpSocket> {
    this.udpAsked.push(options)
    const error = this.errors.shift()
    if (error !== undefined) throw error
    return Promise.resolve(this.udp)
  }

  /** A peer connects to what listens. */
  accept(socket = new FakeSocket()): FakeSocket {
    socket.data = this.asked.at(-1)!.data
    HANDLERS.open(socket)
    return socket
  }
}

/** What Bun throws where it cannot listen. */
export function refusal(code: string): Error {
  return Object.assign(new Error('Failed to listen at 127.0.0.1'), { code, syscall: 'listen' })
}

/** While the test runs, there is this Bun. */
export function withBun(t: Test, bun = new FakeBun()): FakeBun {
  const { Bun } = globalThis as { Bun?: unknown }
  Object.assign(globalThis, { Bun: bun })
  t.teardown(() => void Object.assign(globalThis, { Bun }))
  return bun
}
