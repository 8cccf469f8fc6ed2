/** The scripts, each by itself, as a real redis-server runs them. */

import t from 'tap'
import { ABSENT, APPEND, MEMBERS, PRESENT, READ } from '../../../src/relay/redis/scripts.ts'
import { server, skip } from './kit.ts'

t.test('history', { skip }, async t => {
  const redis = await (await server(t)).client(t)
  const keys = ['topic', 'history']
  const append = async (run: string, text: string): Promise<number> =>
    Number(await redis.eval(APPEND, keys, [run, 'channel', text, 2, 1000, 2000]))
  const read = (run: string, from = '0-0'): Promise<unknown> =>
    redis.eval(READ, keys, [run, from, 10])
  t.same(await read('one'), ['0', 0, []])
  const first = await append('one', 'a')
  t.ok(Math.abs(first - Date.now() * 1000) < 60_000_000, 'the time of the server')
  t.equal(await append('one', 'b'), first + 1)
  t.equal(await append('one', 'c'), first + 2)
  t.equal(await append('one', 'd'), first + 3)
  const shown = (seq: number, text: string): unknown => [`${seq}-0`, ['bytes', text]]
  t.same(await read('one', `${first + 3}-0`), [String(first + 3), 2, [shown(first + 3, 'd')]])
  t.ok(Number(await redis.call('PTTL', 'history')) <= 1000)
  t.ok(Number(await redis.call('PTTL', 'topic')) > 1000)
  // The entries have expired: the seqs go on.
  await redis.del('history')
  t.same(await read('one'), [String(first + 3), 0, []])
  t.equal(await append('one', 'e'), first + 4)
  // Another run, and a clock that was set back.
  await redis.hset('topic', { last: '9000000000000000' })
  t.same(await read('two'), ['0', 0, []])
  t.equal(await append('two', 'f'), 9_000_000_000_000_001)
  t.same(await read('two'), ['9000000000000001', 1, [shown(9_000_000_000_000_001, 'f')]])
})

t.test('members', { skip }, async t => {
  const redis = await (await server(t)).client(t)
  const run = (script: string, ...args: (string | number)[]): Promise<unknown> =>
    redis.eval(script, ['members'], args)
  t.same(await run(MEMBERS), [])
  t.equal(await run(PRESENT, 'channel', 60_000, 'a', 'b'), 2)
  t.equal(await run(PRESENT, 'channel', 60_000, 'a'), 0)
  t.same(((await run(MEMBERS)) as string[]).sort(), ['a', 'b'])
  t.equal(await run(ABSENT, 'channel', 'a', 'c'), 1)
  await redis.call('ZADD', 'members', Date.now() - 1, 'ended')
  t.same(await run(MEMBERS), ['b'])
})
