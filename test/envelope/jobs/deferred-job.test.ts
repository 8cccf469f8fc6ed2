import t from 'tap'
import { DeferredJob, type Queued } from '../../../src/envelope/jobs/deferred-job.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { fate } from '../../kit.ts'
import { incoming, Kept, shop, Work } from './kit.ts'

const kept = new Kept()

shop(
  t,
  'its work is queued, and the connection goes on',
  () => kept,
  async (t, { consumer, say, heard, pump }) => {
    consumer.user_pk = 7
    say('{"t":"work","p":{"x":1},"i":"a","l":"sv"}')
    say('{"t":"work","p":{"x":2}}')
    await pump()
    t.strictSame(heard, ['s.stat null a q'], 'nobody waits for the other one')
    t.ok(consumer.last_job > 0)
    const [job] = kept.jobs.splice(0)
    t.match(job, {
      env: 'jobs-in',
      t: 'work',
      p: { x: 1 },
      mm: {
        id: 'a',
        user_pk: 7,
        consumer_name: consumer.channel_name,
        language: 'sv',
        state: null,
        env: 'jobs-in',
      },
      answers: 'jobs-out',
      errors: 'jobs-errors',
      enqueued_at: Number,
      ttl: null,
      job_timeout: 180_000,
      result_ttl: 500_000,
      failure_ttl: 604_800_000,
    })
  },
)

shop(
  t,
  'before and after',
  () => kept,
  async (t, { consumer, say, heard, pump }) => {
    const log: string[] = []
    class Choosy extends Work {
      override pre_queue(): void {
        this.should_run = this.data.x > 1
      }
      override post_queue({ job, consumer: from }: Queued): void {
        log.push(`${job} ${String(from === consumer)}`)
      }
    }
    incoming.registry.add(Choosy)
    say('{"t":"work","p":{"x":1},"i":"a"}')
    say('{"t":"work","p":{"x":2},"i":"b"}')
    await pump()
    t.strictSame([heard, log], [['s.stat null b q'], ['job-1 true']])
    incoming.registry.set('work', Work)
    kept.jobs.splice(0)
  },
)

t.test('by hand', async t => {
  t.equal(await fate(new Work({ x: 1 }).enqueue()), 'rejected ERR_INVALID_STATE')
  class Unknown extends message('unknown', undefined, DeferredJob) {}
  t.equal(
    await fate(new Unknown({ mm: { env: 'jobs-in' } }).enqueue()),
    'rejected ERR_INVALID_STATE',
  )
  t.equal(
    await fate(new Work({ x: 1, mm: { env: 'none' } }).enqueue()),
    'rejected ERR_INVALID_ARGUMENT',
  )
  t.equal(await fate(new Work({ x: 1, mm: { env: 'jobs-in' } }).enqueue()), 'job-1')
  t.match(kept.jobs.pop(), { answers: 'ws_outgoing', errors: 'errors' })
  const plain = new Unknown()
  t.strictSame(
    [
      plain.run_job(undefined as never),
      plain.pre_queue({ consumer: 1 }),
      plain.post_queue({ job: '', consumer: 1 }),
    ],
    [undefined, undefined, undefined],
  )
})
