/** Each typed command: the words that it sends, and what it makes of the reply. */

import t from 'tap'
import { quiet } from '../../../src/core/promises.ts'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { Reply } from '../../../src/protocols/redis/reply.ts'
import { Commands } from '../../../src/protocols/redis/typed-commands.ts'
import { turn } from '../../kit.ts'

/** Commands that keep what is sent, and get this reply. */
function commands(reply: unknown = 'OK'): { readonly redis: Commands; readonly sent: string[] } {
  const sent: string[] = []
  const redis = new Commands(words => {
    sent.push(words.join(' '))
    return Promise.resolve(reply as Reply)
  })
  return { redis, sent }
}

type Case = [call: (redis: Commands) => unknown, words: string, reply?: unknown, value?: unknown]

const entries = [['1-0', ['a', '1']]]
const shown = [{ id: '1-0', fields: { a: '1' } }]

const CASES: Case[] = [
  [redis => redis.call('OBJECT', 'HELP'), 'OBJECT HELP'],
  [redis => redis.get('a'), 'GET a'],
  [redis => redis.mget(['a', 'b']), 'MGET a b', ['1', null], ['1', null]],
  [redis => redis.mget('ab'), 'MGET ab', ['1'], ['1']],
  [redis => redis.set('a', 1), 'SET a 1'],
  [redis => redis.set('a', 1, { ex: 5, nx: true }), 'SET a 1 EX 5 NX', null, null],
  [redis => redis.set('a', 1, { px: 5, xx: true }), 'SET a 1 PX 5 XX'],
  [redis => redis.set('a', 1, { keepttl: true, nx: false }), 'SET a 1 KEEPTTL'],
  [redis => redis.setex('a', 5, 'b'), 'SETEX a 5 b'],
  [redis => redis.del('a'), 'DEL a', 1, 1],
  [redis => redis.del(['a', 'b']), 'DEL a b', 2, 2],
  [redis => redis.exists(['a', 'b']), 'EXISTS a b', 2, 2],
  [redis => redis.expire('a', 5), 'EXPIRE a 5', 1, true],
  [redis => redis.expire('a', 5), 'EXPIRE a 5', 0, false],
  [redis => redis.ttl('a'), 'TTL a', -1, -1],
  [redis => redis.incr('a'), 'INCRBY a 1', 1, 1],
  [redis => redis.incr('a', -5n), 'INCRBY a -5', 1, 1],
  [redis => redis.hset('h', { a: 1, b: 'x' }), 'HSET h a 1 b x', 2, 2],
  [redis => redis.hget('h', 'a'), 'HGET h a', '1', '1'],
  [redis => redis.hgetall('h'), 'HGETALL h', new Map([['a', '1']]), { a: '1' }],
  [redis => redis.hgetall('h'), 'HGETALL h', ['a', '1'], { a: '1' }],
  [redis => redis.hdel('h', ['a', 'b']), 'HDEL h a b', 2, 2],
  [redis => redis.lpush('l', ['a', 'b']), 'LPUSH l a b', 2, 2],
  [redis => redis.rpush('l', 'a'), 'RPUSH l a', 1, 1],
  [redis => redis.lrange('l', 0, -1), 'LRANGE l 0 -1', ['a'], ['a']],
  [redis => redis.blpop(['l', 'm'], 1), 'BLPOP l m 1', ['l', 'a'], { key: 'l', value: 'a' }],
  [redis => redis.blpop('l', 1), 'BLPOP l 1', null, null],
  [redis => redis.sadd('s', ['a', 'b']), 'SADD s a b', 2, 2],
  [redis => redis.srem('s', 'a'), 'SREM s a', 1, 1],
  [redis => redis.smembers('s'), 'SMEMBERS s', new Set(['a']), ['a']],
  [redis => redis.smembers('s'), 'SMEMBERS s', ['a'], ['a']],
  [redis => redis.xadd('x', { a: 1 }), 'XADD x * a 1', '1-0', '1-0'],
  [redis => redis.xadd('x', { a: 1 }, { id: '5-*', maxlen: 9 }), 'XADD x MAXLEN ~ 9 5-* a 1'],
  [redis => redis.xadd('x', { a: 1 }, { maxlen: 9, exact: true }), 'XADD x MAXLEN = 9 * a 1'],
  [redis => redis.xrange('x'), 'XRANGE x - +', entries, shown],
  [redis => redis.xrange('x', '1', '(2', 5), 'XRANGE x 1 (2 COUNT 5', entries, shown],
  [
    redis => redis.xread({ x: '0', y: '$' }),
    'XREAD STREAMS x y 0 $',
    [['x', entries]],
    { x: shown },
  ],
  [
    redis => redis.xread({ x: '0' }, { count: 5, block: 100 }),
    'XREAD COUNT 5 BLOCK 100 STREAMS x 0',
    null,
    {},
  ],
  [
    redis => redis.xreadgroup('g', 'c', { x: '>' }, { count: 5 }),
    'XREADGROUP GROUP g c COUNT 5 STREAMS x >',
    new Map([['x', entries]]),
    { x: shown },
  ],
  [redis => redis.xack('x', 'g', ['1-0', '2-0']), 'XACK x g 1-0 2-0', 2, 2],
  [
    redis => redis.xautoclaim('x', 'g', 'c', 1000),
    'XAUTOCLAIM x g c 1000 0-0',
    ['0-0', entries, []],
    { next: '0-0', entries: shown },
  ],
  [
    redis => redis.xautoclaim('x', 'g', 'c', 1000, '1-0', 5),
    'XAUTOCLAIM x g c 1000 1-0 COUNT 5',
    ['2-0', []],
    { next: '2-0', entries: [] },
  ],
  [redis => redis.publish('c', 'm'), 'PUBLISH c m', 1, 1],
  [redis => redis.spublish('c', 'm'), 'SPUBLISH c m', 1, 1],
  [redis => redis.eval('return 1'), 'EVAL return 1 0', 1, 1],
  [redis => redis.eval('x', ['k'], ['a', 1]), 'EVAL x 1 k a 1', 1, 1],
  [redis => redis.ping(), 'PING', 'PONG', 'PONG'],
]

