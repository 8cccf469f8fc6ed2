import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import {
  checkRedisOptions,
  type RedisOptions,
  targetOf,
} from '../../../src/protocols/redis/target.ts'

t.test('URLs', async t => {
  const cases: [url: string | URL, target: object][] = [
    ['redis://host', { address: ['host', 6379], db: 0, tls: undefined, password: undefined }],
    ['redis://host:7000/3', { address: ['host', 7000], db: 3 }],
    [new URL('redis://host:7000/'), { address: ['host', 7000], db: 0 }],
    ['rediss://host', { address: ['host', 6379], tls: {} }],
    ['redis://me:p%40ss@host', { username: 'me', password: 'p@ss' }],
    ['redis://:secret@host', { username: '', password: 'secret' }],
    ['redis://:100%25@host', { password: '100%' }],
    ['redis://:100%@host', { password: '100%' }],
    ['redis://[::1]:7000', { address: ['::1', 7000] }],
    ['redis+unix:///run/redis.sock', { address: { path: '/run/redis.sock' }, db: 0 }],
    ['redis+unix://me:p%40ss@/a.sock', { address: { path: '/a.sock' }, password: 'p@ss' }],
    ['redis+unix:///run/a%20b.sock?db=2', { address: { path: '/run/a b.sock' }, db: 2 }],
  ]
  for (const [url, target] of cases) t.match(targetOf(url, {}), target, String(url))
})

t.test('addresses, as of every client', async t => {
  for (const address of [6379, ['host', 1] as [string, number], '/run/redis.sock'])
    t.same(targetOf(address, {}).address, address)
})

t.test('what a URL says wins over the options, which win over the defaults', async t => {
  const some: RedisOptions = { db: 1, username: 'a', password: 'b', protocol: 2 }
  const options = { ...some, timeout: undefined } as unknown as RedisOptions
  t.match(targetOf('redis://host', options), {
    db: 1,
    username: 'a',
    password: 'b',
    protocol: 2,
    timeout: Infinity,
  })
  t.match(targetOf('redis://c:d@host/2', options), {
    db: 2,
    username: 'c',
    password: 'd',
  })
  t.match(targetOf('rediss://host', { tls: { ca: 'x' } }).tls, { ca: 'x' })
  t.match(targetOf(['host', 1], { tls: { ca: 'x' } }).tls, { ca: 'x' })
  const engine = new Engine()
  t.equal(targetOf(1, { engine }).engine, engine)
})

t.test('invalid addresses', async t => {
  const cases: [url: unknown, why: RegExp][] = [
    ['http://host', /begins with redis:/],
    ['redis://', /is redis:\/\/host:port\/db|must have a host/],
    ['redis://host:99999', /is redis:\/\/host:port\/db/],
    ['redis:///0', /must have a host/],
    ['redis://host/x', /must be a number/],
    ['redis://host/0#a', /fragment/],
    ['redis://host/?bd=1', /no parameter bd; there are none/],
    ['redis+unix:///a?bd=1', /no parameter bd; there are: db/],
    ['redis+unix://host/a', /follow redis\+unix/],
    ['redis+unix://', /follow redis\+unix/],
    // They were taken for the paths of sockets, which it looked for again and again.
    ['redis:/host', /must have a host/],
    ['rediss:host', /must have a host/],
    ['redis+unix:/a', /follow redis\+unix/],
    ['redis+unix:///a?db=x', /must be a number/],
    ['redis://a:b c', /is redis:/],
    ['localhost:6379', /looks like a port or host:port/],
    [undefined, /not an address/],
    [-1, /port/],
  ]
  for (const [url, message] of cases)
    t.throws(
      () => targetOf(url as string, {}),
      { code: 'ERR_INVALID_ADDRESS', message },
      String(url),
    )
  t.throws(() => targetOf('redis://host', { tls: {} }), { message: /begin with rediss:/ })
  t.throws(() => targetOf('redis://me:secret@host/x', {}), { message: /"redis:\/\/\*@host\/x"/ })
})

t.test('invalid options', async t => {
  const invalid: object[] = [
    { engine: {} },
    { username: 1 },
    { password: 1 },
    { db: -1 },
    { client_name: 1 },
    { client_name: 'a b' },
    { tls: 1 },
    { protocol: 1 },
    { timeout: 0 },
    { connect_timeout: '1s' },
    { waiting: 'some' },
    { limit: 0 },
    { reply_size: 0 },
    { blocking_connections: 0 },
    { reconnect: true },
    { reconnect: { fist: 1 } },
    { pasword: 'x' },
  ]
  for (const options of invalid)
    t.throws(
      () => checkRedisOptions(options),
      { code: 'ERR_INVALID_ARGUMENT' },
      JSON.stringify(options),
    )
  t.throws(() => checkRedisOptions({ pasword: 'x' } as RedisOptions), {
    message: /did you mean password\?/,
  })
  checkRedisOptions({
    engine: new Engine(),
    username: 'a',
    password: 'b',
    db: 1,
    client_name: 'c',
    tls: {},
    protocol: 3,
    timeout: 1,
    connect_timeout: 1,
    waiting: 'all',
    limit: 1,
    reply_size: 1,
    blocking_connections: 1,
    reconnect: false,
  })
  checkRedisOptions({ reconnect: { first: 1 } })
})
