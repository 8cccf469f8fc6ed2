/**
 * Jobs on a real Redis server, done by sluice-worker processes that are killed in the middle, again
 * and again: none is lost, and none is done twice but those that a killed one worked on.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import {
  add_envelopes,
  add_layers,
  DeferredJob,
  Envelope,
  integer,
  Layer,
  type LayerEvent,
  message,
  RedisQueue,
  remove_layers,
  shape,
  Stat,
  TextTransport,
} from '../../src/envelope/index.ts'
import { open_relay } from '../../src/relay/open-relay.ts'
import { bareNode, built, ROOT } from '../built.ts'
import { until } from '../kit.ts'
import { HAS_REDIS, RedisServer } from '../redis-server.ts'

const skip = !HAS_REDIS && 'no redis-server'
const MAIN = join(built(), 'commands/worker/main.js')
const SENDER = 'jobs.here!1'

/** What a worker loads. Its work is one command of the server, after 5 ms. */
const MODULE = (url: string): string => `
import { setTimeout } from 'node:timers/promises'
import { add_envelopes, DeferredJob, Envelope, integer, message, shape, Stat, TextTransport }
  from 'sluice/envelope'
import { RedisClient } from 'sluice/redis'
const redis = new RedisClient().connect('${url}')
redis.on_disconnect = () => {}
class Count extends message('count', shape({ n: integer }), DeferredJob) {
  async run_job() {
    await redis.call('HINCRBY', 'begun', this.data.n, 1)
    await setTimeout(5)
    await redis.call('HINCRBY', 'done', this.data.n, 1)
  }
}
const transport = new TextTransport('websocket.send')
add_envelopes(
  new Envelope({ name: 'count-in', messages: [Count] }),
  new Envelope({ name: 'count-out', messages: [Stat], transport }),
)
`

class Count extends message('count', shape({ n: integer }), DeferredJob) {}
const incoming = new Envelope({ name: 'count-in', messages: [Count] })
const outgoing = new Envelope({
  name: 'count-out',
  messages: [Stat],
  transport: new TextTransport('websocket.send'),
})

/** A server, a queue on it, a sender that listens, and worker processes. */
class Factory {
  readonly engine = new Engine({ log: () => {} })
  readonly server: RedisServer
  readonly heard = new Map<string, string>()
  queue!: RedisQueue
  readonly #workers = new Set<ChildProcess>()

  constructor(...options: string[]) {
    this.server = new RedisServer(...options)
  }

  async start(t: Test): Promise<void> {
    const { server, engine } = this
    await server.start()
    t.teardown(() => this.stop())
    mkdirSync(join(server.folder, 'node_modules'))
    symlinkSync(ROOT, join(server.folder, 'node_modules/sluice'))
    writeFileSync(join(server.folder, 'count.mjs'), MODULE(server.url))
    remove_layers('default')
    const redis = { reconnect: { first: 5, longest: 20 } }
    const layer = new Layer(open_relay(server.url, { engine }))
    add_layers(layer)
    add_envelopes(incoming, outgoing)
    await layer.add({
      channel_name: SENDER,
      subscriptions: new Set(),
      receive_event: event => this.#hear(event),
      on_error: error => t.fail(String(error)),
    })
    this.queue = new RedisQueue(server.url, { engine, redis })
  }

  #hear(event: LayerEvent): void {
    const { i, s } = event as { i: string; s: string }
    this.heard.set(i, (this.heard.get(i) ?? '') + s)
  }

  async put(n: number): Promise<void> {
    const mm = { id: `i${n}`, consumer_name: SENDER, env: 'count-in' }
    await this.queue.put({
      env: 'count-in',
      t: 'count',
      p: { n },
      mm,
      answers: 'count-out',
      errors: 'errors',
      enqueued_at: Date.now(),
      ttl: null,
      job_timeout: 60_000,
      result_ttl: 1,
      failure_ttl: 1,
    })
  }

  /** Resolves when it works. */
  async worker(lease = 2): Promise<ChildProcess> {
    const { folder, url } = this.server
    const argv = ['--queue', url, '--count', '4', '--lease', String(lease), '--tries', '20']
    const [program, whole] = bareNode([MAIN, ...argv, join(folder, 'count.mjs')])
    const child = spawn(program, whole, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#workers.add(child)
    let said = ''
    child.stderr.on('data', chunk => (said += chunk))
    await until(() => /working on/.test(said) || child.exitCode !== null)
    if (child.exitCode !== null) throw new Error(said)
    return child
  }

  async kill(child: ChildProcess): Promise<void> {
    this.#workers.delete(child)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async stop(): Promise<void> {
    for (const child of this.#workers) await this.kill(child)
    remove_layers('default')
    await this.engine.stop({ timeout: 1 })
    await this.server.remove()
  }
}

t.test('workers are killed in the middle', { skip, timeout: 120_000 }, async t => {
  const factory = new Factory()
  await factory.start(t)
  const client = await factory.server.client(t)
  const total = 120
  const workers = await Promise.all([factory.worker(), factory.worker(), factory.worker()])
  const kills = 2
  for (let n = 0; n < total; n++) await factory.put(n)
  for (let kill = 0; kill < kills; kill++) {
    // Each is in the middle of four of them.
    await until(async () => Number(await client.call('HLEN', 'done')) >= 30 * (kill + 1))
    await factory.kill(workers[kill] as ChildProcess)
  }
  await until(async () => (await factory.queue.size()) === 0)
  await until(() => [...factory.heard.values()].filter(each => each.endsWith('s')).length === total)
  const done = Object.values(await client.hgetall('done')).map(Number)
  const begun = Object.values(await client.hgetall('begun')).map(Number)
  const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0)
  t.equal(done.length, total, 'each was done')
  const most = total + 4 * kills
  t.ok(sum(begun) <= most, `${sum(begun)} were begun, at most ${most}`)
  t.ok(sum(done) <= most, `${sum(done)} were done, at most ${most}`)
  await factory.queue.close()
})

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

t.test('the server is killed in the middle', { skip, timeout: 120_000 }, async t => {
  const factory = new Factory(...DURABLE)
  await factory.start(t)
  // There is nobody who might claim its jobs too early.
  await factory.worker(1)
  const total = 60
  const puts = Array.from({ length: total / 2 }, (_, n) => factory.put(n))
  await until(() => factory.heard.size > 5)
  await factory.server.kill()
  puts.push(...Array.from({ length: total / 2 }, (_, n) => factory.put(n + total / 2)))
  await factory.server.start()
  await Promise.all(puts)
  await until(async () => (await factory.queue.size()) === 0)
  const client = await factory.server.client(t)
  const done = Object.values(await client.hgetall('done')).map(Number)
  t.equal(done.length, total, 'each was done')
  await factory.queue.close()
})
