/** The relay by a real redis-server, which is killed, stopped and started again. */

import { once } from 'node:events'
import t, { type Test } from 'tap'
import { RedisRelay } from '../../../src/relay/redis/redis-relay.ts'
import { thrown, until } from '../../kit.ts'
import { RedisServer } from '../../redis-server.ts'
import { conformance, type Relays } from '../conformance.ts'
import { DelayedRelay } from '../delayed-relay.ts'
import { hear, KEEPING, other, code, relay, server, skip } from './kit.ts'

const AWAY = 'ERR_RELAY_UNAVAILABLE'

await t.test('what every relay promises, also if all is late', { skip }, async t => {
  const one = await server(t)
  let count = 0
  const make = (t: Test): Relays => {
    const prefix = `p${count++}`
    return { a: relay(t, one.url, { prefix }), b: relay(t, one.url, { prefix }) }
  }
  await conformance(t, 'redis', make)
  await conformance(t, 'redis, delayed', t => {
    const { a, b } = make(t)
    return { a: new DelayedRelay(a), b: new DelayedRelay(b) }
  })
})

/** Two programs that had chosen the same Redis had the same rooms, routers and groups. */
await t.test('several programs on one server, or in databases of it', { skip }, async t => {
  const redis = await server(t)
  const relays = [
    relay(t, redis.url),
    relay(t, redis.url, { prefix: 'shop' }),
    relay(t, `${redis.url}?db=1`),
  ]
  const heard: string[][] = []
  const seen: string[] = []
  for (const each of relays) {
    await each.opened
    heard.push(await hear(each))
    await each.watch('x', came => void seen.push(came.join()))
  }
  for (const [n, each] of relays.entries()) {
    t.equal((await each.read_after('x', 0)).last, 0)
    await each.append('x', `${n}`)
    await each.present('x', `member of ${n}`)
  }
  await until(() => heard.every(({ length }) => length > 0) && seen.length === 6)
  t.strictSame(heard, [['0!'], ['1!'], ['2!']])
  t.strictSame(seen, ['', '', '', 'member of 0', 'member of 1', 'member of 2'])
})

await t.test('a server that is killed, and comes back empty', { skip }, async t => {
  const redis = await server(t)
  const [a, b] = [relay(t, redis.url), relay(t, redis.url)]
  await Promise.all([a.opened, b.opened])
  const heard = await hear(b)
  const seq = await a.append('x', 'one')
  await until(() => heard.length === 1)
  const onTheirWay = Array.from({ length: 100 }, (_, index) => a.append('x', `lost ${index}`))
  await redis.kill()
  const settled = await Promise.allSettled(onTheirWay)
  for (const each of settled)
    if (each.status === 'rejected') t.match(each.reason, { code: 'ERR_RELAY_UNAVAILABLE' })
  await until(() => a.publish('x', 'nobody') === false)
  t.equal(await code(a.append('x', 'no')), AWAY, 'it is refused at once')
  // A read waits a little: `on_gap` may call it before the connection stands.
  const read = b.read_after('x', seq)
  const subscribed = b.subscribe('y', () => {})
  await redis.start()
  t.strictSame(await read, { entries: [], first: 1, last: 0 })
  await subscribed
  await until(() => heard.includes('gap'))
  await until(() => a.publish('x', 'two'))
  await until(() => heard.includes('two'))
  t.strictSame(heard.slice(-2), ['gap', 'two'], 'the gap is told before what comes after it')
  t.ok((await a.append('x', 'three')) > seq + 100, 'an old seq never names a new entry')
})

await t.test('a server that is killed, and has kept everything', { skip }, async t => {
  const redis = await server(t, ...KEEPING)
  const [a, b] = [relay(t, redis.url), relay(t, redis.url)]
  await Promise.all([a.opened, b.opened])
  const seq = await a.append('x', 'one')
  await redis.kill()
  await until(() => a.publish('x', '') === false)
  await redis.start()
  await until(() => a.publish('x', ''))
  t.equal(await a.append('x', 'two'), seq + 1)
  const { entries, first, last } = await b.read_after('x', 0)
  t.strictSame(
    [entries.map(({ bytes }) => String(bytes)), first, last],
    [['one', 'two'], seq, seq + 1],
  )
})

