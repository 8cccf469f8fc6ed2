/**
 * What sluice-echo does, with a process made for the test and real sockets. Real processes:
 * main.test.ts.
 */

import { EventEmitter, once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { command, type EchoHost } from '../../../src/commands/echo/command.ts'
import { HELP } from '../../../src/commands/echo/options.ts'
import type { Cluster, Upward, Worker } from '../../../src/commands/echo/workers.ts'
import { Engine } from '../../../src/engine.ts'
import { NodeClock } from '../../../src/io/clock.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import { NodeNetwork } from '../../../src/io/node-network.ts'

/** The cluster of a process that starts no others. */
const ALONE = { isPrimary: true } as Cluster

/** A process that the test makes and watches. */
class FakeProcess extends EventEmitter implements EchoHost {
  out = ''
  err = ''
  readonly exits: number[] = []
  readonly version = '1.2.3'
  readonly isUnderNpm: boolean
  readonly engine: Engine
  readonly cluster: Cluster
  readonly signals = new EventEmitter()
  readonly stdout = { write: (text: string) => void (this.out += text) }
  readonly stderr = {
    write: (text: string) => {
      this.err += text
      this.emit('said')
    },
  }
  readonly exit = (code: number): void => {
    this.exits.push(code)
    // A process would end: its connections are gone.
    for (const channel of this.engine.channels) channel.close()
  }

  constructor({
    isUnderNpm = false,
    engine = new Engine(),
    cluster = ALONE,
  }: { isUnderNpm?: boolean; engine?: Engine; cluster?: Cluster } = {}) {
    super()
    this.isUnderNpm = isUnderNpm
    this.engine = engine
    this.cluster = cluster
  }

  get lines(): string[] {
    return this.err.split('\n').slice(0, -1)
  }

  /** Resolves with the match when a line matches. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      for (const line of this.lines) {
        const match = pattern.exec(line)
        if (match !== null) return match
      }
      await once(this, 'said')
    }
  }
}

interface Running {
  readonly host: FakeProcess
  readonly port: number
  readonly done: Promise<number>
}

async function running(argv: string[], host = new FakeProcess()): Promise<Running> {
  const done = command(['--host', '127.0.0.1', '--port', '0', ...argv], host)
  const [, port] = await host.says(/^sluice-echo: listening on 127\.0\.0\.1:(\d+)$/)
  return { host, port: Number(port), done }
}

/** Resolves with what has arrived when it has at least this length. */
async function reading(socket: Socket, length: number): Promise<string> {
  let text = ''
  while (text.length < length)
    text += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  return text
}

/** The path of a unix socket has at most 107 bytes, too few for t.testdir. */
function shortFolder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

t.test(
  'without --delimiter every peer gets the line end that it uses, and its own bytes',
  async t => {
    const { host, port, done } = await running([])
    const socket = connect(port, '127.0.0.1')
    const sent = 'from netcat\nfrom telnet\r\n\xff\x00\xc3\n'
    socket.write(sent, 'latin1')
    t.equal(await reading(socket, sent.length), sent)
    socket.end()
    const [, opened] = await host.says(/^sluice-echo: (#1 127\.0\.0\.1:\d+) opened$/)
    const [, closed] = await host.says(/^sluice-echo: (.*) closed \(remote\), 29 bytes in, 29 out$/)
    t.equal(closed, opened)
    host.signals.emit('SIGINT', 'SIGINT')
    t.equal(await done, 0)
    t.equal(host.lines.at(-1), 'sluice-echo: SIGINT: stopping')
    t.equal(
      host.signals.listenerCount('SIGINT') + host.signals.listenerCount('SIGTERM'),
      0,
      'the signals are given back',
    )
  },
)

t.test('with --delimiter a line ends with exactly that', async t => {
  const { host, port, done } = await running(['--delimiter', '\\0'])
  const socket = connect(port, '127.0.0.1')
  socket.write('one\ntwo\0three')
  t.equal(await reading(socket, 8), 'one\ntwo\0')
  host.signals.emit('SIGTERM', 'SIGTERM')
  socket.end()
  t.equal(await done, 0)
})

t.test('a signal lets the connections finish; the next one ends the process', async t => {
  const { host, port, done } = await running([])
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await host.says(/opened/)
  socket.write('whole\nhalf a li')
  t.equal(await reading(socket, 6), 'whole\n')
  host.signals.emit('SIGINT', 'SIGINT')
  socket.resume()
  await once(socket, 'end')
  t.strictSame(host.lines.at(-1), 'sluice-echo: SIGINT: stopping, 1 open (again: at once)')
  t.strictSame(host.exits, [])
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.strictSame(host.exits, [143])
  t.equal(await done, 0)
  socket.destroy()
})

t.test('a peer that does not go has five seconds', async t => {
  // The network is real and the time is not: only what `soon` collects runs without `advance`.
  const clock = new ManualClock()
  const soon = new NodeClock()
  const now = (): number => clock.now()
  const engine = new Engine({
    clock: { now, after: (ms, run) => clock.after(ms, run), soon: run => soon.soon(run) },
  })
  const { host, port, done } = await running([], new FakeProcess({ engine }))
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {}).resume()
  await host.says(/opened/)
  host.signals.emit('SIGINT', 'SIGINT')
  await once(socket, 'end')
  clock.advance(4_999)
  t.notMatch(host.err, /closed/)
  clock.advance(1)
  t.equal(await done, 0)
  await host.says(/closed \(drain\)/)
})

t.test('under npm a Ctrl-C comes twice, and counts once', async t => {
  const clock = new ManualClock()
  const soon = new NodeClock()
  const engine = new Engine({
    clock: {
      now: () => clock.now(),
      after: (ms, run) => clock.after(ms, run),
      soon: run => soon.soon(run),
    },
  })
  const { host, port, done } = await running([], new FakeProcess({ isUnderNpm: true, engine }))
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {}).resume()
  await host.says(/opened/)
  host.signals.emit('SIGINT', 'SIGINT')
  clock.advance(250)
  host.signals.emit('SIGINT', 'SIGINT')
  t.strictSame(host.exits, [])
  clock.advance(1)
  host.signals.emit('SIGINT', 'SIGINT')
  t.strictSame(host.exits, [130])
  await done
  socket.destroy()
})

t.test('a failure of a connection is one line, and the server goes on', async t => {
  const { host, port, done } = await running([])
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('x'.repeat(70_000))
  // It spoke of buffer_size and read_delimiter, which no option of the command is called.
  await host.says(/^sluice-echo: #1 127\.0\.0\.1:\d+: a line has more than 65536 bytes$/)
  await host.says(/closed \(overflow\)/)
  t.strictSame(host.exits, [])
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
})

t.test('all connections together hold too much: that is an error of the engine', async t => {
  const host = new FakeProcess({ engine: new Engine({ buffer_limit: 20_000 }) })
  const { port, done } = await running([], host)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('x'.repeat(60_000))
  await host.says(/^sluice-echo: #1 127\.0\.0\.1:\d+: the channels of the engine hold more than/)
  await host.says(/closed \(overflow\)/)
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
})

t.test('a port in use: one line, exit code 1', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const host = new FakeProcess()
  t.equal(await command(['--host', '127.0.0.1', '--port', String(port)], host), 1)
  t.strictSame(host.lines, [
    `sluice-echo: cannot listen on 127.0.0.1:${port}: it is in use already (EADDRINUSE)`,
  ])
  other.close()
})

t.test('other addresses that are impossible, likewise', async t => {
  const dir = shortFolder(t)
  const cases: [string[], RegExp][] = [
    [
      ['--host', '192.0.2.1', '--port', '0'],
      new RegExp(
        '^sluice-echo: cannot listen on 192\\.0\\.2\\.1:0: ' +
          'it is no address of this machine \\(EADDRNOTAVAIL\\)$',
      ),
    ],
    [
      ['--unix', join(dir, 'none', 'echo')],
      /^sluice-echo: cannot listen on .*: there is no folder .*none \(ENOENT\)$/,
    ],
    // It was said to be in use already, so one looked for the process that uses it.
    [
      ['--unix', dir],
      /^sluice-echo: cannot listen on .*: there is a folder, not a socket \(EADDRINUSE\)$/,
    ],
  ]
  for (const [argv, line] of cases) {
    const host = new FakeProcess()
    t.equal(await command(argv, host), 1)
    t.match(host.lines, [line])
  }
})

t.test('what a network throws is no mistake of the user', async t => {
  const fails = (): never => {
    throw new Error('no network')
  }
  const engine = new Engine({ network: { connect: fails, listen: fails, packets: fails } })
  await t.rejects(command([], new FakeProcess({ engine })), { message: 'no network' })
})

// It was silent: 26 of 60 connections were closed, and nobody knew why.
t.test('close to the limit of open files: one line', async t => {
  class Narrow extends NodeNetwork {
    override get file_limit(): number {
      return 0
    }
  }
  const engine = new Engine({ network: new Narrow() })
  const { host, port, done } = await running([], new FakeProcess({ engine }))
  for (let n = 0; n < 3; n++) await once(connect(port, '127.0.0.1').resume(), 'close')
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
  t.match(host.lines.slice(1), [/^sluice-echo: close to the limit of open files: /, /stopping$/])
})

t.test(
  'a failure without words of ours has those of the system; a port alone is called a port',
  async t => {
    const error = Object.assign(new Error('listen EMFILE: too many open files'), { code: 'EMFILE' })
    const listener = {
      sink: undefined as any,
      local_address: undefined,
      fileno: undefined,
      close() {},
    }
    const network = {
      listen() {
        setImmediate(() => {
          listener.sink.failed(error)
          listener.sink.closed()
        })
        return listener
      },
      connect() {},
    }
    const host = new FakeProcess({ engine: new Engine({ network: network as any }) })
    t.equal(await command([], host), 1)
    t.strictSame(host.lines, [
      'sluice-echo: cannot listen on port 4040: listen EMFILE: too many open files',
    ])
  },
)

t.test('a signal before it listens stops it as well, without a complaint', async t => {
  const host = new FakeProcess()
  const done = command(['--host', '127.0.0.1', '--port', '0'], host)
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
  t.strictSame(host.lines, ['sluice-echo: SIGINT: stopping'])
})

t.test(
  'a unix socket, gone afterwards; and a file in its place is left alone',
  { skip: process.platform === 'win32' && 'has no paths for sockets' },
  async t => {
    const path = join(shortFolder(t), 'echo')
    const host = new FakeProcess()
    const done = command(['--unix', path], host)
    await host.says(/^sluice-echo: listening on .*echo$/)
    const socket = connect(path)
    socket.write('hello\n')
    t.equal(await reading(socket, 6), 'hello\n')
    host.signals.emit('SIGTERM', 'SIGTERM')
    socket.end()
    t.equal(await done, 0)
    t.notOk(existsSync(path))
    writeFileSync(path, 'mine')
    const second = new FakeProcess()
    t.equal(await command(['--unix', path], second), 1)
    t.match(second.lines, [/EADDRINUSE/])
    t.ok(existsSync(path))
  },
)

t.test('--help and --version go to stdout', async t => {
  const host = new FakeProcess()
  t.equal(await command(['--help'], host), 0)
  t.equal(host.out, HELP)
  t.equal(await command(['--version'], host), 0)
  t.equal(host.out, `${HELP}1.2.3\n`)
  t.equal(host.err, '')
})

t.test('a mistake of the user: one line, exit code 2', async t => {
  for (const argv of [
    ['--bogus'],
    ['--port', 'a\nb'],
    ['--unix', ''],
    ['--unix', 'x'.repeat(200)],
  ]) {
    const host = new FakeProcess()
    t.equal(await command(argv, host), 2)
    t.equal(host.lines.length, 1)
    t.match(host.err, /^sluice-echo: .* \(--help lists the options\)\n$/)
  }
})

t.test('a mistake of ours is not passed off as one of the user', async t => {
  const host = new FakeProcess()
  const stdout = {
    write: () => {
      throw new TypeError('ours')
    },
  }
  await t.rejects(command(['--help'], { ...host, stdout, version: '' }), TypeError)
})

/**
 * Workers that are commands in this process: each has its own engine, and hears of its primary by
 * an emitter.
 */
function clusterHere(): { cluster: Cluster; workers: FakeProcess[]; exits: Promise<number>[] } {
  const [workers, exits]: [FakeProcess[], Promise<number>[]] = [[], []]
  let args: string[] = []
  const fork = (): Worker => {
    const id = workers.length + 1
    const [up, down] = [new EventEmitter(), new EventEmitter()]
    const upward: Upward = {
      id,
      send: message => down.emit('message', message),
      on: (event, listener) => up.on(event, listener),
      disconnect: () => void setImmediate(() => up.emit('disconnect')),
    }
    const host = new FakeProcess({ cluster: { ...cluster, isPrimary: false, worker: upward } })
    workers.push(host)
    const exit = command(args, host)
    exits.push(exit)
    void exit.then(code => down.emit('exit', code, null))
    return Object.assign(down, {
      id,
      isConnected: () => true,
      send: (message: string) => up.emit('message', message),
      kill: () => up.emit('disconnect'),
    }) as unknown as Worker
  }
  const cluster: Cluster = {
    isPrimary: true,
    setupPrimary: settings => void (args = settings.args),
    fork,
  }
  return { cluster, workers, exits }
}

/**
 * Only one of several may listen where ports are not shared, which node:cluster does for real
 * processes: so here is one.
 */
t.test(
  'a worker serves, is told by its primary alone, and numbers its connections by its own',
  async t => {
    const { cluster, workers, exits } = clusterHere()
    const host = new FakeProcess({ cluster })
    const done = command(['--host', '127.0.0.1', '--port', '0', '--workers', '1'], host)
    const [, port] = await host.says(/^sluice-echo: listening on 127\.0\.0\.1:(\d+), workers: 1$/)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write('hello\n')
    t.equal(await reading(socket, 6), 'hello\n')
    await workers[0]!.says(/^sluice-echo: #1\.1 127\.0\.0\.1:\d+ opened$/)
    workers[0]!.signals.emit('SIGINT', 'SIGINT')
    host.signals.emit('SIGINT', 'SIGINT')
    t.equal(host.lines.at(-1), 'sluice-echo: SIGINT: stopping')
    socket.end()
    t.strictSame(await Promise.all([done, ...exits]), [0, 0])
    t.equal(host.signals.listenerCount('SIGINT'), 0)
  },
)

// Process managers start programs as workers of their own, and do not send our messages.
t.test('without --workers, a worker of somebody else is a process like any other', async t => {
  const worker = {
    id: 7,
    send: () => t.fail('not ours'),
    on: () => t.fail('not ours'),
    disconnect: () => t.fail('not ours'),
  }
  const { host, done } = await running(
    [],
    new FakeProcess({ cluster: { ...ALONE, isPrimary: false, worker } }),
  )
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.equal(await done, 0)
})

t.test('the second signal ends the workers too', async t => {
  const { cluster, exits } = clusterHere()
  const host = new FakeProcess({ cluster })
  const done = command(['--host', '127.0.0.1', '--port', '0', '--workers', '1'], host)
  await host.says(/listening/)
  host.signals.emit('SIGTERM', 'SIGTERM')
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.strictSame(host.exits, [143])
  t.strictSame(await Promise.all([done, ...exits]), [0, 0])
})

t.test('workers that cannot listen: one line, exit code 1, as without workers', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const { cluster, workers } = clusterHere()
  const host = new FakeProcess({ cluster })
  t.equal(await command(['--host', '127.0.0.1', '--port', String(port), '--workers', '2'], host), 1)
  t.strictSame(host.lines, [
    `sluice-echo: cannot listen on 127.0.0.1:${port}: it is in use already (EADDRINUSE)`,
  ])
  t.equal(workers.length, 0)
  taken.close()
})
