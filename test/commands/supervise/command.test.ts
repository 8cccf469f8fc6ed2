/** What the command does, in processes that the test makes up. */

import { EventEmitter, once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../../bench/free-port.ts'
import { command, type SuperviseHost } from '../../../src/commands/supervise/command.ts'
import { Engine } from '../../../src/engine.ts'
import { until } from '../../kit.ts'

/** A process of a test. */
class Process extends EventEmitter {
  out = ''
  err = ''
  readonly code: Promise<number>

  constructor(argv: readonly string[], term?: string) {
    super()
    const host: SuperviseHost = {
      stdout: { write: text => (this.out += text), isTTY: term !== undefined },
      stderr: { write: text => (this.err += text) },
      signals: this as never,
      version: '1.2.3',
      engine: new Engine(),
      exit: () => {},
      term,
      http: () => createServer(),
    }
    this.code = command(argv, host)
  }

  says(text: string): Promise<void> {
    return until(() => (this.out + this.err).includes(text))
  }
}

t.test('all in one process, over ws:// beside HTTP', async t => {
  const port = await freePort()
  const one = new Process(
    ['--count', '3', '--rate', '100', '--agents', '2', `ws://127.0.0.1:${port}/x`],
    'xterm',
  )
  await one.says('the router listens')
  t.equal((await fetch(`http://127.0.0.1:${port}/is_alive`)).status, 200)
  t.equal(await one.code, 0)
  t.match(one.out, /supervisor +closed +0 +6 +6 +0 +0\n/)
  t.match(one.out, /agents +2 of 2 alive +0 +6 +6 +0 +0\n/)
})

t.test('three processes, and a signal', async t => {
  const url = `unix://${join(mkdtempSync(join(tmpdir(), 'sluice-')), 's')}`
  const part = (name: string): Process => new Process(['--only', name, '--interval', '20', url])
  const router = part('router')
  await router.says('the router listens')
  const others = [part('supervisor'), part('agents')]
  await others[1]!.says('10 of 10 alive')
  await others[0]!.says('supervisor: alive, confirming')
  for (const each of [...others.reverse(), router]) {
    each.emit('SIGTERM', 'SIGTERM')
    t.equal(await each.code, 0)
    t.match(each.err, /SIGTERM: stopping/)
  }
})

t.test('what cannot be', async t => {
  const busy = createTcpServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  const { port } = busy.address() as AddressInfo
  const router = new Process(['--only', 'router', `ws://127.0.0.1:${port}`], 'dumb')
  t.equal(await router.code, 1)
  t.match(router.err, /EADDRINUSE/)
  busy.close()
  const wrong = new Process(['--only', 'nobody'])
  t.equal(await wrong.code, 2)
  // They were told when the router listened, with the code 1.
  for (const url of ['tcp://', 'null://', 'tcp://[::1:5']) {
    const invalid = new Process([url])
    t.equal(await invalid.code, 2, url)
  }
  const caret = new Process(['http://x'])
  t.equal(await caret.code, 2)
  t.match(caret.err, /\n  http:\/\/x\n  \^\^\^\^\n$/, 'it was all in one line')
  const nonsense = new Process(['--only', 'router', '--relay', 'nonsense:'])
  t.equal(await nonsense.code, 2)
  t.match(nonsense.err, /open_relay: url must be .*\(--help lists the options\)/)
})
