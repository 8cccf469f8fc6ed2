/** The connections of a client, one after the other: lost, found, moved, ended. */

import t from 'tap'
import { LIFE } from '../../../src/channels/life.ts'
import { fate, scene, turn } from '../../kit.ts'
import { INFO, join, listen, Watched } from './kit.ts'

scene(t, 'a lost connection: subscriptions go on, what is published waits', async (t, world) => {
  const { server, client } = await join(world)
  const got: string[] = []
  client.subscribe('a', ({ text }) => void got.push(text))
  const few = client.subscribe('b', () => {}, { max: 3 })
  const left = client.subscribe('c', { group: 'g' })
  left.unsubscribe()
  const request = client.request('d')
  await world.pump()
  server.last.message('b', 2)
  await world.pump()
  server.last.close()
  await world.pump()
  t.equal(await fate(request), 'rejected ERR_NATS_DISCONNECTED')
  t.equal(client.publish('e', 'x'), false)
  const later = client.request('f')
  const flushed = client.flush()
  client.subscribe('g')
  t.same([client.state, client.connected, few.received], ['active', false, 1])
  await world.advance(1000)
  const news = server.last.news.map(line => line.replace(/[\da-f]{22}/, 'ID'))
  t.same(news, [
    ...['SUB a 1', 'SUB b 2', 'UNSUB 2 2', 'SUB _INBOX.ID.* 4', 'SUB g 5'],
    ...['PUB e 1', 'x', 'PUB f _INBOX.ID.2 0', ''],
  ])
  t.equal(await fate(flushed), undefined)
  server.last.message('a', 1, 'again')
  await world.pump()
  t.same(got, ['again'])
  t.equal(await fate(later), 'open')
  t.same(client.news, ['connect', 'disconnect ERR_NATS_DISCONNECTED', 'connect'])
})

scene(t, 'several servers: each is tried once, then it fails', async (t, world) => {
  const server = await listen(world, 3)
  const client = new Watched({ engine: world.engine })
  t.equal(client[LIFE].describe(), 'Watched')
  client.connect('localhost:1,localhost:2,localhost:3')
  t.equal(client[LIFE].describe(), 'Watched localhost:1')
  await world.pump()
  t.same([client.news, client.connected], [['connect'], true])
  server.close()
  server.peers[0]!.close()
  await world.pump()
  await world.advance(1000)
  await world.advance(2000)
  await world.advance(4000)
  t.same(client.news.slice(1), [
    'disconnect ERR_NATS_DISCONNECTED',
    ...Array<string>(3).fill('disconnect ECONNREFUSED'),
  ])
  client.close()
  client.close()
  const other = new Watched({ engine: world.engine }).connect('localhost:1,localhost:2')
  await world.pump()
  t.same(other.news, ['connect_error ECONNREFUSED', 'close error'])
  t.equal(await fate(other.opened), 'rejected ECONNREFUSED')
})

scene(t, 'wait_for_first, and max_reconnects', async (t, world) => {
  const options = { engine: world.engine, wait_for_first: true }
  const client = new Watched(options).connect()
  await world.pump()
  t.same([client.news, client.state], [['disconnect ECONNREFUSED'], 'opening'])
  const early = client.publish('a', 'early')
  const server = await listen(world)
  await world.advance(1000)
  t.same([early, client.news[1], server.last.news], [false, 'connect', ['PUB a 5', 'early']])
  const bounded = new Watched({ ...options, max_reconnects: 2 }).connect('localhost:9')
  await world.pump()
  await world.advance(1000)
  t.same(bounded.news, [
    ...['disconnect ECONNREFUSED', 'disconnect ECONNREFUSED'],
    ...['connect_error ECONNREFUSED', 'close error'],
  ])
  const never = new Watched({ engine: world.engine, max_reconnects: 0 }).connect()
  await world.pump()
  const loop = never.subscribe('a')[Symbol.asyncIterator]().next()
  await world.pump()
  server.last.close()
  await world.pump()
  t.same(never.news, [
    ...[
      'connect',
      'disconnect ERR_NATS_DISCONNECTED',
      'error ERR_NATS_DISCONNECTED',
      'close error',
    ],
  ])
  t.equal(await fate(loop), 'rejected ERR_NATS_DISCONNECTED')
})

