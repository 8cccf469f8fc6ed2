import t from 'tap'
import { deferred } from '../../../../src/core/deferred.ts'
import { Engine } from '../../../../src/engine.ts'
import { RedisQueue } from '../../../../src/envelope/jobs/redis/redis-queue.ts'
import { RedisWorker } from '../../../../src/envelope/jobs/redis/redis-worker.ts'
import { thrown, until } from '../../../kit.ts'
import { Done, work } from '../kit.ts'
import { office } from './kit.ts'

const JOBS = 'sluice:jobs:default'
const quick = { lease: 60, retry: { first: 1, longest: 1 } }

office('a job, whenever it was put, and its states', [], async (t, office) => {
  const { engine, heard, server, client, job } = office
  const queue = new RedisQueue(server.url, { engine })
  work.does = job => Done.from_message(job, { x: job.data.x })
  await queue.put(job(1))
  const worker = new RedisWorker(server.url, { engine, lease: 9_000 })
  await worker.opened
  await until(() => heard.length === 2)
  await queue.put(job(2))
  await until(() => heard.length === 4)
  t.same(heard, ['s.stat i1 r', 'done i1 s', 's.stat i2 r', 'done i2 s'])
  const closed = worker.close()
  t.equal(worker.close(), closed)
  await closed
  t.same([await queue.size(), worker.running], [0, 0])
  t.same(await client.call('XINFO', 'CONSUMERS', JOBS, 'workers'), [], 'it has left')
  await queue.close()
})

office('tried again, and what has failed for good', [], async (t, office) => {
  const { engine, heard, logged, server, client, job } = office
  const queue = new RedisQueue(server.url, { engine })
  let tries = 0
  work.does = ({ data }) => {
    tries++
    if (data.x !== 1 || tries < 3) throw new Error('broken')
  }
  const worker = new RedisWorker(server.url, { engine, ...quick })
  await queue.put(job(1))
  await until(() => heard.at(-1) === 's.stat i1 s')
  t.equal(tries, 3)
  await queue.put(job(2))
  await queue.put(job(3, { ttl: 1, enqueued_at: 0, failure_ttl: 1 }))
  // What somebody else has written there: none of it comes again and again.
  const odd = ['{', 'null', '{}', '{"failure_ttl":"x","mm":5}']
  for (const text of odd) await client.xadd(JOBS, { id: 'a b', tries: 'x', job: text })
  await client.xadd(JOBS, { other: 'fields' })
  await client.call('ZADD', `${JOBS}:later`, 0, 'odd')
  await until(async () => (await queue.size()) === 0)
  await until(() => heard.filter(each => each.endsWith('f')).length === 2)
  t.match(heard.at(-1), /^error\.job i2 f$/)
  await until(() => logged.some(line => /the job work failed: broken/.test(line)))
  t.match(logged.join('\n'), /queue default: work failed, try 1 of 3, again in 1 ms: broken/)
  await worker.close()
  t.equal(await queue.size(), 0)
  const dead = await client.call('XRANGE', `${JOBS}:dead`, '-', '+')
  t.match(JSON.stringify(dead), /broken/)
  t.notMatch(JSON.stringify(dead), /waited for more than 1 ms/, 'its time is over')
  await queue.close()
})

office('the jobs of a worker that has died', [], async (t, office) => {
  const { engine, heard, logged, server, client, job } = office
  const queue = new RedisQueue(server.url, { engine })
  work.does = () => undefined
  for (const x of [1, 2]) await queue.put(job(x))
  await client.call('XGROUP', 'CREATE', JOBS, 'workers', '0')
  await client.xreadgroup('workers', 'dead', { [JOBS]: '>' }, { count: 1 })
  await client.xreadgroup('workers', 'dead', { [JOBS]: '>' }, { count: 1 })
  const [, [, entry]] = (await client.call('XPENDING', JOBS, 'workers')) as [number, string[]]
  t.ok(entry)
  const worker = new RedisWorker(server.url, { engine, ...quick, tries: 2 })
  await until(() => heard.length === 4)
  t.same(heard.toSorted(), ['s.stat i1 r', 's.stat i1 s', 's.stat i2 r', 's.stat i2 s'])
  await worker.close()

  await queue.put(job(3))
  await client.xreadgroup('workers', 'dead', { [JOBS]: '>' }, { count: 1 })
  const last = new RedisWorker(server.url, { engine, ...quick, tries: 1 })
  await until(() => heard.length === 5)
  t.equal(heard.pop(), 'error.job i3 f')
  t.match(logged.at(-1), /its worker died, 1 times/)
  await last.close()
  await queue.close()
})

