import t from 'tap'
import { PacketHeartbeat } from '../../../src/packets/channel/packet-heartbeat.ts'
import { Packet } from '../../../src/packets/packet.ts'
import { scene } from '../../kit.ts'

const ANSWER = Packet.from_dict({
  packet_type: 'heartbeat',
  sender_id: 'mephisto_server',
  receiver_id: 'heartbeat',
  data: {},
})

scene(t, 'a silent peer is asked, and one that has answered must go on', async (t, world) => {
  const log: string[] = []
  const heartbeat = new PacketHeartbeat(world.engine, 1000, {
    ask: text => void log.push(JSON.parse(text).packet_type),
    silent: error => void log.push(error.message),
  })
  heartbeat.start()
  heartbeat.heard()
  await world.advance(1100)
  t.strictSame(log, [], 'it has said something')
  await world.advance(1100)
  t.strictSame(log.splice(0), ['heartbeat'])
  await world.advance(1100)
  t.strictSame(log.splice(0), ['heartbeat'], 'it knows no heartbeats')
  heartbeat.heard()
  t.equal(heartbeat.isAnswer(ANSWER), true)
  await world.advance(1100)
  await world.advance(1100)
  t.strictSame(log.splice(0), ['heartbeat'])
  await world.advance(1100)
  t.match(log, [/silent for 2000 ms/])
  t.equal(heartbeat.isAnswer(ANSWER.copy({ receiver_id: 'ann' })), false)
  t.equal(heartbeat.isAnswer(ANSWER.copy({ packet_type: 'alive' })), false)
  heartbeat.stop()
})

scene(t, 'Infinity: never', async (t, world) => {
  new PacketHeartbeat(world.engine, Infinity, {
    ask: () => t.fail(),
    silent: () => t.fail(),
  }).start()
  await world.advance(100_000)
})
