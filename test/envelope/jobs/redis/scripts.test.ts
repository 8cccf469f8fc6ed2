import t from 'tap'
import { BURY, GROUP, keysOf, RETRY } from '../../../../src/envelope/jobs/redis/scripts.ts'
import { office } from './kit.ts'

t.test('keys', async t => {
  t.same(keysOf('mail'), {
    jobs: 'sluice:jobs:mail',
    later: 'sluice:jobs:mail:later',
    dead: 'sluice:jobs:mail:dead',
  })
})

/**
 * A worker that was stopped for longer than its lease wakes up, and its try fails. Somebody else
 * works on the job by then: it must not be put back beside that.
 */
office('only who works on a job puts it back', [], async (t, { client }) => {
  const { jobs, later, dead } = keysOf('mail')
  await client.call('XGROUP', 'CREATE', jobs, GROUP, '0', 'MKSTREAM')
  const entry = await client.xadd(jobs, { id: 'a', tries: 1, job: '{}' })
  await client.xreadgroup(GROUP, 'first', { [jobs]: '>' })
  await client.xautoclaim(jobs, GROUP, 'second', 0)
  t.equal(await client.eval(RETRY, [jobs, later], [GROUP, 'first', entry!, 1, 'a 2 {}']), 0)
  const grave = [10, 1000, 'a', 2, '{}', 'why']
  t.equal(await client.eval(BURY, [jobs, dead], [GROUP, 'first', entry!, ...grave]), 0)
  t.equal(await client.eval(BURY, [jobs, dead], [GROUP, 'second', entry!, ...grave]), 1)
  t.same([await client.call('XLEN', jobs), await client.call('XLEN', dead)], [0, 1])
})
