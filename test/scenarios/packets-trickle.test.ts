/**
 * Agents, routers and a supervisor on a network that delivers byte by byte and breaks now and then:
 * the router closes with everything that is on its way, and another one takes its place.
 */

import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import { Context } from '../../src/messages/context.ts'
import { WebsocketChannel } from '../../src/packets/channel/websocket-channel.ts'
import type { Packet } from '../../src/packets/packet.ts'
import { PacketAgent } from '../../src/packets/packet-agent.ts'
import { PacketRouter } from '../../src/packets/router/router.ts'
import { Supervisor } from '../../src/packets/supervisor/supervisor.ts'
import { seeded } from '../core/oracle.ts'
import { numbersOf, sendBothWays, upTo } from '../packets/kit.ts'

const AGENTS = 3
const EACH = 60
const BREAKS = 6

t.test('byte by byte, with breaks', async t => {
  const random = seeded(5)
  const memory = new MemoryNetwork()
  const clock = new ManualClock()
  const network = new TrickleNetwork(memory, () => 1 + random(40))
  const engine = new Engine({ network, clock, log() {} })
  const context = new Context({ engine })
  const on_error = (): void => {}
  /** Moves bytes, and time, until it is so. */
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await new Promise(setImmediate)
      memory.pump()
      clock.advance(1)
    }
  }
  const settled = async <Value>(promise: Promise<Value>): Promise<Value> => {
    let isOver = false
    const over = promise.finally(() => (isOver = true))
    over.catch(on_error)
    await until(() => isOver)
    return promise
  }
  const serve = async (url: string): Promise<[PacketRouter, string]> => {
    const router = new PacketRouter({ context, on_error, on_drop: on_error })
    return [router, await settled(router.listen(url))]
  }
  let [router, url] = await serve('ws://127.0.0.1:0/;mode=server')
  const channel = {
    backoff: { first: 10, longest: 50 },
    lost: { max_outage: Infinity },
    on_error,
  }

  const acts = new Map<string, Packet[]>()
  const tells = new Map<string, Packet[]>()
  const supervisor = new Supervisor({ engine, on_error })
  const run = await settled(
    supervisor.register_job({
      architect: {
        get_channels: (...callbacks) => [
          new WebsocketChannel('main', ...callbacks, url, { ...channel, context }),
        ],
      },
      handlers: { act: packet => void acts.get(packet.sender_id!)!.push(packet) },
    }),
  )
  const agents = Array.from({ length: AGENTS }, (_, index) => {
    const id = `agent${index}`
    acts.set(id, [])
    tells.set(id, [])
    const on_packet = (packet: Packet): void => void tells.get(id)!.push(packet)
    return new PacketAgent(id, url, { context, channel, on_packet, on_error }).open()
  })
  const all = (): Packet[][] => [...acts.values(), ...tells.values()]
  const total = (): number => all().reduce((sum, { length }) => sum + length, 0)
  await settled(Promise.all(agents.map(({ opened }) => opened)))
  sendBothWays(run, agents, EACH)

  const whole = 2 * AGENTS * EACH
  for (let n = 1; n <= BREAKS; n++) {
    await until(() => total() > (n * whole) / (BREAKS + 2))
    await settled(router.close())
    ;[router] = await serve(`${url.split(';')[0]};mode=server`)
  }
  await until(() => total() >= whole && run.stats()[0]!.queued === 0)
  await settled(Promise.all(agents.map(agent => agent.idle())))
  for (const packets of all())
    t.strictSame(numbersOf(packets), upTo(EACH), 'none lost, none doubled, in order')
  t.ok(run.stats()[0]!.opened > BREAKS)
  for (const agent of agents) agent.close()
  await settled(supervisor.shutdown({ timeout: 0 }))
  await settled(router.close())
  await settled(engine.stop({ timeout: 1 }))
  t.equal(clock.pending, 0)
})
