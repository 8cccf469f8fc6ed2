/**
 * Layer 2. A network without sockets, for tests: pipes and packets in memory.
 *
 * The program's calls only note what is wanted; `pump()` makes it happen and reports it. Every part (transport, listener,
 * packet socket) takes one step a pump, in the order of their making, and a step reports in the order of the seam:
 * open → receive → drain → hear (the end, or the break) → fail → close.
 *
 * Rules:
 * 1. Reports come from a pump alone, never from the call that caused them (rule 1 of transport.ts).
 * 2. A step reads what stands now (states, pipes). There is no queue of reports: one could be out of date after `destroy`.
 * 3. A sink may call anything: what a step knew before a report is looked up again after it.
 * 4. A pipe's first `capacity` bytes are the system's, as a kernel's buffers are: they arrive though the writer destroys.
 *    What is beyond is queued at the writer, and lost with it. Before the pipe is open all is beyond.
 * 5. TCP in short: destroying sends the end, or a break (ECONNRESET) if input was left unread; both stand behind the bytes,
 *    so a paused reader sees neither, but a writer who waits for `drained` sees the break. Writing to who is gone is EPIPE.
 * 6. Nobody waits for a place: `backlog` bounds nothing, as every pump accepts all who called.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../errors.ts'
import type {
  ConnectOptions, Endpoint, Listener, ListenerSink, ListenOptions, Network, PacketOptions, PacketSink, PacketSocket,
  SystemError, Transport, TransportSink,
} from '../transport.ts'
import type { Bytes, Encoding, Port, SocketAddress } from '../types.ts'

/** How a `MemoryNetwork` behaves. Origin: ours, after trio.testing's memory streams. */
export interface MemoryNetworkOptions {
  /** The most bytes of one `received`; a function is asked before each, for cuts by a seeded generator. Default 64 KiB. */
  readonly chunk?: Bytes | (() => Bytes)
  /** Pumps by itself, once per turn of the loop, as long as there is something to move. Default false. */
  readonly auto?: boolean
  /** Bytes that one direction of a pipe holds before `write` returns false. Default 64 KiB. */
  readonly capacity?: Bytes
}

/** Both defaults: what Node reads from a socket at once, and about what a kernel holds for one. */
const SIZE: Bytes = 64 * 1024
/** The ports that a system chooses from (RFC 6335, dynamic ports). */
const FIRST_PORT: Port = 49152
const LAST_PORT: Port = 65535
/** The largest UDP payload over IPv4: 65 535 − 8 (UDP header) − 20 (IP header). */
const MAX_PACKET: Bytes = 65507
const THIS_MACHINE: readonly string[] = ['', '0.0.0.0', '::', 'localhost', '127.0.0.1', '::1']
/** Multicast: 224.0.0.0/4 and ff00::/8. */
const GROUP = /^(22[4-9]|23\d)\.|^ff/i

/**
 * A network in this process, for `new Engine({ network })` in a test: no ports, no files, no timing. Any name of this
 * machine ('', 'localhost', '::1' …) is 127.0.0.1; other hosts are places of their own. Origin: ours.
 */
export class MemoryNetwork implements Network {
  readonly #hub: Hub

  /** Throws InvalidArgumentError when `chunk` or `capacity` is not a whole number from 1 (or Infinity). */
  constructor(options: MemoryNetworkOptions = {}) {
    const { chunk = SIZE, auto = false, capacity = SIZE } = options
    if (typeof chunk !== 'function') checkSize('chunk', chunk)
    this.#hub = new Hub(typeof chunk === 'function' ? chunk : () => chunk, auto, checkSize('capacity', capacity))
  }

