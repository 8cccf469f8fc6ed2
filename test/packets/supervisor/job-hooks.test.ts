import t from 'tap'
import type { Job, Run } from '../../../src/packets/supervisor/job.ts'
import { JobHooks } from '../../../src/packets/supervisor/job-hooks.ts'
import { turn } from '../../kit.ts'
import { act } from '../kit.ts'

function make(job: Partial<Job>) {
  const log: string[] = []
  const run = {} as Run
  const hooks = new JobHooks(job as Job, run, error => void log.push(error.message))
  return { hooks, log, run }
}

t.test('handlers by type', async t => {
  const { hooks, run } = make({ handlers: { act: (packet, of) => [packet, of] } })
  t.strictSame(
    ['act', 'other', 'constructor', 'toString'].map(type => hooks.handles(type)),
    [true, false, false, false],
  )
  t.equal(hooks.handle(act(1)), undefined)
  t.equal(make({}).hooks.handles('act'), false)
  t.ok(run)
})

t.test('what is thrown is reported', async t => {
  const { hooks, log } = make({})
  hooks.call(() => {
    throw new Error('one')
  })
  await hooks.call(() => Promise.reject(new Error('two')))
  hooks.call(() => {
    throw 'three'
  })
  t.match(log, ['one', 'two', 'a hook threw "three": throw an Error instead'])
})

t.test('on_error of the job, and what that throws', async t => {
  const { hooks, log } = make({
    on_error: error => {
      if (error.message === 'sync') throw new Error('late')
      return error.message === 'async' ? Promise.reject(new Error('later')) : undefined
    },
  })
  hooks.report(new Error('fine'))
  hooks.report(new Error('sync'))
  hooks.report(new Error('async'))
  await turn()
  t.strictSame(log, ['late', 'later'])
})
