import t from 'tap'
import { Engine } from '../../../../src/engine.ts'
import { RedisQueue } from '../../../../src/envelope/jobs/redis/redis-queue.ts'
import { fate, thrown } from '../../../kit.ts'
import { office } from './kit.ts'

const JOBS = 'sluice:jobs:mail'

office('a job is put, once', [], async (t, { engine, server, client, job }) => {
  const queue = new RedisQueue(server.url, { engine, name: 'mail', size: 2 })
  const one = job(1)
  const id = await queue.put(one)
  const [[, fields]] = (await client.call('XRANGE', JOBS, '-', '+')) as [[string, string[]]]
  t.same([fields.slice(0, 4), JSON.parse(fields[5]!)], [['id', id, 'tries', '1'], one])
  await queue.put(job(2))
  await t.rejects(queue.put(job(3)), { code: 'ERR_OVERFLOW', message: /more than 2 jobs wait/ })
  t.equal(await queue.size(), 2)
  await client.del(JOBS)
  const last = queue.put(job(4))
  const closed = queue.close()
  t.equal(queue.close(), closed)
  t.equal(await fate(queue.put(job(5))), 'rejected ERR_CLOSED')
  await closed
  t.type(await last, 'string', 'what was put before is taken')
})

// It failed on a busy machine: the first `put` with 60 ms included connecting.
office('a server that is away', [], async (t, { engine, server, job }) => {
  const redis = { reconnect: { first: 5, longest: 5 } }
  const queue = new RedisQueue(server.url, { engine, redis, put_timeout: 60 })
  t.equal(await queue.size(), 0, 'connected')
  server.signal('SIGSTOP')
  await t.rejects(queue.put(job(1)), { code: 'ERR_TIMEOUT' })
  server.signal('SIGCONT')
  await queue.close()
})

t.test('misuse', async t => {
  const engine = new Engine({ log: () => {} })
  for (const options of [{ name: '' }, { size: 0 }, { put_timeout: -1 }, { length: 5 }])
    t.equal(
      thrown(() => new RedisQueue('redis://localhost', { engine, ...options } as never)),
      'ERR_INVALID_ARGUMENT',
    )
  await new RedisQueue('redis+unix:///nowhere/redis.sock').close()
})
