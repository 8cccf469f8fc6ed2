import t from 'tap'
import {
  bindAddress,
  inFamily,
  serverParams,
  streamParams,
} from '../../../src/messages/carriers/stream-params.ts'
import { fault, params } from '../kit.ts'

const options = (more: string, side: 'client' | 'server' = 'client') =>
  streamParams(params(`tcp://${more}`), side).options

t.test('defaults', async t => {
  const { frame, options, ofPeer } = streamParams(params('tcp://'), 'client')
  t.equal(frame.name, 'std')
  t.equal(ofPeer, ';frame=std')
  t.strictSame(options, {
    buffer_size: 65_536,
    send_high_water: 65_536,
    no_delay: true,
    keep_alive: 7_200_000,
  })
})

t.test('each parameter', async t => {
  t.match(
    streamParams(
      params('tcp://;frame=l4;buffer-size=1kb;tcp.send-buffer-size=2kb;nodelay=no'),
      'client',
    ),
    {
      frame: { name: 'size32' },
      options: { buffer_size: 1024, send_high_water: 2048, no_delay: false },
      ofPeer: ';frame=size32;buffer-size=1024b',
    },
  )
  t.match(options(';max-size=1mb'), { buffer_size: 2 ** 20 + 16 }, 'without its frame')
  t.match(options(';max-size=1kb;buffer-size=1mb'), { buffer_size: 2 ** 20 }, 'the larger')
  t.match(options(';keepalive=no'), { keep_alive: false })
  t.match(options(';keepalive=30s'), { keep_alive: 30_000 })
  t.match(options(';keepalive=1'), { keep_alive: 7_200_000 })
  t.match(options(';connect-timeout=5s;read-timeout=1s;write-timeout=no;idle-timeout=500ms'), {
    connect_timeout: 5000,
    read_timeout: 1000,
    write_timeout: Infinity,
    idle_timeout: 500,
  })
  t.strictSame(serverParams(params('tcp://;max-connections=5;per-address=no;backlog=7')), {
    max_connections: 5,
    max_connections_per_address: Infinity,
    backlog: 7,
    block_list: null,
  })
})

t.test('what is invalid', async t => {
  for (const [more, message] of [
    [';frame=big', 'frame must be one of std, l4m4s8, short'],
    [';buffer-size=15b', 'buffer-size must be a size of at least 16b'],
    [';keepalive=10ms', 'keepalive must be yes, no, or a duration of at least 1s; got "10ms"'],
    [';write-timeout=0s', 'write-timeout must be no, or a duration longer than 0; got "0s"'],
    [';idle-timeout=yes', 'idle-timeout must be no, or a duration longer than 0; got "yes"'],
  ] as const)
    t.match(
      fault(() => options(more)),
      message,
    )
  t.match(
    fault(() => serverParams(params('tcp://;per-address=0'))),
    'per-address must be a whole number of at least 1; got "0"',
  )
})

t.test('who is turned away; where a client connects from', async t => {
  t.equal(
    serverParams(params('tcp://;block=10.0.0.0/8')).block_list!.check('10.1.1.1', 'ipv4'),
    true,
  )
  t.match(
    fault(() => serverParams(params('tcp://;block=10.0.0.0/8,nowhere'))),
    'block must be addresses and networks, as 10.0.0.0/8,192.168.1.5,fd00::/8',
  )
  t.strictSame(
    ['', ';bind=127.0.0.1', ';bind=127.0.0.1:5', ';bind=::1'].map(more =>
      bindAddress(params(`tcp://${more}`)),
    ),
    // The last was the port 1 of a host ':'.
    [undefined, ['127.0.0.1', 0], ['127.0.0.1', 5], ['::1', 0]],
  )
  t.match(
    fault(() => bindAddress(params('tcp://;bind=/path'))),
    'bind must be a host, or host:port',
  )
  // They were found when it connected.
  for (const bind of ['x y', '[::1', '1.2.3.4:x'])
    t.match(
      fault(() => bindAddress(params(`tcp://;bind=${bind}`))),
      'bind must be a host, or host:port',
    )
})

t.test('the family of an address', async t => {
  const of = (family: string, address: string | [string, number]): unknown =>
    inFamily(
      params(`tcp://;af=${family}`),
      typeof address === 'string' ? { path: address } : address,
    )
  t.strictSame(
    [
      of('any', ['name', 1]),
      of('ipv4', ['', 1]),
      of('ipv6', ['', 1]),
      of('ipv4', ['localhost', 1]),
      of('ipv6', ['localhost', 1]),
      of('ipv4', ['1.2.3.4', 1]),
      of('ipv6', ['::5', 1]),
      of('unix', '/a'),
    ],
    [
      ['name', 1],
      ['0.0.0.0', 1],
      ['::', 1],
      ['127.0.0.1', 1],
      ['::1', 1],
      ['1.2.3.4', 1],
      ['::5', 1],
      { path: '/a' },
    ],
  )
  for (const [family, address] of [
    ['ipv4', ['::1', 1]],
    ['ipv6', ['1.2.3.4', 1]],
    ['ipv4', ['name', 1]],
    ['ipv4', '/a'],
    ['unix', ['1.2.3.4', 1]],
  ] as [string, string | [string, number]][])
    t.match(
      fault(() => of(family, address)),
      'af must be that of the address',
    )
})
