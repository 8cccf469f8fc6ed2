/** One agent: what it says, and how it finds out who confirms. */

import t from 'tap'
import { MockServer } from '../../src/packets/mocks/mock-server.ts'
import { Packet } from '../../src/packets/packet.ts'
import { PacketAgent, type PacketAgentOptions } from '../../src/packets/packet-agent.ts'
import { fate } from '../kit.ts'
import { type Stage, stage } from '../messages/kit.ts'
import { brief } from './kit.ts'

async function make(world: Stage, options: PacketAgentOptions = {}) {
  const { context } = world
  const server = new MockServer({ context })
  const log: string[] = []
  const ann = new PacketAgent('ann', await server.open(), {
    context,
    channel: { backoff: { random: () => 1 } },
    on_packet: packet => void log.push(brief(packet)),
    on_lost: error => void log.push(`lost: ${error.message}`),
    on_error: error => void log.push(error.message),
    ...options,
  })
  const say = (packet_type: string, data = {}, place?: Packet['place']): void => {
    const fields = { packet_type, sender_id: 'mephisto', receiver_id: 'ann', data }
    server.send(new Packet(fields, place))
  }
  const heard = (): string[] => server.packets.splice(0).map(brief)
  return { server, ann, log, say, heard }
}

async function end(world: Stage, server: MockServer): Promise<void> {
  await Promise.all([server.close(), world.pump().then(() => world.advance(2100))])
}

