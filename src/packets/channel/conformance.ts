/**
 * Layer 9. The promises of PacketChannel, and a function that holds any implementation to them. It
 * needs no test framework.
 *
 * Each check makes a channel of its own, and closes it. What a check needs of the server's side
 * (something pushed, a connection that breaks) the fixture does; a check whose need is not met is
 * skipped, and the report says so.
 */

import {
  checkDuration,
  checkFunction,
  type Checks,
  checkWait,
  instanceOf,
} from '../../core/checks.ts'
import type { Complete } from '../../core/option-types.ts'
import { checkOptions } from '../../core/options.ts'
import { DRIVE, Engine } from '../../engine.ts'
import { ChannelError, messageOf } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import { Packet, type PacketDict } from '../packet.ts'
import {
  type OnCatastrophicDisconnect,
  type OnChannelOpen,
  type OnMessage,
  PacketChannel,
} from './packet-channel.ts'

type Make = (
  on_channel_open: OnChannelOpen,
  on_catastrophic_disconnect: OnCatastrophicDisconnect,
  on_message: OnMessage,
) => PacketChannel | Promise<PacketChannel>

/** What `check_packet_channel` is handed: your channel, and the other side of it. */
export interface ConformanceFixture {
  /** Makes a channel to a server that works. Called once for each check. */
  readonly make: Make
  /** Makes a channel that has no hope of a connection. It must give up soon. */
  readonly make_hopeless?: Make | undefined
  /** Every packet that has arrived at the server so far, in order. */
  readonly received?: (() => readonly PacketDict[]) | undefined
  /** Has the server send this packet to the channel, which may have connected only just now. */
  readonly push?: ((packet: PacketDict) => unknown) | undefined
  /** Breaks all connections, and lets nobody connect until `restore`. */
  readonly drop?: (() => unknown) | undefined
  /** Ends what `drop` began. */
  readonly restore?: (() => unknown) | undefined
  /** The engine whose timers the checks use. @default Engine.instance() */
  readonly engine?: Engine | undefined
  /** How long something that must happen may take. @default 5000 ms */
  readonly timeout?: Milliseconds | undefined
  /** How long a check waits for what must not happen. @default 50 ms */
  readonly quiet?: Milliseconds | undefined
}

/** One promise, and how it was kept. */
export interface ConformanceCheck {
  /** What a channel must do. */
  readonly rule: string
  /** Why it did not, or was not tried; '' if it did. */
  readonly why: string
}

/** What `check_packet_channel` has found. */
export interface ConformanceReport {
  /** The promises that were kept. */
  readonly passed: readonly ConformanceCheck[]
  /** Those that were broken. */
  readonly failed: readonly ConformanceCheck[]
  /** Those that could not be tried: the fixture does not do what they need. */
  readonly skipped: readonly ConformanceCheck[]
}

/** A channel has broken a promise. The message has a line for each. Code ERR_CONFORMANCE. */
export class ConformanceError extends ChannelError {
  /** All that was found. */
  readonly report: ConformanceReport

  constructor(report: ConformanceReport) {
    const lines = report.failed.map(({ rule, why }) => `  ${rule}: ${why}`)
    const what = 'the channel does not keep to the contract of PacketChannel'
    super('ERR_CONFORMANCE', `${what}:\n${lines.join('\n')}`)
    this.report = report
  }
}

/** A channel under test, and what it has called. */
class Probe {
  readonly opens: string[] = []
  readonly disconnects: string[] = []
  readonly messages: [id: string, packet: Packet][] = []
  /** Was it alive in the first on_channel_open? */
  wasAlive: boolean | undefined
  channel!: PacketChannel
  readonly #engine: Engine
  readonly #timeout: Milliseconds
  readonly #quiet: Milliseconds

  constructor({ engine = Engine.instance(), timeout = 5000, quiet = 50 }: ConformanceFixture) {
    this.#engine = engine
    this.#timeout = timeout
    this.#quiet = quiet
  }

  async make(make: Make): Promise<PacketChannel> {
    this.channel = await make(
      id => {
        this.opens.push(id)
        this.wasAlive ??= this.channel.is_alive()
      },
      id => void this.disconnects.push(id),
      (id, packet) => void this.messages.push([id, packet]),
    )
    if (!(this.channel instanceof PacketChannel)) fail('make() must return a PacketChannel')
    return this.channel
  }

  get calls(): number {
    return this.opens.length + this.disconnects.length + this.messages.length
  }

