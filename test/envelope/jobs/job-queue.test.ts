import t from 'tap'
import { add_queues, get_queue, remove_queues } from '../../../src/envelope/jobs/job-queue.ts'
import { thrown } from '../../kit.ts'
import { Kept } from './kit.ts'

t.test('by name', async t => {
  remove_queues('default')
  t.throws(() => get_queue(), { message: /add_queues\(\) first/ })
  const queue = new Kept()
  add_queues(queue)
  add_queues(queue)
  t.equal(get_queue(), queue)
  t.throws(() => get_queue('defalt'), { message: /did you mean default/ })
  t.equal(
    thrown(() => add_queues(new Kept())),
    'ERR_INVALID_STATE',
  )
  for (const wrong of [null, {}, { put() {} }])
    t.equal(
      thrown(() => add_queues(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  remove_queues('default')
})
