/**
 * The options of sockets, as the kernel has them.
 *
 * `no_delay` had no effect on a Client: it was handed to `socket.connect()`, which Node ignores
 * (nodejs/node#59823). A request in two small writes waited 44 ms for the peer's acknowledgement.
 * The test of that time knew only that the option was passed on. So the kernel is asked: a child
 * process gets the descriptor, and calls getsockopt.
 */

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { Stream } from '../../src/channels/streams/stream.ts'
import { Engine } from '../../src/engine.ts'
import { FastNetwork } from '../../src/io/fast/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { Context } from '../../src/messages/index.ts'
import type { TlsOptions } from '../../src/transport.ts'
import type { SocketAddress } from '../../src/types.ts'
import { testCertificates } from '../certificates.ts'
import { until } from './networks.ts'

/** On Linux: IPPROTO_TCP with TCP_NODELAY and TCP_KEEPIDLE, SOL_SOCKET with SO_KEEPALIVE. */
const ASK = `
  for my $fd (3 .. 2 + $ARGV[0]) {
    open(my $socket, '+<&=', $fd) or die $!;
    print join(' ', map { unpack 'i', getsockopt $socket, $$_[0], $$_[1] } [6, 1], [1, 9], [6, 4]);
    print "\\n";
  }`

interface Options {
  readonly no_delay: boolean
  readonly keep_alive: number | false
}

/** Perl is on every Debian. */
function optionsOf(...streams: Stream<any>[]): Options[] {
  const { stdout } = spawnSync('perl', ['-e', ASK, `${streams.length}`], {
    stdio: ['ignore', 'pipe', 'inherit', ...streams.map(stream => stream.fileno as number)],
    encoding: 'utf8',
  })
  const lines = stdout.trim().split('\n')
  return lines.map(line => {
    const [noDelay, keepAlive, idle] = line.split(' ').map(Number) as [number, number, number]
    return { no_delay: noDelay !== 0, keep_alive: keepAlive !== 0 && idle * 1000 }
  })
}

const DEFAULT: Options = { no_delay: true, keep_alive: false }
const OTHER: Options = { no_delay: false, keep_alive: 7000 }

const NETWORKS = { tcp: new NodeNetwork(), 'tcp, fast': new FastNetwork() }
const certificates = testCertificates()
const THEIRS: TlsOptions = { key: certificates.server.key, cert: certificates.server.cert }
const OURS: TlsOptions = { ca: certificates.ca.cert }

class Fields extends Client {
  override no_delay = OTHER.no_delay
  override keep_alive = OTHER.keep_alive
}

/** Every way to say it, and what holds when the client is open. */
const CLIENTS: Record<string, { make(engine: Engine): Client; expected: Options }> = {
  'as it is': { make: engine => new Client({ engine }), expected: DEFAULT },
  'by options': { make: engine => new Client({ engine, ...OTHER }), expected: OTHER },
  'by fields': { make: engine => new Fields({ engine }), expected: OTHER },
  'before it connects': {
    make: engine => Object.assign(new Client({ engine }), OTHER),
    expected: OTHER,
  },
  'off, and on again': {
    make: engine => Object.assign(Object.assign(new Client({ engine }), OTHER), DEFAULT),
    expected: DEFAULT,
  },
}

/** A server, and the ends of its connections. */
async function listen(
  t: Test,
  engine: Engine,
  host: string,
  tls?: TlsOptions,
): Promise<{ server: Server; address: SocketAddress }> {
  const server = new Server(Connection, { engine, ...(tls && { tls }) })
  await server.listen([host, 0]).opened
  t.teardown(() => server.close())
  return { server, address: [host, (server.local_address as [string, number])[1]] }
}

const endsOf = (server: Server): Stream[] =>
  [...server.channels].filter(({ connected }) => connected)

