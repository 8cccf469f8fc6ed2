/**
 * Layer 2. A network without sockets, for tests: pipes and packets in memory.
 *
 * The program's calls only note what is wanted; `pump()` makes it happen and reports it. Every part
 * (memory-transport.ts, memory-listener.ts, memory-packets.ts) takes one step a pump, in the order
 * of their making; memory-hub.ts holds them, memory-pipe.ts is what the bytes go through.
 *
 * Rules:
 * 1. Reports come from a pump alone, never from the call that caused them (rule 1 of transport.ts).
 * 2. Nothing here knows of sockets, files or time: with `auto` it is the loop that pumps, without
 *    it the test.
 */

import { InvalidArgumentError, UnsupportedOptionError } from '../../errors.ts'
import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenOptions,
  Network,
  PacketOptions,
  PacketSocket,
  Transport,
} from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import { Hub } from './hub.ts'
import { MemoryListener } from './listener.ts'
import { MemoryPackets, type PacketSockets } from './packets.ts'
import { Pipe } from './pipe.ts'
import { MemoryTransport } from './transport.ts'

/** How a `MemoryNetwork` behaves. Origin: ours, after trio.testing's memory streams. */
export interface MemoryNetworkOptions {
  /**
   * The most bytes of one `received`; a function is asked before each, for cuts by a seeded
   * generator. Default 64 KiB.
   */
  readonly chunk?: Bytes | (() => Bytes)
  /**
   * Pumps by itself, once per turn of the loop, as long as there is something to move. Default
   * false.
   */
  readonly auto?: boolean
  /** Bytes that one direction of a pipe holds before `write` returns false. Default 64 KiB. */
  readonly capacity?: Bytes
}

/** Both defaults: what Node reads from a socket at once, and about what a kernel holds for one. */
const SIZE: Bytes = 64 * 1024

/**
 * A network in this process, for `new Engine({ network })` in a test: no ports, no files, no
 * timing. Any name of this machine ('', 'localhost', '::1' …) is 127.0.0.1; other hosts are places
 * of their own. Origin: ours.
 */
export class MemoryNetwork implements Network {
  readonly #hub: Hub
  readonly #sockets: PacketSockets = new Map()

  /**
   * Throws InvalidArgumentError when `chunk` or `capacity` is not a whole number from 1 (or
   * Infinity).
   */
  constructor(options: MemoryNetworkOptions = {}) {
    const { chunk = SIZE, auto = false, capacity = SIZE } = options
    if (typeof chunk !== 'function') checkSize('chunk', chunk)
    const asked = typeof chunk === 'function' ? () => checkSize('chunk', chunk()) : () => chunk
    this.#hub = new Hub(asked, auto, checkSize('capacity', capacity))
  }

  /** The transports that have not closed, both sides of every pipe, oldest first: for `reset`. */
  get transports(): Transport[] {
    return [...this.#hub.transports.keys()]
  }

  /**
   * Reports at the next pump `opened`, or `failed` with ECONNREFUSED (a path: ENOENT). `local` is
   * what the peer sees.
   */
  connect(to: Endpoint, options: ConnectOptions): Transport {
    return new MemoryTransport(this.#hub, new Pipe(), new Pipe(), { to, from: options.local })
  }

  /**
   * Reports at the next pump `listening`, or `failed` with EADDRINUSE. Port 0 takes a free one.
   * Throws UnsupportedOptionError for `reuse_port`: which of two listeners a connection comes to is
   * the kernel's secret, and a test must not depend on it.
   */
  listen(at: Endpoint, { reuse_port = false }: ListenOptions): Listener {
    if (reuse_port)
      throw new UnsupportedOptionError(
        'reuse_port',
        'sockets of the machine; this is a network in memory',
      )
    return new MemoryListener(this.#hub, at)
  }

  /**
   * Reports at the next pump `opened`, or `failed` with EADDRINUSE. A packet to nobody is lost; a
   * connected sender hears `refused`.
   */
  packets(options: PacketOptions): PacketSocket {
    return new MemoryPackets(this.#hub, this.#sockets, options)
  }

  /**
   * Lets everything take one step: at most `bytes` (default: all there are) move in each direction
   * of each pipe; packets move whole. Returns the bytes moved plus one for each other report:
   * `while (network.pump()) {}` runs until all is quiet. Inside a report it does nothing and
   * returns 0. What a sink throws comes out here; the next pump goes on. Throws
   * InvalidArgumentError when `bytes` is neither a whole number from 0 nor Infinity.
   */
  pump(bytes: Bytes = Infinity): Bytes {
    return this.#hub.pump(checkSize('bytes', bytes, 0))
  }

  /**
   * Breaks a pipe as a RST does: what was on its way is lost, both sides fail when they next read
   * (ECONNRESET) or write (EPIPE).
   */
  reset(transport: Transport): void {
    for (const pipe of this.#hub.transports.get(transport) ?? []) pipe.break()
    this.#hub.wake()
  }
}

function checkSize(name: string, value: Bytes, least: Bytes = 1): Bytes {
  if ((Number.isInteger(value) || value === Infinity) && value >= least) return value
  throw new InvalidArgumentError(name, `a whole number of bytes, ${least} or more`, value)
}