stage(t, 'a router that says nothing, and then what is not the word of ours', async (t, world) => {
  const { ann, server, log, heard, say } = await make(world)
  t.equal(ann.send('act', { n: 0 }), true, 'before it opens')
  t.strictSame([ann.is_alive, ann.queued, ann.mode], [false, 1, 'asking'])
  t.equal(ann.open(), ann)
  t.throws(() => ann.open(), { code: 'ERR_INVALID_STATE' })
  await world.pump()
  await ann.opened
  t.match(heard(), [/^alive ann→mephisto {"confirms":null,"sends":{"stream":"ann\.\w+\.0","nu/])
  ann.send('act', { n: 1 })
  await world.advance(1100)
  t.match(heard(), [/^heartbeat ann→mephisto_server$/, /^act .*"n":0} ann.*#1$/, /"n":1} ann.*#2$/])
  t.strictSame([ann.mode, ann.is_alive, ann.queued], ['asking', true, 2])
  say('tell', { n: 1 })
  await world.pump()
  t.strictSame(log, ['tell mephisto→ann {"n":1}'])
  t.strictSame([ann.mode, ann.queued], ['plain', 0])
  t.match(ann.stats(), { channel_id: 'ann', sent: 2, mode: 'plain' })
  await ann.ready()
  await ann.idle()
  t.strictSame([ann.close(), ann.close(), ann.send('act')], [0, 0, false])
  await end(world, server)
})

stage(t, 'a router that knows heartbeats is asked by one', async (t, world) => {
  for (const shape of ['2020', 'today'] as const) {
    const { ann, server, log, heard, say } = await make(world, { shape })
    ann.open()
    await world.advance(1100)
    t.equal(
      heard().some(text => text.startsWith('heartbeat')),
      shape === '2020',
    )
    say('heartbeat')
    await world.pump()
    t.strictSame([ann.mode, log], ['plain', []])
    ann.close()
    await end(world, server)
  }
})

stage(t, 'a router and a supervisor that confirm', async (t, world) => {
  const { ann, server, log, heard, say } = await make(world)
  ann.open()
  await world.pump()
  heard()
  ann.send('act', { n: 0 })
  say('alive', { confirms: null, waits: true })
  await world.advance(50_000)
  t.strictSame([heard(), ann.mode], [[], 'asking'], 'the supervisor is away')
  say('alive', { confirms: null })
  await world.pump()
  t.match(heard(), [/^alive ann/], 'it must say again how far it is')
  say('confirm', { confirms: null, sends: { stream: 's', number: 0 } })
  await world.pump()
  const [act] = heard()
  const [, stream] = /(ann\.\w+\.0)#1$/.exec(act!)!
  t.equal(ann.mode, 'confirming')
  say('tell', { n: 1 }, { stream: 's', number: 1 })
  say('tell', { n: 1 }, { stream: 's', number: 1 })
  say('confirm', { confirms: { stream, number: 1 } })
  await world.advance(60)
  t.strictSame(log, ['tell mephisto→ann {"n":1} s#1'])
  t.strictSame(
    [ann.queued, heard()],
    [0, ['confirm ann→mephisto {"confirms":{"stream":"s","number":1}}']],
  )
  ann.send('act', { n: 2 })
  t.equal(ann.close(), 1)
  await end(world, server)
})

stage(t, 'a supervisor that does not confirm', async (t, world) => {
  const { ann, server, say, heard } = await make(world, { shape: 'today' })
  ann.open()
  await world.pump()
  t.match(heard(), [/^alive ann {/])
  ann.send('act')
  say('alive')
  await world.pump()
  t.strictSame([ann.mode, heard()], ['plain', ['act ann']])
  ann.close()
  await end(world, server)
})

stage(t, 'hooks that throw and reject', async (t, world) => {
  const { ann, server, log, say } = await make(world, {
    on_packet: ({ data }) => {
      if (data.n === 0) throw new Error('thrown')
      return data.n === 1 ? Promise.reject('rejected') : undefined
    },
  })
  ann.open()
  await world.pump()
  for (const n of [0, 1, 2]) say('tell', { n })
  server.send('{')
  await world.pump()
  t.match(log, ['thrown', /no JSON/, /rejected/])
  ann.on_packet = () => new Promise(() => {})
  for (let n = 0; n <= 1100; n++) {
    say('tell', { n })
    if (n % 100 === 0) await world.pump()
  }
  t.match(log.slice(3), [/packets of mephisto come faster than they are handled/])
  ann.on_error = () => {
    throw new Error('in on_error')
  }
  server.send('{')
  await world.pump()
  t.strictSame(world.logged.splice(0), ['in on_error'])
  // The rejection ended the process.
  ann.on_error = () => Promise.reject(new Error('rejected in on_error'))
  server.send('{')
  await world.pump()
  t.strictSame(world.logged, ['rejected in on_error'])
  ann.close()
  await end(world, server)
})

stage(t, 'closed before it opens, and lost', async (t, world) => {
  const { ann, server } = await make(world)
  ann.close()
  t.equal(await fate(ann.opened), 'rejected ERR_CLOSED')
  await end(world, server)
  const log: string[] = []
  const bob = new PacketAgent('bob', 'tcp://localhost:1', {
    context: world.context,
    channel: { lost: { max_attempts: 1 } },
    on_error: error => void log.push(error.message),
    on_lost: () => {
      throw new Error('in on_lost')
    },
  }).open()
  await world.pump()
  t.equal(await fate(bob.opened), 'rejected ERR_LOST')
  t.match(log, [/ECONNREFUSED/, 'in on_lost'])
  t.equal(bob.send('act'), false)
})

stage(t, 'by default it logs', async (t, { context, pump, logged }) => {
  const bob = new PacketAgent('bob', 'tcp://localhost:1', {
    context,
    channel: { lost: { max_attempts: 1 } },
  }).open()
  await pump()
  t.match(logged, [/^agent bob: .*ECONNREFUSED/, /^agent bob: the channel is lost/])
  t.equal(bob.on_packet(new Packet({ packet_type: 'a', subject_id: 'b' })), undefined)
})

t.test('invalid arguments', async t => {
  const make = (options: object): PacketAgent => new PacketAgent('ann', 'null://', options)
  for (const options of [
    { shape: 5 },
    { queue_limit: 0 },
    { queue_size: '1' },
    { on_packet: 5 },
    { on_pocket: 5 },
  ])
    t.throws(() => make(options), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new PacketAgent('', 'null://'), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new PacketAgent('ann', 'nowhere'), { code: 'ERR_INVALID_URL' })
  t.throws(() => make({}).send('', {}), { code: 'ERR_PACKET' })
})

stage(t, 'a hook that is misspelt', async (t, { context, logged }) => {
  class Deaf extends PacketAgent {
    on_pakcet(): void {}
  }
  new Deaf('ann', 'null://', { context }).open().close()
  t.match(logged, [/on_pakcet of class Deaf .* did you mean on_packet/])
})
