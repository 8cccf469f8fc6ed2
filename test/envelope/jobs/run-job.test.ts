import t from 'tap'
import { error_message } from '../../../src/envelope/error-message.ts'
import { failJob, jobs_with, runJob } from '../../../src/envelope/jobs/run-job.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { integer } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { fate, thrown } from '../../kit.ts'
import { Done, Full, incoming, Kept, outgoing, shop, type Shop, Work, work } from './kit.ts'

const kept = new Kept()

class Gone extends error_message('error.gone', shape({ x: integer })) {}

/** Queues work with these fields, and gives its job. */
async function queued({ say, pump, heard }: Shop, text: string) {
  say(text)
  await pump()
  heard.splice(0)
  return kept.jobs.splice(0)[0]!
}

shop(
  t,
  'its states come back, with its trace id',
  () => kept,
  async (t, shop) => {
    const { heard, pump, engine, consumer } = shop
    consumer.user_pk = 7
    jobs_with({ find_user: async pk => `user ${pk}` })
    const job = await queued(shop, '{"t":"work","p":{"x":5},"i":"a"}')
    work.does = async (job, { progress, answer, signal }) => {
      progress(1, 2)
      progress(2, 2, 'soon')
      answer(new Done({ x: 0, mm: job.mm }))
      return Done.from_message(job, { x: signal.aborted ? 0 : String(job.user).length })
    }
    await runJob(job, engine)
    await pump()
    t.strictSame(heard.splice(0), [
      's.stat null a r',
      'progress.num {"curr":1,"total":2,"msg":null} a r',
      'progress.num {"curr":2,"total":2,"msg":"soon"} a r',
      'done {"x":0} a r',
      'done {"x":6} a s',
    ])
    work.does = () => undefined
    await runJob(job, engine)
    await pump()
    t.strictSame(heard.splice(0), ['s.stat null a r', 's.stat null a s'])
    work.does = job => {
      throw new Full({ x: job.data.x })
    }
    await runJob(job, engine)
    await pump()
    t.strictSame(heard.splice(0), ['s.stat null a r', 'error.full {"x":5} a f'])
    // It had to be among the errors; `throw` in on_message did not want that.
    outgoing.registry.add(Gone)
    work.does = () => {
      throw new Gone({ x: 1 })
    }
    await runJob(job, engine)
    await pump()
    t.strictSame(heard.splice(0), ['s.stat null a r', 'error.gone {"x":1} a f'])
    jobs_with({})
  },
)

shop(
  t,
  'what fails otherwise rejects, and is told by the queue',
  () => kept,
  async (t, shop) => {
    const { heard, pump, engine, advance } = shop
    const job = await queued(shop, '{"t":"work","p":{"x":5},"i":"a"}')
    work.does = () => {
      throw new Error('broken')
    }
    t.equal(await fate(runJob(job, engine)), 'rejected broken')
    failJob(job, new Error('broken'))
    await pump()
    t.strictSame(heard.splice(0), ['s.stat null a r', 'error.job {"msg":"broken"} a f'])
    let signal: AbortSignal | undefined
    work.does = (_, run) => {
      signal = run.signal
      return new Promise(() => {})
    }
    const slow = runJob({ ...job, job_timeout: 50 }, engine)
    slow.catch(() => {})
    await pump()
    await advance(50)
    t.equal(await fate(slow), 'rejected ERR_JOB_TIMEOUT')
    t.equal(signal?.aborted, true)
    const old = { ...job, ttl: 10, enqueued_at: Date.now() - 1000 }
    t.equal(await fate(runJob(old, engine)), 'rejected ERR_JOB_EXPIRED')
    work.does = () => undefined
    await runJob({ ...job, ttl: 10_000 }, engine)
  },
)

shop(
  t,
  'a job that nobody waits for',
  () => kept,
  async (t, shop) => {
    const { heard, pump, engine } = shop
    const { mm, ...job } = await queued(shop, '{"t":"work","p":{"x":5},"i":"a"}')
    for (const outcome of [() => new Done({ x: 1 }), () => Promise.reject(new Full({ x: 1 }))]) {
      work.does = outcome
      await runJob({ ...job, mm: { env: 'jobs-in' } }, engine)
    }
    failJob({ ...job, mm: {} }, new Error('no'))
    await pump()
    t.strictSame([heard, mm.id], [[], 'a'])
  },
)

shop(
  t,
  'inside a transaction, if it is atomic; and a class that is no job here',
  () => kept,
  async (t, shop) => {
    const { engine } = shop
    const job = await queued(shop, '{"t":"work","p":{"x":5},"i":"a"}')
    const log: string[] = []
    work.does = () => void log.push('work')
    jobs_with({
      atomic: async work => {
        log.push('begin')
        const result = await work()
        log.push('commit')
        return result
      },
    })
    await runJob(job, engine)
    class Plain extends Work {
      override atomic = false
    }
    incoming.registry.add(Plain)
    await runJob(job, engine)
    t.strictSame(log, ['begin', 'work', 'commit', 'work'])
    jobs_with({})
    incoming.registry.set('work', message('work'))
    t.equal(await fate(runJob(job, engine)), 'rejected ERR_INVALID_STATE')
    incoming.registry.set('work', Work)
    for (const wrong of [{ find_user: 5 }, { users: () => 1 }])
      t.equal(
        thrown(() => jobs_with(wrong as never)),
        'ERR_INVALID_ARGUMENT',
      )
  },
)
