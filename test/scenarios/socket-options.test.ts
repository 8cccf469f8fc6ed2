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
import { Datagram } from '../../src/channels/datagrams/datagram.ts'
import type { Stream } from '../../src/channels/streams/stream.ts'
import { Engine } from '../../src/engine.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { Context } from '../../src/messages/index.ts'
import type { TlsOptions } from '../../src/transport.ts'
import type { SocketAddress } from '../../src/types.ts'
import { testCertificates } from '../certificates.ts'
import { ifFast } from '../fast-network.ts'
import { until } from '../kit.ts'

/** Prints the options of each descriptor, an int each. */
const ASK = `
  my $count = shift;
  my @options = map { [split /,/] } @ARGV;
  for my $fd (3 .. 2 + $count) {
    open(my $socket, '+<&=', $fd) or die $!;
    print join(' ', map { unpack 'i', getsockopt $socket, $$_[0], $$_[1] } @options), "\\n";
  }`

/** On Linux: the level and the name. */
const SO_SNDBUF = '1,7'
const SO_RCVBUF = '1,8'
const SO_KEEPALIVE = '1,9'
const TCP_NODELAY = '6,1'
const TCP_KEEPIDLE = '6,4'
const TCP_KEEPINTVL = '6,5'
const TCP_KEEPCNT = '6,6'
const IPV6_V6ONLY = '41,26'

/** What the kernel has for each of these sockets. Perl is on every Debian. */
function ask(sockets: { readonly fileno: number | undefined }[], ...options: string[]): number[][] {
  const { stdout } = spawnSync('perl', ['-e', ASK, `${sockets.length}`, ...options], {
    stdio: ['ignore', 'pipe', 'inherit', ...sockets.map(({ fileno }) => fileno as number)],
    encoding: 'utf8',
  })
  return stdout
    .trim()
    .split('\n')
    .map(line => line.split(' ').map(Number))
}

interface Options {
  readonly no_delay: boolean
  readonly keep_alive: number | false
}

function optionsOf(...streams: Stream<any>[]): Options[] {
  return ask(streams, TCP_NODELAY, SO_KEEPALIVE, TCP_KEEPIDLE).map(
    ([noDelay, keepAlive, idle]) => ({
      no_delay: noDelay !== 0,
      keep_alive: keepAlive !== 0 && idle! * 1000,
    }),
  )
}

const DEFAULT: Options = { no_delay: true, keep_alive: false }
const OTHER: Options = { no_delay: false, keep_alive: 7000 }

const NETWORKS = {
  tcp: new NodeNetwork(),
  ...ifFast(network => ({ 'tcp, fast': network })),
}
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

/** After how long a silence, how often and how many times the kernel probes, in s. */
function probesOf(...streams: Stream<any>[]): number[][] {
  return ask(streams, SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT)
}

for (const [name, network] of Object.entries(NETWORKS)) {
  t.test(`${name}: the interval and the count of probes`, async t => {
    const engine = new Engine({ network })
    const { server, address } = await listen(t, engine, '127.0.0.1')
    const plain = new Client({ engine, keep_alive: { after: 7000 } })
    await plain.connect(address).opened
    const [libuvInterval, libuvCount] = [1, 10]
    t.same(probesOf(plain), [[1, 7, libuvInterval, libuvCount]])
    if (!network.has_keep_alive_probes) {
      // Node would ignore them without a word.
      const refused = { code: 'ERR_UNSUPPORTED_OPTION', message: /^keep_alive needs Node 24/ }
      t.throws(() => new Client({ engine, keep_alive: { after: 7000, interval: 3000 } }), refused)
      t.throws(() => (plain.keep_alive = { after: 8000, count: 4 }), refused)
      t.same([plain.keep_alive, probesOf(plain)], [{ after: 7000 }, [[1, 7, 1, 10]]])
    } else {
      const client = new Client({ engine, keep_alive: { after: 7000, interval: 3000, count: 4 } })
      await client.connect(address).opened
      await until(() => endsOf(server).length === 2)
      const ends = endsOf(server)
      for (const end of ends) end.keep_alive = { after: 9000, interval: 1 }
      t.same(probesOf(client, ...ends), [
        [1, 7, 3, 4],
        [1, 9, 1, 10],
        [1, 9, 1, 10],
      ])
      client.keep_alive = { after: 7000, count: 5 }
      t.same(probesOf(client), [[1, 7, 1, 5]])
      client.keep_alive = false
      t.equal(probesOf(client)[0]![0], 0)
    }
    await engine.stop({ timeout: 1000 })
  })
}

t.test('ipv6_only', async t => {
  const engine = new Engine()
  const servers: Server[] = []
  for (const ipv6_only of [true, false]) {
    const server = new Server(Connection, { engine }).listen(['::', 0], { ipv6_only })
    const isThere = await server.opened.then(
      () => true,
      () => false,
    )
    if (!isThere) return void t.pass('no IPv6', { skip: 'this machine has no IPv6' })
    servers.push(server)
  }
  const datagrams = [true, false].map(ipv6_only => new Datagram({ engine, ipv6_only }).listen(0))
  await Promise.all(datagrams.map(datagram => datagram.opened))
  t.same(ask([...servers, ...datagrams], IPV6_V6ONLY), [[1], [0], [1], [0]])
  await engine.stop({ timeout: 1000 })
})

t.test('the buffers of a packet socket', async t => {
  const engine = new Engine()
  const datagram = new Datagram({ engine, socket_recv_buffer_size: 20_000 })
  datagram.socket_send_buffer_size = 30_000
  await datagram.listen(['127.0.0.1', 0]).opened
  // Linux gives twice as much, for its own administration.
  t.same(ask([datagram], SO_RCVBUF, SO_SNDBUF), [[40_000, 60_000]])
  datagram.socket_recv_buffer_size = 50_000
  t.same(ask([datagram], SO_RCVBUF), [[100_000]])
  // It gives no more than net.core.rmem_max, and says nothing.
  const refused = { code: 'ERR_UNSUPPORTED_OPTION' }
  t.throws(() => (datagram.socket_recv_buffer_size = 2 ** 31 - 1), refused)
  datagram.close()
  const greedy = new Datagram({ engine, socket_send_buffer_size: 2 ** 31 - 1 })
  greedy.on_listen_error = () => {}
  await t.rejects(greedy.listen(['127.0.0.1', 0]).opened, refused)
  await engine.stop({ timeout: 1000 })
})

// By time as well: with Nagle's algorithm the second write waits for an acknowledgement, which the
// peer's kernel delays by 40 ms. (Not the first ones of a connection, therefore several.)
t.test('a request in two writes is not delayed', { timeout: 120_000 }, async t => {
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
