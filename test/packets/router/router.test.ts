/** A router as a program uses it; what it does with packets is in switchboard.test.ts. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import t from 'tap'
import { WebsocketChannel } from '../../../src/packets/channel/websocket-channel.ts'
import type { Packet } from '../../../src/packets/packet.ts'
import { PacketAgent } from '../../../src/packets/packet-agent.ts'
import { PacketRouter, type PacketRouterOptions } from '../../../src/packets/router/router.ts'
import type { Run } from '../../../src/packets/supervisor/job.ts'
import { Supervisor } from '../../../src/packets/supervisor/supervisor.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { type Stage, stage } from '../../messages/kit.ts'

const quiet = (): void => {}

function agent({ context }: Stage, id: string, url: string): { agent: PacketAgent; got: number[] } {
  const got: number[] = []
  return {
    got,
    agent: new PacketAgent(id, url, {
      context,
      channel: { backoff: { random: () => 1 }, on_error: quiet },
      on_packet: ({ data }) => void got.push(data.n),
    }).open(),
  }
}

async function supervise(world: Stage, url: string, got: number[] = []) {
  const supervisor = new Supervisor({ engine: world.engine })
  const { context } = world
  const registering = supervisor.register_job({
    architect: {
      get_channels: (...callbacks) => [
        new WebsocketChannel('main', ...callbacks, url, {
          context,
          backoff: { random: () => 1 },
          on_error: quiet,
        }),
      ],
    },
    handlers: { act: ({ data }: Packet) => void got.push(data.n) },
  })
  await world.pump()
  return { supervisor, run: await registering, got }
}

const tell = (run: Run, receiver_id: string, n: number): boolean =>
  run.send({ packet_type: 'tell', sender_id: 'mephisto', receiver_id, data: { n } })

t.test('console.log', async t => {
  t.match(inspect(new PacketRouter()), /^PacketRouter \{ there: 0, away: 0, waiting: 0,/)
})

stage(t, 'from end to end, and everything is confirmed', async (t, world) => {
  const router = new PacketRouter({ context: world.context })
  const url = await router.listen('mem://;mode=server;name=router')
  const ann = agent(world, 'ann', url)
  const { supervisor, run, got } = await supervise(world, url)
  for (let n = 0; n < 100; n++) {
    tell(run, 'ann', n)
    ann.agent.send('act', { n })
  }
  for (let n = 0; n < 20; n++) await world.advance(20)
  const all = Array.from({ length: 100 }, (_, n) => n)
  t.strictSame([got, ann.got], [all, all])
  t.strictSame([ann.agent.mode, run.stats()[0]!.mode], ['confirming', 'confirming'])
  t.strictSame([ann.agent.queued, run.stats()[0]!.queued], [0, 0])
  t.match(router.members, [
    { id: 'mephisto', is_there: true },
    { id: 'ann', is_there: true, status: 'connected', waiting: 0 },
  ])
  t.match(router.stats(), { there: 2, away: 0, waiting: 0, dropped: 0 })
  run.send({ packet_type: 'provider_details', sender_id: 'mephisto', receiver_id: 'ann' })
  await world.advance(100)
  t.equal(ann.got.length, 101, 'nobody has asked by HTTP')
  ann.agent.close()
  await Promise.all([supervisor.shutdown(), world.pump()])
  await Promise.all([router.close(), world.pump().then(() => world.advance(2100))])
})

stage(t, 'the router goes, in the middle, and another one comes', async (t, world) => {
  const names = 'mem://;mode=server;name=router'
  let router = new PacketRouter({ context: world.context })
  const url = await router.listen(names)
  const people = ['ann', 'bob'].map(id => agent(world, id, url))
  const { supervisor, run, got } = await supervise(world, url)
  const COUNT = 300
  for (let n = 0; n < COUNT; n++) {
    for (const { agent } of people) {
      agent.send('act', { n })
      tell(run, agent.agent_id, n)
    }
    if (n % 100 === 50) {
      await world.pump()
      await Promise.all([router.close(), world.pump()])
      router = new PacketRouter({ context: world.context })
      await router.listen(names)
      for (let step = 0; step < 30; step++) await world.advance(20)
    }
  }
  for (let step = 0; step < 200; step++) await world.advance(20)
  const all = Array.from({ length: COUNT }, (_, n) => n)
  for (const { got } of people) t.strictSame(got, all)
  t.equal(got.length, 2 * COUNT)
  t.equal(run.stats()[0]!.opened, 4)
  for (const { agent } of people) agent.close()
  await Promise.all([supervisor.shutdown(), world.pump()])
  await Promise.all([router.close(), world.pump().then(() => world.advance(2100))])
})

stage(t, 'hooks, and what they throw', async (t, world) => {
  const log: string[] = []
  const router = new PacketRouter({
    context: world.context,
    grace: 100,
    on_alive: id => {
      if (id === 'ann') throw new Error('in on_alive')
      return id !== 'mallory'
    },
    on_drop: (...why) => void log.push(why.slice(0, 2).join(' ')),
    on_lost: id => void log.push(`lost ${id}`),
    on_error: ({ message }) => void log.push(message),
  })
  const url = await router.listen('mem://;mode=server')
  const bob = agent(world, 'bob', url)
  const refused = ['ann', 'mallory'].map(id => agent(world, id, url).agent)
  await world.pump()
  t.match(log.splice(0), ['refused ann', 'refused mallory'])
  // Those that were refused filled `agent_limit`.
  t.match(router.members, [{ id: 'bob' }])
  t.equal(router.members.length, 1)
  t.match(world.logged, ['router: in on_alive'])
  bob.agent.close()
  await world.pump()
  await world.advance(200)
  t.ok(log.includes('lost bob'))
  const odd = world.context.init(url).open()
  await world.pump()
  odd.post('{')
  await world.pump()
  t.match(log.slice(-2), [/^invalid/, /no JSON/])
  odd.close()
  for (const each of refused) each.close()
  await Promise.all([router.close(), world.pump().then(() => world.advance(2100))])
})

stage(t, 'by default it logs, and believes everybody', async (t, world) => {
  const router = new PacketRouter({ context: world.context, grace: 10 } as PacketRouterOptions)
  const url = await router.listen('mem://;mode=server')
  const odd = world.context.init(url).open()
  await world.pump()
  odd.post('{')
  odd.post('{"packet_type":"alive","sender_id":"odd","receiver_id":"x","data":{}}')
  await world.pump()
  t.match(world.logged, [/router: a packet from .* was dropped: invalid/, /no JSON/])
  t.match(router.members, [{ id: 'odd' }])
  odd.close()
  await world.pump()
  await world.advance(20)
  await Promise.all([router.close(), router.close(), world.pump()])
  t.throws(() => router.attach(createServer()), { code: 'ERR_INVALID_STATE' })
  await t.rejects(router.listen('mem://;mode=server'), { code: 'ERR_INVALID_STATE' })
})

t.test('beside a server of node:http', async t => {
  const router = new PacketRouter()
  const http = createServer()
  t.equal(router.attach(http, { path: '/x' }), router)
  t.equal(http.listenerCount('request'), 1)
  const request = { url: '/x', on() {} } as never
  t.equal(router.handle(request, { writeHead() {} } as never), false)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  t.equal((await fetch(`http://127.0.0.1:${port}/is_alive`)).status, 200)
  const body = JSON.stringify({ provider_data: {} })
  const asked = await fetch(`http://127.0.0.1:${port}/request_agent`, { method: 'POST', body })
  t.equal(asked.status, 503, 'there is no supervisor')
  await router.close()
  t.equal(http.listenerCount('request'), 0)
  http.close()
  http.closeAllConnections()
  await once(http, 'close')
  const other = createServer()
  await new PacketRouter().attach(other).close()
})

stage(t, 'a door that cannot be opened', async (t, world) => {
  const router = new PacketRouter({ context: world.context, on_error: quiet })
  await t.rejects(router.listen('tcp://127.0.0.1:0'), { code: 'ERR_INVALID_ARGUMENT' })
  const first = router.listen('tcp://127.0.0.1:7000;mode=server')
  await world.pump()
  await first
  await Promise.all([t.rejects(router.listen('tcp://127.0.0.1:7000;mode=server')), world.pump()])
  await Promise.all([router.close(), world.pump()])
})

t.test('invalid options', async t => {
  for (const options of [
    { grace: 0 },
    { keep: '1' },
    { on_drop: 5 },
    { on_dorp: quiet },
    { context: 5 },
  ])
    t.throws(() => new PacketRouter(options as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new PacketRouter().attach(createServer(), { paht: '/' } as never), /path/)
})

stage(
  t,
  'with a relay of its own, and with one that is given',
  async (t, { context, engine, pump }) => {
    for (const relay of [5, null, {}] as unknown as string[])
      t.throws(() => new PacketRouter({ context, relay }), /relay must be a Relay, or a URL/)
    t.throws(() => new PacketRouter({ context, relay: 'nonsense:' }), /open_relay: url/)
    const own = new PacketRouter({ context, relay: 'memory:' })
    await Promise.all([own.opened, pump()])
    await own.close()
    const relay = new MemoryRelay({ engine })
    const router = new PacketRouter({ context, relay })
    await Promise.all([router.opened, pump()])
    await router.close()
    t.equal(relay.publish('x', 'y'), true, 'it is not closed with the router')
    await relay.close()
    const late = new PacketRouter({ context, relay })
    await t.rejects(late.listen('mem://;mode=server;name=late'), { code: 'ERR_RELAY_CLOSED' })
    await late.close()
    await pump()
  },
)

// An async on_alive let everybody in, and a hook that rejected ended the process.
stage(t, 'hooks that return promises', async (t, world) => {
  const router = new PacketRouter({
    context: world.context,
    grace: 100,
    on_alive: async id => {
      if (id === 'bob') throw new Error('never heard')
      return true
    },
    on_error: () => Promise.reject(new Error('in on_error')),
  })
  const url = await router.listen('mem://;mode=server')
  const agents = ['ann', 'bob'].map(id => agent(world, id, url).agent)
  await world.pump()
  t.strictSame(router.members, [])
  const refused = world.logged.filter(line => /on_alive must be a hook that answers/.test(line))
  t.ok(refused.length >= 2, 'both are refused, and told')
  t.ok(world.logged.includes('router: in on_error'))
  for (const each of agents) each.close()
  await world.pump()
  await router.close()
})

t.test('handle refuses what is no request', async t => {
  const router = new PacketRouter()
  const request = { on() {} } as never
  for (const args of [[], [null, null], [5], [request], [request, {}]] as never[][])
    t.throws(() => router.handle(...(args as unknown as [never, never])), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^handle: re(quest|sponse) must be a re(quest|sponse) of node:http; got /,
    })
  await router.close()
})
