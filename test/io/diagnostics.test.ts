/** What an engine does, told to the outside. */

import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { publish } from '../../src/io/diagnostics.ts'
import { built } from '../built.ts'

t.test('who subscribes is told, and nobody else', async t => {
  const told: unknown[] = []
  const who = { name: 'Echo' }
  const hear = (message: unknown, name: string | symbol): void => void told.push([name, message])
  publish('listen', who, { duration: 1 })
  for (const name of [
    'open',
    'listen',
    'accept',
    'connect',
    'drop',
    'timeout',
    'overflow',
    'close',
  ] as const) {
    subscribe(`sluice:${name}`, hear)
    publish(name, who, { detail: name })
    unsubscribe(`sluice:${name}`, hear)
    publish(name, who, { detail: 'too late' })
    t.same(told.splice(0), [[`sluice:${name}`, { channel: who, detail: name }]])
  }
})

/** The output of a program that publishes events. */
function run(
  debug: string,
  program: string,
): { status: number | null; stderr: string; stdout: string } {
  const from = pathToFileURL(join(built(), 'io/diagnostics.js')).href
  const text = `
    import { publish } from '${from}'
    import { subscribe } from 'node:diagnostics_channel'
    ${program}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    encoding: 'utf8',
    env: { ...process.env, NODE_DEBUG: debug },
  })
}

t.test('NODE_DEBUG=sluice: a line for each event', async t => {
  const program = `
    const echo = { name: 'Echo', remote_address: ['::1', 5], local_address: '/path' }
    const server = { name: 'Server', local_address: '/path' }
    publish('connect', echo, { duration: 3 })
    publish('drop', server, { reason: 'overload', address: ['10.0.0.1', 7] })
    publish('overflow', { name: '%s' }, { error: new Error('too much') })`
  const { status, stderr, stdout } = run('sluice', program)
  t.same([status, stdout], [0, ''])
  t.same(
    stderr
      .replace(/^SLUICE \d+: /gm, '')
      .trim()
      .split('\n'),
    [
      'connect Echo ::1:5 duration=3',
      'drop Server /path reason=overload address=10.0.0.1:7',
      'overflow %s error=too much',
    ],
  )
  t.equal(run('net', program).stderr.includes('SLUICE'), false)
})

// Node calls the subscribers. This holds the README to what Node does.
t.test('what a subscriber throws is an uncaught exception, after the others were told', async t => {
  const program = `
    process.on('uncaughtException', error => console.log('uncaught', error.message))
    subscribe('sluice:close', () => { throw new Error('mine') })
    subscribe('sluice:close', () => console.log('told'))
    publish('close', {}, {})
    console.log('went on')`
  t.match(run('', program), { status: 0, stdout: 'told\nwent on\nuncaught mine\n' })
})
