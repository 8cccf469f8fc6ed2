/** The command as a process: it ends with an exit code although the module holds the process. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { bareNode, built } from '../../built.ts'
import { HAS_REDIS, RedisServer } from '../../redis-server.ts'

const MAIN = join(built(), 'commands/worker/main.js')

t.test('it works until a signal comes', { skip: !HAS_REDIS && 'no redis-server' }, async t => {
  const server = await new RedisServer().start()
  t.teardown(() => server.remove())
  const module = join(server.folder, 'jobs.mjs')
  writeFileSync(module, 'setInterval(() => {}, 1000)')
  const child = spawn(...bareNode([MAIN, '--queue', server.url, module]), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close')
  let said = ''
  while (!/working on/.test(said)) said += String((await once(child.stderr, 'data'))[0])
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
})
