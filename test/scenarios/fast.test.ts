/**
 * The fast network where a connection changes hands: its handle goes to TLS in the middle of a
 * connection, or comes from another process. Over the default network, for comparison, as well.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { BlockList, connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { Stream } from '../../src/channels/streams/stream.ts'
import { Engine } from '../../src/engine.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { bareNode, built } from '../built.ts'
import { testCertificates } from '../certificates.ts'
import { ifFast, NO_FAST } from '../fast-network.ts'
import { until } from '../kit.ts'

const certificates = testCertificates()
const OURS = { ca: certificates.ca.cert }
const THEIRS = { key: certificates.server.key, cert: certificates.server.cert }

const NETWORKS = {
  tcp: new NodeNetwork(),
  ...ifFast(network => ({ 'tcp, fast': network })),
}

/** A line echo that begins TLS when it is asked to, in both roles. */
class Upgrading extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  readonly log: string[] = []

  override on_read(line: string): void {
    this.log.push(line)
    if (line !== 'STARTTLS') return void this.write(`${line}!\n`)
    this.write('go ahead\n')
    this.start_tls(THEIRS)
  }

  override on_close(reason: string): void {
    this.log.push(reason)
  }
}

class Asking extends Client {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  readonly log: string[] = []

  override on_read(line: string): void {
    this.log.push(line)
    if (line !== 'go ahead') return
    this.start_tls(OURS)
    this.write('secret\n')
  }

  override on_tls_handshake(): void {
    this.log.push(this.tls?.authorized === true ? 'verified' : 'not verified')
  }

  override on_close(reason: string): void {
    this.log.push(reason)
  }
}

const facts = ({ local_address, remote_address, bytes_read, bytes_written }: Stream): unknown[] => [
  local_address,
  remote_address,
  bytes_read,
  bytes_written,
]

async function within(
  t: Test,
  title: string,
  body: (t: Test, engine: Engine) => Promise<void>,
): Promise<void> {
  for (const [name, network] of Object.entries(NETWORKS)) {
    await t.test(`${name}: ${title}`, { timeout: 120_000 }, async t => {
      const engine = new Engine({ network, log: message => t.fail(message) })
      await body(t, engine)
      await engine.stop({ timeout: 1000 })
      t.equal(engine.channels.size, 0)
    })
  }
}

await within(t, 'TLS in the middle of a connection', async (t, engine) => {
  const server = await new Server(Upgrading, { engine }).listen(['127.0.0.1', 0]).opened
  const client = new Asking({ engine })
  await client.connect(server.local_address as [string, number]).opened
  client.write('clear\n')
  client.write('STARTTLS\n')
  await until(() => client.log.includes('secret!'))
  const [connection] = [...server.channels] as [Upgrading]
  t.ok((client.fileno as number) > 0)
  const local = client.local_address
  client.end()
  await Promise.all([client.closed, connection.closed])
  t.same(client.log, ['clear!', 'go ahead', 'verified', 'secret!', 'local'])
  t.same(connection.log, ['clear', 'STARTTLS', 'secret', 'remote'])
  const [written, read] = ['clear\nSTARTTLS\nsecret\n'.length, 'clear!\ngo ahead\nsecret!\n'.length]
  t.same(facts(client), [local, server.local_address, read, written])
  t.same(facts(connection), [server.local_address, local, written, read])
})

await within(t, 'a PROXY header, then TLS', async (t, engine) => {
  const proxies = new BlockList()
  proxies.addAddress('127.0.0.1')
  const options = {
    engine,
    tls: THEIRS,
    proxy_protocol: 'require',
    proxy_trusted: proxies,
  } as const
  const server = await new Server(Upgrading, options).listen(['127.0.0.1', 0]).opened
  class Proxied extends Asking {
    override on_connect(): void {
      this.write('PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n')
      this.start_tls(OURS)
      this.write('behind\n')
    }
  }
  const client = new Proxied({ engine })
  await client.connect(server.local_address as [string, number]).opened
  await until(() => client.log.includes('behind!'))
  const [connection] = [...server.channels] as [Upgrading]
  t.same(connection.remote_address, ['192.0.2.1', 1111])
  t.equal(connection.tls?.protocol, 'TLSv1.3')
  client.close()
})

/** Runs it in a process of its own. Returns what it has written, and how it ended. */
async function run(
  t: Test,
  program: string,
  talk: (line: string) => unknown,
): Promise<{ lines: string[]; code: number | null }> {
  const file = join(t.testdir(), 'program.mjs')
  writeFileSync(file, `const LIB = ${JSON.stringify(`file://${built()}index.js`)}\n${program}`)
  const child = spawn(...bareNode([file]), { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  let rest = ''
  child.stdout.on('data', data => {
    const [...parts] = (rest + data).split('\n')
    rest = parts.pop() as string
    for (const line of parts) {
      lines.push(line)
      talk(line)
    }
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { lines, code }
}

const skip = NO_FAST ?? false

// In a worker the handle of a listener is no handle at all, and connections come by IPC.
t.test('workers of a cluster', { timeout: 120_000, skip }, async t => {
  const { lines, code } = await run(
    t,
    `
    import cluster from 'node:cluster'
    import net from 'node:net'
    const { Connection, Engine, FastNetwork, Server } = await import(LIB)
    if (cluster.isPrimary) {
      const workers = [cluster.fork(), cluster.fork()]
      const addresses = await Promise.all(workers.map(worker =>
        new Promise(resolve => worker.once('message', resolve))))
      const answers = []
      for (let i = 0; i < 6; i++) {
        const socket = net.connect(addresses[0][1], '127.0.0.1')
        socket.write('hello\\n')
        let text = ''
        for await (const data of socket.setEncoding('utf8')) text += data
        answers.push(text.trim())
      }
      console.log(addresses[0][1] === addresses[1][1], new Set(answers).size, answers.length)
      const exits = workers.map(worker => new Promise(resolve => worker.once('exit', resolve)))
      for (const worker of workers) worker.disconnect()
      console.log(await Promise.all(exits))
    } else {
      class Hello extends Connection {
        encoding = 'utf8'
        read_delimiter = '\\n'
        on_read(line) {
          this.write(line + ' ' + process.pid + ' ' + this.remote_address[0])
          this.end()
        }
      }
      const engine = new Engine({ network: new FastNetwork() })
      const server = await new Server(Hello, { engine }).listen(['127.0.0.1', 0]).opened
      process.send(server.local_address)
    }`,
    () => {},
  )
  t.same(lines, ['true 2 6', '[ 0, 0 ]'])
  t.equal(code, 0)
})

for (const [how, end] of [
  ['exit() with connections open', 'process.exit(3)'],
  ['stop() lets the process end', "engine.stop({ timeout: 100 }).then(() => console.log('end'))"],
] as const) {
  t.test(how, { timeout: 120_000, skip }, async t => {
    const { lines, code } = await run(
      t,
      `
      const { Connection, Engine, FastNetwork, Server } = await import(LIB)
      const engine = new Engine({ network: new FastNetwork() })
      class Open extends Connection {
        on_connect() { ${end} }
      }
      const server = await new Server(Open, { engine }).listen(['127.0.0.1', 0]).opened
      console.log(server.local_address[1])`,
      line => /^\d+$/.test(line) && connect(Number(line), '127.0.0.1').on('error', () => {}),
    )
    t.same([lines.slice(1), code], how.startsWith('exit') ? [[], 3] : [['end'], 0])
  })
}
