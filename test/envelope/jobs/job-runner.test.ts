import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import { giveUp, runsHere } from '../../../src/envelope/jobs/job-runner.ts'
import { fate } from '../../kit.ts'

t.test('here, and giving up', async t => {
  const logged: string[] = []
  const engine = new Engine({ log: message => void logged.push(message) })
  const job = { env: 'none', t: 'work', ttl: null, errors: 'none', mm: { consumer_name: 'a' } }
  t.equal(await fate(runsHere(engine).run(job as never)), 'rejected ERR_INVALID_ARGUMENT')
  giveUp(job as never, new Error('broken'), engine)
  t.match(logged, [/^the job work failed: broken/, /^the failure of work cannot be told: .*none/])
})
