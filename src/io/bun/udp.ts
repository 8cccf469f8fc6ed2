/**
 * Layer 2. A packet socket on `Bun.udpSocket`, with what UdpSocket (udp/udp.ts) uses of a socket of
 * node:dgram.
 *
 *   bind → 'listening' → (connect → 'connect' →) 'message', and send; 'error' → close
 *
 * What differs from node:dgram: it is connected when it is bound, so it is told the peer before.
 * Bun has no sizes of buffers; these options are refused.
 *
 * What is used of Bun beyond its documentation: the option `flags`, that of libuv; and `error` gets
 * the error alone, not the socket before it.
 */

import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { UnsupportedOptionError } from '../../errors.ts'
import type { SystemError } from '../../transport.ts'
import type { Bytes, Port } from '../../types.ts'
import type { BunGlobal, BunUdpSocket } from './bun.ts'

/** How it is made: as a socket of node:dgram, and told its peer. */
export interface HowToSend {
  readonly ipv6Only?: boolean | undefined
  readonly reuseAddr?: boolean | undefined
  readonly connect?: { readonly hostname: string; readonly port: Port } | undefined
}

/** Flags of libuv. */
const IPV6_ONLY = 1
const REUSE_ADDRESS = 4

type Done = (error: SystemError | null) => void

/** What the system could not take yet. */
interface Waiting {
  readonly bytes: Uint8Array
  readonly port: Port | undefined
  readonly host: string | undefined
  readonly done: Done
}

/** Makes one in the shape of node:dgram. */
export function bunUdp(bun: BunGlobal, how: HowToSend): Socket {
  return new BunUdp(bun, how) as unknown as Socket
}

class BunUdp extends EventEmitter {
  readonly #bun: BunGlobal
  readonly #how: HowToSend
  #socket: BunUdpSocket | undefined
  #waiting: Waiting[] = []
  #isClosed = false

  constructor(bun: BunGlobal, how: HowToSend) {
    super()
    this.#bun = bun
    this.#how = how
  }

  // ---- opening ----------------------------------------------------------------------------------

  bind(at: { address: string; port: Port }): void {
    this.#bind(at).then(
      socket => this.#opened(socket),
      (error: SystemError) => this.emit('error', error),
    )
  }

  /** Bun throws what the system refuses, instead of rejecting. */
  async #bind({ address, port }: { address: string; port: Port }): Promise<BunUdpSocket> {
    const { ipv6Only, reuseAddr, connect } = this.#how
    return this.#bun.udpSocket({
      hostname: address,
      port,
      flags: (ipv6Only ? IPV6_ONLY : 0) | (reuseAddr ? REUSE_ADDRESS : 0),
      ...(connect && { connect }),
      socket: {
        data: (_socket, data, from, host) => this.#received(data, from, host),
        drain: () => this.#drained(),
        error: error => this.#erred(error),
      },
    })
  }

  #opened(socket: BunUdpSocket): void {
    if (this.#isClosed) return socket.close()
    this.#socket = socket
    this.emit('listening')
  }

  /** It is connected since it is bound. */
  connect(): void {
    process.nextTick(() => this.emit('connect'))
  }

  // ---- what is told -----------------------------------------------------------------------------

  get fd(): number {
    return this.#socket?.fd ?? -1
  }

  address(): { address: string; port: Port } {
    return this.#open.address
  }

  remoteAddress(): { address: string; port: Port } {
    return this.#open.remoteAddress
  }

  get #open(): BunUdpSocket {
    return this.#socket as BunUdpSocket
  }

  #received(data: Buffer, port: Port, address: string): void {
    this.emit('message', data, { address, port })
  }

  /** Bun asks the system for the errors of sockets that are not connected, too. Node does not. */
  #erred(error: SystemError & { errqueue?: boolean }): void {
    if (error.errqueue !== true || this.#how.connect !== undefined) this.emit('error', error)
  }

  // ---- sending ----------------------------------------------------------------------------------

  /** UdpSocket sends at once to what can tell this: Bun keeps the order. */
  getSendQueueSize(): Bytes {
    return 0
  }

  send(bytes: Uint8Array, ...[port, host, done]: [Port, string, Done] | [Done]): void {
    if (typeof port === 'function')
      this.#send({ bytes, port: undefined, host: undefined, done: port })
    else this.#send({ bytes, port, host, done: done as Done })
  }

  #send(packet: Waiting): void {
    const { bytes, port, host, done } = packet
    try {
      const isTaken =
        port === undefined ? this.#open.send(bytes) : this.#open.send(bytes, port, host as string)
      if (isTaken) process.nextTick(done, null)
      else this.#waiting.push(packet)
    } catch (error) {
      process.nextTick(done, error as SystemError)
    }
  }

  #drained(): void {
    for (const packet of this.#waiting.splice(0)) this.#send(packet)
  }

  // ---- settings ---------------------------------------------------------------------------------

  setBroadcast(on: boolean): void {
    this.#open.setBroadcast(on)
  }

  setTTL(hops: number): void {
    this.#open.setTTL(hops)
  }

  setMulticastTTL(hops: number): void {
    named('setMulticastTTL', () => this.#open.setMulticastTTL(hops))
  }

  setMulticastLoopback(on: boolean): void {
    this.#open.setMulticastLoopback(on)
  }

  setMulticastInterface(address: string): void {
    this.#open.setMulticastInterface(address)
  }

  setRecvBufferSize(): void {
    throw noSize('socket_recv_buffer_size')
  }

  setSendBufferSize(): void {
    throw noSize('socket_send_buffer_size')
  }

  addMembership(group: string, host?: string): void {
    named('addMembership', () => this.#open.addMembership(group, host))
  }

  dropMembership(group: string, host?: string): void {
    named('dropMembership', () => this.#open.dropMembership(group, host))
  }

  addSourceSpecificMembership(source: string, group: string, host?: string): void {
    const join = (): unknown => this.#open.addSourceSpecificMembership(source, group, host)
    named('addSourceSpecificMembership', join)
  }

  dropSourceSpecificMembership(source: string, group: string, host?: string): void {
    const leave = (): unknown => this.#open.dropSourceSpecificMembership(source, group, host)
    named('dropSourceSpecificMembership', leave)
  }

  // ---- closing ----------------------------------------------------------------------------------

  close(closed: () => void): void {
    this.#isClosed = true
    this.#socket?.close()
    this.#socket = undefined
    setImmediate(closed)
  }
}

function noSize(option: string): Error {
  return new UnsupportedOptionError(option, 'node:dgram: on Bun, use the default network')
}

/** Bun names the call of the system, and not ours. */
function named(call: string, make: () => unknown): void {
  try {
    make()
  } catch (error) {
    const { code, message } = error as SystemError
    throw Object.assign(new Error(`${call}: ${message}`, { cause: error }), { code, syscall: call })
  }
}
