/** The calls that hooks make: every call of a channel, with random arguments, right and wrong. */

import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { Channel } from '../../src/channels/channel.ts'
import { Datagram } from '../../src/channels/datagrams/datagram.ts'
import { Stream } from '../../src/channels/streams/stream.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import type { TlsOptions } from '../../src/transport.ts'
import type { Address } from '../../src/types.ts'
import { ROOT } from '../built.ts'
import { testCertificates } from '../certificates.ts'
import { garbage, pick, type Random } from './target.ts'
import type { Call, World } from './world.ts'

const SOME_FILE = `${ROOT}package.json`

/** Nobody listens there. */
const NOWHERE: readonly Address[] = [1, ['127.0.0.1', 9], '/nowhere/at/all']

const SETTINGS: Readonly<Record<string, readonly unknown[]>> = {
  read_delimiter: [
    null,
    '\n',
    1,
    5,
    300,
    /\r?\n/,
    new Struct('!H'),
    length_prefix({ size: 1 }),
    '',
  ],
  encoding: [null, 'utf8', 'latin1', 'hex', 'nonsense'],
  regex_search: [true, false],
  buffer_size: [1, 10, 1000, 65536, 0],
  send_high_water: [1, 100, 65536],
  send_buffer_size: [1, 1000, 1e7],
  backpressure: [true, false],
  no_delay: [true, false],
  keep_alive: [false, 1000],
  connect_timeout: [1, 1000, Infinity],
  handshake_timeout: [1, 1000],
  read_timeout: [1, 20, Infinity],
  write_timeout: [1, 20, Infinity],
  idle_timeout: [1, 20, Infinity],
  max_lifetime: [5, 50, Infinity],
  end_timeout: [1, 50, Infinity],
  max_connections: [0, 1, Infinity],
  max_connections_per_address: [1, 2, Infinity],
  backlog: [1, 100],
  max_senders: [1, 10],
  senders_buffer_size: [1, 1000],
  ttl: [null, 5, 999],
  tls: [undefined],
}

function data(random: Random): string | Buffer {
  const text = pick(random, ['', 'x', 'line\n', '3\nabc', 'é', '0a', 'many words '.repeat(30)])
  return random(2) === 0 ? text : garbage(random, random(pick(random, [5, 300, 70_000])))
}

/** Where somebody may be. */
function address({ random, channels }: World): Address {
  const known = channels
    .map(each => (each as Stream).local_address)
    .filter(each => each !== undefined)
  return random(4) === 0 || known.length === 0
    ? pick(random, NOWHERE)
    : (pick(random, known) as Address)
}

/** Options of TLS for either side. */
export function tlsOptions(channel: Channel): TlsOptions {
  const { ca, server } = testCertificates()
  return channel instanceof Client
    ? { ca: ca.cert, servername: 'localhost' }
    : { key: server.key, cert: server.cert }
}

/** A call for channels of one class only. */
function of<Of extends Channel>(
  Class: abstract new (...args: any[]) => Of,
  call: (world: World, channel: Of) => unknown,
): Call {
  return (world, channel) => channel instanceof Class && call(world, channel)
}

const close: Call = (world, channel) => {
  channel.close(world.random(2) === 0)
  world.stopped(channel)
}

const end: Call = (world, channel) => {
  channel.end()
  world.stopped(channel)
}

const set: Call = ({ random }, channel) => {
  const name = pick(random, Object.keys(SETTINGS))
  if (name in channel) Object.assign(channel, { [name]: pick(random, SETTINGS[name]!) })
}

const write = of(Stream, ({ random }, stream) => stream.write(data(random), random(4) === 0))

/** Those that are made most often stand here several times. */
export const CALLS: readonly Call[] = [
  close,
  end,
  set,
  set,
  set,
  (_world, channel) => channel.suspend(),
  (_world, channel) => channel.resume(),
  (_world, channel) => channel.resume(),
  ({ random, engine }, channel) =>
    void pick(random, [
      () => [channel.state, channel.suspended, channel.opened, channel.closed],
      () => (channel as Stream).remote_address,
      () => (channel as Stream).bytes_queued,
      () => engine.stats(),
    ])(),
  world => void world.engine.callback(() => world.act()),
  world => void world.engine.defer(1 + world.random(20), () => world.act()),
  write,
  write,
  write,
  of(Stream, (_world, stream) => stream.flush()),
  of(Stream, ({ random }, stream) =>
    stream.write_packed(
      pick<any>(random, [length_prefix({ size: 1 }), new NetStruct('B$')]),
      data(random),
    ),
  ),
  of(Stream, (_world, stream) => stream.write_packed(1)),
  of(Stream, ({ random }, stream) =>
    stream.write_file(pick(random, [SOME_FILE, '/nowhere']), random(100), random(3)),
  ),
  of(Client, (world, client) => world.mayOpen(client) && client.connect(address(world))),
  of(Client, (world, client) => world.mayOpen(client) && client.connect(address(world))),
  of(Client, ({ random }, client) => {
    if (random(4) === 0) client.connect('localhost')
  }),
  of(Client, (world, client) => {
    const { random } = world
    const gone = new AbortController()
    world.engine.defer(1 + random(3), () => gone.abort())
    if (world.mayOpen(client)) client.connect(address(world), { signal: gone.signal })
  }),
  of(Connection, (world, connection) => connection.write(data(world.random), true)),
  of(Server, (world, server) => world.mayOpen(server) && server.listen(listenAddress(world))),
  of(Server, (world, server) => {
    server.end({ batch: 1 + world.random(2), interval: 1 })
    world.stopped(server)
  }),
  of(Server, ({ random }, server) => {
    for (const each of server.channels) each.write(data(random))
  }),
  of(Server, ({ random }, server) =>
    server.broadcast(data(random), { except: [...server.channels].slice(random(3)) }),
  ),
  of(
    Datagram,
    (world, datagram) => world.mayOpen(datagram) && datagram.listen(listenAddress(world)),
  ),
  of(Datagram, (world, datagram) => world.mayOpen(datagram) && datagram.connect(address(world))),
  of(Datagram, (world, datagram) => sendTo(world, datagram)),
  of(Datagram, (world, datagram) => sendTo(world, datagram)),
  of(Datagram, (_world, datagram) => datagram.join('no group')),
]

/** Besides, if TLS is tried. */
export const TLS_CALLS: readonly Call[] = [
  of(Stream, (_world, stream) => stream.start_tls(tlsOptions(stream))),
  of(Server, (_world, server) => server.set_tls(tlsOptions(server))),
]

/** A write to a datagram that was never opened opens it. */
function sendTo(world: World, datagram: Datagram): void {
  const { random } = world
  if (!world.mayOpen(datagram) && datagram.state === 'closed') return
  datagram.write(data(random), random(3) === 0 ? undefined : address(world), random(4) === 0)
}

/** A port that the system chooses, or one that may be in use. */
export function listenAddress(world: World): Address {
  return world.random(3) === 0 ? address(world) : ['127.0.0.1', 0]
}
