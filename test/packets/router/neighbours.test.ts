/** Two routers, one relay: as programs use them, and what a relay may do to them. */

import t from 'tap'
import { WebsocketChannel } from '../../../src/packets/channel/websocket-channel.ts'
import type { Packet } from '../../../src/packets/packet.ts'
import { PacketAgent } from '../../../src/packets/packet-agent.ts'
import { Neighbours } from '../../../src/packets/router/neighbours.ts'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { PacketRouter, type PacketRouterOptions } from '../../../src/packets/router/router.ts'
import type { Run } from '../../../src/packets/supervisor/job.ts'
import { Supervisor } from '../../../src/packets/supervisor/supervisor.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { type Relay, RelayError, type SubscribeOptions } from '../../../src/relay/relay.ts'
import { scene, type World } from '../../kit.ts'
import { type Stage, stage } from '../../messages/kit.ts'

const quiet = (): void => {}
const OPTIONS = { backoff: { random: () => 1 }, on_error: quiet }
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

async function listen(world: Stage, name: string, options: PacketRouterOptions) {
  const router = new PacketRouter({ context: world.context, on_error: quiet, ...options })
  const listening = router.listen(`mem://;mode=server;name=${name}`)
  await world.pump()
  return { router, url: await listening }
}

function agent({ context }: Stage, id: string, url: string) {
  const got: number[] = []
  const on_packet = ({ data }: Packet): void => void got.push(data.n)
  const options = { context, channel: OPTIONS, on_packet }
  return { got, agent: new PacketAgent(id, url, options).open() }
}

async function supervise({ engine, context, pump, advance }: Stage, url: string) {
  const got = new Map<string, number[]>()
  const supervisor = new Supervisor({ engine })
  const heard = ({ sender_id, data }: Packet): void => {
    const numbers = got.get(sender_id!) ?? []
    got.set(sender_id!, numbers)
    numbers.push(data.n)
  }
  const registering = supervisor.register_job({
    architect: {
      get_channels: (...callbacks) => [
        new WebsocketChannel('main', ...callbacks, url, { context, ...OPTIONS }),
      ],
    },
    handlers: { act: heard },
  })
  await pump()
  await advance(50)
  return { supervisor, run: await registering, got }
}

const tell = (run: Run, receiver_id: string, n: number): boolean =>
  run.send({ packet_type: 'tell', sender_id: 'mephisto', receiver_id, data: { n } })

async function settle(world: Stage, turns = 30): Promise<void> {
  for (let n = 0; n < turns; n++) await world.advance(50)
}

for (const isFirst of ['the supervisor', 'the agents'])
  stage(t, `an agent at each router; ${isFirst} first`, async (t, world) => {
    const relay = new MemoryRelay({ engine: world.engine })
    const a = await listen(world, 'a', { relay })
    const b = await listen(world, 'b', { relay })
    const people = (): ReturnType<typeof agent>[] => [
      agent(world, 'ann', a.url),
      agent(world, 'bob', b.url),
    ]
    let crowd = isFirst === 'the agents' ? people() : []
    await settle(world, 2)
    for (const { agent } of crowd) for (let n = 0; n < 10; n++) agent.send('act', { n })
    const { supervisor, run, got } = await supervise(world, b.url)
    if (crowd.length === 0) {
      crowd = people()
      for (const { agent } of crowd) for (let n = 0; n < 10; n++) agent.send('act', { n })
    }
    await settle(world)
    for (let n = 0; n < 700; n++) {
      for (const { agent } of crowd) tell(run, agent.agent_id, n)
      for (const { agent } of crowd) agent.send('act', { n: n + 10 })
    }
    await settle(world)
    for (const { agent, got: heard } of crowd) {
      t.strictSame(got.get(agent.agent_id), range(710), agent.agent_id)
      t.strictSame(heard, range(700), agent.agent_id)
      t.match(agent, { mode: 'confirming', queued: 0 })
    }
    t.equal(run.stats()[0]!.queued, 0)
    t.match(a.router.stats(), { there: 3, away: 0, waiting: 0, dropped: 0 })
    t.match(b.router.stats(), { there: 3, away: 0, waiting: 0, dropped: 0 })
    for (const { agent } of crowd) agent.close()
    await Promise.all([supervisor.shutdown(), settle(world, 2)])
    await settle(world)
    await Promise.all([a.router.close(), b.router.close(), settle(world, 50)])
    await relay.close()
  })

