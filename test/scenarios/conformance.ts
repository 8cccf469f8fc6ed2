/**
 * The conformance suite of the seam (src/transport.ts), as a function: every network passes it, whatever it is made of.
 *
 * A scenario works in a `World`: a fresh network, and a `Probe` on each transport. The probe writes down every report and
 * every call, and `World.end` holds what is written against rules 1 to 5, so that each scenario checks all of them and has to
 * say only what is special to it. Nothing sleeps: `until` waits for reports, and `pass` lets as much time go by as a
 * connection, a byte and a close on the same network take.
 */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import type { Endpoint, Listener, Network, SystemError, Transport } from '../../src/transport.ts'
import type { Bytes } from '../../src/types.ts'

/** What a network brings to the suite. */
export interface Fixture {
  readonly network: Network
  /** Where to listen: a new address every time (port 0, or a path that is not there). */
  address(): Endpoint
  /** How much the bulk scenarios send; default 1 MiB. */
  readonly bulk?: Bytes
}

/** In milliseconds: a report that never comes fails its own scenario, not the whole suite. The longest takes under a second. */
const TIMEOUT = 10_000

type Scenario = (t: Test, world: World) => Promise<void>

/** Runs the whole suite as a subtest; `make` is called once for every scenario. */
export async function conformance(t: Test, name: string, make: (t: Test) => Promise<Fixture> | Fixture): Promise<void> {
  await t.test(name, async t => {
    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      await t.test(title, { timeout: TIMEOUT }, async t => {
        const world = new World(t, await make(t))
        await scenario(t, world)
        await world.end()
      })
    }
  })
}

// ---- The instruments ------------------------------------------------------------------------------------------------

const REPORTS = ['opened', 'received', 'drained', 'ended', 'failed', 'closed'] as const
type Report = (typeof REPORTS)[number]

class World {
  readonly network: Network
  readonly bulk: Bytes
  readonly #t: Test
  readonly #fixture: Fixture
  readonly #probes: Probe[] = []
  readonly #doors: Door[] = []
  readonly #waiting = new Set<() => void>()
  #calls = 0

  constructor(t: Test, fixture: Fixture) {
    this.#t = t
    this.#fixture = fixture
    this.network = fixture.network
    this.bulk = fixture.bulk ?? 1024 * 1024
  }

  /** Makes a call, and holds it to rule 1: nothing is reported inside it. */
  call<Result>(made: () => Result): Result {
    this.#calls++
    try {
      return made()
    } finally {
      this.#calls--
    }
  }