scene(t, 'a server that refuses the login twice is given up', async (t, world) => {
  const { server, client } = await join(world)
  server.isPonging = false
  const refuse = async (): Promise<void> => {
    const before = server.peers.length
    while (server.peers.length === before) await world.advance(100)
    server.last.say("-ERR 'Authorization Violation'")
    server.last.close(true)
    await world.pump()
  }
  server.last.close()
  await world.pump()
  await refuse()
  t.equal(client.state, 'active')
  await refuse()
  t.same(client.news.slice(2), [
    ...['disconnect ERR_NATS_AUTH', 'disconnect ERR_NATS_AUTH', 'error ERR_NATS_AUTH'],
    'close error',
  ])
  t.equal(await fate(client.flush()), 'rejected ERR_NATS_AUTH', 'and not only that it has closed')
})

scene(t, 'a lame duck: the client moves, and nothing comes twice', async (t, world) => {
  const { server, client } = await join(world)
  const other = await listen(world, 5)
  const got: string[] = []
  client.subscribe('a', ({ text }) => void got.push(text))
  await world.pump()
  const old = server.last
  old.news
  server.isPonging = false
  const duck = { ...INFO, ldm: true, connect_urls: ['localhost:5'] }
  old.say(`INFO ${JSON.stringify(duck)}`)
  await world.pump()
  t.same([old.news, other.last.news], [['UNSUB 1'], []])
  client.publish('b', 'waits')
  other.last.say(`INFO ${JSON.stringify(INFO)}`)
  old.message('a', 1, 'on its way')
  old.say(`INFO ${JSON.stringify(duck)}`)
  old.say('PONG')
  await world.pump()
  t.same([got, other.last.news, old.news], [['on its way'], ['SUB a 1', 'PUB b 5', 'waits'], []])
  t.equal(old.state, 'closed')
  t.same(client.news, ['connect', 'lame duck', 'connect'])
  server.isPonging = true
  const closing = new Watched({ engine: world.engine }).connect()
  await world.pump()
  server.isPonging = false
  server.last.say(`INFO ${JSON.stringify(duck)}`)
  await world.pump()
  closing.close()
  await world.pump()
  t.same(closing.news, ['connect', 'lame duck', 'close local'], 'in the middle of it')
})

scene(t, 'a lame duck that dies while the client moves', async (t, world) => {
  const { server, client } = await join(world)
  const other = await listen(world, 5)
  client.subscribe('a')
  server.isPonging = false
  const duck = { ...INFO, ldm: true, connect_urls: ['localhost:5'] }
  server.last.say(`INFO ${JSON.stringify(duck)}`)
  await world.pump()
  server.last.close()
  await world.pump()
  t.same(other.last.news, ['SUB a 1'])
  t.same(client.news, ['connect', 'lame duck', 'disconnect ERR_NATS_DISCONNECTED', 'connect'])
})

scene(
  t,
  'where a lame duck sends the client, nobody is; and then the way there dies',
  async (t, world) => {
    const { server, client } = await join(world)
    const got: string[] = []
    client.subscribe('a', ({ text }) => void got.push(text))
    const duck = { ...INFO, ldm: true, connect_urls: ['localhost:5'] }
    const old = server.last
    server.isPonging = false
    old.say(`INFO ${JSON.stringify(duck)}`)
    await world.pump()
    t.equal(client.connected, true)
    const other = await listen(world, 5)
    await world.advance(1000)
    t.equal(other.peers.length, 1)
    other.last.close()
    await world.pump()
    t.same(old.news, ['SUB a 1', 'UNSUB 1', 'SUB a 1'], 'it goes on where it was')
    old.say('PONG')
    old.message('a', 1, 'x')
    await world.pump()
    t.same([got, client.news], [['x'], ['connect', 'lame duck']])
    await world.advance(2000)
    old.close()
    await world.pump()
    await world.advance(4000)
    t.equal(client.connected, true)
  },
)

scene(t, 'a lame duck that dies while another server is tried', async (t, world) => {
  const { server, client } = await join(world)
  const other = await listen(world, 5)
  other.isPonging = false
  const duck = { ...INFO, ldm: true, connect_urls: ['localhost:5'] }
  server.last.say(`INFO ${JSON.stringify(duck)}`)
  await world.pump()
  server.last.close()
  await world.pump()
  t.equal(client.connected, false)
  other.last.say('PONG')
  await world.pump()
  t.same([client.connected, client.news.at(-1)], [true, 'connect'])
})

