/**
 * NatsClient and a real nats-server, as Debian has it: what the server really does, and what
 * becomes of a client whose server is killed, stands still, restarts, or leaves.
 */

import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import t, { type Test } from 'tap'
import { codeOf } from '../../src/errors.ts'
import { Engine } from '../../src/index.ts'
import { publicKey, readSeed } from '../../src/protocols/nats/credentials.ts'
import {
  NatsClient,
  type NatsClientOptions,
  type NatsMessage,
} from '../../src/protocols/nats/index.ts'
import { testCertificates } from '../certificates.ts'
import { until } from '../kit.ts'
import { HAS_NATS, NatsServer } from '../protocols/nats/nats-server.ts'

const SEED = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'

class Watched extends NatsClient {
  readonly news: string[] = []
  override on_connect(): void {
    this.news.push('connect')
  }
  override on_disconnect(error: Error): void {
    this.news.push(`disconnect ${codeOf(error)}`)
  }
  override on_error(error: Error): void {
    this.news.push(`error ${codeOf(error)}`)
  }
  override on_lame_duck(): void {
    this.news.push('lame duck')
  }
}

interface Place {
  readonly server: NatsServer
  readonly engine: Engine
  client(options?: NatsClientOptions, servers?: string): Promise<Watched>
}

const FAST = { first: 10, longest: 50, lasting: 1 }

function place(
  title: string,
  config: string,
  body: (t: Test, place: Place) => Promise<void>,
): void {
  void t.test(title, { skip: !HAS_NATS && 'nats-server is not installed' }, async t => {
    const server = await NatsServer.start(config)
    const engine = new Engine({ log: message => t.comment(message) })
    t.teardown(() => server.stop())
    const client = (options: NatsClientOptions = {}, servers = server.url): Promise<Watched> =>
      new Watched({ engine, backoff: FAST, ...options }).connect(servers).opened
    await body(t, { server, engine, client })
    await engine.stop({ timeout: 100 })
    t.equal(engine.channels.size, 0)
  })
}

/** What a server answers to raw bytes, until it has said that. */
async function raw(server: NatsServer, bytes: string, last: RegExp): Promise<string> {
  const socket = dial(server.port, '127.0.0.1')
  let heard = ''
  socket.on('data', chunk => (heard += chunk))
  const closed = once(socket, 'close')
  socket.write(bytes)
  await Promise.race([until(() => last.test(heard)), closed])
  socket.destroy()
  return heard
}

place('what the server really says, and how it is read', '', async (t, { server, client }) => {
  // Verbs have no case, blanks and tabs are between words; a blank is in front of INFO's line end.
  const heard = await raw(
    server,
    'connect {"verbose":false}\r\nSub\ta\t 1\r\npUb a  2\r\nhi\r\n',
    /hi/,
  )
  t.match(heard, /^INFO \{.*\} \r\nMSG a 1 2\r\nhi\r\n$/)
  // `verbose` is true unless CONNECT says otherwise.
  t.match(await raw(server, 'CONNECT {}\r\nPING\r\n', /PONG/), /\+OK\r\nPONG/)
  const one = await client()
  t.same([one.server_info?.nonce, one.server_info?.jetstream], ['', true])
  // f* is a literal.
  const got: string[] = []
  const note = ({ subject, sid }: NatsMessage): void => void got.push(`${subject} ${sid}`)
  one.subscribe('f*', note)
  one.subscribe('ä.>', note)
  one.publish('foo')
  one.publish('f*')
  one.publish('ä.ö')
  await one.flush()
  t.same(got, ['f* 1', 'ä.ö 2'])
  // A client without headers gets the same message without its header.
  const plain = raw(server, 'CONNECT {"verbose":false}\r\nSUB h 1\r\nPING\r\n', /x\r\n/)
  const answer = one.subscribe('h', { max: 1 })
  await until(() => {
    one.publish('h', 'x', { headers: { A: '1' } })
    return answer.waiting > 0
  })
  for await (const message of answer) t.equal(message.header('A'), '1')
  const stop = setInterval(() => one.publish('h', 'x', { headers: { A: '1' } }), 1)
  t.match(await plain, /MSG h 1 1\r\nx\r\n/)
  clearInterval(stop)
})

