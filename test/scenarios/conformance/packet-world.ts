/** Where a packet scenario works: a fresh network, and a probe on each packet socket. */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import type {
  Endpoint,
  Network,
  PacketOptions,
  PacketSocket,
  SystemError,
} from '../../../src/transport.ts'
import type { Port, SocketAddress } from '../../../src/types.ts'
import { turns, Watch } from './watch.ts'

/** What a network brings to the suite. */
export interface PacketFixture {
  readonly network: Network
  /** The host to bind to. */
  readonly host: string
  /**
   * How that host is reported.
   * @default `host`
   */
  readonly shown?: string
}

export type PacketScenario = (t: Test, world: PacketWorld) => Promise<void>

const REPORTS = ['opened', 'received', 'refused', 'failed', 'closed'] as const
export type PacketReport = (typeof REPORTS)[number]

/** One scenario's network, and every packet socket in it. */
export class PacketWorld extends Watch {
  readonly network: Network
  /** An address to bind to: this machine, any port. */
  readonly here: Endpoint
  readonly #fixture: PacketFixture
  readonly #probes: PacketProbe[] = []

  constructor(fixture: PacketFixture) {
    super()
    this.#fixture = fixture
    this.network = fixture.network
    this.here = { kind: 'ip', host: fixture.host, port: 0 }
  }

  /** A socket that has not reported anything yet. By default it is bound to `here`. */
  make(options: PacketOptions = { bind: this.here }): PacketProbe {
    const probe = new PacketProbe(
      this,
      this.call(() => this.network.packets(options)),
    )
    this.#probes.push(probe)
    return probe
  }

  /** A socket that is open. */
  async open(options?: PacketOptions): Promise<PacketProbe> {
    const probe = this.make(options)
    await this.until(() => probe.count('opened') > 0)
    return probe
  }

  /** The destination that reaches a socket that is, or was, open. */
  at(probe: PacketProbe): Endpoint {
    return { kind: 'ip', host: this.#fixture.host, port: probe.port }
  }

  /** The address of a socket as others must see it. */
  shown(probe: PacketProbe): SocketAddress {
    return [this.#fixture.shown ?? this.#fixture.host, probe.port]
  }

  /** An address where no socket is bound any more. */
  async nowhere(): Promise<Endpoint> {
    const probe = await this.open()
    await this.close(probe)
    return this.at(probe)
  }

  async close(probe: PacketProbe): Promise<void> {
    probe.destroy()
    await this.until(() => probe.count('closed') > 0)
  }

  /** Lets some time pass: a packet goes from one new socket to another. */
  async pass(): Promise<void> {
    const [from, to] = [await this.open(), await this.open()]
    void from.send('a', this.at(to))
    await this.until(() => to.texts.length > 0)
    await this.close(from)
    await this.close(to)
    await turns(5)
  }

  /** Closes all sockets, waits for that, and judges the log of every probe. */
  async end(t: Test): Promise<void> {
    for (const probe of this.#probes) probe.destroy()
    await this.until(() =>
      this.#probes.every(probe => probe.count('closed') > 0 && probe.owed === 0),
    )
    // For what must not follow.
    await turns(10)
    for (const breach of this.breaches) t.fail(breach)
    for (const probe of this.#probes) probe.judge(t)
  }
}

/** Records what one packet socket reports and what is done to it. */
export class PacketProbe {
  readonly socket: PacketSocket
  /** Reports, and calls in brackets. */
  readonly log: string[] = []
  /** What a scenario does inside a report. */
  readonly hooks: Partial<Record<PacketReport, () => void>> = {}
  readonly from: SocketAddress[] = []
  error: SystemError | undefined
  readonly #watch: Watch
  readonly #packets: { data: Buffer; copy: Buffer }[] = []
  /** How often each packet's `done` was called. */
  readonly #done: number[] = []

  constructor(watch: Watch, socket: PacketSocket) {
    this.#watch = watch
    this.socket = socket
    socket.sink = {
      opened: () => this.#note('opened'),
      received: (data, from) => {
        this.#packets.push({ data, copy: Buffer.from(data) })
        this.from.push(from)
        this.#note('received')
      },
      refused: error => {
        this.error = error
        this.#note('refused')
      },
      failed: error => {
        this.error = error
        this.#note('failed')
      },
      closed: () => this.#note('closed'),
    }
  }

  #note(report: PacketReport): void {
    this.log.push(report)
    this.#watch.noted(report)
    this.hooks[report]?.()
  }

  count(report: PacketReport): number {
    return this.log.filter(entry => entry === report).length
  }

  /** The reports without the calls. */
  get course(): string {
    return this.log.filter(entry => !entry.startsWith('(')).join(' ')
  }

  get texts(): string[] {
    return this.#packets.map(({ copy }) => copy.toString())
  }

  get bytes(): Buffer[] {
    return this.#packets.map(({ copy }) => copy)
  }

  get port(): Port {
    return (this.socket.local_address as [string, Port])[1]
  }

  /** How many packets wait for their `done`. */
  get owed(): number {
    return this.#done.filter(count => count === 0).length
  }

  /** Sends; resolves with the code that `done` got, '' if there was no error. */
  send(
    data: string | Uint8Array,
    to?: Endpoint,
    encoding: BufferEncoding = 'utf8',
  ): Promise<string> {
    this.log.push('(send)')
    const index = this.#done.push(0) - 1
    return new Promise(resolve =>
      this.#watch.call(() =>
        this.socket.send(data, encoding, to, error => {
          this.#done[index]!++
          resolve(error === null ? '' : (error.code ?? 'an error without a code'))
          this.#watch.noted('done')
        }),
      ),
    )
  }

  destroy(): void {
    this.log.push('(destroy)')
    this.#watch.call(() => this.socket.destroy())
  }

  judge(t: Test): void {
    const hold = (holds: boolean, what: string): void => {
      if (!holds) t.fail(what, { log: this.log.join(' ').slice(-600) })
    }
    const order = /^(closed|failed closed|opened( received| refused)*( failed)? closed)$/
    hold(
      order.test(this.course),
      'opened, any mix of received and refused, at most one failed, exactly one closed',
    )
    const destroyed = this.log.indexOf('(destroy)')
    const after =
      destroyed < 0 ? [] : this.log.slice(destroyed).filter(entry => !entry.startsWith('('))
    hold(/^(closed)?$/.test(after.join()), 'only closed follows destroy')
    hold(
      this.#done.every(count => count === 1),
      'done is called exactly once',
    )
    hold(
      this.#packets.every(({ data, copy }) => Buffer.isBuffer(data) && data.equals(copy)),
      'what was received belongs to the sink',
    )
  }
}