  /** Something was reported. */
  noted(what: string): void {
    if (this.#calls > 0) this.#t.fail(`rule 1: ${what} was reported inside a call`)
    for (const wake of [...this.#waiting]) wake()
  }

  /** Waits until reports have made it true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>(resolve => this.#waiting.add(resolve))
      this.#waiting.clear()
    }
  }

  address(): Endpoint {
    return this.#fixture.address()
  }

  listen(at: Endpoint = this.address()): Door {
    const door = new Door(this, this.call(() => this.network.listen(at, { backlog: 511 })), at)
    this.#doors.push(door)
    return door
  }

  connect(to: Endpoint): Probe {
    return this.probe(this.call(() => this.network.connect(to, {})), 'called')
  }

  probe(transport: Transport, side: 'called' | 'accepted'): Probe {
    const probe = new Probe(this, transport, side)
    this.#probes.push(probe)
    return probe
  }

  /** Both sides of an open pipe, not yet resumed, and the listener. */
  async pair(): Promise<{ client: Probe; server: Probe; door: Door }> {
    const door = this.listen()
    await this.until(() => door.count('listening') > 0)
    const client = this.connect(door.endpoint)
    await this.until(() => client.count('opened') > 0 && door.accepted.length > 0)
    return { client, server: door.accepted[0]!, door }
  }

  /** Lets some time go by: a connection is made, a byte goes there and back, and both sides close. */
  async pass(): Promise<void> {
    const { client, server } = await this.pair()
    server.flow().hooks.received = () => server.write('b')
    client.flow().write('a')
    await this.until(() => client.text === 'b')
    server.destroy()
    client.destroy()
    await this.until(() => client.count('closed') + server.count('closed') === 2)
    for (let turn = 0; turn < 5; turn++) await nextTurn()
  }

  /** Closes all, waits for it, and judges what every probe has written down. */
  async end(): Promise<void> {
    for (const probe of this.#probes) probe.destroy()
    for (const door of this.#doors) door.close()
    const all = [...this.#probes, ...this.#doors]
    await this.until(() => all.every(one => one.count('closed') > 0))
    for (let turn = 0; turn < 10; turn++) await nextTurn() // for what must not follow
    for (const one of all) one.judge(this.#t)
  }
}

/** A turn of the loop, sockets included. */
function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Writes down what one transport reports and what is done to it. */
class Probe {
  readonly transport: Transport
  /** Reports, and calls in brackets. */
  readonly log: string[] = []
  /** What a scenario wants to do inside a report. */
  readonly hooks: Partial<Record<Report, () => void>> = {}
  error: SystemError | undefined
  /** How many bytes were received. */
  size: Bytes = 0
  readonly #world: World
  readonly #side: 'called' | 'accepted'
  readonly #chunks: { chunk: Buffer; copy: Buffer }[] = []
  readonly #counts: Record<Report, number> = { opened: 0, received: 0, drained: 0, ended: 0, failed: 0, closed: 0 }

  constructor(world: World, transport: Transport, side: 'called' | 'accepted') {
    this.#world = world
    this.transport = transport
    this.#side = side
    transport.sink = {
      opened: () => this.#note('opened'),
      received: chunk => {
        this.#chunks.push({ chunk, copy: Buffer.from(chunk) })
        this.size += chunk.length
        this.#note('received')
      },
      drained: () => this.#note('drained'),
      ended: () => this.#note('ended'),
      failed: error => {
        this.error = error
        this.#note('failed')
      },
      closed: () => this.#note('closed'),
    }
  }

  #note(report: Report): void {
    this.log.push(report)
    this.#counts[report]++
    this.#world.noted(report)
    this.hooks[report]?.()
  }

  count(report: Report): number {
    return this.#counts[report]
  }

  /** The reports without the bytes: how often `received` comes is the network's affair. */
  get course(): string {
    return this.log.filter(entry => REPORTS.includes(entry as Report) && entry !== 'received' && entry !== 'drained').join(' ')
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks.map(({ copy }) => copy))
  }

  /** What came with the latest report. */
  get last(): Buffer {
    return this.#chunks.at(-1)!.copy
  }

  get text(): string {
    return this.bytes.toString()
  }

  #call<Result>(name: string, made: () => Result): Result {
    this.log.push(`(${name})`)
    return this.#world.call(made)
  }

  write(data: string | Uint8Array, encoding: BufferEncoding = 'utf8'): boolean {
    return this.#call('write', () => this.transport.write(data, encoding))
  }

  /** Resumes; returns the probe, as this is often the first thing done to it. */
  flow(): this {
    this.#call('resume', () => this.transport.resume())
    return this
  }

  pause(): void {
    this.#call('pause', () => this.transport.pause())
  }

  end(): void {
    this.#call('end', () => this.transport.end())
  }

  destroy(): void {
    this.#call('destroy', () => this.transport.destroy())
  }

  /** Rules 2 to 5, over the whole log. */
  judge(t: Test): void {
    const { log } = this
    const rule = (number: number, holds: boolean, what: string): void => {
      if (!holds) t.fail(`rule ${number}: ${what}`, { log: log.join(' ').slice(-600) })
    }
    const first = (entry: string): number => log.includes(entry) ? log.indexOf(entry) : Infinity
    const after = (entry: string): string[] => log.slice(first(entry) + 1).filter(other => REPORTS.includes(other as Report))
    const reports = log.filter(entry => REPORTS.includes(entry as Report))
    rule(2, this.count('closed') === 1 && reports.at(-1) === 'closed', 'exactly one closed, and it is the last')
    for (const once of ['opened', 'ended', 'failed'] as const) rule(2, this.count(once) <= 1, `at most one ${once}`)
    rule(2, after('ended').every(other => other !== 'received'), 'nothing is received after ended')
    rule(2, after('failed').join() === (this.count('failed') > 0 ? 'closed' : ''), 'only closed follows failed')
    if (this.#side === 'accepted') rule(2, this.count('opened') === 0, 'what was accepted is open, and does not report it')
    else rule(2, this.count('opened') === 1 ? reports[0] === 'opened' : /^(failed,)?closed$/.test(reports.join()), 'opened is first')
    rule(3, !(first('received') < first('(resume)')), 'nothing is received before the first resume')
    rule(3, mostWhilePaused(log) <= 1, 'one chunk at most is received while paused')
    rule(4, /^(closed)?$/.test(after('(destroy)').join()), 'only closed follows destroy')
    rule(5, this.#chunks.every(({ copy }) => copy.length > 0), 'no chunk is empty')
    rule(5, this.#chunks.every(({ chunk, copy }) => Buffer.isBuffer(chunk) && chunk.equals(copy)), 'a chunk belongs to the sink')
  }
}

function mostWhilePaused(log: readonly string[]): number {
  let [most, count, paused] = [0, 0, true]
  for (const entry of log) {
    if (entry === '(pause)' || entry === '(resume)') [paused, count] = [entry === '(pause)', 0]
    if (entry === 'received' && paused) most = Math.max(most, ++count)
  }
  return most
}

/** Writes down what a listener reports, and puts a probe on everything it accepts. */
class Door {
  readonly listener: Listener
  readonly log: string[] = []
  readonly accepted: Probe[] = []
  readonly hooks: { listening?: () => void; accepted?: (probe: Probe) => void } = {}
  error: SystemError | undefined
  readonly #world: World
  readonly #at: Endpoint

  constructor(world: World, listener: Listener, at: Endpoint) {
    this.#world = world
    this.#at = at
    this.listener = listener
    listener.sink = {
      listening: () => {
        this.#note('listening')
        this.hooks.listening?.()
      },
      accepted: transport => {
        const probe = world.probe(transport, 'accepted')
        this.accepted.push(probe)
        this.#note('accepted')
        this.hooks.accepted?.(probe)
      },
      failed: error => {
        this.error = error
        this.#note('failed')
      },
      closed: () => this.#note('closed'),
    }
  }

  #note(report: string): void {
    this.log.push(report)
    this.#world.noted(report)
  }

  count(report: string): number {
    return this.log.filter(entry => entry === report).length
  }

  /** Where to connect to. */
  get endpoint(): Endpoint {
    return this.#at.kind === 'unix' ? this.#at : { ...this.#at, port: (this.listener.local_address as [string, number])[1] }
  }

  close(): void {
    this.#world.call(() => this.listener.close())
  }

  judge(t: Test): void {
    if (/^((listening,)?|(listening,)(accepted,)*)(failed,)?closed$/.test(this.log.join())) return
    t.fail('a listener reports listening, any number of accepted, at most one failed, one closed', { log: this.log })
  }
}

// ---- The scenarios --------------------------------------------------------------------------------------------------

const REFUSED = ['ECONNREFUSED', 'ENOENT']
const GONE = ['EPIPE', 'ECONNRESET']

/** Bytes without a period that a mistake could hide in. */
function pattern(size: Bytes): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >> 8) * 13 + (index >> 16)) & 0xff))
}

/**
 * Writes pieces as a well-behaved program does: after a false it waits for `drained`. Stops when it has written `least` bytes
 * and was made to wait once: a kernel may hold megabytes.
 */
function pour(probe: Probe, least: Bytes, stopped: () => void): { sent: Buffer[]; waits: number } {
  const poured = { sent: [] as Buffer[], waits: 0 }
  const pieces = pattern(64 * 1024)
  const go = (): void => {
    while (poured.waits === 0 || poured.sent.length * 16 * 1024 < least) {
      const begin = (poured.sent.length * 16 * 1024) % pieces.length
      poured.sent.push(pieces.subarray(begin, begin + 16 * 1024))
      if (!probe.write(poured.sent.at(-1)!)) return void poured.waits++
    }
    stopped()
  }
  probe.hooks.drained = go
  go()
  return poured
}

/** Sends back what comes, and stops reading while it cannot; ends when the peer has. */
function echo(probe: Probe): void {
  probe.hooks.received = () => {
    if (!probe.write(probe.last)) probe.pause()
  }
  probe.hooks.drained = () => probe.flow()
  probe.hooks.ended = () => probe.end()
  probe.flow()
}

const SCENARIOS: Record<string, Scenario> = {
  async 'opens, knows its addresses, and still knows them after closing'(t, world) {
    const door = world.listen()
    await world.until(() => door.count('listening') > 0)
    const client = world.connect(door.endpoint)
    t.equal(client.transport.local_address, undefined, 'before it is open')
    t.equal(client.transport.remote_address, undefined, 'before it is open')
    await world.until(() => client.count('opened') > 0 && door.accepted.length > 0)
    const server = door.accepted[0]!
    const addresses = () => [client, server].flatMap(({ transport }) => [transport.local_address, transport.remote_address])
    const { endpoint } = door
    const here = endpoint.kind === 'unix' ? endpoint.path : [endpoint.host, endpoint.port]
    const there = endpoint.kind === 'unix' ? '' : client.transport.local_address
    const expected = [there, here, here, there]
    t.same(addresses(), expected)
    t.same(door.listener.local_address, here)
    client.destroy()
    server.destroy()
    door.close()
    await world.until(() => client.count('closed') + server.count('closed') + door.count('closed') === 3)
    t.same(addresses(), expected, 'after closing')
    t.same(door.listener.local_address, here, 'after closing')
    t.same([client, server, door.listener].map(one => ('transport' in one ? one.transport : one).fileno), [undefined, undefined, undefined])
  },

  async 'starts paused'(t, world) {
    const { client, server } = await world.pair()
    client.write('early')
    await world.pass()
    t.equal(server.size, 0)
    server.flow()
    await world.until(() => server.size === 5)
    t.equal(server.text, 'early')
  },

  async 'echoes a lot, with backpressure both ways'(t, world) {
    const { client, server } = await world.pair()
    const poured = pour(client.flow(), world.bulk, () => client.end())
    t.equal(poured.waits, 1, 'nobody reads, so the writer is made to wait')
    echo(server)
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    const data = Buffer.concat(poured.sent)
    t.ok(client.bytes.equals(data))
    t.equal(client.count('drained'), poured.waits, 'drained exactly once for each wait')
    for (const { transport } of [client, server]) {
      t.same([transport.bytes_read, transport.bytes_written, transport.bytes_queued], [data.length, data.length, 0])
    }
    t.same([client.course, server.course], ['opened ended closed', 'ended closed'])
  },

  async 'reports drained once, however often write has said false'(t, world) {
    const { client, server } = await world.pair()
    const piece = pattern(64 * 1024)
    let sent = piece.length
    while (client.write(piece)) sent += piece.length
    for (let more = 0; more < 3; more++, sent += piece.length) t.equal(client.write(piece), false, 'still waiting')
    server.flow()
    await world.until(() => server.size === sent && client.count('drained') > 0)
    await world.pass()
    t.equal(client.count('drained'), 1)
    t.equal(client.transport.bytes_queued, 0)
    t.equal(client.transport.bytes_written, sent)
  },

  async 'pauses and resumes'(t, world) {
    const { client, server } = await world.pair()
    const data = pattern(256 * 1024)
    server.hooks.received = () => server.pause()
    server.flow()
    client.write(data)
    await world.until(() => server.size > 0)
    await world.pass()
    t.ok(server.size < data.length)
    server.hooks.received = () => {}
    server.flow()
    await world.until(() => server.size === data.length)
    t.ok(server.bytes.equals(data))
  },

  async 'pauses and resumes many times'(t, world) {
    const { client, server } = await world.pair()
    server.hooks.received = () => {
      server.pause()
      server.flow()
      server.pause()
      setImmediate(() => server.flow())
    }
    server.flow()
    client.write(pattern(50_000))
    client.end()
    await world.until(() => server.count('ended') > 0)
    t.ok(server.bytes.equals(pattern(50_000)))
  },

  async 'half-closes: the caller first'(t, world) {
    const { client, server } = await world.pair()
    await halfClose(t, world, client, server)
  },

  async 'half-closes: the accepted side first'(t, world) {
    const { client, server } = await world.pair()
    await halfClose(t, world, server, client)
  },

  async 'ends after everything that was written'(t, world) {
    const { client, server } = await world.pair()
    client.write(pattern(world.bulk))
    client.end()
    client.end()
    server.flow()
    await world.until(() => server.count('ended') > 0)
    t.ok(server.bytes.equals(pattern(world.bulk)))
    server.end()
    client.flow()
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    t.same([client.course, server.course], ['opened ended closed', 'ended closed'])
  },

  async 'reports ended only when everything before it was received'(t, world) {
    const { client, server } = await world.pair()
    client.write('abc')
    client.end()
    await world.pass()
    t.equal(server.count('ended'), 0)
    server.flow()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'abc')
  },

