/**
 * Layer 2. What BunNetwork uses of Bun: the types, and where it is found. Nothing is taken from the
 * package bun-types. Checked with Bun 1.4.5 on Linux.
 *
 * What is used of Bun beyond its documentation:
 * - `getsockname` of a listener fills an address in, and `fd` is a property of sockets and
 *   listeners.
 * - The `_handle` of a socket of node:net is such a socket, and `new Socket({ handle })` takes one.
 *   So a connection is dialled by node:net, as one of `Bun.connect` cannot be given up before it is
 *   open; and node:tls works over what `Bun.listen` has accepted.
 */

import { UnsupportedOptionError } from '../../errors.ts'
import type { SystemError } from '../../transport.ts'
import type { Bytes, Milliseconds, Port } from '../../types.ts'
import { runtimeOf } from '../runtimes/runtime-of.ts'

/** One connection. Each of its calls does nothing once it has closed. */
export interface BunSocket {
  /** What belongs to it. Of a socket that was accepted: that of the listener, at first. */
  data: unknown
  /** Negative if it has closed; so is what `write` returns then. */
  readonly fd: number
  readonly localAddress?: string | undefined
  readonly localPort?: Port | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: Port | undefined
  /** Returns how many of `size` bytes the system has taken, and keeps none of the others. */
  write(data: Uint8Array, from: Bytes, size: Bytes): Bytes
  pause(): void
  resume(): void
  /** Ends our side. If both sides have ended, it closes by itself, without a word about the end. */
  shutdown(): void
  /** Closes at once, and reports that inside the call. */
  close(): void
  setNoDelay(on: boolean): boolean
  setKeepAlive(on: boolean, after: Milliseconds): boolean
  /** Reports to others from now on. */
  reload(options: { readonly socket: BunSocketHandlers }): void
}

/** Whom a socket reports to: its `data`. It gets the socket, too. */
export interface BunSocketOwner {
  onData(chunk: Buffer, socket: BunSocket): void
  onDrain(socket: BunSocket): void
  onEnd(socket: BunSocket): void
  onClose(error: SystemError | undefined, socket: BunSocket): void
}

/** What every socket reports to. */
export interface BunSocketHandlers {
  open(socket: BunSocket): void
  data(socket: BunSocket, chunk: Buffer): void
  /** It can be written again; also when nothing waits. */
  drain(socket: BunSocket): void
  end(socket: BunSocket): void
  close(socket: BunSocket, error?: SystemError): void
  error(socket: BunSocket, error: Error): void
}

/** A listening socket. */
export interface BunListening {
  readonly fd: number
  getsockname(into: { address?: string; port?: Port }): void
  stop(): void
}

/** Where to listen. */
export type BunPlace =
  | { readonly hostname: string; readonly port: Port }
  | { readonly unix: string }
  | { readonly fd: number }

export type BunListenOptions = BunPlace & {
  readonly reusePort?: boolean
  readonly ipv6Only?: boolean
  readonly allowHalfOpen: boolean
  readonly data: unknown
  readonly socket: BunSocketHandlers
}

/** A packet socket. What the system refuses is thrown. */
export interface BunUdpSocket {
  readonly fd: number
  readonly address: { readonly address: string; readonly port: Port }
  readonly remoteAddress: { readonly address: string; readonly port: Port }
  /** Has the system taken it? If not, `drain` follows. */
  send(data: Uint8Array, port?: Port, host?: string): boolean
  setBroadcast(on: boolean): unknown
  setTTL(hops: number): unknown
  setMulticastTTL(hops: number): unknown
  setMulticastLoopback(on: boolean): unknown
  setMulticastInterface(address: string): unknown
  addMembership(group: string, host?: string): unknown
  dropMembership(group: string, host?: string): unknown
  addSourceSpecificMembership(source: string, group: string, host?: string): unknown
  dropSourceSpecificMembership(source: string, group: string, host?: string): unknown
  close(): void
}

export interface BunUdpOptions {
  readonly hostname: string
  readonly port: Port
  readonly flags: number
  readonly connect?: { readonly hostname: string; readonly port: Port }
  readonly socket: {
    data(socket: BunUdpSocket, data: Buffer, port: Port, host: string): void
    drain(socket: BunUdpSocket): void
    error(error: SystemError): void
  }
}

/** The global `Bun`. */
export interface BunGlobal {
  listen(options: BunListenOptions): BunListening
  udpSocket(options: BunUdpOptions): Promise<BunUdpSocket>
}

/** Throws UnsupportedOptionError where there is none. */
export function findBun(versions: NodeJS.Dict<string> = process.versions): BunGlobal {
  const { Bun } = globalThis as { Bun?: Partial<BunGlobal> }
  if (typeof Bun?.listen === 'function') return Bun as BunGlobal
  throw new UnsupportedOptionError(
    'BunNetwork',
    `Bun.listen, and this is ${runtimeOf(versions)}. ` +
      'Use the default network, or FastNetwork on Node',
  )
}

/** Of a `write` that says -1, which is all that Bun says. */
export function brokenPipe(): SystemError {
  const error = new Error('write EPIPE: the peer has closed the connection')
  return Object.assign(error, { code: 'EPIPE', syscall: 'write' })
}
