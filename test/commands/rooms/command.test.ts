/** What sluice-rooms does, with a process made for the test and real sockets. */

import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import t from 'tap'
import { command, type RoomsHost } from '../../../src/commands/rooms/command.ts'
import { HELP } from '../../../src/commands/rooms/options.ts'
import { Engine } from '../../../src/engine.ts'
import { Channel } from '../../../src/rooms/client/node-channel.ts'
import { until } from '../../kit.ts'

/** A process that the test makes and watches. */
class FakeProcess extends EventEmitter implements RoomsHost {
  out = ''
  err = ''
  readonly exits: number[] = []
  readonly version = '1.2.3'
  readonly engine = new Engine()
  readonly signals = new EventEmitter()
  readonly stdout = { write: (text: string) => void (this.out += text) }
  readonly stderr = {
    write: (text: string) => {
      this.err += text
      this.emit('said')
    },
  }
  readonly createServer = createServer
  page = (): string => '<p>the page</p>'
  readonly script = (): string => 'export {}'
  readonly exit = (code: number): void => void this.exits.push(code)

  /** Resolves with the match when it has said that. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = pattern.exec(this.err)
      if (match !== null) return match
      await once(this, 'said')
    }
  }
}

async function running(...argv: string[]) {
  const host = new FakeProcess()
  const done = command(['--port', '0', '--host', '127.0.0.1', ...argv], host)
  const [, port] = await host.says(/listening on http:\/\/127\.0\.0\.1:(\d+)\/\n/)
  return { host, done, port: Number(port) }
}

t.test('a page, members by two ways, and the end', async t => {
  const { host, done, port } = await running('--listen', 'tcp://127.0.0.1:0;frame=line')
  const [, tcp] = await host.says(/sluice-rooms: listening on (tcp:\S+)\n/)
  const page = await fetch(`http://127.0.0.1:${port}/`)
  t.equal(await page.text(), '<p>the page</p>')
  const engine = new Engine()
  const [ann, bob] = [
    new Channel(`ws://127.0.0.1:${port}/`, { engine, name: 'Ann' }),
    new Channel(tcp as string, { engine, name: 'Bob' }),
  ]
  const heard: unknown[] = []
  bob.on_room_message('r', message => heard.push(message))
  await Promise.all([ann.connect(), bob.connect()])
  await Promise.all([ann.join('r'), bob.join('r')])
  await until(() => bob.get_members('r').length === 2)
  await ann.send_to('r', { text: 'hi' })
  await until(() => heard.some(each => (each as { text?: string }).text === 'hi'))
  const closed = new Promise(resolve => ann.on_close(resolve))
  host.signals.emit('SIGTERM', 'SIGTERM')
  t.match(await closed, { code: 1001 })
  t.equal(await done, 0)
  t.match(host.err, /SIGTERM: stopping, 2 connected \(again: at once\)\n/)
  t.same([host.engine.channels.size, host.exits], [0, []])
  await bob.close()
})

t.test('it cannot listen', async t => {
  const { host, done, port } = await running()
  const second = new FakeProcess()
  const argv = ['--port', String(port), '--host', '127.0.0.1']
  t.equal(await command(argv, second), 1)
  t.match(second.err, /^sluice-rooms: cannot listen: .*EADDRINUSE.*\n$/)
  const third = new FakeProcess()
  const place = `tcp://127.0.0.1:${port};frame=line`
  t.equal(await command(['--port', '0', '--listen', place], third), 1)
  t.match(third.err, /^sluice-rooms: cannot listen: .*EADDRINUSE.*\n$/)
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
  t.match(host.err, /SIGINT: stopping\n$/)
  await until(() => second.engine.channels.size + third.engine.channels.size === 0)
})

t.test('a signal while it opens; every address', async t => {
  const host = new FakeProcess()
  const done = command(['--port', '0', '--history', '0'], host)
  host.signals.emit('SIGINT', 'SIGINT')
  t.equal(await done, 0)
  t.match(host.err, /^sluice-rooms: SIGINT: stopping\n$/)
  const other = new FakeProcess()
  const ended = command(['--port', '0'], other)
  await other.says(/listening on http:\/\/localhost:\d+\/\n/)
  other.signals.emit('SIGINT', 'SIGINT')
  t.equal(await ended, 0)
})

t.test('mistakes, and what is asked for', async t => {
  for (const [argv, err] of [
    [['--port', 'x'], /--port must be a number/],
    [['--relay', 'nonsense:'], /open_relay: url must be .*\(--help lists the options\)/],
    [['--listen', 'tcp://:1;frmae=line'], /frmae/],
  ] as const) {
    const host = new FakeProcess()
    t.equal(await command(argv, host), 2)
    t.match(host.err, err)
    t.equal(host.engine.channels.size, 0)
  }
  const host = new FakeProcess()
  t.equal(await command(['--help'], host), 0)
  t.equal(host.out, HELP)
  host.page = () => {
    throw new Error('no page')
  }
  await t.rejects(command([], host), /no page/)
})
