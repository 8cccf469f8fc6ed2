/**
 * Where a stream scenario works: a fresh network, a probe on each transport and a door on each
 * listener.
 */

import type { Test } from 'tap'
import type { Endpoint, Network, Transport } from '../../../src/transport.ts'
import type { Bytes } from '../../../src/types.ts'
import { Door } from './door.ts'
import { Probe } from './probe.ts'
import { turns, Watch } from './watch.ts'

/** What a network brings to the suite. */
export interface Fixture {
  readonly network: Network
  /** Where to listen: a new address every time (port 0, or a path that does not exist). */
  address(): Endpoint
  /**
   * How much the bulk scenarios send.
   * @default 1 MiB
   */
  readonly bulk?: Bytes
}

export type Scenario = (t: Test, world: World) => Promise<void>

/** One scenario's network, and every instrument in it. */
export class World extends Watch {
  readonly network: Network
  readonly bulk: Bytes
  readonly #fixture: Fixture
  readonly #probes: Probe[] = []
  readonly #doors: Door[] = []

  constructor(fixture: Fixture) {
    super()
    this.#fixture = fixture
    this.network = fixture.network
    this.bulk = fixture.bulk ?? 1024 * 1024
  }

  address(): Endpoint {
    return this.#fixture.address()
  }

  listen(at: Endpoint = this.address()): Door {
    const listener = this.call(() => this.network.listen(at, { backlog: 511 }))
    const door = new Door(this, listener, at, transport => this.probe(transport, 'accepted'))
    this.#doors.push(door)
    return door
  }

  connect(to: Endpoint): Probe {
    return this.probe(
      this.call(() => this.network.connect(to, {})),
      'called',
    )
  }

  probe(transport: Transport, side: 'called' | 'accepted'): Probe {
    const probe = new Probe(this, transport, side)
    this.#probes.push(probe)
    return probe
  }

  /** A listener that listens. */
  async open(at?: Endpoint): Promise<Door> {
    const door = this.listen(at)
    await this.until(() => door.count('listening') > 0)
    return door
  }

  /** An address where no listener is. */
  async nowhere(): Promise<Endpoint> {
    const door = await this.open()
    door.close()
    await this.until(() => door.count('closed') > 0)
    return door.endpoint
  }

  /** Both ends of an open pipe, not resumed yet, and the listener. */
  async pair(): Promise<{ client: Probe; server: Probe; door: Door }> {
    const door = await this.open()
    const client = this.connect(door.endpoint)
    await this.until(() => client.count('opened') > 0 && door.accepted.length > 0)
    return { client, server: door.accepted[0]!, door }
  }

  /** Lets some time pass: a connection is made, a byte goes there and back, both ends close. */
  async pass(): Promise<void> {
    const { client, server } = await this.pair()
    server.flow().hooks.received = () => server.write('b')
    client.flow().write('a')
    await this.until(() => client.text === 'b')
    server.destroy()
    client.destroy()
    await this.until(() => client.count('closed') + server.count('closed') === 2)
    await turns(5)
  }

  /** Closes everything, waits for that, and judges the log of every instrument. */
  async end(t: Test): Promise<void> {
    for (const probe of this.#probes) probe.destroy()
    for (const door of this.#doors) door.close()
    const all = [...this.#probes, ...this.#doors]
    await this.until(() => all.every(one => one.count('closed') > 0))
    // For what must not follow.
    await turns(10)
    for (const breach of this.breaches) t.fail(breach)
    for (const one of all) one.judge(t)
  }
}