office('a lease is renewed; close waits, and then leaves it to others', [], async (t, office) => {
  const { engine, heard, server, client, job } = office
  const queue = new RedisQueue(server.url, { engine })
  const gate = deferred<void>()
  let runs = 0
  work.does = () => {
    runs++
    return gate.promise
  }
  const one = new RedisWorker(server.url, { engine, ...quick, count: 2 })
  await queue.put(job(1))
  await until(() => runs === 1)
  const pending = async (): Promise<any[]> => {
    const [first] = await client.call<any[][]>('XPENDING', JOBS, 'workers', '-', '+', 1)
    return first!
  }
  // It grows until it is renewed.
  for (let last = -1, now = 0; now >= last; now = (await pending())[2]) last = now
  // Somebody claims it, and it is claimed back: it is not run a second time.
  const [entry, owner] = await pending()
  await client.call('XCLAIM', JOBS, 'workers', 'thief', 0, entry, 'IDLE', 100_000)
  await until(async () => (await pending())[1] === owner)
  await queue.put(job(2))
  await until(() => one.running === 2)
  t.equal(runs, 2)
  await one.close(1)
  t.equal(await queue.size(), 2, 'it waits again')
  gate.resolve()
  const third = new RedisWorker(server.url, { engine })
  await until(() => runs === 4 && heard.filter(each => each.endsWith(' s')).length === 4)
  await third.close()
  t.equal(await queue.size(), 0)
  await queue.close()
})

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']
office('the server dies in the middle, and comes back', DURABLE, async (t, office) => {
  const { engine, heard, server, job } = office
  const redis = { reconnect: { first: 5, longest: 20 } }
  const queue = new RedisQueue(server.url, { engine, redis })
  const gates = [deferred<void>(), deferred<void>()]
  let runs = 0
  work.does = () => gates[runs++]?.promise
  const worker = new RedisWorker(server.url, { engine, redis, lease: 60 })
  await queue.put(job(1))
  await until(() => runs === 1)
  await server.kill()
  const put = queue.put(job(2))
  gates[0]!.resolve()
  gates[1]!.resolve()
  await server.start()
  await put
  await until(() => runs === 2 && heard.length === 4)
  await worker.close()
  t.same([await queue.size(), runs], [0, 2], 'both were done, and once')
  await queue.close()
})

office('it loses all, and begins again; it never can', [], async (t, office) => {
  const { engine, heard, logged, server, client, job } = office
  const queue = new RedisQueue(server.url, { engine })
  work.does = () => undefined
  const worker = new RedisWorker(server.url, { engine, ...quick })
  await worker.opened
  await client.call('FLUSHALL')
  await queue.put(job(1))
  await until(() => heard.length === 2)
  const gate = deferred<void>()
  work.does = () => gate.promise
  await queue.put(job(2))
  await until(() => worker.running === 1)
  await client.set(JOBS, 'no stream')
  gate.resolve()
  await until(() => /cannot acknowledge .*WRONGTYPE/.test(logged.join('\n')))
  await until(() => /cannot read: .*WRONGTYPE/.test(logged.join('\n')))
  await until(() => /cannot renew: .*WRONGTYPE/.test(logged.join('\n')))
  await stopsInThePause(server.url)
  await client.del(JOBS)
  await worker.close()
  await queue.close()
  const refused = new RedisWorker(server.url, {
    engine,
    redis: { username: 'nobody', password: 'wrong' },
  })
  await t.rejects(refused.opened, { code: /^(ERR|WRONGPASS)$/ })
  await refused.close()
})

office('two begin at once; a user who may not make the group', [], async (t, office) => {
  const { engine, heard, logged, server, client, job } = office
  const queue = new RedisQueue(server.url, { engine })
  work.does = () => undefined
  const rules = ['on', '>secret', '~*', '&*', '+@all', '-xgroup']
  await client.call('ACL', 'SETUSER', 'worker', ...rules)
  const redis = { username: 'worker', password: 'secret' }
  const lame = new RedisWorker(server.url, { engine, redis })
  await until(() => /cannot make its group: .*NOPERM/.test(logged.join('\n')))
  const workers = [1, 2].map(() => new RedisWorker(server.url, { engine }))
  await queue.put(job(1))
  await until(() => heard.length === 2)
  t.same(heard, ['s.stat i1 r', 's.stat i1 s'])
  await Promise.all([lame, ...workers].map(worker => worker.close()))
  await queue.close()
})

/** The engine stops in the moment in which a read has failed: the worker reads no more. */
async function stopsInThePause(url: string): Promise<void> {
  const failed = deferred<Promise<void>>()
  const engine = new Engine({
    log: message => /cannot read/.test(message) && failed.resolve(engine.stop({ timeout: 1 })),
  })
  const worker = new RedisWorker(url, { engine })
  await failed.promise
  await worker.close()
}

t.test('misuse', async t => {
  const engine = new Engine({ log: () => {} })
  const wrong = [
    { name: 'a b' },
    { count: 0 },
    { lease: '5' },
    { retry: { first: 0 } },
    { retry: { last: 1 } },
    { runner: {} },
    { counts: 1 },
  ]
  for (const options of wrong)
    t.equal(
      thrown(() => new RedisWorker('redis://localhost', { engine, ...options } as never)),
      'ERR_INVALID_ARGUMENT',
    )
  t.equal(
    thrown(() => new RedisWorker('http://localhost', { engine })),
    'ERR_INVALID_ADDRESS',
  )
  const worker = new RedisWorker('redis+unix:///nowhere/redis.sock', { engine })
  t.equal(
    thrown(() => worker.close(-1)),
    'ERR_INVALID_ARGUMENT',
  )
  await worker.close()
})