scene(t, 'draining', async (t, world) => {
  const { server, client } = await join(world)
  const got: string[] = []
  let release!: () => void
  client.subscribe('a', async ({ text }) => {
    got.push(text)
    await new Promise<void>(resolve => (release = resolve))
    client.publish('done', text)
  })
  const answer = client.request('q')
  await world.pump()
  const peer = server.last
  const reply = peer.news[2]!.split(' ')[2]!
  server.isPonging = false
  client.end()
  await world.pump()
  t.same(peer.news, ['UNSUB 1'])
  peer.message('a', 1, '1')
  peer.message('a', 1, '2')
  peer.say('PONG')
  await world.pump()
  release()
  await world.pump()
  t.same([got, client.state], [['1', '2'], 'closing'])
  release()
  await world.pump()
  t.same(peer.news, ['PUB done 1', '1', 'PUB done 1', '2'])
  peer.message(reply, 2, 'answer')
  await world.pump()
  t.equal((await answer).text, 'answer')
  t.equal(client.state, 'closing')
  peer.say('PONG')
  await world.pump()
  t.same(client.news, ['connect', 'close local'])
})

// A subscription that had had its last message was forgotten while messages waited in it: end()
// closed before its handler had got them, and close() left `closed` open for ever.
scene(t, 'the last message has come, and others wait before it', async (t, world) => {
  const { server, client } = await join(world)
  const got: string[] = []
  const releases: (() => void)[] = []
  const handler = ({ text }: { text: string }): Promise<void> => {
    got.push(text)
    return new Promise<void>(resolve => releases.push(resolve))
  }
  client.subscribe('a', handler, { max: 2 })
  await world.pump()
  server.last.message('a', 1, '1')
  server.last.message('a', 1, '2')
  await world.pump()
  client.end()
  await world.pump()
  releases.pop()!()
  await world.pump()
  t.same([got, client.state], [['1', '2'], 'closing'])
  releases.pop()!()
  await world.pump()
  t.equal(client.state, 'closed')
  const other = new Watched({ engine: world.engine }).connect()
  await world.pump()
  const unread = other.subscribe('b', { max: 1 })
  const alsoUnread = other.subscribe('c')
  await world.pump()
  server.last.message('b', 1)
  server.last.message('c', 2)
  await world.pump()
  server.last.close()
  await world.pump()
  await world.advance(1000)
  t.same(server.last.news, ['SUB c 2'], 'it is not restored')
  other.end()
  await world.pump()
  t.same([await fate(unread.closed), await fate(alsoUnread.closed)], [undefined, undefined])
  t.equal(other.news.at(-1), 'close local', 'nobody reads them: they are not waited for')
})

scene(t, 'draining takes end_timeout at the longest', async (t, world) => {
  const { server, client } = await join(world, { end_timeout: 100 })
  server.isPonging = false
  client.subscribe('a')
  client.end()
  await world.pump()
  t.equal(await fate(client.flush()), 'open')
  await world.advance(100)
  t.same(client.news, ['connect', 'close timeout'])
  server.isPonging = true
  const silent = new Watched({ engine: world.engine, end_timeout: 100 }).connect()
  await world.pump()
  server.isPonging = false
  silent.end()
  await world.advance(100)
  t.same(silent.news, ['connect', 'close timeout'])
  server.isPonging = true
  const lonely = new Watched({ engine: world.engine, end_timeout: Infinity }).connect()
  await world.pump()
  server.last.close()
  await world.pump()
  lonely.end()
  await world.pump()
  t.equal(lonely.news.at(-1), 'close local', 'without a connection and anything to send')
  const waiting = new Watched({ engine: world.engine }).connect()
  await world.pump()
  server.last.close()
  await world.pump()
  waiting.publish('a', 'last')
  const flushed = waiting.flush()
  waiting.end()
  await world.advance(1000)
  t.same([server.last.news, waiting.news.at(-1)], [['PUB a 4', 'last'], 'close local'])
  t.equal(await fate(flushed), undefined)
})

scene(t, 'a connection that is lost while the client drains', async (t, world) => {
  const { server, client } = await join(world)
  server.isPonging = false
  client.subscribe('a')
  client.publish('b', 'x')
  client.end()
  await world.pump()
  server.last.close()
  await world.pump()
  t.same(client.news, ['connect', 'disconnect ERR_NATS_DISCONNECTED', 'close local'])
  server.isPonging = true
  const other = new Watched({ engine: world.engine }).connect()
  await world.pump()
  const flush = other.flush()
  server.isPonging = false
  const never = other.flush()
  other.close()
  await world.pump()
  t.same([await fate(flush), await fate(never)], Array(2).fill('rejected ERR_NATS_DISCONNECTED'))
})

scene(t, 'closed in its hooks', async (t, world) => {
  const { server, client } = await join(world)
  client.on_disconnect = () => client.close()
  client.flush()
  await world.pump()
  server.last.close()
  await world.pump()
  t.same(client.news, ['connect', 'close local'])
  const second = new Watched({ engine: world.engine, wait_for_first: true })
  second.on_disconnect = () => second.close()
  second.connect(1)
  const waits = second.flush()
  await world.pump()
  t.same(second.news, ['close local'])
  t.equal(await fate(waits), 'rejected ERR_NATS_CLOSED')
  const third = new Watched({ engine: world.engine })
  third.on_lame_duck = () => third.close()
  third.connect()
  await world.pump()
  server.last.say(`INFO ${JSON.stringify({ ...INFO, ldm: true, connect_urls: ['localhost:5'] })}`)
  await world.pump()
  t.same(third.news, ['connect', 'close local'])
})

