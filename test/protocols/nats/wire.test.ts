/** One connection to one server: the login, TLS, signs of life, and what goes wrong. */

import { inspect } from 'node:util'
import t from 'tap'
import { fate, scene, until } from '../../kit.ts'
import { tlsScene } from '../../tls-kit.ts'
import { FakeServer, INFO, join, listen, Peer, Watched } from './kit.ts'

const SEED = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'

scene(
  t,
  'the login: CONNECT and PING after INFO, and nothing before the PONG',
  async (t, world) => {
    const server = await listen(world)
    server.isPonging = false
    const client = new Watched({ engine: world.engine, name: 'nä' }).connect('me:pw@localhost')
    client.subscribe('a')
    client.publish('b', 'x')
    await world.pump()
    const { login, lines } = server.last
    t.same([login.length, login[1], lines], [2, 'PING', []])
    t.same(server.last.connect_fields, {
      verbose: false,
      pedantic: false,
      protocol: 1,
      headers: true,
      no_responders: true,
      echo: true,
      tls_required: false,
      lang: 'sluice',
      name: 'nÃ¤',
      user: 'me',
      pass: 'pw',
    })
    // It showed the password.
    t.match(inspect(world.engine), /Wire \{(?![^]*password)/)
    server.last.say('PONG')
    await world.pump()
    t.same([lines, client.news], [['SUB a 1', 'PUB b 1', 'x'], ['connect']])
  },
)

scene(t, 'what is queued is sent before it ends', async (t, world) => {
  const { server, client } = await join(world)
  client.publish('a', 'x')
  client.end()
  await world.pump()
  t.same(
    [server.last.news, client.news],
    [
      ['PUB a 1', 'x'],
      ['connect', 'close local'],
    ],
  )
})

scene(t, 'a token in a URL; a key', async (t, world) => {
  const server = await listen(world)
  new Watched({ engine: world.engine }).connect('nats://secret@localhost')
  await world.pump()
  t.equal(server.last.connect_fields.auth_token, 'secret')
  const client = new Watched({ engine: world.engine, nkey: SEED }).connect()
  await world.pump()
  t.same(client.news, ['connect_error ERR_NATS_AUTH', 'close error'], 'there is no nonce')
  server.info = { ...INFO, nonce: 'abc' }
  new Watched({ engine: world.engine, nkey: SEED }).connect()
  await world.pump()
  t.match(server.last.connect_fields, { nkey: /^U/, sig: /^.{86}$/ })
})

scene(t, 'a server that is slow, silent, or none', async (t, world) => {
  const server = await listen(world)
  server.isPonging = false
  const slow = new Watched({ engine: world.engine, connect_timeout: 50 }).connect()
  await world.pump()
  await world.advance(50)
  t.same(slow.news, ['connect_error ERR_NATS_TIMEOUT', 'close error'])
  server.info = undefined
  const patient = new Watched({ engine: world.engine, connect_timeout: Infinity }).connect()
  await world.pump()
  await world.advance(60_000)
  t.equal(patient.state, 'opening')
  const other = new Watched({ engine: world.engine }).connect()
  await world.pump()
  server.last.say(`INFO ${JSON.stringify(INFO)}`, 'PONG', 'XYZ')
  await world.pump()
  t.same(other.news, ['connect_error ERR_NATS_PROTOCOL', 'close error'], 'ready for no moment')
  server.peers.pop()
  server.last.say('HTTP/1.1 400 Bad Request')
  await world.pump()
  t.same(patient.news, ['connect_error ERR_NATS_PROTOCOL', 'close error'])
})

scene(t, 'what a server says when it refuses', async (t, world) => {
  const server = await listen(world)
  server.isPonging = false
  const client = new Watched({ engine: world.engine }).connect()
  await world.pump()
  server.last.say("-ERR 'Authorization Violation'")
  server.last.end()
  await world.pump()
  t.same(client.news, ['connect_error ERR_NATS_AUTH', 'close error'])
})

scene(t, 'permissions: the connection goes on, and that subscription ends', async (t, world) => {
  const { server, client } = await join(world)
  const no = client.subscribe('no.*', { group: 'g' })
  const yes = client.subscribe('yes')
  server.last.say(`-ERR 'Permissions Violation for Subscription to "no.*" using queue "g"'`)
  server.last.say(`-ERR 'Permissions Violation for Publish to "x"'`, "-ERR 'Invalid Subject'")
  server.last.say('+OK')
  await world.pump()
  await no.closed
  t.match(no.error, { code: 'ERR_NATS_PERMISSION' })
  t.equal(await fate(yes.closed), 'open')
  t.same(client.news.slice(1), [
    ...['error ERR_NATS_PERMISSION', 'error ERR_NATS_PERMISSION', 'error ERR_NATS_SERVER'],
  ])
  t.equal(client.connected, true)
})

// Only some words were known to leave the connection open. What was refused with others, such as a
// subscription too many, was told to nobody.
scene(
  t,
  'REGRESSION: every refusal is told, if the connection goes on or not',
  async (t, world) => {
    const { server, client } = await join(world)
    server.last.say("-ERR 'maximum subscriptions exceeded'")
    await world.pump()
    t.same(client.news, ['connect', 'error ERR_NATS_SERVER'])
    t.equal(client.connected, true)
    server.last.say("-ERR 'maximum subscriptions exceeded'", "-ERR 'Maximum Payload Violation'")
    server.last.end()
    await world.pump()
    t.same(client.news.slice(2), ['error ERR_NATS_SERVER', 'disconnect ERR_NATS_MAX_PAYLOAD'])
  },
)

scene(t, 'PING of the server; a PONG that nobody waits for', async (t, world) => {
  const { server, client } = await join(world)
  server.last.message('a', 1, 'x')
  server.last.say(`INFO ${JSON.stringify(INFO)}`)
  server.last.say('PING', 'ping')
  await world.pump()
  t.same(server.last.login.slice(2), ['PONG', 'PONG'])
  server.last.say('PONG')
  await world.pump()
  t.same(client.news, ['connect', 'disconnect ERR_NATS_PROTOCOL'])
})

scene(t, 'signs of life: a server that gives none is given up', async (t, world) => {
  const { server, client } = await join(world, { ping_interval: 100 })
  await world.advance(100)
  await world.advance(100)
  t.equal(server.last.login.length, 4)
  server.isPonging = false
  client.suspend()
  await world.advance(100)
  await world.advance(100)
  await world.advance(100)
  await world.advance(100)
  t.equal(client.connected, true, 'a silence of our own')
  client.resume()
  await world.advance(100)
  await world.advance(100)
  t.equal(client.connected, true)
  await world.advance(100)
  t.same(client.news, ['connect', 'disconnect ERR_NATS_STALE'])
  const never = new Watched({ engine: world.engine, ping_interval: Infinity })
  server.isPonging = true
  never.connect()
  await world.pump()
  await world.advance(1e6)
  t.equal(server.last.login.length, 2)
})

scene(t, 'flush: each PONG is for one PING', async (t, world) => {
  const { server, client } = await join(world)
  server.isPonging = false
  const [one, two] = [client.flush(), client.flush()]
  await world.pump()
  server.last.say('PONG')
  await world.pump()
  t.same([await fate(one), await fate(two)], [undefined, 'open'])
  server.last.close()
  await world.pump()
  t.equal(await fate(two), 'rejected ERR_NATS_DISCONNECTED')
})

scene(t, 'too much is queued: messages are dropped, lines end the connection', async (t, world) => {
  const { server, client } = await join(world, { queue_size: 65_536 })
  const text = 'x'.repeat(60_000)
  client.request('q')
  await world.pump()
  server.last.suspend()
  const took = (): boolean => client.publish('a', text)
  // Whatever the pipe takes goes out.
  for (let i = 0; i < 200 && client.news.length < 2; i++) {
    took()
    await world.pump()
  }
  t.same(client.news, ['connect', 'error ERR_NATS_OVERFLOW'])
  t.equal(took(), false)
  t.equal(await fate(client.request('a', text)), 'rejected ERR_NATS_OVERFLOW')
  t.equal(client.news.length, 2, 'told once')
  server.last.resume()
  await world.pump()
  t.equal(took(), true, 'there is room again')
  server.last.suspend()
  for (let i = 0; i < 200 && client.news.length < 3; i++) {
    took()
    await world.pump()
  }
  t.equal(client.news.length, 3, 'told again')
  await client.subscribe('b').drain()
  await world.pump()
  t.equal(client.news.at(-1), 'disconnect ERR_NATS_OVERFLOW')
  client.close()
})

scene(t, 'too much waits for a connection', async (t, world) => {
  const { server, client } = await join(world, { queue_size: 30 })
  server.last.close()
  await world.pump()
  client.publish('a', '1')
  client.publish('a', 'x'.repeat(30))
  client.publish('a', 'x'.repeat(30))
  t.same(client.news.slice(2), ['error ERR_NATS_OVERFLOW'])
  client.publish('a', '1234567')
  server.info = { ...INFO, max_payload: 5 }
  await world.advance(1000)
  t.same(server.last.news, ['PUB a 1', '1'])
  t.same(client.news.slice(3), ['error ERR_NATS_MAX_PAYLOAD', 'connect'])
  client.publish('a', '2')
  await world.pump()
  t.same(server.last.news, ['PUB a 1', '2'])
})

scene(t, 'an engine that holds too much', async (t, world) => {
  const { server, client } = await join(world)
  server.last.suspend()
  world.engine.buffer_limit = 100_000
  for (let i = 0; i < 10; i++) client.publish('a', 'x'.repeat(100_000))
  await world.pump()
  t.equal(client.news[1], 'disconnect ERR_OVERFLOW')
  client.close()
})

scene(t, 'garbage in the middle of a connection', async (t, world) => {
  const { server, client } = await join(world)
  server.last.say('MSG a 1 99999999999')
  await world.pump()
  t.same(client.news, ['connect', 'disconnect ERR_NATS_PROTOCOL'])
})

tlsScene(t, 'TLS, after INFO or from the first byte', async (t, { engine, CLIENT, SERVER }) => {
  class Secure extends Peer {
    override on_connect(): void {
      super.on_connect()
      this.start_tls(SERVER)
    }
  }
  const server = new FakeServer(Secure, { engine, name: 'secure' }).listen(4222)
  server.info = { ...INFO, tls_required: true }
  const first = new FakeServer(Peer, { engine, tls: SERVER }).listen(4223)
  await first.opened
  const news = async (servers: string, options: object): Promise<string> => {
    const client = new Watched({ engine, ...options }).connect(servers)
    await until(() => client.news.length > 0)
    client.close()
    await client.closed
    return client.news[0] as string
  }
  t.equal(await news('tls://localhost', { tls: CLIENT }), 'connect')
  t.equal(server.last.connect_fields.tls_required, true)
  t.equal(await news('localhost', { tls: CLIENT }), 'connect')
  t.match(await news('localhost', {}), /connect_error .*(CERT|ISSUER|SIGNATURE)/)
  server.info = { ...INFO, tls_available: true }
  t.match(await news('tls://localhost', {}), /connect_error .*(CERT|ISSUER|SIGNATURE)/)
  server.info = INFO
  t.equal(await news('localhost', { tls: CLIENT }), 'connect_error ERR_NATS_UNSUPPORTED')
  t.equal(await news('localhost:4223', { tls: CLIENT, tls_first: true }), 'connect')
  t.match(await news('localhost:4223', { tls_first: true }), /connect_error .*(CERT|ISSUER|SIGN)/)
})