place('requests: nobody, somebody, and a subscriber to everything', '', async (t, { client }) => {
  const [one, two] = [await client(), await client()]
  await t.rejects(one.request('q'), { code: 'ERR_NATS_NO_RESPONDERS' })
  // 503 comes only if nobody listens: a subscriber to > anywhere turns it into a timeout.
  const everything = two.subscribe('>')
  await two.flush()
  await t.rejects(one.request('q', '', { timeout: 50 }), { code: 'ERR_NATS_TIMEOUT' })
  everything.unsubscribe()
  two.subscribe('q', async message => {
    // A handler may await a request by its own connection.
    const inner = await two.request('inner', message.text)
    message.respond(`${inner.text}!`, { headers: { A: ['1', '2'] } })
  })
  two.subscribe('inner', message => message.respond(message.text.toUpperCase()))
  await two.flush()
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => one.request('q', `a${i}`)))
  t.same(
    all.map(({ text }) => text),
    Array.from({ length: 100 }, (_, i) => `A${i}!`),
  )
  t.same(all[0]!.headers.get('A'), ['1', '2'])
})

place('queue groups, UNSUB with a count, echo', '', async (t, { client }) => {
  const [one, two] = [await client(), await client({ echo: false })]
  let first = 0
  let second = 0
  one.subscribe('work', () => void first++, { group: 'g' })
  two.subscribe('work', () => void second++, { group: 'g' })
  await Promise.all([one.flush(), two.flush()])
  for (let i = 0; i < 100; i++) one.publish('work')
  await one.flush()
  await two.flush()
  await until(() => first + second >= 100)
  t.equal(first + second, 100)
  const few = one.subscribe('few', { max: 3 })
  for (let i = 0; i < 5; i++) one.publish('few', `${i}`)
  const texts: string[] = []
  for await (const { text } of few) texts.push(text)
  t.same(texts, ['0', '1', '2'])
  let own = 0
  two.subscribe('own', () => void own++)
  two.publish('own')
  await two.flush()
  t.equal(own, 0)
})

place(
  'max_payload: headers count, and nothing is sent',
  'max_payload: 100',
  async (t, { client }) => {
    const one = await client()
    const headers = { A: 'x'.repeat(20) }
    const size = 'NATS/1.0\r\nA: \r\n\r\n'.length + 20
    one.publish('a', 'x'.repeat(100))
    one.publish('a', 'x'.repeat(100 - size), { headers })
    t.throws(() => one.publish('a', 'x'.repeat(101)), { code: 'ERR_NATS_MAX_PAYLOAD' })
    t.throws(() => one.publish('a', 'x'.repeat(101 - size), { headers }), {
      code: 'ERR_NATS_MAX_PAYLOAD',
    })
    await one.flush()
    t.same(one.news, ['connect'])
  },
)

place(
  'permissions and passwords',
  `authorization { users = [
    { user: me, password: pw, permissions: { publish: "yes.>", subscribe: ["yes.>", "_INBOX.>"] } }
    { nkey: ${publicKey(readSeed('', SEED))} }
  ] }`,
  async (t, { server, client }) => {
    await t.rejects(client(), { code: 'ERR_NATS_AUTH' })
    await t.rejects(client({ user: 'me', password: 'no' }), { code: 'ERR_NATS_AUTH' })
    const one = await client({ user: 'me', password: 'pw' })
    const no = one.subscribe('no')
    one.publish('no')
    one.subscribe('yes.a')
    await one.flush()
    await no.closed
    t.match(no.error, { code: 'ERR_NATS_PERMISSION' })
    t.same(one.news, ['connect', 'error ERR_NATS_PERMISSION', 'error ERR_NATS_PERMISSION'])
    await client({}, server.url.replace('//', '//me:pw@'))
    const key = await client({ nkey: SEED })
    t.equal(key.connected, true)
    const other = createPrivateKey({
      key: Buffer.concat([
        Buffer.from('302e020100300506032b657004220420', 'hex'),
        Buffer.alloc(32),
      ]),
      format: 'der',
      type: 'pkcs8',
    })
    t.not(publicKey(other), publicKey(readSeed('', SEED)))
  },
)

