import t from 'tap'
import { RedisView } from '../../../src/protocols/redis/view.ts'
import { scene } from '../../kit.ts'
import { type Answer, blob, connected, list, outcome, serve } from './kit.ts'

const answer: Answer = ([name, key]) => {
  if (/SUBSCRIBE$/.test(name!)) return list([name!.toLowerCase(), key!, 1], '>')
  return name === 'GET' ? blob('é') : undefined
}

scene(t, 'with: text or bytes, and another timeout', async (t, world) => {
  const server = await serve(world, answer)
  const client = await connected(world)
  const bytes = client.with({ encoding: null })
  t.ok(bytes instanceof RedisView)
  const both = Promise.all([client.get('a'), bytes.get('a'), bytes.with({ timeout: 9 }).get('a')])
  await world.pump()
  t.same(await both, ['é', Buffer.from('é'), Buffer.from('é')])
  server.answer = () => undefined
  const late = outcome(client.with({ timeout: 10 }).get('a'))
  await world.advance(10)
  t.equal(late.value, 'ERR_TIMEOUT')
  const invalid = { code: 'ERR_INVALID_ARGUMENT' }
  t.throws(() => client.with({ timeout: 0 }), invalid)
  t.throws(() => client.with({ encoding: 'latin1' as 'utf8' }), invalid)
  t.throws(() => client.with({ timeuot: 1 } as object), { message: /did you mean timeout\?/ })
  client.close()
})

scene(t, 'transactions', async (t, world) => {
  const server = await serve(world, ([name]) =>
    name === 'MULTI' ? '+OK\r\n' : name === 'EXEC' ? list(['x']) : '+QUEUED\r\n',
  )
  server.answer = ([name], peer) =>
    peer.commands.length < 4
      ? undefined
      : name === 'MULTI'
        ? '+OK\r\n'
        : name === 'EXEC'
          ? list(['x'])
          : '+QUEUED\r\n'
  const client = await connected(world)
  const transaction = client.multi()
  const get = transaction.get('a')
  const replies = transaction.exec()
  await world.pump()
  t.same([await replies, await get], [['x'], 'x'])
  client.close()
})

scene(t, 'messages', async (t, world) => {
  const server = await serve(world, answer)
  const client = await connected(world)
  const got: unknown[] = []
  const handler = (...args: unknown[]): void => void got.push(args.length)
  const all = Promise.all([
    client.subscribe('a', handler),
    client.psubscribe('a*', handler),
    client.ssubscribe('a', handler),
  ])
  await world.pump()
  await all
  const ended = Promise.all([
    client.unsubscribe('a'),
    client.punsubscribe('a*', handler),
    client.sunsubscribe('a'),
  ])
  await world.pump()
  await ended
  t.same(server.peers[1]!.news, [
    'SUBSCRIBE a',
    'PSUBSCRIBE a*',
    'SSUBSCRIBE a',
    'UNSUBSCRIBE a',
    'PUNSUBSCRIBE a*',
    'SUNSUBSCRIBE a',
  ])
  const invalid = { code: 'ERR_INVALID_ARGUMENT' }
  t.throws(() => client.subscribe(1 as unknown as string, handler), invalid)
  t.throws(() => client.subscribe('a', 'x' as unknown as () => void), invalid)
  t.throws(() => client.subscribe('a', handler, { on_gap: 1 as unknown as () => void }), invalid)
  t.throws(() => client.subscribe('a', handler, { gap: 1 } as object), invalid)
  t.throws(() => client.unsubscribe(undefined as unknown as string), invalid)
  client.close()
})

scene(t, 'streams', async (t, world) => {
  await serve(world, ([name]) =>
    name === 'XREAD'
      ? `*1\r\n*2\r\n${blob('s')}*1\r\n*2\r\n${blob('1-0')}${list(['a', '1'])}`
      : undefined,
  )
  const client = await connected(world)
  const entries = client.stream('s', { from: '0' })
  const first = entries.next()
  await world.pump()
  t.same((await first).value, { id: '1-0', fields: { a: '1' } })
  await entries.return()
  client.close()
})
