/** What a run does with what arrives, packet by packet. */

import t from 'tap'
import { Budget } from '../../../src/packets/lines/budget.ts'
import { PacketLine } from '../../../src/packets/lines/packet-line.ts'
import { Packet, type PacketData } from '../../../src/packets/packet.ts'
import { Dispatch } from '../../../src/packets/supervisor/dispatch.ts'
import type { Job, Run } from '../../../src/packets/supervisor/job.ts'
import { JobHooks } from '../../../src/packets/supervisor/job-hooks.ts'
import { scene, type World } from '../../kit.ts'
import { FakeChannel } from '../kit.ts'

function make({ engine }: World, job: Partial<Job> = {}, shape: '2020' | 'today' = '2020') {
  const channel = new FakeChannel('main')
  channel.alive = true
  const log: string[] = []
  const hooks = new JobHooks(job as Job, {} as Run, error => void log.push(error.message))
  const dispatch = new Dispatch(hooks, shape)
  const budget = new Budget(3, 1e9, 1e9)
  const line = new PacketLine(channel, dispatch, { engine, budget, stream: 's' })
  const hear = (packet_type: string, sender_id: string, data: PacketData = {}): void =>
    dispatch.received(line, new Packet({ packet_type, sender_id, receiver_id: 'mephisto', data }))
  return { channel, line, dispatch, log, hear, budget }
}

/** A router that passes on confirmations says so by numbering its statuses. */
const numbered = (data: PacketData = {}): Packet =>
  new Packet(
    { packet_type: 'return_status', sender_id: 'mephisto_server', receiver_id: 'mephisto', data },
    { stream: 'router', number: 1 },
  )

scene(t, 'it greets, in its shape', async (t, world) => {
  const old = make(world)
  old.dispatch.greet(old.line)
  t.strictSame(old.channel.take(), [
    'alive mephisto→main {"confirms":null}',
    'request_status mephisto→main',
  ])
  const today = make(world, {}, 'today')
  today.dispatch.greet(today.line)
  t.strictSame(today.channel.take(), [
    'alive mephisto {"confirms":null}',
    'request_statuses mephisto',
  ])
})

scene(t, 'handlers, and types that nobody handles', async (t, world) => {
  const seen: unknown[] = []
  const { hear, log, dispatch } = make(world, {
    handlers: { act: ({ data }) => void seen.push(data) },
  })
  hear('act', 'ann', { n: 1 })
  hear('constructor', 'ann')
  hear('heartbeat', 'ann')
  hear('act', 'ann', { n: 2 })
  t.strictSame(seen, [{ n: 1 }, { n: 2 }])
  t.match(log, [/^channel main: nobody handles packet constructor from ann to mephisto$/])
  t.equal(dispatch.agents.channelOf('ann'), 'main')
})

scene(t, 'a live update comes once', async (t, world) => {
  const seen: unknown[] = []
  const { hear } = make(world, {
    handlers: { mephisto_bound_live_update: ({ data }) => void seen.push(data.update_id) },
  })
  for (const update_id of ['a', 'a', 'b']) hear('mephisto_bound_live_update', 'ann', { update_id })
  t.strictSame(seen, ['a', 'b'])
})

scene(t, 'statuses', async (t, world) => {
  const seen: string[] = []
  const { hear, line, channel, dispatch } = make(world, {
    on_status: ({ agent_id, status }) => void seen.push(`${agent_id} ${status}`),
  })
  hear('act', 'ann')
  hear('return_status', 'mephisto_server', { ann: 'disconnect' })
  t.strictSame([seen, line.mode], [['ann disconnect'], 'plain'])
  line.becomeAlive()
  channel.take()
  dispatch.received(line, numbered())
  t.strictSame([line.mode, channel.take()], ['confirming', []])
  dispatch.knock(line)
  t.match(channel.take(), [/^request_status/])
  line.end()
})

scene(t, 'who is there, and what is confirmed', async (t, world) => {
  const { hear, line, channel, dispatch } = make(world)
  dispatch.received(line, numbered())
  channel.take()
  hear('alive', 'mephisto_server')
  hear('confirm', 'nobody')
  t.equal(line.parties.size, 0)
  hear('alive', 'ann', { confirms: null, sends: { stream: 'a', number: 0 } })
  await world.pump()
  t.match(channel.take(), [/^confirm mephisto→ann/])
  line.send(new Packet({ packet_type: 'x', sender_id: 'mephisto', receiver_id: 'ann' }), 'ann')
  await world.pump()
  t.match(channel.take(), [/^x/])
  hear('confirm', 'ann', { confirms: { stream: 's.0', number: 1 } })
  t.equal(line.budget.count, 0)
  line.end()
})

scene(t, 'who registers is answered, once however often', async (t, world) => {
  let count = 0
  const { hear, channel, line, dispatch, log } = make(world, {
    on_register: async (agent_id, data) => ({ agent_id: `${agent_id}-${++count}`, ...data }),
  })
  line.becomePlain()
  hear('register_agent', 'ann', { request_id: 'r1' })
  hear('register_agent', 'ann', { request_id: 'r2' })
  await world.pump()
  t.strictSame(channel.take(), [
    'provider_details mephisto→ann {"agent_id":"ann-1","request_id":"r1"}',
    'provider_details mephisto→ann {"agent_id":"ann-1","request_id":"r2"}',
  ])
  hear('register_worker', 'mephisto_server', { request_id: 'r3' })
  await world.pump()
  t.match(channel.take(), [/→mephisto_server .*"r3"/])
  dispatch.received(line, new Packet({ packet_type: 'register_agent', subject_id: 'bob' }))
  await world.pump()
  t.match(channel.take(), [/^agent_details bob {"agent_id":"bob-3"}/])
  t.strictSame(log, [])
})

scene(t, 'there is no room for the answer', async (t, world) => {
  const { hear, channel, line, log } = make(world)
  line.becomePlain()
  channel.alive = false
  for (const id of ['a', 'b', 'c', 'd']) hear('register_agent', id)
  t.match(log, [/the queue is full: no answer to d/])
  line.end()
})

scene(t, 'a flood for a handler that is at work is told, and counted', async (t, world) => {
  const { hear, line, log } = make(world, { handlers: { act: () => new Promise(() => {}) } })
  for (let n = 0; n < 1100; n++) hear('act', 'ann')
  t.match(log, [/packets of ann come faster than they are handled/])
  t.equal(line.lost, 75)
  line.end()
})