place('a token', 'authorization { token: secret }', async (t, { server, client }) => {
  await client({ token: 'secret' })
  await client({}, server.url.replace('//', '//secret@'))
  await t.rejects(client({ token: 'wrong' }), { code: 'ERR_NATS_AUTH' })
})

const { server: identity, ca } = HAS_NATS ? testCertificates() : ({} as any)

place(
  'TLS after INFO',
  `tls { cert_file: "${identity?.certFile}", key_file: "${identity?.keyFile}" }`,
  async (t, { client, server }) => {
    const url = `tls://localhost:${server.port}`
    const one = await client({ tls: { ca: ca.cert } }, url)
    t.equal((await one.request('q').catch(error => error)).code, 'ERR_NATS_NO_RESPONDERS')
    await t.rejects(client({}, url), /certificate/)
  },
)

place('killed and started again: subscriptions go on', '', async (t, { server, client }) => {
  const [one, two] = [await client(), await client()]
  const got: string[] = []
  one.subscribe('a', ({ text }) => void got.push(text))
  await one.flush()
  two.publish('a', 'before')
  await until(() => got.length === 1)
  const answer = one.request('b', '', { timeout: 60_000 })
  two.subscribe('b', () => {})
  await server.kill()
  await until(() => !one.connected && !two.connected)
  t.match(await answer.catch(codeOf), /ERR_NATS_(DISCONNECTED|NO_RESPONDERS)/)
  // Nobody is subscribed any more when these come, unless `one` is back before them.
  for (let i = 0; i < 3; i++) one.publish('a', `waits ${i}`)
  await server.start()
  await Promise.all([one.flush(), two.flush()])
  two.publish('a', 'after')
  await until(() => got.includes('after'))
  t.same(got, ['before', 'waits 0', 'waits 1', 'waits 2', 'after'])
})

place('a server that stands still is noticed', '', async (t, { server, client }) => {
  const one = await client({ ping_interval: 30, connect_timeout: 50 })
  server.signal('SIGSTOP')
  await until(() => one.news.includes('disconnect ERR_NATS_STALE'))
  server.signal('SIGCONT')
  await until(() => one.connected)
  await one.flush()
  t.pass('it goes on')
})

place(
  'lame duck: the client moves to another server',
  'lame_duck_duration: "30s"',
  async (t, { server, client }) => {
    const second = await NatsServer.start()
    t.teardown(() => second.stop())
    const one = await client({}, `${server.url},${second.url}`)
    const got: string[] = []
    one.subscribe('a', ({ text }) => void got.push(text))
    await one.flush()
    server.signal('SIGUSR2')
    await until(() => one.news.filter(each => each === 'connect').length === 2)
    t.same(one.news, ['connect', 'lame duck', 'connect'])
    one.publish('a', 'here')
    await until(() => got.length === 1)
    const other = await client({}, second.url)
    other.publish('a', 'there')
    await until(() => got.length === 2)
  },
)

place('draining by an engine that stops', '', async (t, { client, server }) => {
  const one = await client()
  const engine = new Engine()
  const two = await new Watched({ engine }).connect(server.url).opened
  const got: string[] = []
  two.subscribe('a', async ({ text }) => {
    await Promise.resolve()
    got.push(text)
    two.publish('b', text)
  })
  const back = one.subscribe('b')
  await Promise.all([one.flush(), two.flush()])
  for (let i = 0; i < 100; i++) one.publish('a', `${i}`)
  await one.flush()
  await engine.stop()
  await one.flush()
  t.same([got.length, back.waiting, two.news], [100, 100, ['connect']])
})

place(
  'a slow consumer is cut off by the server',
  'max_payload: 65536\nmax_pending: 65536\nwrite_deadline: "100ms"',
  async (t, { client }) => {
    const [one, two] = [await client(), await client()]
    one.subscribe('a', () => {})
    await one.flush()
    one.suspend()
    const data = Buffer.alloc(65_536)
    for (let i = 0; i < 200 && one.connected; i++) {
      for (let j = 0; j < 10; j++) two.publish('a', data)
      await two.flush()
    }
    one.resume()
    await until(() => one.news.length > 1)
    t.match(one.news[1], /^disconnect (ERR_NATS_SLOW|ERR_NATS_DISCONNECTED|ECONNRESET|EPIPE)$/)
    await until(() => one.connected)
  },
)