stage(t, 'an agent goes over, the supervisor goes over, a router is closed', async (t, world) => {
  const relay = new MemoryRelay({ engine: world.engine })
  const a = await listen(world, 'a', { relay })
  const b = await listen(world, 'b', { relay })
  const { supervisor, run, got } = await supervise(world, b.url)
  const ann = agent(world, 'ann', a.url)
  await settle(world, 10)
  for (let n = 0; n < 10; n++) {
    ann.agent.send('act', { n })
    tell(run, 'ann', n)
  }
  await settle(world, 10)
  ann.agent.close()
  for (let n = 10; n < 20; n++) tell(run, 'ann', n)
  await settle(world, 10)
  t.match(a.router.members, [
    { id: 'mephisto', is_there: true },
    { id: 'ann', is_there: false },
  ])
  t.match(b.router.members, [
    { id: 'mephisto', is_there: true },
    { id: 'ann', is_there: false },
  ])
  t.equal(run.stats()[0]!.queued, 10, 'kept by whoever sent it')
  t.match([a.router.stats().waiting, b.router.stats().waiting], [0, 0], 'and by nobody else')
  const again = agent(world, 'ann', b.url)
  await settle(world, 10)
  again.agent.send('act', { n: 10 })
  await settle(world, 10)
  t.strictSame(ann.got, range(10))
  t.strictSame(again.got.at(-1), 19)
  t.strictSame(got.get('ann'), range(11))
  await Promise.all([supervisor.shutdown(), settle(world, 2)])
  const other = await supervise(world, a.url)
  await settle(world, 10)
  again.agent.send('act', { n: 11 })
  tell(other.run, 'ann', 20)
  await settle(world, 10)
  t.equal(again.got.at(-1), 20)
  t.equal(other.got.get('ann')?.at(-1), 11)
  again.agent.close()
  await Promise.all([other.supervisor.shutdown(), settle(world, 2)])
  await Promise.all([a.router.close(), b.router.close(), settle(world, 50)])
  let left: readonly string[] = ['?']
  await Promise.all([relay.watch('sluice-packets', came => (left = came)), world.pump()])
  t.strictSame(left, [])
  await relay.close()
})

// ---- alone --------------------------------------------------------------------------------------

/** A relay that can be away. */
class FakeRelay extends MemoryRelay {
  isAway = false
  refuses = 0
  /** The most that it takes at once. */
  most = Infinity
  gaps: (() => void)[] = []

  override publish(topic: string, data: string | Buffer): boolean {
    if (data.length > this.most) throw new RelayError('ERR_RELAY_REFUSED', 'too long')
    return !this.isAway && super.publish(topic, data)
  }

  override async present(topic: string, member: string): Promise<void> {
    if (this.refuses-- > 0) throw new RelayError('ERR_RELAY_UNAVAILABLE', 'away')
    return super.present(topic, member)
  }

  override async absent(topic: string, member: string): Promise<void> {
    if (this.refuses-- > 0) throw new RelayError('ERR_RELAY_UNAVAILABLE', 'away')
    return super.absent(topic, member)
  }

  override subscribe(
    topic: string,
    listener: (bytes: Buffer, seq: number | undefined) => void,
    options: SubscribeOptions = {},
  ): Promise<void> {
    if (options.on_gap !== undefined) this.gaps.push(options.on_gap)
    return super.subscribe(topic, listener, options)
  }
}

async function neighbours({ engine, pump }: World, relay: Relay) {
  const log: string[] = []
  const peers = new Map<string, Peer>()
  const neighbours = new Neighbours(relay, engine, {
    elsewhere: (id, peer, confirms, isOld) => {
      peers.set(id, peer)
      log.push(`${id} elsewhere${confirms ? ', confirms' : ''}${isOld ? ', old' : ''}`)
    },
    left: id => void log.push(`${id} left`),
    relayed: (peer, from, to, text) =>
      void log.push(`${from}→${to} ${text}${peer === undefined ? ' from nowhere' : ''}`),
    ready: peer => void log.push(`ready ${peer.send('late', 'x', 'y')}`),
    interrupted: () => void log.push('interrupted'),
    failed: ({ message }) => void log.push(message),
  })
  await Promise.all([neighbours.open(), pump()])
  return { neighbours, log, peers, take: () => log.splice(0) }
}

