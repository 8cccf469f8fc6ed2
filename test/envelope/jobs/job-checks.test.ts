import t from 'tap'
import {
  checkJob,
  checkNumber,
  checkQueueName,
  checkRunner,
} from '../../../src/envelope/jobs/job-checks.ts'
import { thrown } from '../../kit.ts'

t.test('counts, and what does the work', async t => {
  t.equal(checkNumber('x', 1), 1)
  for (const wrong of [0, 1.5, 2 ** 31, '1', NaN])
    t.equal(
      thrown(() => checkNumber('x', wrong)),
      'ERR_INVALID_ARGUMENT',
    )
  t.throws(() => checkRunner('x', {}), { message: /^x must be a JobRunner/ })
})

t.test('names', async t => {
  t.equal(checkQueueName('x', 'a-b.c_1'), 'a-b.c_1')
  for (const wrong of ['', 'a b', 'a:b', 5, 'x'.repeat(100)])
    t.equal(
      thrown(() => checkQueueName('x', wrong)),
      'ERR_INVALID_ARGUMENT',
    )
})

/** Such a job was taken. Its failure was an unhandled rejection, and its queue never closed. */
t.test('jobs', async t => {
  checkJob({ env: 'in', t: 'work', mm: {} } as never)
  for (const wrong of [undefined, 5, {}, { env: 'in' }, { env: 'in', t: 'a', mm: null }])
    t.equal(
      thrown(() => checkJob(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
