import t from 'tap'
import { thisProcess } from '../../src/commands/main.ts'
import { Engine } from '../../src/engine.ts'

t.test('the process as a host', async t => {
  const host = thisProcess()
  t.equal(host.stdout, process.stdout)
  t.equal(host.stderr, process.stderr)
  t.equal(host.signals, process)
  t.equal(host.engine, Engine.instance())
  t.match(host.version, /^\d+\.\d+\.\d+/)
  const exits = t.capture(process, 'exit')
  host.exit(7)
  t.match(exits(), [{ args: [7] }])
})

t.test('an output that nobody reads any more is no error', async t => {
  for (const output of [process.stdout, process.stderr])
    t.ok(output.emit('error', new Error('EPIPE')))
})

t.test('npm start is told apart from everything else', async t => {
  t.intercept(process, 'env', { value: { ...process.env, npm_lifecycle_event: 'start' } })
  t.equal(thisProcess().isUnderNpm, true)
  t.intercept(process, 'env', { value: { ...process.env, npm_lifecycle_event: 'test' } })
  t.equal(thisProcess().isUnderNpm, false)
})
