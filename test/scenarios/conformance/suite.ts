/**
 * The conformance suite of the seam (src/transport.ts), as functions. Every network must pass it.
 *
 * A scenario works in a `World`: a fresh network, and an instrument on everything that it makes
 * (probe.ts on a transport, door.ts on a listener, packet-world.ts on packet sockets). The
 * instruments record every report and every call, and `World.end` checks the records against the
 * rules. So each scenario checks all rules, and states only what is special to it.
 *
 * Nothing sleeps. `until` waits for reports, and `pass` waits as long as a connection, a byte and a
 * close take.
 */

import type { Test } from 'tap'
import { ENDINGS } from './endings.ts'
import { LISTENERS } from './listeners.ts'
import { PACKET_ENDINGS } from './packet-endings.ts'
import { type PacketFixture, PacketWorld } from './packet-world.ts'
import { PACKETS } from './packets.ts'
import { STREAMS } from './streams.ts'
import type { Watch } from './watch.ts'
import { type Fixture, World } from './world.ts'

/**
 * In milliseconds: a report that never comes fails its own scenario, not the whole suite. The
 * longest scenario takes less than a second.
 */
const TIMEOUT = 120_000

/** Tests transports and listeners. `make` is called once for every scenario. */
export async function conformance(t: Test, name: string, make: () => Fixture): Promise<void> {
  await run(t, name, { ...STREAMS, ...ENDINGS, ...LISTENERS }, () => new World(make()))
}

/** Tests packet sockets. `make` is called once for every scenario. */
export async function packetConformance(
  t: Test,
  name: string,
  make: () => PacketFixture,
): Promise<void> {
  await run(t, name, { ...PACKETS, ...PACKET_ENDINGS }, () => new PacketWorld(make()))
}

interface Judged extends Watch {
  /** Closes everything, waits for that, and judges the logs of the instruments. */
  end(t: Test): Promise<void>
}

async function run<Where extends Judged>(
  t: Test,
  name: string,
  scenarios: Record<string, (t: Test, world: Where) => Promise<void>>,
  make: () => Where,
): Promise<void> {
  await t.test(name, async t => {
    for (const [title, scenario] of Object.entries(scenarios)) {
      await t.test(title, { timeout: TIMEOUT }, async t => {
        const world = make()
        await scenario(t, world)
        await world.end(t)
      })
    }
  })
}
