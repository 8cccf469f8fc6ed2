/**
 * The command as a process: it starts, it is sent signals, it ends with an exit code. What it says
 * is tested in command.test.ts.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { bareNode, built } from '../../built.ts'
import { until } from '../../kit.ts'
import { checkVersion } from '../kit.ts'

const MAIN = join(built(), 'commands/echo/main.js')

interface Run {
  readonly child: ChildProcess
  /** Resolves with a line of stderr that matches. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
  readonly ended: Promise<{ code: number | null; signal: string | null; out: string; err: string }>
}

function run(...argv: string[]): Run {
  return runWith({}, ...argv)
}

function runWith(env: Record<string, string>, ...argv: string[]): Run {
  const child = spawn(...bareNode([MAIN, ...argv], env), { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout!.on('data', (chunk: Buffer) => (out += chunk))
  child.stderr!.on('data', (chunk: Buffer) => (err += chunk))
  const says = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = pattern.exec(err)
      if (match !== null) return match
      await once(child.stderr!, 'data')
    }
  }
  const ended = once(child, 'close').then(
    ([code, signal]) => ({ code, signal, out, err }) as Awaited<Run['ended']>,
  )
  return { child, says, ended }
}

/** A server, and a connection to it that is in the middle of a line. */
async function midLine(): Promise<Run & { port: string; socket: Socket }> {
  const server = run('--host', '127.0.0.1', '--port', '0')
  const port = (await server.says(/listening on 127\.0\.0\.1:(\d+)\n/))[1] as string
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
  socket.write('whole\nhalf a li')
  const [data] = (await once(socket, 'data')) as [Buffer]
  t.equal(data.toString(), 'whole\n')
  return { ...server, port, socket }
}

t.test(
  'SIGINT in the middle of a line: the connection ends, then the process, with code 0',
  async t => {
    const { child, socket, port, ended } = await midLine()
    // While it runs, a second one cannot have the port.
    const second = await run('--host', '127.0.0.1', '--port', port).ended
    t.match(second, {
      code: 1,
      out: '',
      err: `sluice-echo: cannot listen on 127.0.0.1:${port}: it is in use already (EADDRINUSE)\n`,
    })
    child.kill('SIGINT')
    const [rest] = await Promise.all([socket.toArray(), once(socket, 'end')])
    t.strictSame(rest, [], 'half a line is not answered')
    socket.end()
    t.match(await ended, {
      code: 0,
      signal: null,
      out: '',
      err: /SIGINT: stopping, 1 open .*\n.* closed \(drain\), 15 bytes in, 6 out\n$/,
    })
  },
)

t.test('a second signal ends it at once, whoever is still there', async t => {
  const { child, socket, says, ended } = await midLine()
  socket.on('error', () => {}).resume()
  child.kill('SIGTERM')
  await says(/SIGTERM: stopping, 1 open/)
  child.kill('SIGTERM')
  t.match(await ended, { code: 143, signal: null, err: /stopping[^\n]*\n$/ })
  socket.destroy()
})

/** The processes that a process has started, on Linux. */
function childrenOf({ pid }: ChildProcess): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

/** What comes back on a connection of its own. */
async function echoed(port: string, line: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1')
  socket.end(line)
  return Buffer.concat(await socket.toArray()).toString()
}

t.test('workers share a port, are replaced, and stop with the one that started them', async t => {
  const { child, says, ended } = run('--host', '127.0.0.1', '--port', '0', '--workers', '2')
  const [, port] = (await says(/listening on 127\.0\.0\.1:(\d+), workers: 2\n/)) as unknown as [
    string,
    string,
  ]
  t.equal(await echoed(port, 'one\n'), 'one\n')
  const [one, other] = childrenOf(child) as [number, number]
  process.kill(one, 'SIGKILL')
  await says(/worker [12] has ended \(SIGKILL\); another one takes its place/)
  await until(() => childrenOf(child).length === 2)
  t.ok(childrenOf(child).includes(other))
  // To a worker alone a signal is nothing.
  process.kill(other, 'SIGINT')
  for (let n = 0; n < 10; n++) t.equal(await echoed(port, `${n}\n`), `${n}\n`)
  const second = await run('--host', '127.0.0.1', '--port', port).ended
  t.match(second, {
    code: 1,
    out: '',
    err: `sluice-echo: cannot listen on 127.0.0.1:${port}: it is in use already (EADDRINUSE)\n`,
  })
  child.kill('SIGTERM')
  const { code, err } = await ended
  t.equal(code, 0)
  t.equal(err.match(/listening/g)?.length, 1)
  t.equal(err.match(/2 bytes in, 2 out\n/g)?.length, 10)
  t.match(err, /SIGTERM: stopping\n/)
})

t.test('workers that cannot live: one clear line, code 1', async t => {
  const dies = 'import cluster from "node:cluster"; if (cluster.isWorker) process.exit(7)'
  const { ended } = runWith(
    { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(dies)}` },
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--workers',
    '2',
  )
  t.match(await ended, {
    code: 1,
    out: '',
    err: new RegExp(
      '^(sluice-echo: worker \\d has ended \\(7\\); another one takes its place\n){5}' +
        'sluice-echo: worker \\d has ended \\(7\\), the last of 6 within 60 s: giving up\n$',
    ),
  })
})

t.test('workers do not outlive the one that started them', async t => {
  const { child, says } = run('--host', '127.0.0.1', '--port', '0', '--workers', '2')
  const [, port] = (await says(/:(\d+), workers: 2\n/)) as unknown as [string, string]
  const socket = connect(Number(port), '127.0.0.1')
  await says(/opened/)
  child.kill('SIGKILL')
  socket.on('error', () => {}).resume()
  await once(socket, 'close')
  t.pass('its worker has gone')
})

t.test('a bad option: one line, code 2, no stack', async t => {
  t.match(await run('--port', 'x').ended, {
    code: 2,
    out: '',
    err:
      'sluice-echo: --port must be a number from 0 to 65535; got "x" ' +
      '(--help lists the options)\n',
  })
})

t.test('the file itself: version from package.json', t => checkVersion(t, 'echo', MAIN))

// The exit code was 0, and nothing was said.
t.test('--help, and a disk that is full', async t => {
  const [command, argv] = bareNode([MAIN, '--help'])
  const { status, stderr } = spawnSync(command, argv, {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  t.equal(status, 1)
  t.match(String(stderr), /^sluice-echo: cannot print: ENOSPC/)
})
