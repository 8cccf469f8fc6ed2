/** The server that a test has in its hands: what it records, what it sends, how it fails. */

import t from 'tap'
import { WebsocketChannel } from '../../../src/packets/channel/websocket-channel.ts'
import { MockServer } from '../../../src/packets/mocks/mock-server.ts'
import { Packet, type PacketFields } from '../../../src/packets/packet.ts'
import { type Stage, stage } from '../../messages/kit.ts'
import { brief } from '../kit.ts'

/** A channel to the server that writes down what it calls. */
function connect({ context }: Stage, url: string, log: string[]): WebsocketChannel {
  const channel = new WebsocketChannel(
    'mock',
    () => void log.push('open'),
    () => void log.push('lost'),
    (_, packet) => void log.push(brief(packet)),
    url,
    { context, backoff: { random: () => 1 }, on_error: () => {} },
  )
  channel.open()
  return channel
}

const SAY: PacketFields = { packet_type: 'say', sender_id: 'mephisto', receiver_id: 'ann' }

stage(t, 'it records', async (t, world) => {
  const server = new MockServer({ context: world.context })
  const log: string[] = []
  const channel = connect(world, await server.open(), log)
  await world.pump()
  t.equal(server.subs, 1)
  for (const packet_type of ['alive', 'agent_action', 'say', 'request_status'])
    channel.send(new Packet({ ...SAY, packet_type } as PacketFields))
  channel.send(new Packet({ packet_type: 'request_statuses', subject_id: 'mephisto' }))
  await world.pump()
  t.equal(server.packets.length, 5)
  t.equal(server.last_alive_packet?.type, 'alive')
  t.equal(server.last_packet?.type, 'say')
  t.strictSame(
    server.actions_observed.map(({ type }) => type),
    ['agent_action'],
  )
  t.strictSame(log, ['open', 'return_status mephisto_server→mephisto', 'return_statuses mephisto'])
  channel.close()
  await world.pump()
  t.equal(server.subs, 0)
  await Promise.all([server.close(), world.pump()])
})

stage(t, 'it sends', async (t, world) => {
  const server = new MockServer({ context: world.context, answers: false })
  const log: string[] = []
  const url = await server.open()
  t.equal(server.send_agent_act('early'), 0)
  const channel = connect(world, url, log)
  await world.pump()
  t.strictSame(log.splice(0), ['open', 'agent_action early→mephisto'])
  t.equal(server.send(SAY), 1)
  server.send(new Packet(SAY))
  server.send('{')
  server.send_agent_act('ann', { n: 1 })
  server.register_mock_agent('bob')
  server.register_mock_worker('carl')
  server.send_statuses({ ann: 'connected' })
  channel.send(new Packet({ ...SAY, packet_type: 'request_status' }))
  await world.pump()
  t.strictSame(log, [
    'say mephisto→ann',
    'say mephisto→ann',
    'agent_action ann→mephisto {"n":1}',
    'register_agent bob→mephisto {"provider_data":{},"request_id":"request-bob"}',
    'register_worker mephisto_server→mephisto ' +
      '{"provider_data":{"worker_name":"carl"},"request_id":"request-carl"}',
    'return_status mephisto_server→mephisto {"ann":"connected"}',
  ])
  t.throws(() => server.send({} as never), { code: 'ERR_PACKET' })
  channel.close()
  await Promise.all([server.close(), server.close(), world.pump()])
})

stage(t, 'it fails, and is there again, at the same place', async (t, world) => {
  for (const url of [undefined, 'tcp://127.0.0.1:0;mode=server']) {
    const server = new MockServer({ context: world.context, ...(url && { url }) })
    const log: string[] = []
    const opening = server.open()
    await world.pump()
    const channel = connect(world, await opening, log)
    await world.pump()
    server.disconnect()
    await world.pump()
    await world.advance(200)
    t.strictSame(log.splice(0), ['open', 'open'])
    await Promise.all([server.close(), world.pump()])
    t.equal(channel.is_alive(), false)
    await Promise.all([server.open(), world.pump()])
    await world.advance(800)
    t.strictSame([log, channel.is_alive()], [['open'], true])
    channel.close()
    await Promise.all([server.close(), world.pump()])
  }
})

t.test('invalid options', async t => {
  t.throws(() => new MockServer({ context: 5 as never }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new MockServer({ urls: 5 } as never), { message: /did you mean url\?/ })
  t.ok(new MockServer())
  for (const call of ['register_mock_agent', 'register_mock_worker'] as const)
    t.throws(() => new MockServer()[call](Symbol('a') as never), { code: 'ERR_INVALID_ARGUMENT' })
})