scene(t, 'who is where', async (t, world) => {
  const relay = new FakeRelay({ engine: world.engine })
  const a = await neighbours(world, relay)
  a.neighbours.came('ann lee', true)
  await world.pump()
  const b = await neighbours(world, relay)
  t.strictSame(b.take(), ['ann lee elsewhere, confirms, old'])
  const c = await neighbours(world, relay)
  c.neighbours.came('bob', false)
  c.neighbours.came('ann lee', false)
  await world.pump()
  t.strictSame(b.take(), ['bob elsewhere', 'ann lee elsewhere'])
  t.strictSame(a.take(), ['bob elsewhere', 'ann lee elsewhere'])
  c.neighbours.gone('ann lee')
  await world.pump()
  t.strictSame(b.take(), ['ann lee elsewhere, confirms, old'], 'where it was before')
  t.strictSame(a.take(), ['ann lee left'])
  c.neighbours.came('ann lee', true)
  await world.pump()
  a.neighbours.moved('ann lee')
  a.neighbours.moved('nobody')
  await world.pump()
  t.strictSame(b.take(), ['ann lee elsewhere, confirms'])
  a.take()
  a.neighbours.came('ann lee', true)
  a.neighbours.gone('ann lee')
  t.strictSame(a.take(), ['ann lee elsewhere, confirms, old'], 'it is there still')
  await world.pump()
  b.take()
  c.neighbours.came('bob', false)
  await world.pump()
  t.strictSame(b.take(), ['bob elsewhere'], 'it has come again')
  await relay.present('sluice-packets', 'of somebody else')
  await relay.absent('sluice-packets', 'of somebody else')
  await Promise.all([c.neighbours.close(), world.pump()])
  t.strictSame(b.take().sort(), ['ann lee left', 'bob left'])
  b.peers.get('bob')!.end()
  await Promise.all([a.neighbours.close(), b.neighbours.close()])
  await relay.close()
})

scene(t, 'a relay that is away', async (t, world) => {
  const relay = new FakeRelay({ engine: world.engine })
  const a = await neighbours(world, relay)
  const b = await neighbours(world, relay)
  relay.refuses = 1
  a.neighbours.came('ann', true)
  await world.pump()
  t.strictSame(b.take(), [])
  await world.advance(500)
  t.strictSame(b.take(), ['ann elsewhere, confirms'])
  relay.refuses = 1
  a.neighbours.moved('ann')
  await world.pump()
  await world.advance(500)
  t.strictSame(b.take(), ['ann left'])
  a.neighbours.came('ann', true)
  await world.pump()
  t.strictSame(b.take(), ['ann elsewhere, confirms'])
  const ann = b.peers.get('ann')!
  t.equal(ann.send('1', 'mephisto', 'ann'), true)
  await world.pump()
  t.strictSame(a.take(), ['mephisto→ann 1 from nowhere'])
  relay.isAway = true
  t.equal(ann.send('2', 'mephisto', 'ann'), false)
  relay.isAway = false
  t.equal(ann.send('3', 'mephisto', 'ann'), false, 'not before what waits')
  relay.isAway = true
  await world.advance(100)
  t.strictSame(b.take(), ['ready false'])
  relay.isAway = false
  await world.advance(100)
  t.strictSame(b.take(), ['ready true', 'interrupted'])
  t.strictSame(a.take(), ['x→y late from nowhere'])
  for (const told of relay.gaps) told()
  t.strictSame([a.take(), b.take()], [['interrupted'], ['interrupted']])
  b.neighbours.toAll('mephisto', 'mephisto_server', 'answer')
  await world.pump()
  t.strictSame([a.take(), b.take()], [['mephisto→mephisto_server answer from nowhere'], []])
  relay.publish('sluice-packets', 'nonsense')
  relay.publish('sluice-packets', '[1,2,3]\n')
  await world.pump()
  t.strictSame(a.take(), Array(2).fill('the relay: no packet of a router on sluice-packets'))
  a.neighbours.came('x'.repeat(2000), true)
  await world.pump()
  t.match(a.take(), [/member must be text/])
  // Such a packet was tried again and again, and held up all that followed.
  relay.most = 5000
  const long = 'x'.repeat(20_000)
  t.equal(ann.send(long, 'mephisto', 'ann'), true)
  await world.pump()
  t.strictSame(a.take(), [`mephisto→ann ${long} from nowhere`])
  b.take()
  relay.most = 50
  t.equal(ann.send(long, 'mephisto', 'ann'), true)
  t.strictSame(b.take(), ['a packet of mephisto for ann is dropped: too long'])
  relay.most = Infinity
  relay.isAway = true
  ann.send('4', 'mephisto', 'ann')
  await Promise.all([a.neighbours.close(), b.neighbours.close()])
  t.equal(ann.send('5', 'mephisto', 'ann'), false)
  await relay.close()
  const late = await neighbours(world, new FakeRelay({ engine: world.engine })).then(l => l)
  await late.neighbours.close()
  a.neighbours.came('late', true)
  await world.pump()
  t.strictSame(a.take(), [])
})
