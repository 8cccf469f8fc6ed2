import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Engine } from '../../../../src/engine.ts'
import { ThreadPool } from '../../../../src/envelope/jobs/threads/thread-pool.ts'
import { Layer } from '../../../../src/envelope/layers/layer.ts'
import { add_layers, remove_layers } from '../../../../src/envelope/layers/layer-table.ts'
import { MemoryRelay } from '../../../../src/relay/memory-relay.ts'
import { bareThreads } from '../../../built.ts'
import { fate, thrown, until } from '../../../kit.ts'
import { shop } from './kit.ts'

bareThreads()

function world() {
  const logged: string[] = []
  const engine = new Engine({ log: message => void logged.push(message) })
  return { engine, logged }
}

t.test('it is done in threads, and its sender is told', async t => {
  const { engine, logged } = world()
  const { module, job } = shop(t)
  const relay = new MemoryRelay({ engine })
  const heard: string[] = []
  await relay.subscribe('envelope:to:a.b', bytes => {
    const { event } = JSON.parse(String(bytes))
    heard.push(`${event.i} ${event.s}`)
  })
  remove_layers('threads')
  add_layers(new Layer(relay, 'threads'))
  const pool = new ThreadPool(module, { threads: 2, engine })
  await Promise.all([pool.run(job('block')), pool.run(job('block')), pool.run(job('block'))])
  t.ok(pool.size <= 2, `${pool.size} threads`)
  await until(() => heard.length === 6)
  t.same(heard.toSorted(), ['block r', 'block r', 'block r', 'block s', 'block s', 'block s'])
  await t.rejects(pool.run(job('throw')), { message: 'broken', code: 'ERR_JOB' })
  await t.rejects(pool.run(job('x', { env: 'none' })), { code: 'ERR_INVALID_ARGUMENT' })
  remove_layers('threads')
  await pool.run(job('block'))
  t.match(logged, [/cannot be told: .*no layer "threads"/, /cannot be told/])
  const last = pool.run(job('block'))
  const closed = pool.close()
  t.equal(pool.close(), closed)
  t.equal(await fate(pool.run(job('block'))), 'rejected ERR_CLOSED')
  await Promise.all([last, closed])
  await until(() => pool.size === 0)
})

t.test('a thread that dies, or does not end', async t => {
  const { engine, logged } = world()
  const { module, job } = shop(t)
  add_layers(new Layer(new MemoryRelay({ engine }), 'threads'))
  const pool = new ThreadPool(module, { threads: 1, tries: 2, engine })
  await pool.run(job('exit once'))
  t.match(logged, [/the thread of the job work has died: it has ended/])
  await t.rejects(pool.run(job('late')), { code: 'ERR_JOB_LOST' })
  t.match(logged.at(-1), /has died: too late/)
  await pool.run(job('log'))
  t.equal(logged.at(-1), 'a line')
  await t.rejects(pool.run(job('loop', { job_timeout: 1 })), { code: 'ERR_JOB_TIMEOUT' })
  await pool.run(job('block'))
  await pool.close()
  remove_layers('threads')
})

t.test('a module that does not load', async t => {
  const { engine } = world()
  const { folder, job } = shop(t)
  const pool = new ThreadPool(join(folder, 'nowhere.mjs'), { engine })
  await t.rejects(pool.run(job('block')), { code: 'ERR_MODULE' })
  const module = join(folder, 'dies.mjs')
  writeFileSync(module, 'process.exit(1)')
  const dying = new ThreadPool(module, { engine })
  await t.rejects(dying.run(job('block')), { code: 'ERR_MODULE' })
  await Promise.all([pool.close(), dying.close()])
})

t.test('misuse', async t => {
  for (const [module, options] of [
    ['', {}],
    [5, {}],
    ['a', { threads: 0 }],
    ['a', { tries: 0 }],
    ['a', { thread: 1 }],
  ] as const)
    t.equal(
      thrown(() => new ThreadPool(module as never, options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
