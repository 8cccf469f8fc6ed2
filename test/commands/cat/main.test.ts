/** The command as a process. What it does is tested in command.test.ts. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { bareNode, built } from '../../built.ts'
import { checkVersion } from '../kit.ts'

const MAIN = join(built(), 'commands/cat/main.js')

async function run(
  input: string,
  ...argv: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(...bareNode([MAIN, ...argv]))
  t.teardown(() => void child.kill('SIGKILL'))
  child.stdin.on('error', () => {}).end(input)
  const [out, err] = ['', '']
  const said = { out, err }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}

t.test('lines to a file and back', async t => {
  const path = join(t.testdir({}), 'log')
  t.strictSame(await run('one\ntwo\n', `file://${path};dir=w;autoseq=yes`), {
    code: 0,
    out: '',
    err: '',
  })
  t.strictSame(await run('', `file://${path}`), { code: 0, out: 'one\ntwo\n', err: '' })
})

t.test('a second signal ends it at once, whoever is still there', async t => {
  const peer = createServer(
    { allowHalfOpen: true },
    socket => void socket.on('error', () => {}).resume(),
  ).listen(0, '127.0.0.1')
  await once(peer, 'listening')
  t.teardown(() => peer.close())
  const { port } = peer.address() as { port: number }
  const child = spawn(...bareNode([MAIN, '--dump', `tcp://127.0.0.1:${port}`]))
  t.teardown(() => void child.kill('SIGKILL'))
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk))
  const says = async (text: string): Promise<void> => {
    while (!out.includes(text)) await once(child.stdout, 'data')
  }
  await says('active')
  // On Deno `child.kill` sends a signal once, and reports the end by it, whatever the child does.
  process.kill(child.pid!, 'SIGTERM')
  await says('closing')
  process.kill(child.pid!, 'SIGTERM')
  t.strictSame(await once(child, 'close'), [143, null])
})

// Nothing kept the process alive, so Node ended it with its own code 13, and nothing was said.
t.test('channels that only wait', async t => {
  const child = spawn(...bareNode([MAIN, '--dump', 'mem://', 'null://']))
  t.teardown(() => void child.kill('SIGKILL'))
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk))
  while (!/first: .*active/.test(out)) await once(child.stdout, 'data')
  process.kill(child.pid!, 'SIGTERM')
  t.strictSame(await once(child, 'close'), [0, null])
})

t.test('a bad URL: it is shown, code 2, no stack', async t => {
  t.strictSame(await run('', 'tcp://nowhere'), {
    code: 2,
    out: '',
    err:
      'sluice-cat: the address must be host:port, or a path with a slash\n' +
      '  tcp://nowhere\n        ^^^^^^^\n',
  })
})

// `sluice-cat zero:// | head -1` went on for ever, and one whose reader was slow took all memory.
t.test('nobody reads what it prints', async t => {
  const child = spawn(...bareNode([MAIN, 'zero://']))
  t.teardown(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.stdout.destroy()
  t.strictSame(await once(child, 'close'), [141, null])
})

// Nothing was said, and the exit code was that of a closed pipe.
t.test('a disk that is full', async t => {
  const path = join(t.testdir({ lines: 'one\ntwo\n' }), 'lines')
  const full = openSync('/dev/full', 'w')
  const [command, argv] = bareNode([MAIN, `file://${path};frame=line`])
  const { status, stderr } = spawnSync(command, argv, { stdio: ['ignore', full, 'pipe'] })
  t.equal(status, 1)
  t.match(String(stderr), /^sluice-cat: cannot print: ENOSPC/)
})

t.test('the file itself: version from package.json', t => checkVersion(t, 'cat', MAIN))

/** Node takes it for an input that has ended: nothing was sent, and nothing was said. */
t.test('a directory as input', async t => {
  const fd = openSync('/', 'r')
  const [command, argv] = bareNode([MAIN, 'null://'])
  const { status, stderr } = spawnSync(command, argv, { stdio: [fd, 'pipe', 'pipe'] })
  t.match(String(stderr), /^sluice-cat: channel null:\/\/: EISDIR: /)
  t.equal(status, 1)
})
