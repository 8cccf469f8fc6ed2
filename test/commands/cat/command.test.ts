/** What sluice-cat does, with a process made for the test. Real processes: main.test.ts. */

import { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import { Context } from '../../../src/messages/context.ts'
import { command, type CatHost } from '../../../src/commands/cat/command.ts'
import { HELP } from '../../../src/commands/cat/options.ts'
import { turn } from '../../kit.ts'

class FakeProcess implements CatHost {
  out = ''
  err = ''
  readonly exits: number[] = []
  readonly version = '1.2.3'
  readonly engine = new Engine()
  readonly signals = new EventEmitter()
  readonly stdin = new PassThrough()
  /** Does stdout take more? If not, the command waits for 'drain'. */
  hasRoom = true
  readonly drain = new EventEmitter()
  readonly stdout = {
    write: (data: string | Uint8Array): boolean => {
      this.out += Buffer.from(data as string).toString()
      return this.hasRoom
    },
    once: (event: 'drain', listener: () => void): unknown => this.drain.once(event, listener),
  }
  readonly stderr: CatHost['stderr']
  readonly exit = (code: number): void => void this.exits.push(code)

  constructor(isTTY = false) {
    this.stderr = { isTTY, write: text => void (this.err += text) }
  }
}

async function until(condition: () => unknown): Promise<void> {
  while (!condition()) await turn()
}

/** A server to talk to, in another engine. */
async function server(t: { teardown(fn: () => void): void }, parameters = 'frame=line') {
  const channel = new Context({ engine: new Engine() })
    .init(`tcp://127.0.0.1:0;mode=server;${parameters}`)
    .open()
  await channel.opened
  t.teardown(() => channel.close(true))
  return channel
}

t.test('help, version, mistakes', async t => {
  const host = new FakeProcess()
  t.equal(await command(['--help'], host), 0)
  t.equal(await command(['--version'], host), 0)
  t.equal(host.out, `${HELP}1.2.3\n`)
  t.equal(await command([], host), 2)
  t.equal(await command(['mem://;size=1'], host), 2)
  t.match(
    host.err,
    new RegExp(
      '^sluice-cat: a URL is missing \\(--help lists the options\\)\n' +
        'sluice-cat: size must be .*\n {2}mem://;size=1\n {14}\\^\n$',
    ),
  )
  await t.rejects(
    command(['mem://'], { ...host, engine: undefined as never, stderr: null as never }),
  )
})

t.test('one URL: input and output', async t => {
  const far = await server(t)
  far.on_message = ({ data, addr }) => void far.post({ data: `re: ${data}`, addr })
  const host = new FakeProcess()
  const done = command([far.client_url as string, '--wait', '100ms'], host)
  host.stdin.write('one\ntw')
  host.stdin.write('o\nthree')
  await until(() => host.out.includes('two'))
  t.equal(host.out, 're: one\nre: two\n')
  host.stdin.end()
  t.equal(await done, 0)
  t.equal(
    host.out,
    're: one\nre: two\nre: three\n',
    'what has no line end is sent at the end, and the answer waited for',
  )
  t.equal(host.err, '')
})

// With an input that was at its end, as in a job of cron, only the first 64 lines of a file were
// printed.
t.test('a channel that only receives is read to its end', async t => {
  const path = join(t.testdir({}), 'from')
  writeFileSync(path, 'line\n'.repeat(1000))
  for (const url of [
    `file://${path};frame=line`,
    `rate+file://${path};frame=line;rate.dir=r;speed=1gb`,
  ]) {
    const host = new FakeProcess()
    host.stdin.end()
    t.equal(await command([url], host), 0)
    t.equal(host.out.length, 5000)
  }
})

t.test('a slow reader of stdout makes the channel wait', async t => {
  const host = new FakeProcess()
  host.hasRoom = false
  const done = command(['zero://;size=1b;fill=97'], host)
  await until(() => host.drain.listenerCount('drain') === 1)
  for (let turns = 0; turns < 20; turns++) await turn()
  t.equal(host.out, 'a\n')
  host.drain.emit('drain')
  await until(() => host.out === 'a\na\n')
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
})

t.test('a server stays when its input ends; Ctrl-C', async t => {
  const host = new FakeProcess()
  const { engine } = host
  const done = command(['tcp://127.0.0.1:0;mode=server;frame=none', '--raw', '--dump'], host)
  host.stdin.end('to nobody')
  await until(() => host.out.includes('active'))
  await until(() => host.stdin.readableEnded)
  t.equal(engine.channels.size > 0, true)
  host.signals.emit('SIGINT', 'SIGINT')
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.equal(await done, 0)
  t.strictSame(host.exits, [143], 'a second signal ends it')
  t.match(host.out, /channel: recv: state, opening/)
  t.equal(host.signals.listenerCount('SIGINT'), 0)
})

t.test('an input that fails', async t => {
  const far = await server(t)
  const host = new FakeProcess()
  const done = command([far.client_url as string], host)
  await until(() => far.info.peers === 1)
  host.stdin.destroy(new Error('no input'))
  t.equal(await done, 1)
  t.match(host.err, /channel .*no input/)
})

t.test('two URLs: a file to a file, with a progress line', async t => {
  const folder = t.testdir({})
  const [from, to] = [join(folder, 'from'), join(folder, 'to')]
  writeFileSync(from, 'one\ntwo\nthree\n')
  const host = new FakeProcess(true)
  t.equal(
    await command(
      [
        `rate+file://${from};frame=line;rate.dir=r;speed=10;unit=message;interval=1s;initial=2`,
        `file://${to};dir=w;frame=line`,
        '--wait',
        '300ms',
      ],
      host,
    ),
    0,
  )
  t.equal(readFileSync(to, 'utf8'), 'one\ntwo\nthree\n')
  t.match(host.err, /3 messages, 11 B, /)
  t.ok(host.err.endsWith('\r\x1b[K'))
})

t.test('both ways, dumped', async t => {
  const [a, b] = [await server(t), await server(t)]
  const host = new FakeProcess(true)
  const done = command([a.client_url as string, b.client_url as string, '--both', '--dump'], host)
  const texts: string[] = []
  for (const each of [a, b]) each.on_message = ({ data }) => void texts.push(String(data))
  await until(() => a.info.peers === 1 && b.info.peers === 1)
  a.post({ data: 'to b', addr: 1 })
  b.post({ data: 'to a', addr: 1 })
  await until(() => texts.length === 2)
  t.strictSame(texts.sort(), ['to a', 'to b'])
  t.match(host.out, /first: recv: data, msgid 0, 4 bytes\n {2}0000 {2}74 6f 20 62/)
  a.close()
  t.equal(await done, 0, 'when one closes, the other does')
})

t.test('what fails', async t => {
  const host = new FakeProcess(true)
  t.equal(await command(['file:///no/such/file', 'null://'], host), 1)
  t.match(host.err, /^sluice-cat: first file:\/\/\/no\/such\/file: ENOENT/)
  const other = new FakeProcess()
  t.equal(await command(['zero://', 'file:///no/such/folder/x;dir=w'], other), 1)
  t.match(other.err, 'second file:///no/such/folder/x;dir=w: ENOENT')
})

t.test('raw output', async t => {
  const far = await server(t, 'frame=none')
  const host = new FakeProcess(true)
  const done = command([far.client_url as string, '--raw'], host)
  far.on_control = ({ addr }) => {
    if (far.info.peers === 1) far.post({ data: 'no line end', addr })
  }
  await until(() => host.out !== '')
  far.close()
  t.equal(await done, 0)
  t.equal(host.out, 'no line end')
})