for (const [name, network] of Object.entries(NETWORKS)) {
  for (const [how, tls] of [
    ['in clear', undefined],
    ['tls', THEIRS],
  ] as const) {
    t.test(`${name}, ${how}`, async t => {
      const engine = new Engine({ network })
      // A name may have two addresses, and Node then makes another handle for each.
      for (const host of ['127.0.0.1', 'localhost']) {
        const { server, address } = await listen(t, engine, host, tls)
        const clients: Client[] = []
        for (const { make } of Object.values(CLIENTS)) {
          const client = make(engine)
          if (tls !== undefined) client.start_tls(OURS)
          await client.connect(address).opened
          clients.push(client)
        }
        const { length } = clients
        await until(() => endsOf(server).length === length)
        const expected = Object.values(CLIENTS).map(each => each.expected)
        t.same(optionsOf(...clients), expected, host)
        t.same(optionsOf(...endsOf(server)), Array(length).fill(DEFAULT), 'the other ends')
        for (const stream of [...clients, ...endsOf(server)]) Object.assign(stream, DEFAULT)
        for (const stream of clients) Object.assign(stream, OTHER)
        t.same(optionsOf(...clients), Array(length).fill(OTHER), 'at any time')
      }
      await engine.stop({ timeout: 1000 })
    })
  }

  t.test(`${name}, while it connects`, async t => {
    const engine = new Engine({ network })
    const { address } = await listen(t, engine, '127.0.0.1')
    const clients = [DEFAULT, OTHER].map(before => {
      const client = new Client({ engine, ...before }).connect(address)
      return Object.assign(client, before === DEFAULT ? OTHER : DEFAULT)
    })
    await Promise.all(clients.map(client => client.opened))
    t.same(optionsOf(...clients), [OTHER, DEFAULT])
    await engine.stop({ timeout: 1000 })
  })

  t.test(`${name}, message channels`, async t => {
    const engine = new Engine({ network })
    const context = new Context({ engine })
    for (const [parameter, expected] of [
      [';keepalive=no', DEFAULT],
      ['', { ...DEFAULT, keep_alive: 7_200_000 }],
      [';keepalive=30s;nodelay=no', { no_delay: false, keep_alive: 30_000 }],
    ] as const) {
      const server = context.init(`tcp://127.0.0.1:0;mode=server${parameter};frame=line`)
      server.open()
      await until(() => server.state === 'active')
      const listening = ([...engine.channels] as unknown as Server[]).find(each => each.listening)
      const port = (listening!.local_address as [string, number])[1]
      const client = context.init(`tcp://127.0.0.1:${port}${parameter};frame=line`)
      client.open()
      const streams = (): Stream[] =>
        ([...engine.channels] as Stream[]).filter(({ connected }) => connected)
      await until(() => streams().length === 2)
      t.same(optionsOf(...streams()), [expected, expected], parameter)
      client.close()
      server.close()
      await until(() => engine.channels.size === 0)
    }
    await engine.stop({ timeout: 1000 })
  })
}

// By time as well: with Nagle's algorithm the second write waits for an acknowledgement, which the
// peer's kernel delays by 40 ms. (Not the first ones of a connection, therefore several.)
t.test('a request in two writes is not delayed', { timeout: 30_000 }, async t => {
  for (const [name, network] of Object.entries(NETWORKS)) {
    const engine = new Engine({ network })
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      let count = 0
      socket.on('data', ({ length }) => {
        count += length
        while (count >= 2) {
          count -= 2
          socket.write('!')
        }
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const times: number[] = []
    const client = new Client({ engine })
    await client.connect(['127.0.0.1', (server.address() as { port: number }).port]).opened
    while (times.length < 15) {
      const answered = new Promise<void>(resolve => (client.on_read = () => resolve()))
      const since = performance.now()
      client.write('a', true)
      setImmediate(() => client.write('b', true))
      await answered
      times.push(performance.now() - since)
    }
    const least = Math.min(...times.slice(5))
    t.ok(least < 30, `${name}: ${least} ms`)
    server.close()
    await engine.stop({ timeout: 1000 })
  }
})
