import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import type { AgentDetails } from '../../../src/packets/supervisor/job.ts'
import { askingOf, Registrations } from '../../../src/packets/supervisor/registrations.ts'

t.test('the same answer, however often somebody asks', async t => {
  const registrations = new Registrations()
  let count = 0
  const register = (): AgentDetails => ({ n: ++count })
  const ann = { key: 'ann', id: 'ann' }
  t.strictSame(registrations.answer(ann, register), { agent_id: 'ann', n: 1 })
  t.strictSame(registrations.answer(ann, register), { agent_id: 'ann', n: 1 })
  const nobody = { key: 'new', id: undefined }
  t.strictSame(
    registrations.answer(nobody, () => undefined),
    { agent_id: 'agent-1' },
  )
  t.strictSame(
    registrations.answer({ key: 'bob', id: 'bob' }, () => ({ agent_id: 'b' })),
    {
      agent_id: 'b',
    },
  )
})

t.test('also while the first answer is worked out; one that failed may ask again', async t => {
  const registrations = new Registrations()
  const ann = { key: 'ann', id: 'ann' }
  const first = deferred<AgentDetails>()
  const one = registrations.answer(ann, () => first.promise)
  const two = registrations.answer(ann, () => t.fail() as never)
  t.equal(one, two)
  first.resolve({ n: 1 })
  t.strictSame(await one, { agent_id: 'ann', n: 1 })
  t.strictSame(
    registrations.answer(ann, () => t.fail() as never),
    { agent_id: 'ann', n: 1 },
  )
  const bob = { key: 'bob', id: 'bob' }
  await t.rejects(
    registrations.answer(bob, () => Promise.reject(new Error('no'))) as Promise<AgentDetails>,
  )
  t.strictSame(
    registrations.answer(bob, () => undefined),
    { agent_id: 'bob' },
  )
})

t.test('a limit', async t => {
  const registrations = new Registrations()
  for (let n = 0; n < 100_000; n++) registrations.answer({ key: `${n}`, id: '' }, () => undefined)
  t.throws(() => registrations.answer({ key: 'x', id: '' }, () => undefined), {
    code: 'ERR_DROPPED',
    message: /more than 100000/,
  })
})

t.test('who asks', async t => {
  const router = 'mephisto_server'
  t.strictSame(askingOf('ann', {}), { key: 'id ann', id: 'ann' })
  const asked = (provider_data: unknown) => askingOf(router, { request_id: 'r', provider_data }).key
  t.equal(asked({ agent_registration_id: 'x', worker_name: 'y' }), 'said "x"')
  t.equal(asked({ worker_name: 'y' }), 'said "y"')
  t.equal(asked({ other: 1 }), 'said {"other":1}')
  t.equal(asked(undefined), 'said r')
  // The key is kept until the run ends: a hundred thousand of a megabyte would be.
  const said = asked({ worker_name: 'x'.repeat(1_000_000) })
  t.match(said, /^said .{44}$/)
  t.not(said, asked({ worker_name: 'y'.repeat(1_000_000) }))
  t.strictSame(askingOf('r', { request_id: 'r', provider_data: null }), {
    key: 'said r',
    id: undefined,
  })
})
