/** A program's module, for threads: each kind of work is one way in which it may end. */

import { writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import type { JobData } from '../../../../src/envelope/jobs/job-queue.ts'
import { ROOT } from '../../../built.ts'

/** The module: it uses the classes that its thread has loaded. */
const MODULE = `
import { existsSync, writeFileSync } from 'node:fs'
import { Engine } from '${ROOT}.build/src/engine.js'
import { add_envelopes, DeferredJob, Envelope, message, Stat, TextTransport, text, shape }
  from '${ROOT}.build/src/envelope/index.js'
class Work extends message('work', shape({ what: text, mark: text }), DeferredJob) {
  async run_job() {
    const { what, mark } = this.data
    if (what === 'loop') for (;;);
    if (what === 'throw') throw new Error('broken')
    if (what === 'log') Engine.instance().log('a line')
    if (what === 'late') {
      setTimeout(() => { throw new Error('too late') })
      await new Promise(() => {})
    }
    if (what === 'exit once' && !existsSync(mark)) {
      writeFileSync(mark, '')
      process.exit(3)
    }
    // 20 ms in which a loop could do nothing else.
    if (what === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  }
}
const transport = new TextTransport('websocket.send')
add_envelopes(
  new Envelope({ name: 'threads-in', messages: [Work] }),
  new Envelope({ name: 'threads-out', messages: [Stat], transport, layer_name: 'threads' }),
)
`

export interface Shop {
  readonly module: URL
  readonly folder: string
  job(what: string, fields?: Partial<JobData>): JobData
}

/** A folder with that module, until the end of the test. */
export function shop(t: Test): Shop {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-threads-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const module = join(folder, 'jobs.mjs')
  writeFileSync(module, MODULE)
  const job = (what: string, fields: Partial<JobData> = {}): JobData => ({
    env: 'threads-in',
    t: 'work',
    p: { what, mark: join(folder, 'mark') },
    mm: { id: what.slice(0, 20), consumer_name: 'a.b!1', env: 'threads-in' },
    answers: 'threads-out',
    errors: 'errors',
    enqueued_at: Date.now(),
    ttl: null,
    job_timeout: 60_000,
    result_ttl: 0,
    failure_ttl: 0,
    ...fields,
  })
  return { module: pathToFileURL(module), folder, job }
}