  /** The transports that have not closed, both sides of every pipe, oldest first: for `reset`. */
  get transports(): Transport[] {
    return [...this.#hub.transports.keys()]
  }

  /** Reports at the next pump `opened`, or `failed` with ECONNREFUSED (a path: ENOENT). `local` is what the peer sees. */
  connect(to: Endpoint, options: ConnectOptions): Transport {
    return new MemoryTransport(this.#hub, new Pipe(), new Pipe(), { to, from: options.local })
  }

  /** Reports at the next pump `listening`, or `failed` with EADDRINUSE. Port 0 takes a free one. */
  listen(at: Endpoint, _options: ListenOptions): Listener {
    return new MemoryListener(this.#hub, at)
  }

  /** Reports at the next pump `opened`, or `failed` with EADDRINUSE. A packet to nobody is lost; a connected sender hears `refused`. */
  packets(options: PacketOptions): PacketSocket {
    return new MemoryPackets(this.#hub, options)
  }

  /**
   * Lets everything take one step: at most `bytes` (default: all there are) move in each direction of each pipe; packets
   * move whole. Returns the bytes moved plus one for each other report: `while (network.pump()) {}` runs until all is quiet.
   * Inside a report it does nothing and returns 0. What a sink throws comes out here; the next pump goes on.
   * Throws InvalidArgumentError when `bytes` is neither a whole number from 0 nor Infinity.
   */
  pump(bytes: Bytes = Infinity): Bytes {
    return this.#hub.pump(checkSize('bytes', bytes, 0))
  }

  /** Breaks a pipe as a RST does: what was on its way is lost, both sides fail when they next read (ECONNRESET) or write (EPIPE). */
  reset(transport: Transport): void {
    for (const pipe of this.#hub.transports.get(transport) ?? []) pipe.break()
    this.#hub.wake()
  }
}

// ---- What the parts of one network share ----------------------------------------------------------------------------

/** One step of one part; returns the bytes moved plus the other reports. */
type Step = (budget: Bytes) => number

/** A connection that waits to be accepted: the listener's view of its pipes, and who calls. */
type Call = readonly [inward: Pipe, outward: Pipe, from: SocketAddress]

class Hub {
  readonly steps = new Set<Step>()
  readonly transports = new Map<Transport, readonly Pipe[]>()
  readonly listeners = new Map<string, Call[]>()
  readonly sockets = new Map<string, MemoryPackets[]>()
  readonly chunk: () => Bytes
  readonly capacity: Bytes
  readonly #auto: boolean
  #turn: 'none' | 'scheduled' = 'none'
  #work: 'idle' | 'pumping' = 'idle'
  #port: Port = LAST_PORT

  constructor(chunk: () => Bytes, auto: boolean, capacity: Bytes) {
    this.chunk = chunk
    this.#auto = auto
    this.capacity = capacity
  }

  /** There may be something to do, for this part or for any. A step that is known keeps its place: the order is that of making. */
  wake(step?: Step): void {
    if (step !== undefined) this.steps.add(step)
    if (!this.#auto || this.#turn === 'scheduled') return
    this.#turn = 'scheduled'
    setImmediate(() => {
      this.#turn = 'none'
      let moved = 1 // a sink that throws stops this pump, not the next
      try {
        moved = this.pump(Infinity)
      } finally {
        if (moved > 0) this.wake()
      }
    })
  }

  pump(bytes: Bytes): number {
    if (this.#work === 'pumping') return 0
    this.#work = 'pumping'
    try {
      return [...this.steps].reduce((moved, step) => moved + step(bytes), 0)
    } finally {
      this.#work = 'idle'
    }
  }

  /** The address, with a port that is free where it asks for 0. */
  place(at: Endpoint, taken: ReadonlyMap<string, unknown>): Endpoint {
    if (at.kind === 'unix' || at.port !== 0) return at
    do this.#port = this.#port === LAST_PORT ? FIRST_PORT : this.#port + 1
    while (taken.has(nameOf({ ...at, port: this.#port })))
    return { ...at, port: this.#port }
  }
}

/** One direction of a pipe: bytes, and what comes after them. */
class Pipe {
  tail: 'open' | 'end' | 'break' = 'open'
  reader: 'there' | 'gone' = 'there'
  /** Bytes inside; those of them that a cork holds back; all that ever went in, less what was lost at the writer. */
  size: Bytes = 0
  corked: Bytes = 0
  total: Bytes = 0
  /** How many of the bytes are the system's; 0 until it is open. */
  capacity: Bytes = 0
  #chunks: Buffer[] = []

  /** Bytes that the system has not taken. */
  get queued(): Bytes {
    return Math.max(0, this.corked, this.size - this.capacity)
  }

  push(chunk: Buffer, corked: boolean): void {
    this.#chunks.push(chunk)
    this.size += chunk.length
    this.total += chunk.length
    if (corked) this.corked += chunk.length
  }

  take(bytes: Bytes): Buffer {
    const parts: Buffer[] = []
    let left = Math.min(bytes, this.size - this.corked)
    this.size -= left
    while (left > 0) {
      const head = this.#chunks.shift()!
      if (head.length > left) this.#chunks.unshift(head.subarray(left))
      parts.push(head.subarray(0, left))
      left -= parts.at(-1)!.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** The writer is gone: what the system had not taken is lost. */
  cut(tail: 'end' | 'break'): void {
    const kept = this.take(this.capacity)
    this.total -= this.size
    this.#chunks = [kept]
    this.size = kept.length
    this.corked = 0
    this.tail = tail
  }

  /** The reader is gone: all is lost. What the system had taken still counts as sent. */
  abandon(): void {
    this.total -= this.queued
    this.#chunks = []
    this.size = this.corked = 0
    this.reader = 'gone'
  }

  break(): void {
    this.abandon()
    this.tail = 'break'
  }
}

// ---- The parts; their members do what transport.ts says ---------------------------------------------------------------

/** Where a transport comes from: a call to somewhere, or one that was accepted. */
type Origin = { to: Endpoint; from: ConnectOptions['local'] } | { local: SocketAddress | undefined; remote: SocketAddress }

class MemoryTransport implements Transport {
  sink: TransportSink | undefined
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
    if (waiting === undefined) return this.#break(systemError(to.kind === 'unix' ? 'ENOENT' : 'ECONNREFUSED', 'connect', to))
    const local = this.#hub.place({ kind: 'ip', host: from?.host ?? '', port: from?.port ?? 0 }, this.#hub.listeners)
    this.local_address = to.kind === 'unix' ? '' : addressOf(local)
    this.remote_address = addressOf(to)
    waiting.push([this.#out, this.#in, this.local_address])
    this.#in.capacity = this.#out.capacity = this.#hub.capacity
    this.#state = 'open'
    this.sink?.opened()
    return 1
  }

  #receive(budget: Bytes): number {
    const limit = Math.min(budget, this.#in.size - this.#in.corked) // what a hook adds waits for the next pump
    let moved = 0
    while (moved < limit && this.#state === 'open' && this.#flow === 'flowing') {
      const chunk = this.#in.take(Math.min(limit - moved, checkSize('chunk', this.#hub.chunk())))
      if (chunk.length === 0) break // the pipe was reset meanwhile
      moved += chunk.length
      this.bytes_read += chunk.length
      this.sink?.received(chunk)
    }
    return moved
  }

  /** None after `end`, as with Node's sockets. */
  #drain(): number {
    if (this.#room === 'ready' || this.#out.size > 0 || this.#out.reader === 'gone' || this.#out.tail === 'end') return 0
    this.#room = 'ready'
    this.sink?.drained()
    return 1
  }

  #hear(): number {
    const all = this.#flow === 'flowing' && this.#in.size === 0
    if (this.#in.tail === 'break' && (all || this.#room === 'full')) return this.#break(systemError('ECONNRESET', 'read'))
    let moved = 0
    if (this.#in.tail === 'end' && all && this.#peer === 'open') {
      this.#peer = 'ended'
      this.sink?.ended()
      moved = 1
    }
    if (this.#peer === 'ended' && this.#out.tail === 'end' && this.#out.queued === 0) this.#state = 'closing'
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
    if ((this.#state !== 'open' && this.#state !== 'connecting') || this.#out.tail === 'end') return false
    const chunk = typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data)
    if (chunk.length > 0 && this.#out.reader === 'gone') return this.#break(systemError('EPIPE', 'write')) > 0
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

class MemoryListener implements Listener {
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
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift(), moved++) {
      const [inward, outward, remote] = call
      const transport = new MemoryTransport(this.#hub, inward, outward, { local: this.local_address, remote })
      this.sink?.accepted(transport)
    }
    return moved
  }

  /** Who called and was not accepted is reset, as a kernel does. */
  close(): void {
    if (this.#state === 'listening') this.#hub.listeners.delete(nameOf(this.#at))
    for (const [inward, outward] of this.#waiting.splice(0)) for (const pipe of [inward, outward]) pipe.break()
    this.#state = 'closing'
    this.#hub.wake()
  }
}

class MemoryPackets implements PacketSocket {
  sink: PacketSink | undefined
  readonly fileno: undefined
  local_address: SocketAddress | undefined
  remote_address: SocketAddress | undefined
  readonly #hub: Hub
  readonly #settings: PacketOptions
  #at: Endpoint
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'
  readonly #groups = new Set<string>()
  #inbox: [data: Buffer, from: SocketAddress][] = []
  #refusals: SystemError[] = []
  #outbox: [data: Buffer, to: Endpoint | undefined, done: (error: SystemError | null) => void][] = []

  constructor(hub: Hub, options: PacketOptions) {
    this.#hub = hub
    this.#settings = { ...options }
    this.#at = options.bind ?? { kind: 'ip', host: '', port: 0 }
    hub.wake(this.#step)
  }

  readonly #step = (): number => {
    let moved = 0
    if (this.#state === 'opening') moved += this.#open()
    for (const [data, from] of this.#state === 'open' ? this.#inbox.splice(0) : []) {
      if (this.#state === 'open') this.sink?.received(data, from)
      moved++
    }
    for (const [data, to, done] of this.#outbox.splice(0)) {
      done(this.#state === 'open' ? this.#deliver(data, to) : systemError('ECANCELED', 'send'))
      moved++
    }
    for (const error of this.#refusals.splice(0)) {
      if (this.#state === 'open') this.sink?.refused(error)
      moved++
    }
    if (this.#state === 'closing') moved += this.#close()
    if (this.#state === 'closed') this.#hub.steps.delete(this.#step)
    return moved
  }

  #open(): number {
    this.#at = this.#hub.place(this.#at, this.#hub.sockets)
    const sharers = this.#hub.sockets.get(nameOf(this.#at)) ?? []
    if (sharers.length > 0 && ![this, ...sharers].every(socket => socket.#settings.reuse_address)) {
      this.#state = 'closing'
      this.sink?.failed(systemError('EADDRINUSE', 'bind', this.#at))
      return 1
    }
    this.#hub.sockets.set(nameOf(this.#at), [...sharers, this])
    this.#state = 'open'
    this.local_address = addressOf(this.#at)
    if (this.#settings.connect !== undefined) this.remote_address = addressOf(this.#settings.connect)
    this.sink?.opened()
    return 1
  }

  /** Puts a packet into the inboxes of who listens there; a group's members share the port, of others the last bound gets it. */
  #deliver(data: Buffer, to: Endpoint | undefined): SystemError | null {
    const target = to ?? this.#settings.connect
    if (target === undefined) return systemError('EDESTADDRREQ', 'send')
    if (data.length > MAX_PACKET) return systemError('EMSGSIZE', 'send', target)
    const from = this.local_address!
    if (target.kind === 'ip' && GROUP.test(target.host)) {
      if (this.#settings.multicast_loopback !== false) this.#multicast(data, target)
      return null
    }
    const receiver = this.#hub.sockets.get(nameOf(target))?.findLast(socket => socket.#hears(from))
    if (receiver !== undefined) receiver.#inbox.push([data, from])
    // Only a connected socket learns that nobody is there (ICMP), and only after the packet has gone.
    else if (to === undefined) this.#refusals.push(systemError('ECONNREFUSED', 'recv', target))
    return null
  }

  #multicast(data: Buffer, group: { host: string; port: Port }): void {
    for (const socket of [...this.#hub.sockets.values()].flat()) {
      const member = socket.#groups.has(group.host) && (socket.#at as { port?: Port }).port === group.port
      if (member && socket.#hears(this.local_address!)) socket.#inbox.push([Buffer.from(data), this.local_address!])
    }
  }

  /** A connected socket hears its peer only. */
  #hears(from: SocketAddress): boolean {
    return this.remote_address === undefined || String(this.remote_address) === String(from)
  }

  send(data: string | Uint8Array, encoding: Encoding, to: Endpoint | undefined, done: (error: SystemError | null) => void): void {
    this.#outbox.push([typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data), to, done])
    this.#hub.wake(this.#step)
  }

  configure(options: Omit<PacketOptions, 'bind' | 'connect' | 'reuse_address'>): void {
    Object.assign(this.#settings, options)
  }

  join(group: string): void {
    if (!GROUP.test(group)) throw systemError('EINVAL', 'addMembership')
    if (this.#groups.has(group)) throw systemError('EADDRINUSE', 'addMembership')
    this.#groups.add(group)
  }

  leave(group: string): void {
    if (!this.#groups.delete(group)) throw systemError('EADDRNOTAVAIL', 'dropMembership')
  }

  destroy(): void {
    if (this.#state === 'open') this.#release()
    if (this.#state !== 'closed') this.#state = 'closing'
    this.#hub.wake()
  }

  #release(): void {
    const others = this.#hub.sockets.get(nameOf(this.#at))!.filter(socket => socket !== this)
    if (others.length > 0) this.#hub.sockets.set(nameOf(this.#at), others)
    else this.#hub.sockets.delete(nameOf(this.#at))
  }

  #close(): number {
    this.#state = 'closed'
    this.sink?.closed()
    return 1
  }
}

// ---- Helpers ------------------------------------------------------------------------------------------------------------

function hostOf(host: string): string {
  return THIS_MACHINE.includes(host) ? '127.0.0.1' : host
}

function addressOf(at: Endpoint): SocketAddress {
  return at.kind === 'unix' ? at.path : [hostOf(at.host), at.port]
}

/** What two ways to write the same place have in common. */
function nameOf(at: Endpoint): string {
  return String(addressOf(at))
}

function systemError(code: string, syscall: string, at?: Endpoint): SystemError {
  const where = at === undefined ? '' : ` ${nameOf(at).replace(',', ':')}`
  return Object.assign(new Error(`${syscall} ${code}${where}`), { code, syscall })
}

function checkSize(name: string, value: Bytes, least: Bytes = 1): Bytes {
  if ((Number.isInteger(value) || value === Infinity) && value >= least) return value
  throw new InvalidArgumentError(name, `a whole number of bytes, ${least} or more`, value)
}
