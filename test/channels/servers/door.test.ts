/** The door of a server by itself: who comes in, who is turned away, who is counted. */

import { Buffer } from 'node:buffer'
import { BlockList } from 'node:net'
import t from 'tap'
import type { Accepted } from '../../../src/channels/servers/accepted.ts'
import { Door, type DoorOwner, type DoorValues } from '../../../src/channels/servers/door.ts'
import type { Transport, TransportSink } from '../../../src/transport.ts'
import type { SocketAddress } from '../../../src/types.ts'

class Peer {
  sink: TransportSink | undefined
  readonly remote_address: SocketAddress | undefined
  readonly fileno: number | undefined
  isDestroyed = false

  pause(): void {}
  resume(): void {}

  constructor(host: string, fileno?: number) {
    this.remote_address = host.startsWith('/') ? host : [host, 5]
    this.fileno = fileno
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

type Values = { -readonly [Name in keyof DoorValues]: DoorValues[Name] }

/** A door whose owner takes what comes, unless `take` is another. */
function make(limits: Partial<Values> = {}) {
  const values: Values = {
    max_connections: Infinity,
    max_connections_per_address: Infinity,
    block_list: null,
    backlog: 2,
    proxy_protocol: null,
    proxy_trusted: null,
    proxy_timeout: 1000,
    ...limits,
  }
  const log: string[] = []
  const inside = new Set<Peer>()
  const timers = new Set<{ delay: number; callback: () => void }>()
  const state = { suspended: false, take: (connection: Accepted) => take(connection) }
  const take = (connection: Accepted): void => {
    connection.take({ transport: connection.inner, abort: () => {} })
    door.take(connection)
    inside.add(connection.inner as unknown as Peer)
  }
  const offered: Accepted[] = []
  const host = (transport: Transport) => String(transport.remote_address).replace(',5', '')
  const owner: DoorOwner = {
    values,
    get isSuspended() {
      return state.suspended
    },
    channels: inside,
    lastFileno: 100,
    demand: undefined,
    offer: connection => {
      log.push(`offer ${host(connection)}`)
      offered.push(connection)
      state.take(connection)
    },
    turnedAway: (transport, reason) => log.push(`${reason} ${host(transport)}`),
    overloaded: () => log.push('overloaded'),
    hookFailed: error => log.push(`failed ${(error as Error).message}`),
    after: (delay, callback) => {
      const timer = { delay, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const door = new Door(owner)
  door.recount()
  const come = (...hosts: string[]): Peer[] =>
    hosts.map(each => {
      const peer = new Peer(each)
      door.accepted(peer as unknown as Transport)
      return peer
    })
  const leave = (peer: Peer): void => {
    inside.delete(peer)
    door.left(peer)
  }
  return { door, values, state, come, leave, inside, offered, timers, news: () => log.splice(0) }
}

t.test('max_connections is never exceeded, whether taken or not', async t => {
  const { state, come, leave, news, values } = make({ max_connections: 2 })
  const [first] = come('a')
  state.take = () => {}
  const [second] = come('b')
  come('c')
  for (const report of ['opened', 'ended', 'drained'] as const) second!.sink![report]()
  t.same(news(), ['offer a', 'offer b', 'max_connections c'])
  leave(first!)
  second!.sink!.closed()
  come('d', 'e', 'f')
  t.same(news(), ['offer d', 'offer e', 'max_connections f'])
  values.max_connections = 0
  come('g')
  t.same(news(), ['max_connections g'])
})

t.test('max_connections_per_address', async t => {
  const { state, values, door, come, leave, news } = make({ max_connections_per_address: 2 })
  const [first, , , other] = come('a', 'a', 'a', 'b', '/path', '/path', '/path')
  t.same(news(), [
    'offer a',
    'offer a',
    'per_address a',
    'offer b',
    'offer /path',
    'offer /path',
    'offer /path',
  ])
  leave(first!)
  leave(other!)
  state.take = () => {}
  const [kept] = come('a')
  come('a')
  t.same(news(), ['offer a', 'per_address a'])
  kept!.sink!.closed()
  kept!.sink!.closed()
  state.take = connection => void (connection.sink = {} as TransportSink)
  come('a', 'a')
  t.same(news(), ['offer a', 'offer a'], 'who is taken over by somebody else is not counted')
  values.max_connections_per_address = Infinity
  door.recount()
  state.take = () => {}
  come('a', 'a')
  values.max_connections_per_address = 3
  door.recount()
  come('a')
  t.same(
    news(),
    ['offer a', 'offer a', 'per_address a'],
    'those who were there before the limit count',
  )
})

t.test('block_list', async t => {
  const list = new BlockList()
  list.addSubnet('10.0.0.0', 8)
  list.addAddress('::1', 'ipv6')
  const { values, come, news } = make({ block_list: list })
  come('10.1.2.3', '11.1.2.3', '::1', '::2', '/path')
  t.same(news(), ['blocked 10.1.2.3', 'offer 11.1.2.3', 'blocked ::1', 'offer ::2', 'offer /path'])
  values.block_list = {
    check: () => {
      throw new Error('oops')
    },
  }
  come('11.1.2.3')
  t.same(news(), ['failed oops', 'blocked 11.1.2.3'])
})

t.test(
  'overload: near the limit of descriptors all are turned away, and the owner is told once',
  async t => {
    const { door, news } = make()
    for (const fileno of [98, 99, 100, 101, 99, 120, 5])
      door.accepted(new Peer('a', fileno) as unknown as Transport)
    t.same(news(), [
      'offer a',
      'offer a',
      'overloaded',
      'overload a',
      'overload a',
      'offer a',
      'overloaded',
      'overload a',
      'offer a',
    ])
  },
)

t.test('suspended: so many are held, and offered when it is over', async t => {
  const { door, state, come, news } = make()
  state.suspended = true
  const [first] = come('a', 'b', 'c')
  t.same(news(), ['overload c'])
  first!.sink!.closed()
  state.suspended = false
  state.take = () => (state.suspended = true)
  door.resumed()
  t.same(news(), ['offer b'])
  come('d')
  state.suspended = false
  state.take = () => {}
  door.resumed()
  t.same(news(), ['offer d'], "b was offered already, and is still nobody's")
  state.suspended = true
  come('e', 'f')
  state.suspended = false
  state.take = () => (state.suspended = true)
  door.resumed()
  door.resumed()
  t.same(news(), ['offer e'], 'the hook of one has suspended it again, and the other waits on')
})

t.test('shut closes what nobody has taken', async t => {
  const { door, state, come, inside, offered } = make()
  const [taken] = come('a')
  state.take = () => {}
  const [nobodys, foreign] = come('b', 'c')
  offered[2]!.sink = {} as TransportSink
  door.shut()
  t.same(
    [taken!.isDestroyed, nobodys!.isDestroyed, foreign!.isDestroyed, inside.size],
    [false, true, false, 1],
  )
})

const TRUSTED = { check: (host: string) => host === 'proxy' }
const from = (host: string): Buffer => Buffer.from(`PROXY TCP4 ${host} 5.6.7.8 9 10\r\n`)

t.test('proxies: the limits are those of the real peers', async t => {
  const { come, news, timers } = make({
    proxy_protocol: 'require',
    proxy_trusted: TRUSTED,
    max_connections_per_address: 1,
    block_list: { check: host => host === '6.6.6.6' },
  })
  const peers = come('proxy', 'proxy', 'proxy', 'proxy', 'stranger')
  t.same(news(), ['proxy_header stranger'])
  t.equal(timers.size, 4)
  peers[0]!.sink!.received(from('1.1.1.1'))
  peers[1]!.sink!.received(from('1.1.1.1'))
  peers[2]!.sink!.received(from('6.6.6.6'))
  peers[3]!.sink!.received(Buffer.from('GET / HTTP/1.1'))
  t.same(
    news().map(line => line.replace(/,\d+$/, '')),
    ['offer 1.1.1.1', 'per_address 1.1.1.1', 'blocked 6.6.6.6', 'proxy_header proxy'],
  )
  t.equal(timers.size, 0)
})

t.test('proxies: who waits for a header counts, and not for ever', async t => {
  const { door, come, news, timers, values } = make({
    proxy_protocol: 'require',
    proxy_trusted: TRUSTED,
    max_connections: 1,
  })
  const [slow] = come('proxy', 'proxy')
  t.same(news(), ['max_connections proxy'])
  for (const { callback } of timers) callback()
  t.same(news(), ['proxy_header proxy'])
  const [last] = come('proxy')
  door.shut()
  t.same([slow!.isDestroyed, last!.isDestroyed], [false, true])
  last!.sink!.closed()
  t.same(news(), [], 'nobody is told of one that the server itself has closed')
  Object.assign(values, { proxy_timeout: Infinity })
  come('proxy')
  t.equal(timers.size, 0)
})

t.test('proxies: optional', async t => {
  const { come, news } = make({ proxy_protocol: 'optional', proxy_trusted: TRUSTED })
  const [first, second] = come('proxy', 'proxy', 'stranger')
  first!.sink!.received(from('1.1.1.1'))
  second!.sink!.received(Buffer.from('hello'))
  t.same(
    news().map(line => line.replace(/,\d+$/, '')),
    ['offer stranger', 'offer 1.1.1.1', 'offer proxy'],
  )
  // It was taken for the first bytes of a connection of the proxy's own.
  const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0', 'latin1')
  for (const invalid of [Buffer.from('PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n'), signature])
    come('proxy')[0]!.sink!.received(invalid)
  t.same(news(), ['proxy_header proxy', 'proxy_header proxy'])
})

t.test('proxies: a list that throws trusts nobody', async t => {
  const { come, news } = make({
    proxy_protocol: 'require',
    proxy_trusted: {
      check: () => {
        throw new Error('oops')
      },
    },
  })
  come('proxy')
  t.same(news(), ['failed oops', 'proxy_header proxy'])
})

// A promise was taken for true, so whoever came was trusted; and its rejection ended the process.
t.test('proxies: a list whose check is async trusts nobody', async t => {
  for (const check of [async () => true, () => Promise.reject(new Error('oops'))]) {
    const proxy_trusted = { check: check as unknown as () => boolean }
    const { come, news } = make({ proxy_protocol: 'require', proxy_trusted })
    come('proxy')
    t.match(news(), [/^failed the result of check.* must be true or false/, 'proxy_header proxy'])
  }
})
