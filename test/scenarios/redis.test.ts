/**
 * The client of Redis against a real redis-server: what the server does that one would not expect,
 * and what becomes of commands and messages when it is killed, stopped and started again.
 */

import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { RedisClient, RedisError, type RedisOptions } from '../../src/protocols/redis/index.ts'
import { testCertificates } from '../certificates.ts'
import { until } from '../kit.ts'
import { HAS_REDIS, RedisServer } from '../redis-server.ts'

/** Attempts to connect again come quickly, whoever else uses this machine. */
const reconnect = { first: 5, longest: 20 }

const skip = HAS_REDIS ? false : 'redis-server is not installed'

/** A subtest with a server of its own. */
function real(
  title: string,
  body: (t: Test, server: RedisServer) => Promise<void>,
  ...options: string[]
): void {
  void t.test(title, { skip }, async t => {
    const server = await new RedisServer(...options).start()
    t.teardown(() => server.remove())
    await body(t, server)
  })
}

/** A client of it, whose hooks are kept. */
class Told extends RedisClient {
  readonly told: string[] = []
  #next: (() => void)[] = []
  constructor(options: RedisOptions = {}) {
    super({ reconnect, ...options })
  }
  override on_connect(): void {
    this.#tell('connect')
  }
  override on_disconnect({ code }: RedisError): void {
    this.#tell(code)
  }
  override on_push(kind: string, data: readonly unknown[]): void {
    this.#tell(`${kind} ${String(data)}`)
  }
  #tell(what: string): void {
    this.told.push(what)
    for (const next of this.#next.splice(0)) next()
  }
  /** Waits until it was told that. */
  async until(what: string | RegExp, count = 1): Promise<void> {
    const isIt = (said: string): boolean =>
      typeof what === 'string' ? said === what : what.test(said)
    while (this.told.filter(isIt).length < count)
      await new Promise<void>(resolve => this.#next.push(resolve))
  }
}

async function open(t: Test, server: RedisServer, options: RedisOptions = {}): Promise<Told> {
  const client = new Told(options).connect(server.url)
  t.teardown(() => {
    client.close()
    return client.closed
  })
  return client.ready as Promise<Told>
}

/** A list that can be waited for. */
class Got {
  readonly all: unknown[] = []
  #next: (() => void)[] = []
  readonly add = (value: unknown): void => {
    this.all.push(value)
    for (const next of this.#next.splice(0)) next()
  }
  async until(count: number): Promise<unknown[]> {
    while (this.all.length < count) await new Promise<void>(resolve => this.#next.push(resolve))
    return this.all
  }
}

/** A subscriber heard nothing for ever, and whatever was sent waited for ever. */
real('a server that stands still, and goes on', async (t, server) => {
  for (const protocol of [3, 2] as const) {
    const clock = new ManualClock()
    const redis = await open(t, server, { engine: new Engine({ clock }), protocol })
    const got = new Got()
    let gaps = 0
    await redis.subscribe('news', got.add, { on_gap: () => gaps++ })
    const waits = redis.blpop('nothing', 0)
    await until(async () => /blocked_clients:1/.test(await redis.call('INFO', 'clients')))
    for (let i = 1; i < 4; i++) {
      clock.advance(40_000)
      await redis.publish('news', String(i))
      await got.until(i)
    }
    t.same(redis.told, ['connect'], 'it answers, and what blocks is left alone')
    server.signal('SIGSTOP')
    clock.advance(40_000)
    clock.advance(40_000)
    await redis.until('ERR_STALE', 2)
    await t.rejects(waits, { code: 'ERR_STALE', command: 'BLPOP' })
    server.signal('SIGCONT')
    await until(() => {
      clock.advance(10)
      return gaps === 1 && redis.connected
    })
    await redis.publish('news', '4')
    t.same(await got.until(4), ['1', '2', '3', '4'])
    redis.close()
  }
})

real('replies in RESP3 and in RESP2', async (t, server) => {
  for (const protocol of [3, 2] as const) {
    const redis = await open(t, server, { protocol, db: protocol })
    t.equal(await redis.set('a', 'grün'), 'OK')
    t.same(await redis.with({ encoding: null }).get('a'), Buffer.from('grün'))
    t.equal(await redis.hset('h', { x: 1, y: 'z' }), 2)
    t.same(await redis.hgetall('h'), { x: '1', y: 'z' })
    t.same(await redis.hgetall('none'), {})
    t.equal(await redis.sadd('s', ['a', 'b']), 2)
    t.same((await redis.smembers('s')).sort(), ['a', 'b'])
    t.equal(await redis.incr('n'), 1)
    t.equal(await redis.incr('n', 2n ** 53n), 9007199254740993n)
    const id = await redis.xadd('x', { f: 'v' })
    // A map in RESP3, pairs in RESP2; the fields are a flat array in both. Nothing is null.
    t.same(await redis.xread({ x: '0' }), { x: [{ id, fields: { f: 'v' } }] })
    t.same(await redis.xread({ x: '$' }), {})
    await redis.call('XGROUP', 'CREATE', 'x', 'g', '0')
    t.same(await redis.xreadgroup('g', 'c', { x: '>' }), { x: [{ id, fields: { f: 'v' } }] })
    t.same(await redis.xautoclaim('x', 'g', 'd', 0), {
      next: '0-0',
      entries: [{ id, fields: { f: 'v' } }],
    })
    t.equal(await redis.xack('x', 'g', id), 1)
    // A verbatim string in RESP3.
    t.match(await redis.call('INFO', 'server'), /^# Server\r\n\w+_version:/)
    t.equal(await redis.call('ZADD', 'z', 1.5, 'm'), 1)
    t.equal(Number(await redis.call('ZSCORE', 'z', 'm')), 1.5)
    t.same(await redis.eval('return {KEYS[1], 1, {ok="fine"}, false}', ['k']), [
      'k',
      1,
      'fine',
      null,
    ])
    await t.rejects(redis.lpush('a', 'x'), { code: 'WRONGTYPE', command: 'LPUSH' })
    await t.rejects(redis.call('NONSENSE'), { code: 'ERR', message: /unknown command/ })
    // Words of commands that are large, and replies as well.
    const large = 'é'.repeat(300_000)
    await redis.set('large', large)
    t.ok((await redis.get('large')) === large)
    const results = await Promise.all(Array.from({ length: 5000 }, (_, i) => redis.call('ECHO', i)))
    t.ok(results.every((value, i) => value === String(i)))
  }
})

/** They change what the connection or the server is. */
// prettier-ignore
const LEFT_OUT = [
  'multi', 'shutdown', 'debug', 'failover', 'quit', 'reset', 'replicaof', 'slaveof', 'sync',
  'psync', 'save', 'bgsave', 'bgrewriteaof', 'monitor', 'replconf',
]

real('commands of all kinds, one after the other', async (t, server) => {
  const redis = await open(t, server)
  // Whatever it says, the next reply is that of the next command.
  const names = (await redis.call<string[]>('COMMAND', 'LIST')).filter(
    name => !LEFT_OUT.includes(name),
  )
  t.ok(names.length > 150)
  for (const name of names) await redis.call(name).catch(() => {})
  t.equal(await redis.call('ECHO', 'still here'), 'still here')
  t.equal(await redis.call('DEBUG', 'JMAP').catch(error => error.code), 'ERR')
})

real('transactions', async (t, server) => {
  const redis = await open(t, server)
  const transaction = redis.multi()
  const visits = transaction.incr('visits')
  void transaction.lpush('visits', 'x')
  void transaction.hgetall('none')
  const replies = await transaction.exec()
  t.match(replies, [1, { code: 'WRONGTYPE' }, new Map()])
  t.equal(await visits, 1)
  const wrong = redis.multi()
  void wrong.call('SET', 'one-word')
  await t.rejects(wrong.exec(), { code: 'EXECABORT' })
  await redis.call('WATCH', 'visits')
  await (await open(t, server)).incr('visits')
  const watched = redis.multi()
  void watched.incr('visits')
  await t.rejects(watched.exec(), { code: 'ERR_WATCHED' })
  t.equal(await redis.get('visits'), '2')
})

/**
 * Each name is confirmed by a push and nothing else, the same name twice; a message for a channel
 * and for two patterns comes three times; PUBLISH does not reach a shard channel of the same name.
 */
real('messages', async (t, server) => {
  for (const protocol of [3, 2] as const) {
    const redis = await open(t, server, { protocol })
    const got = new Got()
    await redis.subscribe('news', (...args) => got.add(args))
    await redis.subscribe('news', (...args) => got.add(args))
    await redis.psubscribe('n*', (...args) => got.add(args))
    await redis.psubscribe('*s', (...args) => got.add(args))
    await redis.with({ encoding: null }).ssubscribe('news', (...args) => got.add(args))
    t.equal(await redis.publish('news', 'hällo'), 3)
    t.equal(await redis.spublish('news', 'sharded'), 1)
    t.same((await got.until(5)).map(String).sort(), [
      'hällo,news,',
      'hällo,news,',
      'hällo,news,*s',
      'hällo,news,n*',
      'sharded,news,',
    ])
    // Commands are sent all the same.
    t.equal(await redis.ping(), 'PONG')
    await redis.unsubscribe('news')
    await redis.punsubscribe('n*')
    await redis.punsubscribe('*s')
    await redis.sunsubscribe('news')
    t.equal(await redis.publish('news', 'nobody'), 0)
    redis.close()
  }
})

/** The push comes before the reply of the command that caused it, also for one's own SET. */
real('tracking: pushes among replies', async (t, server) => {
  const redis = await open(t, server)
  await redis.call('CLIENT', 'TRACKING', 'ON')
  await redis.set('a', 1)
  await redis.get('a')
  t.equal(await redis.set('a', 2), 'OK')
  t.equal(await redis.get('a'), '2')
  await redis.call('FLUSHALL')
  await redis.until('invalidate ')
  t.same(redis.told, ['connect', 'invalidate a', 'invalidate '])
})

real('users, passwords, databases', async (t, server) => {
  const admin = await open(t, server)
  await admin.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '+@all', 'resetchannels')
  const url = server.url.replace('://', '://me:secret@')
  const redis = await new Told().connect(`${url}?db=2`).ready
  t.teardown(() => redis.close())
  t.equal(await redis.call('ACL', 'WHOAMI'), 'me')
  t.match(await redis.call('CLIENT', 'INFO'), / db=2 /)
  await t.rejects(
    redis.subscribe('a', () => {}),
    { code: 'NOPERM', command: 'SUBSCRIBE' },
  )
  // The default user has no password here: the server takes any from it.
  const wrong = new Told({ username: 'me', password: 'wrong' }).connect(server.url)
  await t.rejects(wrong.ready, { code: 'WRONGPASS' })
  t.equal(await wrong.closed, 'error')
  t.same(wrong.told, ['WRONGPASS'])
  const none = new Told({ db: 99 }).connect(server.url)
  await t.rejects(none.ready, { code: 'ERR', message: /DB index/ })
})

real('commands that block do not hold up the others', async (t, server) => {
  const redis = await open(t, server)
  const first = redis.blpop('list', 0)
  const second = redis.blpop(['list', 'other'], 0)
  const nothing = redis.blpop('none', 0.01)
  t.equal(await redis.ping(), 'PONG')
  t.equal(await nothing, null)
  await redis.rpush('list', ['a', 'b'])
  t.same((await Promise.all([first, second])).map(value => value?.value).sort(), ['a', 'b'])
  // A command whose time is over has gone from the server: it gets no element.
  await t.rejects(redis.with({ timeout: 1 }).blpop('list', 0), { code: 'ERR_TIMEOUT' })
  while (/ flags=b /.test(await redis.call('CLIENT', 'LIST'))) await redis.ping()
  await redis.rpush('list', 'c')
  t.same(await redis.lrange('list', 0, -1), ['c'])
})

/** `client-output-buffer-limit pubsub`: it is cut off with no error, anywhere. */
real(
  'a subscriber that is too slow is told that it was cut off',
  async (t, server) => {
    const slow = await open(t, server)
    const fast = await open(t, server)
    let go = (): void => {}
    const held = new Promise<void>(resolve => (go = resolve))
    await slow.subscribe('flood', () => held)
    const message = 'x'.repeat(100_000)
    let count = 0
    while ((await fast.publish('flood', message)) === 1) count++
    go()
    await slow.until(/^ERR_C/)
    t.ok(count > 1)
    t.match(slow.told[1], /^ERR_CUT_OFF$|^ERR_CLOSED$/)
    // Commands have another connection, and it is subscribed again.
    t.equal(await slow.ping(), 'PONG')
    while ((await fast.publish('flood', 'x')) === 0) await fast.ping()
  },
  '--client-output-buffer-limit',
  'pubsub 1mb 1mb 1',
)

real('killed, and started again', async (t, server) => {
  const redis = await open(t, server)
  const other = await open(t, server, { waiting: 'all' })
  const got = new Got()
  await redis.subscribe('news', got.add)
  const blocked = redis.blpop('list', 0)
  await redis.set('a', 1)
  // Many are on their way when it dies.
  const commands = Array.from({ length: 2000 }, (_, i) => redis.call('INCR', i % 10))
  const reads = Array.from({ length: 10 }, () => redis.get('none'))
  await server.kill()
  const settled = await Promise.allSettled([...commands, blocked])
  const codes = settled.flatMap(each => (each.status === 'rejected' ? [each.reason.code] : []))
  t.same(
    // The one that blocks may not have got its connection.
    codes.filter(code => !/^ERR_(CLOSED|DISCONNECTED)$/.test(code)),
    [],
  )
  await redis.until(/^ERR_/, 2)
  await other.until(/^ERR_/)
  await t.rejects(redis.set('a', 2), { code: 'ERR_DISCONNECTED' })
  const waits = other.set('b', 3)
  const read = redis.get('b')
  await server.start()
  t.equal(await waits, 'OK')
  t.ok([null, '3'].includes(await read))
  t.same(
    await Promise.all(reads),
    Array.from({ length: 10 }, () => null),
  )
  while ((await other.publish('news', 'again')) === 0) await other.ping()
  t.equal((await got.until(1))[0], 'again')
})

real('stopped, and going on: a timeout keeps the place of its command', async (t, server) => {
  const redis = await open(t, server)
  await redis.set('a', 'of a')
  server.signal('SIGSTOP')
  const late = redis.with({ timeout: 20 }).get('a')
  const next = redis.get('none')
  await t.rejects(late, { code: 'ERR_TIMEOUT', command: 'GET' })
  server.signal('SIGCONT')
  t.equal(await next, null)
})

real(
  'a stream is read on where it was, whatever happens to the server',
  async (t, server) => {
    const redis = await open(t, server)
    const writer = await open(t, server, { waiting: 'all' })
    const got = new Got()
    void (async () => {
      for await (const { fields } of redis.stream('s', { from: '0' })) got.add(fields.n)
    })().catch(() => {})
    for (let n = 0; n < 5; n++) await writer.xadd('s', { n })
    await got.until(5)
    await server.kill()
    await redis.until(/^ERR_/)
    await server.start()
    await writer.ready
    for (let n = 5; n < 10; n++) await writer.xadd('s', { n })
    t.same(
      await got.until(10),
      Array.from({ length: 10 }, (_, n) => String(n)),
    )
  },
  '--appendonly',
  'yes',
  '--appendfsync',
  'always',
)

/** `-LOADING` to a PING: a server that has just started is not ready yet. */
real('what was asked before the first connection waits for it', async (t, server) => {
  await server.kill()
  const redis = new Told().connect(server.url)
  t.teardown(() => redis.close())
  const set = redis.set('a', 1)
  await redis.until(/^ERR_/)
  await server.start()
  t.equal(await set, 'OK')
})

void t.test('TLS', { skip }, async t => {
  const { ca, server: identity } = testCertificates()
  const free = createServer().listen(0)
  await once(free, 'listening')
  const { port } = free.address() as { port: number }
  free.close()
  await once(free, 'close')
  const tls = ['--tls-port', String(port), '--tls-ca-cert-file', ca.certFile]
  const files = ['--tls-cert-file', identity.certFile, '--tls-key-file', identity.keyFile]
  const server = new RedisServer(...tls, ...files, '--tls-auth-clients', 'no')
  t.teardown(() => server.remove())
  await server.start()
  const redis = new Told({ tls: { ca: ca.cert } }).connect(`rediss://localhost:${port}`)
  t.equal(await (await redis.ready).ping(), 'PONG')
  redis.end()
  await redis.closed
  const stranger = new Told({ reconnect: false }).connect(`rediss://localhost:${port}`)
  await t.rejects(stranger.ready, { code: 'ERR_CLOSED', cause: { name: 'TlsHandshakeError' } })
})
