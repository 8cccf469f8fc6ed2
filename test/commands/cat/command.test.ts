/** What sluice-cat does, with a process made for the test. Real processes: main.test.ts. */

import { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { command, type CatHost } from '../../../src/commands/cat/command.ts'
import { HELP } from '../../../src/commands/cat/options.ts'
import { Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import { Context } from '../../../src/messages/context.ts'
import { Control } from '../../../src/messages/message.ts'
import { turn, until } from '../../kit.ts'

class FakeProcess implements CatHost {
  out = ''
  err = ''
  readonly exits: number[] = []
  readonly version = '1.2.3'
  readonly engine = new Engine()
  readonly signals = new EventEmitter()
  readonly stdin: PassThrough & { isTTY?: boolean } = new PassThrough()
  /** Does stdout take more? If not, the command waits for 'drain'. */
  hasRoom = true
  /** Called when the reader takes what waits. */
  readonly untaken: (() => void)[] = []
  readonly drain = new EventEmitter()
  readonly stdout = {
    write: (data: string | Uint8Array, done?: () => void): boolean => {
      this.out += Buffer.from(data as string).toString()
      if (this.hasRoom) done?.()
      else this.untaken.push(done!)
      return this.hasRoom
    },
    once: (event: 'drain', listener: () => void): unknown => this.drain.once(event, listener),
    emit: (_event: 'error', error: unknown): never => {
      throw error
    },
  }
  readonly stderr: CatHost['stderr']
  readonly exit = (code: number): void => void this.exits.push(code)

  constructor(isTTY = false, isTyped = false) {
    this.stdin.isTTY = isTyped
    this.stderr = { isTTY, write: text => void (this.err += text) }
  }
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
  // Without --wait: at the end of the input our side ends, and the answers are waited for.
  const done = command([far.client_url as string], host)
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
  host.hasRoom = true
  host.untaken.splice(0).forEach(each => each())
  host.drain.emit('drain')
  await until(() => host.out.startsWith('a\na\n'))
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
})

/** A process whose time passes only while somebody waits for it. */
function byHand(): {
  host: FakeProcess
  passing: <Value>(promise: Promise<Value>) => Promise<Value>
} {
  const clock = new ManualClock()
  const host = Object.assign(new FakeProcess(), { engine: new Engine({ clock, log: () => {} }) })
  const passing = async <Value>(promise: Promise<Value>): Promise<Value> => {
    let isDone = false
    const done = promise.finally(() => (isDone = true))
    while (!isDone) {
      await turn()
      clock.advance(50)
    }
    return done
  }
  return { host, passing }
}

// After `engine.stop` it waited for stdout, for ever.
t.test('a reader of stdout that takes nothing: it ends all the same', async t => {
  const { host, passing } = byHand()
  host.hasRoom = false
  const done = command(['zero://;size=1b;fill=97'], host)
  await until(() => host.out !== '')
  const begin = host.engine.now
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.equal(await passing(done), 1)
  t.ok(host.engine.now - begin > 4_900)
  t.strictSame(host.exits, [1], 'the process would wait for the reader')
  t.match(host.err, 'not printed: 2 bytes, as nobody reads them')
})

// `printf two | nc` sends no line end: nothing was printed, and nothing said.
t.test('a server says why a peer has gone', async t => {
  const host = new FakeProcess()
  const done = command(['tcp://127.0.0.1:0;mode=server;frame=line'], host)
  const port = (): number => Number(/127\.0\.0\.1:(\d+)\n/.exec(host.err)?.[1])
  await until(() => port() > 0)
  const listening = host.err
  connect(port(), '127.0.0.1').end('one\n').resume()
  await until(() => host.out === 'one\n')
  connect(port(), '127.0.0.1').end('two').resume()
  await until(() => host.err !== listening)
  t.equal(
    host.err.slice(listening.length),
    'sluice-cat: channel: a peer has gone: the peer ended in the middle of a message, 3 bytes ' +
      'of which had come\n',
  )
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
  t.match(host.err, /^sluice-cat: channel is listening on 127\.0\.0\.1:\d+\n$/)
  host.signals.emit('SIGINT', 'SIGINT')
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.equal(await done, 1, 'nobody took what was read')
  t.match(host.err, 'sluice-cat: not sent: 1 message (9 bytes)\n')
  t.strictSame(host.exits, [143], 'a second signal ends it')
  t.match(host.out, /^\d\d:\d\d:\d\d\.\d{3} channel: recv: state, opening/)
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
  t.match(host.err, /\r\x1b\[K3 messages, 11 B in \d\.\d s\n$/, 'a summary stays')
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
  t.match(host.out, /\d first: recv: data, msgid 0, 4 bytes\n {2}0000 {2}74 6f 20 62/)
  a.close()
  t.equal(await done, 0, 'when one closes, the other does')
})

t.test('what fails', async t => {
  const host = new FakeProcess(true)
  t.equal(await command(['file:///no/such/file', 'null://'], host), 1)
  // On a busy machine, its line of progress comes first.
  t.match(host.err, 'sluice-cat: first file:///no/such/file: ENOENT')
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

t.test('--wait: after it, the channel closes although the peer has not ended', async t => {
  const sockets: Socket[] = []
  const peer = createServer({ allowHalfOpen: true }, socket => sockets.push(socket.resume()))
  await new Promise<void>(listening => peer.listen(0, '127.0.0.1', listening))
  const { port } = peer.address() as AddressInfo
  const host = new FakeProcess()
  const done = command([`tcp://127.0.0.1:${port}`, '--dump', '--wait', '50ms'], host)
  host.stdin.end('hello\n')
  await until(() => host.out.includes('closing'))
  sockets[0]!.end()
  t.equal(await done, 0)
  peer.close()
})

t.test('a channel that cannot end its side alone closes at the end of the input', async t => {
  const host = new FakeProcess()
  host.stdin.end('hello\n')
  t.equal(await command(['null://', '--wait', '10ms'], host), 0)
})

t.test('messages of a server, dumped: with their peers', async t => {
  const host = new FakeProcess()
  const done = command(['tcp://127.0.0.1:0;mode=server;frame=line', '--dump'], host)
  await until(() => host.err.includes('listening on'))
  const port = /:(\d+)\n/.exec(host.err)![1]
  const client = new Context({ engine: new Engine() }).init(`tcp://127.0.0.1:${port};frame=line`)
  await client.open().opened
  client.post('hello')
  await until(() => host.out.includes('data'))
  t.match(host.out, /data, msgid 0, addr 1 \(127\.0\.0\.1:\d+\), 5 bytes/)
  client.close()
  await until(() => host.out.includes('Disconnect'))
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
})

// 'tcp://' sent binary headers to whoever had typed it.
t.test('on a terminal: lines, and no progress line', async t => {
  const far = await server(t)
  const host = new FakeProcess(true, true)
  const done = command([far.client_url!.replace(';mode=client;frame=line', '')], host)
  far.on_message = ({ data, addr }) => void far.post({ data, addr })
  host.stdin.write('hello\n')
  await until(() => host.out === 'hello\n')
  host.stdin.end()
  t.equal(await done, 0)
  t.equal(host.err, 'sluice-cat: frame=line, as this is a terminal\n')
  const other = new FakeProcess(false, true)
  other.stdin.end()
  t.equal(await command(['deflate+null://'], other), 0, 'which needs any bytes')
  t.equal(other.err, '')
})

// 99 % of the file were lost, nothing was said, and the exit code was 0.
t.test('the second channel closes first', async t => {
  const path = join(t.testdir({}), 'from')
  writeFileSync(path, 'x'.repeat(1000).concat('\n').repeat(10_000))
  const peer = createServer(socket => void socket.once('data', () => socket.end()).resume())
  await new Promise<void>(listening => peer.listen(0, '127.0.0.1', listening))
  const { port } = peer.address() as AddressInfo
  const host = new FakeProcess()
  t.equal(
    await command([`file://${path};frame=line`, `tcp://127.0.0.1:${port};frame=line`], host),
    1,
  )
  t.match(host.err, /second|not sent/)
  peer.close()
})

// Of an input that was a file most was lost, nothing was said, and the exit code was 0.
t.test('the channel closes, and the input has more', async t => {
  const far = await server(t)
  const [more, idle] = [new FakeProcess(), new FakeProcess()]
  far.on_message = ({ addr }) => void far.post({ type: 'control', msgid: Control.Disconnect, addr })
  far.on_control = ({ msgid }) => {
    if (msgid === Control.Disconnect && far.info.peers === 0) more.stdin.write('two\n')
  }
  const done = [more, idle].map(host => command([far.client_url as string], host))
  for (const { stdin } of [more, idle]) stdin.write('one\n')
  t.same(await Promise.all(done), [1, 0])
  t.equal(
    more.err,
    'sluice-cat: the channel has closed before the input was read to its end\n' +
      'sluice-cat: not sent: 1 message (3 bytes)\n',
  )
  t.equal(idle.err, '')
})

// Nothing was copied of a file over 64 KiB, and the exit code was 0.
t.test('copies of any size; messages that are refused', async t => {
  const folder = t.testdir({})
  const [from, to] = [join(folder, 'from'), join(folder, 'to')]
  const bytes = Buffer.alloc(1_000_000, 'abcdefg')
  writeFileSync(from, bytes)
  const host = new FakeProcess()
  t.equal(await command([`file://${from};frame=none`, `file://${to};dir=w;frame=none`], host), 0)
  t.ok(readFileSync(to).equals(bytes))
  writeFileSync(from, 'one\ntwo\n')
  const other = new FakeProcess()
  t.equal(await command([`file://${from};frame=line`, `file://${to}.2;dir=w`], other), 1)
  t.match(other.err, 'second: a message was not taken: post: seq must be greater than')
  t.match(other.err, 'not sent: 1 message (3 bytes)')
  // Each of a million messages had its line.
  writeFileSync(from, 'one\ntwo\nthree\n')
  const third = new FakeProcess()
  t.equal(await command([`file://${from};frame=line`, `file://${to}.3;dir=w`], third), 1)
  t.equal(third.err.match(/was not taken/g)?.length, 1)
  t.match(third.err, 'not sent: 2 messages (8 bytes)')
})

t.test('a packet that cannot be sent', async t => {
  const host = new FakeProcess()
  host.stdin.end('x'.repeat(100_000))
  t.equal(await command(['udp://127.0.0.1:9;frame=none'], host), 1)
  t.match(host.err, /EMSGSIZE/)
})

t.test('a URL whose address only open could give', async t => {
  const host = new FakeProcess()
  t.equal(await command(['tcp://'], host), 2)
  t.equal(
    host.err,
    "sluice-cat: the address is missing; without one, open('host=…') must give it\n" +
      '  tcp://\n        ^\n',
    'said once',
  )
  const other = new FakeProcess()
  other.stdin.end()
  t.equal(await command(['--open', 'hots=127.0.0.1:9', 'tcp://'], other), 2)
  t.match(other.err, 'the address is missing')
  const last = new FakeProcess()
  t.equal(await command(['--open', 'host=127.0.0.1:9', 'tcp://'], last), 1)
  t.match(last.err, 'ECONNREFUSED')
})

t.test('several that were not sent; a channel that does not open', async t => {
  const host = new FakeProcess()
  const done = command(['tcp://127.0.0.1:0;mode=server;frame=line'], host)
  host.stdin.end('one\ntwo')
  await until(() => host.err.includes('listening') && host.stdin.readableFlowing !== null)
  for (let turns = 0; turns < 20; turns++) await turn()
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 1)
  t.match(host.err, /not sent: 2 messages \(6 bytes\)/)
  const other = new FakeProcess()
  t.equal(await command(['tcp://127.0.0.1:1'], other), 1)
  t.match(other.err, /^sluice-cat: channel tcp:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/)
})

t.test('the other side takes nothing, and time is up', async t => {
  const peer = createServer(socket => void socket.pause().on('error', () => {}))
  await new Promise<void>(listening => peer.listen(0, '127.0.0.1', listening))
  const { port } = peer.address() as AddressInfo
  const { host, passing } = byHand()
  const done = command([`tcp://127.0.0.1:${port};frame=none`, '--raw'], host)
  for (let count = 0; count < 200; count++) host.stdin.write(Buffer.alloc(65_536))
  await until(() => host.stdin.readableLength > 0)
  for (let turns = 0; turns < 200; turns++) await turn()
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await passing(done), 1)
  t.match(host.err, /not sent: \d+ messages \(\d+ bytes\)|not sent: 1 message/)
  t.match(host.err, /not sent: \d+ bytes of what was taken/)
  peer.close()
})

t.test('closing takes too long', async t => {
  const network = new MemoryNetwork({ auto: true, capacity: 10 })
  const clock = new ManualClock()
  const engine = new Engine({ network, clock, log: () => {} })
  const far = new Context({ engine }).init('tcp://:1;mode=server;frame=line').open()
  far.suspend()
  const host = Object.assign(new FakeProcess(), { engine: new Engine({ network, clock }) })
  const done = command(['tcp://127.0.0.1:1;frame=line', '--wait', '10ms'], host)
  host.stdin.end('hello, which is more than there is room for\n')
  let code: number | undefined
  void done.then(result => (code = result))
  while (code === undefined) {
    await turn()
    clock.advance(100)
  }
  t.equal(code, 1)
  t.match(host.err, 'the other side did not take it in time')
  far.close(true)
})