  async 'both sides end at once'(t, world) {
    const { client, server } = await world.pair()
    for (const side of [client, server]) {
      side.write('bye')
      side.end()
      side.flow()
    }
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    t.same([client.text, server.text], ['bye', 'bye'])
    t.same([client.course, server.course], ['opened ended closed', 'ended closed'])
  },

  async 'sends nothing for an empty write'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    for (const data of ['', 'a', new Uint8Array(0), 'b', Buffer.alloc(0)]) t.type(client.write(data), 'boolean')
    client.end()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'ab')
    t.equal(client.transport.bytes_written, 2)
  },

  async 'collects while corked, and keeps the order'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.write('a')
    client.transport.cork()
    client.write('b')
    client.write(Buffer.from('c'))
    await world.pass()
    t.equal(server.text, 'a')
    client.transport.uncork()
    client.write('d')
    await world.until(() => server.size === 4)
    t.equal(server.text, 'abcd')
  },

  async 'ends what was corked as well'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.transport.cork()
    client.write('corked')
    client.end()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'corked')
  },

  async 'writes text in its encoding, and bytes as they are'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.write('é')
    client.write('é', 'latin1')
    client.write('00ff', 'hex')
    client.write(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))
    await world.until(() => server.size === 7)
    t.equal(server.bytes.toString('hex'), 'c3a9e900ff0203')
  },

  async 'refuses'(t, world) {
    const door = world.listen()
    await world.until(() => door.count('listening') > 0)
    const { endpoint } = door
    door.close()
    await world.until(() => door.count('closed') > 0)
    const client = world.connect(endpoint)
    await world.until(() => client.count('closed') > 0)
    t.equal(client.course, 'failed closed')
    t.ok(REFUSED.includes(client.error!.code!), client.error!.code!)
    t.equal(client.error!.syscall, 'connect')
    t.ok(client.error instanceof Error)
  },

  async 'does not listen where somebody does'(t, world) {
    const { client, server, door } = await world.pair()
    const second = world.listen(door.endpoint)
    await world.until(() => second.count('closed') > 0)
    t.same(second.log, ['failed', 'closed'])
    t.equal(second.error!.code, 'EADDRINUSE')
    t.equal(second.error!.syscall, 'listen')
    const third = world.connect(door.endpoint)
    await world.until(() => third.count('opened') > 0 && door.accepted.length === 2)
    echo(server)
    client.flow().write('still')
    await world.until(() => client.size === 5)
  },

  async 'closes a listener, and keeps what it accepted'(t, world) {
    const { client, server, door } = await world.pair()
    door.close()
    door.close()
    await world.until(() => door.count('closed') > 0)
    door.close()
    t.same(door.log, ['listening', 'accepted', 'closed'])
    echo(server)
    client.flow().write('kept')
    await world.until(() => client.text === 'kept')
  },

  async 'closes a listener before it listens, and inside its reports'(t, world) {
    const early = world.listen()
    early.close()
    const listening = world.listen()
    listening.hooks.listening = () => listening.close()
    const accepting = world.listen()
    accepting.hooks.accepted = () => accepting.close()
    await world.until(() => accepting.count('listening') > 0)
    const client = world.connect(accepting.endpoint)
    await world.until(() => [early, listening, accepting].every(door => door.count('closed') > 0) && client.log.length > 0)
    t.same(early.log, ['closed'])
    t.same(listening.log, ['listening', 'closed'])
    t.same(accepting.log, ['listening', 'accepted', 'closed'])
  },

  async 'listens again where a listener has closed'(t, world) {
    const { door } = await world.pair()
    door.close()
    await world.until(() => door.count('closed') > 0)
    const again = world.listen(door.endpoint)
    await world.until(() => again.count('listening') > 0)
    const client = world.connect(again.endpoint)
    await world.until(() => client.count('opened') > 0 && again.accepted.length > 0)
    t.equal(client.course, 'opened')
  },

  async 'destroys while connecting'(t, world) {
    const door = world.listen()
    await world.until(() => door.count('listening') > 0)
    const client = world.connect(door.endpoint)
    client.destroy()
    client.destroy()
    await world.until(() => client.count('closed') > 0)
    await world.pass()
    t.equal(client.course, 'closed')
  },

  async 'destroys inside every report'(t, world) {
    for (const report of REPORTS) {
      const door = world.listen()
      door.hooks.accepted = server => {
        server.flow().write('x')
        server.end()
      }
      await world.until(() => door.count('listening') > 0)
      const client = world.connect(report === 'failed' ? await nowhere(world) : door.endpoint)
      client.hooks.opened = () => {
        client.flow()
        if (report === 'drained') while (client.write(pattern(64 * 1024))) { /* until it is full */ }
        if (report === 'closed') client.end()
      }
      client.hooks[report] = () => client.destroy()
      await world.until(() => client.count('closed') > 0)
      t.equal(client.count(report), 1, report)
    }
  },

  async 'destroys twice, and bears every call afterwards'(t, world) {
    const { client, server } = await world.pair()
    client.flow()
    for (let round = 0; round < 3; round++) {
      client.destroy()
      useAll(client)
      if (round === 1) await world.until(() => client.count('closed') > 0)
    }
    t.equal(client.transport.bytes_queued, 0)
    server.flow()
    await world.until(() => server.count('ended') + server.count('failed') > 0)
    t.equal(server.size, 0)
    t.equal(client.course, 'opened closed')
  },

  async 'bears every call while connecting'(t, world) {
    const door = world.listen()
    await world.until(() => door.count('listening') > 0)
    const client = world.connect(door.endpoint)
    client.transport.set_no_delay(true)
    client.transport.set_keep_alive(1000)
    client.flow()
    client.pause()
    client.flow()
    client.write('early')
    client.end()
    await world.until(() => client.count('opened') > 0 && door.accepted.length > 0)
    const server = door.accepted[0]!.flow()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'early')
    t.equal(client.transport.bytes_written, 5)
  },

  async 'delivers what was taken when the writer destroys'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    t.equal(client.write('last words'), true)
    client.destroy()
    await world.until(() => server.count('ended') + server.count('failed') > 0)
    t.equal(server.text, 'last words')
    t.equal(server.course, 'ended')
    server.end()
    await world.until(() => server.count('closed') > 0)
  },

  async 'tells the writer when the reader destroys with bytes unread'(t, world) {
    const { client, server } = await world.pair()
    const data = pattern(64 * 1024)
    client.flow()
    while (client.write(data)) { /* until the pipe is full */ }
    client.write(Buffer.alloc(16 * 1024 * 1024)) // more than any kernel takes
    await world.pass()
    server.destroy()
    await world.until(() => client.count('closed') > 0)
    t.equal(client.course, 'opened failed closed')
    t.ok(GONE.includes(client.error!.code!), client.error!.code!)
  },

  async 'fails when it writes to a peer that is gone'(t, world) {
    const { client, server } = await world.pair()
    client.destroy()
    for (let turn = 0; server.count('failed') === 0 && turn < 10_000; turn++) {
      server.write('anybody?')
      await nextTurn()
    }
    await world.until(() => server.count('closed') > 0)
    t.equal(server.course, 'failed closed')
    t.ok(GONE.includes(server.error!.code!), server.error!.code!)
  },

  async 'is silent without a sink'(t, world) {
    const { client, server } = await world.pair()
    const { sink } = server.transport
    server.transport.sink = undefined
    server.flow()
    client.write('to nobody')
    client.end()
    await world.pass()
    t.equal(server.log.join(), '(resume)')
    server.transport.sink = sink
  },

  async 'keeps many pipes apart'(t, world) {
    const door = world.listen()
    door.hooks.accepted = echo
    await world.until(() => door.count('listening') > 0)
    const clients = Array.from({ length: 20 }, () => world.connect(door.endpoint))
    for (const [number, client] of clients.entries()) {
      client.hooks.opened = () => {
        client.flow().write(`${number}`.repeat(100))
        client.end()
      }
    }
    await world.until(() => clients.every(client => client.count('closed') > 0))
    t.same(clients.map(client => client.text), clients.map((_, number) => `${number}`.repeat(100)))
    t.equal(door.accepted.length, 20)
  },
}

async function halfClose(t: Test, world: World, first: Probe, second: Probe): Promise<void> {
  first.flow().write('question')
  first.end()
  second.flow()
  await world.until(() => second.count('ended') > 0)
  t.equal(second.text, 'question')
  await world.pass()
  t.equal(first.count('ended') + first.count('closed') + second.count('closed'), 0, 'the other direction stands')
  second.write('answer')
  await world.until(() => first.size === 6)
  second.end()
  await world.until(() => first.count('closed') + second.count('closed') === 2)
  t.equal(first.text, 'answer')
  t.match(first.course, /^(opened )?ended closed$/)
  t.match(second.course, /^(opened )?ended closed$/)
}

/** A place where nobody listens. */
async function nowhere(world: World): Promise<Endpoint> {
  const door = world.listen()
  await world.until(() => door.count('listening') > 0)
  door.close()
  await world.until(() => door.count('closed') > 0)
  return door.endpoint
}

/** Every call there is; none of them may throw. */
function useAll(probe: Probe): void {
  const { transport } = probe
  transport.cork()
  probe.write('nobody gets this')
  transport.uncork()
  probe.pause()
  probe.flow()
  probe.end()
  transport.set_no_delay(true)
  transport.set_keep_alive(false)
}
