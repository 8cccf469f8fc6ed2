import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { standardInput, thisProcess } from '../../src/commands/main.ts'
import { Engine } from '../../src/engine.ts'

t.test('the process as a host', async t => {
  const host = thisProcess('a-command')
  t.equal(host.stdout, process.stdout)
  t.equal(host.stderr, process.stderr)
  t.equal(host.signals, process)
  t.equal(host.engine, Engine.instance())
  t.match(host.version, /^\d+\.\d+\.\d+/)
  const exits = t.capture(process, 'exit')
  host.exit(7)
  t.match(exits(), [{ args: [7] }])
})

// `sluice-echo --help >/dev/full` had the exit code 0.
t.test('an output that nobody reads any more, or that takes no more', async t => {
  const written: unknown[] = []
  t.intercept(process.stderr, 'write', {
    value: (text: string) => written.push(text) > 0,
    configurable: true,
  })
  const before = process.stdout.listeners('error')
  thisProcess('a-command')
  const listener = process.stdout.listeners('error').find(each => !before.includes(each))!
  const exits = t.capture(process, 'exit')
  process.stderr.emit('error', new Error('EPIPE'))
  t.same([exits(), written], [[], []])
  const fail = (code: string) => listener(Object.assign(new Error(`no: ${code}`), { code }))
  fail('EPIPE')
  t.same([exits()[0]?.args, written], [[141], []])
  fail('ENOSPC')
  t.same([exits()[0]?.args, written], [[1], ['a-command: cannot print: no: ENOSPC\n']])
})

t.test('npm start is told apart from everything else', async t => {
  t.intercept(process, 'env', { value: { ...process.env, npm_lifecycle_event: 'start' } })
  t.equal(thisProcess('a-command').isUnderNpm, true)
  t.intercept(process, 'env', { value: { ...process.env, npm_lifecycle_event: 'test' } })
  t.equal(thisProcess('a-command').isUnderNpm, false)
})

t.test('a directory is read, so that it fails', async t => {
  const fd = openSync(t.testdir({}), 'r')
  await t.rejects(standardInput(fd)[Symbol.asyncIterator]().next(), { code: 'EISDIR' })
  closeSync(fd)
  const full = openSync('/dev/null', 'r')
  t.equal(standardInput(full), process.stdin)
  closeSync(full)
})
