/** Jobs of one test: a consumer whose messages are queued, and what its peer gets. */

import type { Test } from 'tap'
import { JobError } from '../../../src/envelope/builtin/common-errors.ts'
import { Progress, Stat } from '../../../src/envelope/builtin/common-messages.ts'
import { consumer } from '../../../src/envelope/consumers/consumer.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import {
  error_schema,
  incoming_schema,
  outgoing_schema,
} from '../../../src/envelope/envelope-schema.ts'
import { add_envelopes } from '../../../src/envelope/envelope-table.ts'
import { DictTransport, TextTransport } from '../../../src/envelope/envelope-transports.ts'
import { error_message } from '../../../src/envelope/error-message.ts'
import { DeferredJob, type JobRun } from '../../../src/envelope/jobs/deferred-job.ts'
import {
  add_queues,
  type JobData,
  type JobQueue,
  remove_queues,
} from '../../../src/envelope/jobs/job-queue.ts'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import { add_layers, remove_layers } from '../../../src/envelope/layers/layer-table.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { integer } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { type Stage, stage } from '../../messages/kit.ts'

export class Full extends error_message('error.full', shape({ x: integer })) {}
export class Done extends message('done', shape({ x: integer })) {}

/** What its work does, for the test. */
export const work: { does: (job: Work, run: JobRun) => unknown } = { does: () => undefined }

export class Work extends message('work', shape({ x: integer }), DeferredJob) {
  override run_job(run: JobRun): unknown {
    return work.does(this, run)
  }
}

const layer_name = 'jobs'
export const incoming = new Envelope({
  name: 'jobs-in',
  messages: [Work],
  schema: incoming_schema,
})
export const outgoing = new Envelope({
  name: 'jobs-out',
  messages: [Done, Stat, Progress],
  schema: outgoing_schema,
  transport: new TextTransport('websocket.send'),
  layer_name,
})
export const broken = new Envelope({
  name: 'jobs-errors',
  messages: [Full, JobError],
  schema: error_schema,
  transport: new DictTransport('ws.error.send'),
  layer_name,
})

export class Worker extends consumer({ incoming, outgoing }) {
  override readonly errors = broken
  readonly log: string[] = []
  override on_error(error: Error) {
    this.log.push(String((error as { code?: string }).code ?? error.message))
  }
}

export interface Shop extends Stage {
  readonly consumer: Worker
  readonly heard: string[]
  say(text: string): void
}

/** A queue of the test's own: it only keeps the jobs. */
export class Kept implements JobQueue {
  readonly name: string = 'default'
  readonly jobs: JobData[] = []
  async put(job: JobData): Promise<string> {
    // As another process would get it.
    this.jobs.push(JSON.parse(JSON.stringify(job)) as JobData)
    return `job-${this.jobs.length}`
  }
  async close(): Promise<void> {}
}

/** A subtest with a consumer whose jobs go to that queue. */
export function shop(
  t: Test,
  title: string,
  makeQueue: (stage: Stage) => JobQueue,
  body: (t: Test, shop: Shop) => Promise<void>,
): Promise<void> {
  return stage(t, title, async (t, stage) => {
    const { engine, context, pump } = stage
    remove_layers(layer_name)
    remove_queues('default')
    add_layers(new Layer(new MemoryRelay({ engine }), layer_name))
    add_queues(makeQueue(stage))
    add_envelopes(incoming, outgoing, broken)
    const peer = context.init('mem://;name=peer').open()
    const heard: string[] = []
    peer.callback_add(({ data }) => {
      const { t, p, i, s } = JSON.parse(data.toString())
      heard.push(`${t} ${JSON.stringify(p)} ${i} ${s}`)
    }, 'data')
    const worker = await new Worker().connect('mem://;master=peer', context).opened
    await pump()
    await body(t, { ...stage, consumer: worker, heard, say: text => void peer.post(text) })
    worker.close()
    peer.close()
  })
}
