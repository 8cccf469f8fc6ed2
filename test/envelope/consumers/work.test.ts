import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { Work } from '../../../src/envelope/consumers/work.ts'
import { fate, turn } from '../../kit.ts'

t.test('a task waits for the promise of the one before', async t => {
  const work = new Work()
  const log: string[] = []
  work.returned(undefined)
  t.equal(work.isBusy, false)
  const first = deferred<void>()
  work.returned(first.promise)
  t.equal(work.isBusy, true)
  work.wait(() => void log.push('second'))
  work.wait(async () => void log.push('third'))
  work.wait(() => void log.push('fourth'))
  t.strictSame([work.size, work.full, log], [3, undefined, []])
  first.resolve()
  await turn()
  t.strictSame([log, work.isBusy], [['second', 'third', 'fourth'], false])
})

t.test('if much waits, the channel is not read', async t => {
  const work = new Work()
  const [first, second] = [deferred<void>(), deferred<void>()]
  work.returned(first.promise)
  for (let count = 0; count < 64; count++) work.wait(() => second.promise)
  const full = work.full as Promise<void>
  t.equal(work.full, full)
  t.equal(await fate(full), 'open')
  first.resolve()
  t.equal(await fate(full), undefined)
  for (let count = 0; count < 70; count++) work.wait(() => {})
  const again = work.full as Promise<void>
  work.clear()
  t.equal(await fate(again), undefined)
  t.equal(work.size, 0)
})

t.test('it is not read before most is done', async t => {
  const work = new Work()
  const [first, second] = [deferred<void>(), deferred<void>()]
  work.returned(first.promise)
  for (let count = 0; count < 70; count++) work.wait(() => (count === 0 ? second.promise : 1))
  const full = work.full as Promise<void>
  first.resolve()
  t.equal(await fate(full), 'open')
  second.resolve()
  t.equal(await fate(full), undefined)
})
