/** What sluice-worker does, with a process made for the test and a real server. */

import { EventEmitter, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Host } from '../../../src/commands/host.ts'
import { command } from '../../../src/commands/worker/command.ts'
import { HELP } from '../../../src/commands/worker/options.ts'
import { Engine } from '../../../src/engine.ts'
import { RedisQueue } from '../../../src/envelope/jobs/redis/redis-queue.ts'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import { makeLayersBy, remove_layers } from '../../../src/envelope/layers/layer-table.ts'
import { open_relay } from '../../../src/relay/open-relay.ts'
import { work } from '../../envelope/jobs/kit.ts'
import { office } from '../../envelope/jobs/redis/kit.ts'
import { until } from '../../kit.ts'

/** A process that the test makes and watches. */
class FakeProcess extends EventEmitter implements Host {
  out = ''
  err = ''
  readonly version = '1.2.3'
  readonly engine = new Engine()
  readonly signals = new EventEmitter()
  readonly stdout = { write: (text: string) => void (this.out += text) }
  readonly stderr = {
    write: (text: string): void => {
      this.err += text
      this.emit('said')
    },
  }
  readonly exit = (code: number): void => void t.fail(String(code))

  /** Resolves when it has said that. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.err)) await once(this, 'said')
  }
}

office('it works until a signal comes', [], async (t, { engine, server, job }) => {
  const host = new FakeProcess()
  // The module of the test makes its envelopes known by being loaded.
  const module = join(server.folder, 'jobs.mjs')
  writeFileSync(module, 'export {}')
  remove_layers('jobs')
  const heard: string[] = []
  const relay = open_relay(server.url, { engine })
  const layer = new Layer(relay, 'jobs')
  await layer.add({
    channel_name: 'jobs.test!1',
    subscriptions: new Set(),
    receive_event: event => void heard.push(JSON.stringify(event)),
    on_error: error => t.fail(String(error)),
  })
  work.does = () => undefined
  const queue = new RedisQueue(server.url, { engine, name: 'mail' })
  const argv = ['--queue', server.url, '--name', 'default', '--name', 'mail', module]
  const done = command(argv, host)
  await host.says(/sluice-worker: working on the queue default, mail\n/)
  await queue.put(job(1))
  // What is published before the relay of the worker stands is lost.
  await until(() => heard.some(each => each.includes('"s":"s"')))
  let runs = 0
  work.does = () => new Promise(resolve => (runs++, engine.defer(50, resolve as () => void)))
  await queue.put(job(2))
  await until(() => runs === 1)
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.equal(await done, 0)
  t.match(host.err, /SIGTERM: stopping, 1 running \(again: at once\)\n/)
  t.same([await queue.size(), host.engine.channels.size], [0, 0])
  await until(() => heard.filter(each => each.includes('"s":"s"')).length === 2)
  await queue.close()
  await relay.close()

  const second = new FakeProcess()
  const code = command(['--queue', server.url, module], second)
  await until(() => second.signals.listenerCount('SIGINT') > 0)
  second.signals.emit('SIGINT', 'SIGINT')
  t.equal(await code, 0)
  t.match(second.err, /SIGINT: stopping\n/)

  // Its module is loaded in the thread as well, and makes nothing known there.
  const threaded = new FakeProcess()
  const argv2 = ['--queue', server.url, '--threads', '1', '--tries', '1', module]
  const ended = command(argv2, threaded)
  await threaded.says(/working on/)
  const other = new RedisQueue(server.url, { engine })
  await other.put(job(3))
  await threaded.says(/the job work failed: .*no envelope "jobs-in"/)
  threaded.signals.emit('SIGINT', 'SIGINT')
  t.equal(await ended, 0)
  await other.close()

  const refused = new FakeProcess()
  const url = server.url.replace('redis+unix://', 'redis+unix://nobody:wrong@')
  t.equal(await command(['--queue', url, module], refused), 1)
  t.match(refused.err, /cannot work: /)
  const throws = join(server.folder, 'throws.mjs')
  writeFileSync(throws, "\nthrow new Error('no such table')")
  const failed = new FakeProcess()
  t.equal(await command(['--queue', server.url, throws], failed), 1)
  t.match(failed.err, /: cannot load .*throws.mjs: no such table \(.*throws.mjs:2:\d+\)\n$/)
  makeLayersBy()
  remove_layers('jobs')
})

t.test('mistakes, and what is asked for', async t => {
  const host = new FakeProcess()
  t.equal(await command(['--queue', 'redis://localhost', './nowhere.js'], host), 1)
  t.match(host.err, /^sluice-worker: cannot load \.\/nowhere\.js: .*\n$/)
  t.equal(await command(['--help'], host), 0)
  t.equal(host.out, HELP)
  makeLayersBy()
})