/** From an earlier snapshot the server would give the seqs of lost entries to others. */
await t.test('a server that comes back with an old snapshot', { skip }, async t => {
  const redis = await server(t)
  const a = relay(t, redis.url)
  await a.opened
  await a.append('x', 'one')
  const client = await redis.client(t)
  await client.call('SAVE')
  const lost = await a.append('x', 'two')
  await redis.kill()
  await until(() => a.publish('x', '') === false)
  await redis.start()
  await until(() => a.publish('x', ''))
  t.ok((await a.append('x', 'three')) > lost)
  t.equal((await a.read_after('x', lost)).entries.length, 1)
})

await t.test('two processes, one of which is killed', { skip }, async t => {
  const redis = await server(t)
  const a = relay(t, redis.url, { lease: 400, history: 100_000 })
  await a.opened
  const seqs: number[] = []
  const texts: string[] = []
  await a.subscribe('x', (bytes, seq) => {
    if (seq !== undefined) seqs.push(seq)
    texts.push(String(bytes))
  })
  const seen: string[] = []
  await a.watch('x', (came, went) => void seen.push(`+${came} -${went}`))
  const { child } = await other(t, redis.url)
  await until(() => texts.length > 200 && seen.includes('+other -'))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await until(() => seen.includes('+ -other'))
  t.strictSame(
    texts,
    texts.map((_, index) => String(index)),
    'in order, each once, none missing',
  )
  const { entries } = await a.read_after('x', 0, 100_000)
  t.strictSame(
    seqs,
    entries.map(({ seq }) => seq),
    'what was heard is what is stored',
  )
  t.ok(entries.length > 0)
})

t.test('wrong options', async t => {
  for (const make of [
    () => new RedisRelay('redis://localhost', { histroy: 1 } as object),
    () => new RedisRelay('redis://localhost', { history: 0 }),
    () => new RedisRelay('redis://localhost', { lease: 0.5 }),
    () => new RedisRelay('redis://localhost', { redis: { db: -1 } }),
  ])
    t.equal(thrown(make), 'ERR_INVALID_ARGUMENT')
  t.equal(
    thrown(() => new RedisRelay('http://localhost')),
    'ERR_INVALID_ADDRESS',
  )
})

await t.test('a server that refuses', { skip }, async t => {
  const redis = await server(t)
  const admin = await redis.client(t)
  await admin.call('ACL', 'SETUSER', 'me', 'on', '>secret', '~*', '+@all', 'resetchannels')
  const a = relay(t, redis.url.replace('://', '://me:secret@'))
  await a.opened
  const heard = (): void => {}
  t.equal(await code(a.subscribe('x', heard)), 'ERR_RELAY_REFUSED')
  t.equal(await code(a.append('x', '1')), 'ERR_RELAY_REFUSED')
  const wrong = relay(t, redis.url.replace('://', '://me:wrong@'))
  t.equal(await code(wrong.opened), 'ERR_RELAY_REFUSED')
  // Later, too: they said that the relay is closed, and `publish` returned false for ever.
  for (const call of [
    async () => wrong.publish('x', ''),
    () => wrong.append('x', ''),
    () => wrong.subscribe('x', heard),
    () => wrong.read_after('x', 0),
    () => wrong.present('x', 'ann'),
    () => wrong.watch('x', heard),
  ])
    await t.rejects(call() as Promise<void>, {
      code: 'ERR_RELAY_REFUSED',
      message: /WRONGPASS invalid/,
      cause: { code: 'WRONGPASS' },
    })
  await wrong.close()
  t.equal(wrong.publish('x', ''), false)
  t.equal(await code(wrong.append('x', '')), 'ERR_RELAY_CLOSED')
})

await t.test('closed before there is a server', { skip }, async t => {
  const away = new RedisServer()
  t.teardown(() => away.remove())
  const a = relay(t, away.url)
  t.equal(a.publish('x', ''), false)
  const calls = [a.opened, a.append('x', ''), a.read_after('x', 0), a.present('x', 'ann')]
  t.equal(await code(a.append('x', Buffer.alloc(2 ** 24))), AWAY)
  await a.close()
  for (const call of calls) t.equal(await code(call), 'ERR_RELAY_CLOSED')
  const there = await server(t)
  t.type(await relay(t, there.url).append('x', 'early'), 'number')
})
