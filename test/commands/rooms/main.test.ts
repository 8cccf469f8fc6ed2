/** The command as a process: it starts, answers with its page and ends with an exit code. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { bareNode, built } from '../../built.ts'

const MAIN = join(built(), 'commands/rooms/main.js')

t.test('it serves the page of the package until a signal comes', async t => {
  const child = spawn(...bareNode([MAIN, '--port', '0', '--host', '127.0.0.1']), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close')
  let said = ''
  while (!/\/\n/.test(said)) said += String((await once(child.stderr, 'data'))[0])
  const [url] = /http:\S+/.exec(said) as RegExpExecArray
  t.match(await (await fetch(url as string)).text(), /^<!doctype html>/)
  t.match(await (await fetch(`${url}sluice-rooms.js`)).text(), /Channel/)
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
})
