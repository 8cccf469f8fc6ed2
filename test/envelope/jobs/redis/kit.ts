/** What the tests of jobs on a Redis server share: jobs, and what their sender hears. */

import t, { type Test } from 'tap'
import { Engine } from '../../../../src/engine.ts'
import { add_envelopes } from '../../../../src/envelope/envelope-table.ts'
import type { LayerEvent } from '../../../../src/envelope/envelope-transports.ts'
import type { JobData } from '../../../../src/envelope/jobs/job-queue.ts'
import { Layer } from '../../../../src/envelope/layers/layer.ts'
import { add_layers, remove_layers } from '../../../../src/envelope/layers/layer-table.ts'
import type { RedisClient } from '../../../../src/protocols/redis/client.ts'
import { MemoryRelay } from '../../../../src/relay/memory-relay.ts'
import { HAS_REDIS, RedisServer } from '../../../redis-server.ts'
import { broken, incoming, outgoing } from '../kit.ts'

export const skip = !HAS_REDIS && 'no redis-server'

const SENDER = 'jobs.test!1'

export interface Office {
  readonly engine: Engine
  readonly logged: string[]
  /** What the sender of the jobs has heard: type, trace id, state. */
  readonly heard: string[]
  readonly server: RedisServer
  readonly client: RedisClient
  /** A job of the class Work. */
  job(x: number, fields?: Partial<JobData>): JobData
}

/** A subtest with a server, and a sender of jobs. */
export function office(
  title: string,
  options: readonly string[],
  body: (t: Test, office: Office) => Promise<void>,
): void {
  void t.test(title, { skip }, async t => {
    const server = await new RedisServer(...options).start()
    const logged: string[] = []
    const heard: string[] = []
    const engine = new Engine({ log: message => void logged.push(message) })
    remove_layers('jobs')
    const layer = new Layer(new MemoryRelay({ engine }), 'jobs')
    add_layers(layer)
    add_envelopes(incoming, outgoing, broken)
    await layer.add({
      channel_name: SENDER,
      subscriptions: new Set(),
      receive_event: event => void heard.push(inShort(event)),
      on_error: error => t.fail(String(error)),
    })
    const job = (x: number, fields: Partial<JobData> = {}): JobData => ({
      env: 'jobs-in',
      t: 'work',
      p: { x },
      mm: { id: `i${x}`, consumer_name: SENDER, env: 'jobs-in' },
      answers: 'jobs-out',
      errors: 'jobs-errors',
      enqueued_at: Date.now(),
      ttl: null,
      job_timeout: 60_000,
      result_ttl: 0,
      failure_ttl: 60_000,
      ...fields,
    })
    try {
      const client = await server.client(t)
      await body(t, { engine, logged, heard, server, client, job })
      client.close()
    } finally {
      await engine.stop({ timeout: 1 })
      await server.remove()
    }
  })
}

function inShort(event: LayerEvent): string {
  const { text_data, ...rest } = event as unknown as Record<string, unknown>
  const { t, i, s } = text_data === undefined ? rest : JSON.parse(String(text_data))
  return `${t ?? JSON.stringify(event)} ${i} ${s}`
}