  async open(make: Make): Promise<PacketChannel> {
    const channel = await this.make(make)
    channel.open()
    await this.until('it must become alive', () => channel.is_alive() && this.opens.length > 0)
    return channel
  }

  #pause(delay: Milliseconds): Promise<void> {
    return new Promise(go => void this.#engine[DRIVE].after(delay, go))
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const end = this.#engine.now + this.#timeout
    while (!isSo()) {
      if (this.#engine.now >= end) fail(`${what}; it did not within ${this.#timeout} ms`)
      await this.#pause(2)
    }
  }

  quiet(): Promise<void> {
    return this.#pause(this.#quiet)
  }
}

function fail(why: string): never {
  throw new Error(why)
}

function must(isSo: boolean, why: string): void {
  if (!isSo) fail(why)
}

const packet = (n: number): Packet =>
  new Packet({
    packet_type: 'agent_action',
    sender_id: 'mephisto',
    receiver_id: 'conformance',
    data: { n },
  })

type Need = 'make_hopeless' | 'received' | 'push' | 'drop' | 'restore'
type Check = (probe: Probe, fixture: Complete<ConformanceFixture>) => Promise<void>

const MANY = 100

// prettier-ignore
const CHECKS: readonly (readonly [rule: string, needs: readonly Need[], check: Check])[] = [
  ['a new channel is neither alive nor closed, and sends nothing', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    must(!channel.is_alive(), 'is_alive() must be false before open()')
    must(!channel.is_closed(), 'is_closed() must be false before close()')
    must(channel.send(packet(0)) === false, 'send() before open() must return false')
    must(probe.calls === 0, 'no callback may be called before open()')
  }],
  ['open() returns at once, and calls nothing', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    must(channel.open() === undefined, 'open() must not return a promise')
    must(probe.calls === 0, 'no callback may be called inside open()')
  }],
  ['on_channel_open is called when it is alive', [], async (probe, { make }) => {
    const channel = await probe.open(make)
    must(probe.wasAlive === true, 'is_alive() must be true inside on_channel_open')
    must(probe.opens[0] === channel.channel_id, 'on_channel_open must get the channel_id')
    must(probe.opens.length === 1, 'on_channel_open must be called once for each connection')
    must(!channel.is_closed(), 'is_closed() must be false while it is alive')
    must(probe.disconnects.length === 0, 'it is alive: there was no catastrophe')
  }],
  ['send() hands packets on, in order', ['received'], async (probe, { make, received }) => {
    const channel = await probe.open(make)
    const before = received().length
    for (let n = 0; n < MANY; n++)
      await probe.until(`send() must return true again`, () => channel.send(packet(n)) === true)
    const mine = (): unknown[] => numbers(received().slice(before))
    await probe.until(`${MANY} packets must arrive`, () => mine().length >= MANY)
    must(isInOrder(mine()), `each once, in order; got ${mine().slice(0, 10).join(', ')} …`)
  }],
  ['send() never throws', [], async (probe, { make }) => {
    const channel = await probe.open(make)
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const bad = packet(0).copy()
    Object.defineProperty(bad, 'data', { value: circle })
    must(channel.send(bad) === false, 'a packet that is no JSON: send() must return false')
  }],
  ['on_message gets packets, in order', ['push'], async (probe, { make, push }) => {
    const channel = await probe.open(make)
    for (let n = 0; n < MANY; n++) await push(packet(n).to_sendable_dict())
    await probe.until(`${MANY} packets must arrive`, () => probe.messages.length >= MANY)
    const [id, first] = probe.messages[0]!
    must(id === channel.channel_id, 'on_message must get the channel_id')
    must(first instanceof Packet, 'on_message must get a Packet')
    const got = probe.messages.map(([, { data }]) => (data as { n: unknown }).n)
    must(isInOrder(got), `each once, in order; got ${got.slice(0, 10).join(', ')} …`)
  }],
  ['a lost connection is not alive, and comes back', ['drop', 'restore'],
    async (probe, { make, drop, restore }) => {
      const channel = await probe.open(make)
      try {
        await drop()
        await probe.until('is_alive() must become false', () => !channel.is_alive())
        must(channel.send(packet(0)) === false, 'send() without a connection must return false')
        must(!channel.is_closed(), 'is_closed() must be false: it was not closed')
      } finally {
        await restore()
      }
      await probe.until('it must become alive again', () => channel.is_alive())
      await probe.until('on_channel_open must be called again', () => probe.opens.length > 1)
      must(probe.disconnects.length === 0, 'a connection that came back is no catastrophe')
    }],
  ['close() ends it for ever', [], async (probe, { make }) => {
    const channel = await probe.open(make)
    const before = probe.calls
    channel.close()
    must(channel.is_closed(), 'is_closed() must be true after close()')
    must(!channel.is_alive(), 'is_alive() must be false after close()')
    must(channel.send(packet(0)) === false, 'send() after close() must return false')
    channel.close()
    await probe.quiet()
    must(probe.calls === before, 'no callback may be called after close()')
  }],
  ['nothing arrives after close()', ['push'], async (probe, { make, push }) => {
    const channel = await probe.open(make)
    for (let n = 0; n < MANY; n++) await push(packet(n).to_sendable_dict())
    channel.close()
    const before = probe.calls
    await probe.quiet()
    must(probe.calls === before, 'on_message may not be called after close()')
  }],
  ['close() may come before open()', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    channel.close()
    must(channel.is_closed() && !channel.is_alive(), 'it must be closed, and not alive')
    await probe.quiet()
    must(probe.calls === 0, 'no callback may be called')
  }],
  ['close() may come while it connects', [], async (probe, { make }) => {
    const channel = await probe.make(make)
    channel.open()
    channel.close()
    must(channel.is_closed() && !channel.is_alive(), 'it must be closed, and not alive')
    await probe.quiet()
    must(probe.calls === 0, 'no callback may be called')
  }],
  ['one without hope gives up, once', ['make_hopeless'], async (probe, { make_hopeless }) => {
    const channel = await probe.make(make_hopeless)
    channel.open()
    await probe.until('on_catastrophic_disconnect must be called', () =>
      probe.disconnects.length > 0)
    must(probe.disconnects[0] === channel.channel_id, 'the callback must get the channel_id')
    must(channel.is_closed() && !channel.is_alive(), 'it must be closed, and not alive')
    must(channel.send(packet(0)) === false, 'send() must return false')
    await probe.quiet()
    must(probe.calls === 1, 'no other callback may be called')
  }],
]

