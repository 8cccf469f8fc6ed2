/** A channel under test: what it calls is written down, and what must happen is waited for. */

import t from 'tap'
import { fail, must, Probe } from '../../../src/packets/channel/conformance-probe.ts'
import { engine, turning, world } from './conformance-kit.ts'

t.test('writes down what the channel calls', async t => {
  const { make, push } = world().fixture()
  const probe = new Probe({ make, engine })
  const channel = await turning(probe.open(make))
  t.strictSame([channel.is_alive(), probe.wasAlive, probe.opens], [true, true, ['mine']])
  const said = { packet_type: 'agent_action', sender_id: 'a', receiver_id: 'b', data: {} }
  await push!(said)
  await turning(probe.until('a packet must come', () => probe.messages.length > 0))
  t.match(probe.messages, [['mine', { type: 'agent_action' }]])
  channel.on_catastrophic_disconnect('mine')
  t.strictSame([probe.disconnects, probe.calls], [['mine'], 3])
})

t.test('waits for what must happen, and for what must not', async t => {
  const probe = new Probe({ make: world().fixture().make, engine, timeout: 20, quiet: 5 })
  const { now } = engine
  await turning(probe.quiet())
  t.equal(engine.now, now + 5)
  await t.rejects(turning(probe.until('it must come', () => false)), {
    message: 'it must come; it did not within 20 ms',
  })
})

t.test('breaks off', async t => {
  must(true, 'it holds')
  t.throws(() => must(false, 'it must hold'), { message: 'it must hold' })
  t.throws(() => fail('it is wrong'), { message: 'it is wrong' })
  const probe = new Probe({ make: () => ({}) as never, engine })
  await t.rejects(
    probe.make(() => ({}) as never),
    { message: /must return a PacketChannel/ },
  )
})
