/**
 * A server behind a real HAProxy, which says whose connections it hands on, in both versions of the
 * PROXY protocol.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { BlockList, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../bench/free-port.ts'
import { Connection, Engine, Server } from '../../src/index.ts'

/** The type of the extension with what HAProxy calls the connection (PP2_TYPE_UNIQUE_ID). */
const UNIQUE_ID = 5

class Who extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  override on_read(line: string): void {
    const id = this.proxy_extensions?.get(UNIQUE_ID)
    this.write(`${line}${id === undefined ? '' : ` ${id}`} from ${this.remote_address}\n`)
  }
}

/** As soon as somebody listens there; it takes HAProxy a moment. */
async function dial(port: number): Promise<Socket> {
  for (let i = 0; ; i++) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      if (i === 20_000) throw error
    }
  }
}

/** CI installs it. */
const isHere = process.env.CI === 'true' || !spawnSync('haproxy', ['-v']).error

t.test(
  'the addresses are those of the clients',
  { skip: !isHere && 'haproxy is not installed' },
  async t => {
    const engine = new Engine({ log: message => t.fail(message) })
    const proxies = new BlockList()
    proxies.addAddress('127.0.0.1')
    const server = await new Server(Who, {
      engine,
      proxy_protocol: 'require',
      proxy_trusted: proxies,
    }).listen(['127.0.0.1', 0]).opened
    const [, port] = server.local_address as [string, number]
    const folder = await mkdtemp(join(tmpdir(), 'sluice-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const ports = {
      'send-proxy': await freePort(),
      'send-proxy-v2': await freePort(),
      'send-proxy-v2 proxy-v2-options crc32c': await freePort(),
      'send-proxy-v2 proxy-v2-options unique-id': await freePort(),
    }
    const listens = Object.entries(ports).map(
      ([how, from], i) =>
        `listen number${i}\n  bind 127.0.0.1:${from}\n  server sluice 127.0.0.1:${port} ${how}\n`,
    )
    await writeFile(
      join(folder, 'cfg'),
      [
        'defaults',
        '  mode tcp',
        '  timeout connect 5s',
        '  timeout client 30s',
        '  timeout server 30s',
        '  unique-id-format number-%fp',
        listens.join(''),
      ].join('\n'),
    )
    const haproxy = spawn('haproxy', ['-db', '-f', join(folder, 'cfg')], { stdio: 'ignore' })
    const gone = once(haproxy, 'exit')
    t.teardown(async () => {
      haproxy.kill('SIGKILL')
      await gone
    })
    for (const [how, from] of Object.entries(ports)) {
      const socket = await dial(from)
      socket.write('hello\n')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      const id = how.endsWith('unique-id') ? ` number-${from}` : ''
      t.equal(String(answer), `hello${id} from 127.0.0.1,${socket.localPort}\n`, how)
      socket.destroy()
    }
    await engine.stop()
  },
)