t.test('words and values', async t => {
  for (const [call, words, reply = 'OK', value = reply] of CASES) {
    const { redis, sent } = commands(reply)
    t.same(await call(redis), value, words)
    t.same(sent, [words])
  }
})

t.test('invalid options', async t => {
  const { redis, sent } = commands()
  const invalid = { code: 'ERR_INVALID_ARGUMENT' }
  t.throws(() => redis.set('a', 1, { exx: 5 } as object), {
    ...invalid,
    message: /did you mean ex/,
  })
  t.throws(() => redis.hset('a', {}), { ...invalid, message: /^hset: fields must be an object/ })
  t.throws(() => redis.hset('a', null as unknown as object as Record<string, string>), invalid)
  t.throws(() => redis.xadd('a', 'x' as unknown as Record<string, string>), invalid)
  t.throws(() => redis.xadd('a', { a: 1 }, { maxlem: 1 } as object), invalid)
  t.throws(() => redis.xread({}), invalid)
  t.throws(() => redis.xread({ a: '0' }, { limit: 1 } as object), invalid)
  t.same(sent, [])
})

/** `del('a', 'b')`, as other clients have it, deleted one key; `mget('ab')` read a and b. */
t.test('several keys are one array', async t => {
  const { redis, sent } = commands()
  const loose = redis as unknown as Record<string, (...words: unknown[]) => unknown>
  for (const name of ['del', 'exists', 'mget'])
    t.throws(() => loose[name]!('a', 'b'), {
      code: 'ERR_INVALID_ARGUMENT',
      message: 'several keys, fields or values must be one array',
    })
  for (const name of ['hdel', 'lpush', 'rpush', 'sadd', 'srem'])
    t.throws(() => loose[name]!('a', 'b', 'c'), { code: 'ERR_INVALID_ARGUMENT' })
  t.same(sent, [])
})

/** A server was killed while BLPOP waited: the promise of its shaped reply ended the process. */
t.test('no rejection is unhandled, whatever the shape of the reply', async t => {
  const redis = new Commands(() => quiet(Promise.reject(new RedisError('ERR_CLOSED', 'lost'))))
  const all = CASES.map(([call]) => call(redis))
  await turn()
  for (const each of all) await t.rejects(each as Promise<unknown>, { code: 'ERR_CLOSED' })
})

t.test('a reply of a form that the command does not have', async t => {
  const { redis } = commands(5)
  for (const [promise, command] of [
    [redis.hgetall('a'), 'HGETALL'],
    [redis.smembers('a'), 'SMEMBERS'],
    [redis.xrange('a'), 'XRANGE'],
    [redis.xread({ a: '0' }), 'XREAD'],
    [redis.xautoclaim('a', 'g', 'c', 1), 'XAUTOCLAIM'],
  ] as [Promise<unknown>, string][])
    await t.rejects(promise, { name: 'RedisError', code: 'ERR_PROTOCOL', command })
})