function numbers(dicts: readonly PacketDict[]): unknown[] {
  return dicts
    .filter(({ receiver_id }) => receiver_id === 'conformance')
    .map(({ data }) => (data as { n?: unknown }).n)
}

function isInOrder(values: readonly unknown[]): boolean {
  return values.length === MANY && values.every((value, n) => value === n)
}

const FIXTURE_CHECKS: Checks<ConformanceFixture> = {
  make: checkFunction,
  make_hopeless: checkFunction,
  received: checkFunction,
  push: checkFunction,
  drop: checkFunction,
  restore: checkFunction,
  engine: instanceOf(Engine),
  timeout: checkDuration,
  quiet: checkWait,
}

/**
 * Holds a channel of yours to what PacketChannel promises. Resolves with a report if every promise
 * was kept, apart from those that the fixture cannot try. Rejects with ConformanceError, whose
 * message has a line for each promise that was broken, and with InvalidArgumentError for an invalid
 * fixture.
 *
 * @example
 * await check_packet_channel({ make: (...callbacks) => new Mine('mine', ...callbacks) })
 */
export async function check_packet_channel(
  fixture: ConformanceFixture,
): Promise<ConformanceReport> {
  checkOptions('check_packet_channel', fixture, FIXTURE_CHECKS, ['make'])
  const report = {
    passed: [] as ConformanceCheck[],
    failed: [] as ConformanceCheck[],
    skipped: [] as ConformanceCheck[],
  }
  for (const [rule, needs, check] of CHECKS) {
    const missing = needs.filter(name => fixture[name] === undefined)
    if (missing.length > 0) report.skipped.push({ rule, why: `there is no ${missing.join(', ')}` })
    else {
      const why = await outcome(fixture, check)
      ;(why === '' ? report.passed : report.failed).push({ rule, why })
    }
  }
  if (report.failed.length > 0) throw new ConformanceError(report)
  return report
}

async function outcome(fixture: ConformanceFixture, check: Check): Promise<string> {
  const probe = new Probe(fixture)
  const why = await check(probe, fixture as Complete<ConformanceFixture>).then(() => '', messageOf)
  closeSafely(probe)
  return why
}

function closeSafely({ channel }: Probe): void {
  try {
    channel?.close()
  } catch {
    // The check has failed already, or says nothing of close.
  }
}
