/**
 * Layer 2. A network without sockets, for tests: pipes and packets in memory.
 *
 * A call only records what is wanted; `pump()` does it and reports it. In a pump every part
 * (transport.ts, listener.ts, packets.ts) takes one step, in the order in which the parts were
 * made. hub.ts holds the parts; the bytes go through pipes (pipe.ts).
 *
 * Rules:
 * 1. Only a pump makes reports, never the call that caused them (rule 1 of ../../transport.ts).
 * 2. There are no sockets, files or times. With `auto` the loop pumps, without it the test does.
 */

import { checkBoolean } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError, UnsupportedOptionError } from '../../errors.ts'
import type {
  ConnectOptions,
  Endpoint,
  Listener,
  ListenEndpoint,
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

/** How a `MemoryNetwork` behaves. */
// Source: the memory streams of trio.testing.
export interface MemoryNetworkOptions {
  /**
   * The most bytes of one `received`. A function is called before each, so that a seeded generator
   * can choose the cuts.
   *
   * @default 64 KiB
   */
  readonly chunk?: Bytes | (() => Bytes) | undefined
  /**
   * Pump automatically, once per turn of the loop, while there is something to move?
   *
   * @default false
   */
  readonly auto?: boolean | undefined
  /**
   * The bytes that one direction of a pipe holds before `write` returns false.
   *
   * @default 64 KiB
   */
  readonly capacity?: Bytes | undefined
}

/** Both defaults: what Node reads from a socket at once, and about what a kernel buffers for it. */
const SIZE: Bytes = 64 * 1024

/**
 * A network in this process, for `new Engine({ network })` in a test. It uses no ports, no files
 * and no time. All names of this machine ('', 'localhost', '::1' …) are 127.0.0.1. Every other host
 * is a machine of its own.
 */
export class MemoryNetwork implements Network {
  readonly #hub: Hub
  readonly #sockets: PacketSockets = new Map()

  /**
   * Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) unless `chunk` and `capacity` are whole
   * numbers, 1 or more, or Infinity, and for an option that does not exist.
   */
  constructor(options: MemoryNetworkOptions = {}) {
    checkOptions('MemoryNetwork', options, ['chunk', 'auto', 'capacity'])
    const { chunk = SIZE, auto = false, capacity = SIZE } = options
    if (typeof chunk !== 'function') checkSize('chunk', chunk)
    const asked = typeof chunk === 'function' ? () => checkSize('chunk', chunk()) : () => chunk
    this.#hub = new Hub(asked, checkBoolean('auto', auto), checkSize('capacity', capacity))
  }

  /** The transports that have not closed, both ends of every pipe, oldest first. See `reset`. */
  get transports(): Transport[] {
    return [...this.#hub.transports.keys()]
  }

  /**
   * At the next pump it reports `opened`, or `failed` with ECONNREFUSED (for a path, ENOENT).
   * `local` is the address that the peer sees.
   */
  connect(to: Endpoint, options: ConnectOptions): Transport {
    return new MemoryTransport(this.#hub, new Pipe(), new Pipe(), { to, from: options.local })
  }

  /**
   * At the next pump it reports `listening`, or `failed` with EADDRINUSE. Port 0 is a free port.
   * Throws UnsupportedOptionError (ERR_UNSUPPORTED_OPTION) for a descriptor, `reuse_port`,
   * `ipv6_only` and `mode`: they are about the machine.
   */
  listen(
    at: ListenEndpoint,
    { reuse_port = false, ipv6_only = false, mode }: ListenOptions,
  ): Listener {
    if (at.kind === 'descriptor') throw ofMachine('fd')
    if (reuse_port) throw ofMachine('reuse_port')
    if (ipv6_only) throw ofMachine('ipv6_only')
    if (mode !== undefined) throw ofMachine('mode')
    return new MemoryListener(this.#hub, at)
  }

  /**
   * At the next pump it reports `opened`, or `failed` with EADDRINUSE. A packet to an address where
   * no socket is bound is lost; to a connected sender, `refused` is reported.
   */
  packets(options: PacketOptions): PacketSocket {
    return new MemoryPackets(this.#hub, this.#sockets, options)
  }

  /**
   * Lets every part take one step: at most `bytes` move in each direction of each pipe; packets
   * move whole. The default moves all that there are.
   *
   * Returns the number of bytes moved, plus one for each other report. So
   * `while (network.pump()) {}` runs until all is quiet. Inside a report it does nothing and
   * returns 0. It throws what a sink throws; the next pump goes on.
   *
   * Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) unless `bytes` is a whole number, 0 or more,
   * or Infinity.
   */
  pump(bytes: Bytes = Infinity): Bytes {
    return this.#hub.pump(checkSize('bytes', bytes, 0))
  }

  /**
   * Breaks a pipe as a TCP reset does: what was on its way is lost, and both ends fail when they
   * next read (ECONNRESET) or write (EPIPE).
   */
  reset(transport: Transport): void {
    for (const pipe of this.#hub.transports.get(transport) ?? []) pipe.break()
    this.#hub.wake()
  }
}

function ofMachine(option: string): UnsupportedOptionError {
  const needs = 'sockets of the machine; this is a network in memory'
  return new UnsupportedOptionError(option, needs)
}

function checkSize(name: string, value: Bytes, least: Bytes = 1): Bytes {
  if ((Number.isInteger(value) || value === Infinity) && value >= least) return value
  throw new InvalidArgumentError(name, `a whole number of bytes, ${least} or more`, value)
}