scene(t, 'hooks that return promises; suspending', async (t, world) => {
  const { server, client } = await join(world)
  client.on_connect = async () => {
    throw new Error('late')
  }
  server.last.close()
  await world.pump()
  await world.advance(1000)
  await turn()
  t.equal(client.news.at(-1), 'error late')
  const got: string[] = []
  client.subscribe('a', ({ text }) => void got.push(text))
  await world.pump()
  client.suspend()
  server.last.message('a', 1, 'x')
  await world.pump()
  t.same(got, [])
  client.resume()
  t.same(got, ['x'])
  t.equal(world.engine.stats().channels.messages.active, 1)
})

scene(
  t,
  'an engine that stops: the client drains, and does not connect again',
  async (t, world) => {
    const { server, client } = await join(world)
    const got: string[] = []
    client.subscribe('a', ({ text }) => void got.push(text))
    client.publish('b', 'last words')
    const away = new Watched({ engine: world.engine, wait_for_first: true }).connect('localhost:9')
    const lost = new Watched({ engine: world.engine }).connect()
    await world.pump()
    const peer = server.peers[0]!
    server.peers[1]!.close()
    await world.pump()
    peer.news
    lost.publish('a', 'waits')
    const keeps = new Watched({ engine: world.engine }).connect()
    keeps.on_close = () => {}
    const stopped = world.engine.stop({ timeout: 50_000 })
    await world.pump()
    await world.advance(40_000)
    await stopped
    t.equal(client.news.at(-1), 'close drain')
    t.same([away.news.at(-1), lost.news.at(-1)], ['close drain', 'close drain'])
  },
)

scene(t, 'what is refused, dropped or thrown is told, and everything goes on', async (t, world) => {
  const { server, client } = await join(world, { pending_size: 1, queue_size: 65_536 })
  client.subscribe('a')
  client.subscribe('b', () => {
    throw new Error('of a handler')
  })
  server.last.message('a', 1, 'x')
  server.last.message('b', 2, 'x')
  server.last.say('-ERR \'Permissions Violation for Subscription to "a"\'')
  server.last.say("-ERR 'Invalid Subject'")
  await world.pump()
  t.same(client.news, [
    ...['connect', 'slow a', 'error of a handler'],
    ...['error ERR_NATS_PERMISSION', 'error ERR_NATS_SERVER'],
  ])
  server.last.suspend()
  for (let i = 0; i < 200 && client.news.length < 6; i++) {
    client.publish('c', 'x'.repeat(60_000))
    await world.pump()
  }
  server.last.resume()
  await world.pump()
  t.same([client.news.slice(5), client.connected], [['error ERR_NATS_OVERFLOW'], true])
})

// What was published before the first connection was dropped.
scene(t, 'it ends before it is connected: what was published goes out first', async (t, world) => {
  const server = await listen(world)
  const client = new Watched({ engine: world.engine }).connect()
  client.publish('a', 'last')
  const answer = client.request('q')
  client.end()
  t.equal(client.state, 'closing')
  await world.pump()
  const peer = server.last
  const { news } = peer
  t.same(news.slice(1, 3), ['PUB a 4', 'last'])
  const [, , reply] = news[3]!.split(' ')
  peer.message(reply!, 1, 'answer')
  await world.pump()
  t.equal((await answer).text, 'answer')
  t.same(client.news, ['close local'])
  server.close()
  await world.pump()
  const lonely = new Watched({ engine: world.engine }).connect()
  lonely.publish('a', 'last')
  lonely.end()
  await world.pump()
  t.same(lonely.news, ['connect_error ECONNREFUSED', 'close error'], 'as without end()')
})

// It was told to on_error, whose default closed the client that had been opened again.
scene(t, 'a handler that rejects when its opening is over', async (t, world) => {
  const { server, client } = await join(world)
  let fail = (_: Error): void => {}
  client.subscribe('a', () => new Promise((_, reject) => (fail = reject)))
  await world.pump()
  server.last.message('a', 1)
  await world.pump()
  client.close()
  await world.pump()
  client.connect()
  fail(new Error('late'))
  await world.pump()
  t.same(client.news, ['connect', 'close local', 'connect'])
  t.match(world.logged, [/late/])
})
