import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { Engine } from '../../../src/engine.ts'
import { JobPool, MemoryQueue } from '../../../src/envelope/jobs/memory-queue.ts'
import { fate, thrown } from '../../kit.ts'
import { shop, work } from './kit.ts'

shop(
  t,
  'from the message to the answer',
  ({ engine }) => new MemoryQueue({ pool: new JobPool(1, engine) }),
  async (t, { say, heard, pump, logged }) => {
    work.does = ({ data }) => {
      if (data.x === 2) throw new Error('broken')
    }
    say('{"t":"work","p":{"x":1},"i":"a"}')
    say('{"t":"work","p":{"x":2},"i":"b"}')
    await pump()
    t.strictSame(heard.toSorted(), [
      'error.job {"msg":"broken"} b f',
      's.stat null a q',
      's.stat null a r',
      's.stat null a s',
      's.stat null b q',
      's.stat null b r',
    ])
    t.match(logged, [/the job work failed: broken/])
  },
)

const gates: ReturnType<typeof deferred<void>>[] = []
shop(
  t,
  'queues take turns, each has a bound, and closing waits',
  () => new MemoryQueue(),
  async (t, { engine, pump, logged }) => {
    const pool = new JobPool(1, engine)
    const [one, other] = [
      new MemoryQueue({ name: 'one', size: 3, pool }),
      new MemoryQueue({ name: 'other', pool }),
    ]
    const ran: number[] = []
    work.does = ({ data }) => {
      ran.push(data.x)
      const gate = deferred<void>()
      gates.push(gate)
      return gate.promise
    }
    const job = (x: number) => ({
      env: 'jobs-in',
      t: 'work',
      p: { x },
      mm: {},
      answers: 'jobs-out',
      errors: 'jobs-errors',
      enqueued_at: Date.now(),
      ttl: null,
      job_timeout: 60_000,
      result_ttl: 0,
      failure_ttl: 0,
    })
    t.equal(await one.put(job(1)), '1')
    for (const x of [2, 3, 4]) await one.put(job(x))
    t.equal(await fate(one.put(job(9))), 'rejected ERR_OVERFLOW')
    t.equal(one.size, 3)
    await other.put(job(5))
    await other.put({ ...job(6), errors: 'none', mm: { consumer_name: 'a' } })
    const closed = one.close()
    t.equal(one.close(), closed)
    t.equal(await fate(one.put(job(9))), 'rejected ERR_CLOSED')
    for (let count = 0; count < 6; count++) {
      await pump()
      gates.shift()?.resolve()
    }
    await pump()
    await closed
    t.strictSame(ran, [1, 2, 5, 3, 4])
    t.match(logged, [/there is no envelope "none"/, /cannot be told/])
    await new MemoryQueue({ pool }).close()
  },
)

t.test('misuse', async t => {
  for (const options of [{ name: '' }, { size: 0 }, { pool: {} }, { length: 5 }])
    t.equal(
      thrown(() => new MemoryQueue(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
  const engine = new Engine()
  for (const wrong of [
    () => new JobPool(0),
    () => new JobPool(1, {} as never),
    () => new JobPool(1, engine, {} as never),
  ])
    t.equal(thrown(wrong), 'ERR_INVALID_ARGUMENT')
  t.ok(new JobPool(1, engine, { run: async () => {} }))
  const queue = new MemoryQueue()
  t.equal(await fate(queue.put({} as never)), 'rejected ERR_INVALID_ARGUMENT')
  await queue.close()
})
