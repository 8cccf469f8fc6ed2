import t from 'tap'
import { Packet } from '../../../src/packets/packet.ts'
import { Agents } from '../../../src/packets/supervisor/agents.ts'

t.test('heard of, and where', async t => {
  const agents = new Agents()
  t.equal(agents.channelOf('ann'), undefined)
  agents.heard('ann', 'one')
  t.match(agents.heard('ann', 'two'), {
    agent_id: 'ann',
    channel_id: 'two',
    status: 'none',
    registration: undefined,
  })
  t.equal(agents.channelOf('ann'), 'two')
  t.strictSame([...agents.all.keys()], ['ann'])
})

t.test('statuses', async t => {
  const agents = new Agents()
  agents.heard('ann', 'one')
  const changed = (data: object): string[] =>
    agents.update(data as never).map(({ agent_id, status }) => `${agent_id} ${status}`)
  t.strictSame(changed({ ann: 'connected', bob: 'connected' }), ['ann connected'])
  t.strictSame(changed({ ann: 'connected' }), [])
  t.strictSame(changed({ ann: 5 }), [])
})

t.test('live updates', async t => {
  const agents = new Agents()
  const update = (update_id: unknown): Packet =>
    new Packet({ packet_type: 'u', subject_id: 'ann', data: { update_id } })
  t.equal(agents.isRepeated('ann', update('1')), false, 'of nobody')
  agents.heard('ann', 'one')
  t.strictSame(
    ['1', '1', 5, 5, undefined].map(id => agents.isRepeated('ann', update(id))),
    [false, true, false, false, false],
  )
})

t.test('registering', async t => {
  const agents = new Agents()
  t.strictSame(
    agents.answer('ann', 'one', { a: 1 }, () => ({ n: 1 })),
    { agent_id: 'ann', n: 1 },
  )
  t.strictSame(agents.all.get('ann')!.registration, { a: 1 })
  await agents.answer('bob', 'one', { b: 1 }, async () => {})
  agents.answer('bob', 'one', { b: 2 }, () => undefined)
  t.strictSame(agents.all.get('bob')!.registration, { b: 1 }, 'the first one')
})

t.test('a limit', async t => {
  const agents = new Agents()
  for (let n = 0; n < 100_000; n++) agents.heard(`${n}`, 'one')
  t.equal(agents.heard('one more', 'one'), undefined)
  t.ok(agents.heard('5', 'one'))
  t.strictSame(
    agents.answer('one more', 'one', {}, () => undefined),
    { agent_id: 'one more' },
  )
})
