import t from 'tap'
import { Engine } from '../../../../src/engine.ts'
import { WorkerQueue } from '../../../../src/envelope/jobs/threads/worker-queue.ts'
import { bareThreads } from '../../../built.ts'
import { fate, thrown } from '../../../kit.ts'
import { shop } from './kit.ts'

bareThreads()

t.test('the loop goes on while jobs block, and closing waits for them', async t => {
  const logged: string[] = []
  const engine = new Engine({ log: message => void logged.push(message) })
  const { module, job } = shop(t)
  const queue = new WorkerQueue(module, { name: 'work', size: 2, threads: 1, engine })
  t.equal(queue.name, 'work')
  const whole = { ...job('block'), mm: {} }
  for (let count = 0; count < 3; count++) await queue.put(whole)
  t.equal(await fate(queue.put(whole)), 'rejected ERR_OVERFLOW')
  let turns = 0
  const cancel = engine.loop(() => void turns++)
  await queue.close()
  cancel()
  t.ok(turns > 3, `${turns} turns`)
  t.same([queue.size, logged], [0, []])
  t.equal(await fate(queue.put(whole)), 'rejected ERR_CLOSED')
})

t.test('with its defaults', async t => {
  const queue = new WorkerQueue(shop(t).module)
  t.equal(queue.name, 'default')
  await queue.close()
})

t.test('misuse', async t => {
  for (const options of [{ name: '' }, { threads: 0 }, { count: 1 }])
    t.equal(
      thrown(() => new WorkerQueue('x', options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
