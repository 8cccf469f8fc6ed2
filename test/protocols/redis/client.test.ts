import { inspect } from 'node:util'
import t from 'tap'
import { RedisClient } from '../../../src/protocols/redis/client.ts'
import type { RedisError } from '../../../src/protocols/redis/errors.ts'
import { scene } from '../../kit.ts'
import { type Answer, blob, connected, list, serve, Told } from './kit.ts'

const answer: Answer = ([name]) => (name === 'GET' ? blob('x') : undefined)

scene(t, 'from connecting to closing', async (t, world) => {
  await serve(world, answer)
  const client = new Told({ engine: world.engine })
  t.equal(client.state, 'closed')
  t.equal(await client.closed, 'local')
  client.close()
  const ready = client.ready
  t.equal(client.connect(['localhost', 1]), client)
  t.equal(client.state, 'opening')
  t.throws(() => client.connect(1), { code: 'ERR_INVALID_STATE' })
  await world.pump()
  t.equal(await ready, client)
  t.ok(client.connected)
  const get = client.get('a')
  client.end()
  t.equal(client.state, 'closing')
  await world.pump()
  t.equal(await get, 'x')
  t.equal(await client.closed, 'local')
  t.same(client.told, ['connect', 'close local'])
  await t.rejects(client.ready, { code: 'ERR_CLOSED' })
  client.connect(1)
  await world.pump()
  t.equal(await client.ready, client)
  const disposed = client[Symbol.asyncDispose]()
  await world.pump()
  await disposed
  t.equal(client.state, 'closed')
})

scene(t, 'console.log', async (t, { engine, pump }) => {
  const client = new RedisClient({ engine })
  t.equal(inspect(client), "RedisClient { state: 'closed', address: undefined }")
  client.connect(1).close()
  t.match(inspect(client), /address: .*1/)
  await pump()
})

scene(t, 'the default address', async (t, { engine, pump }) => {
  const client = new Told({ engine, reconnect: false }).connect()
  await pump()
  t.same(client.told, ['disconnect ERR_CLOSED', 'close error'])
  t.throws(() => new RedisClient({ pasword: 'x' } as object), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new RedisClient().connect('http://x'), { code: 'ERR_INVALID_ADDRESS' })
})

scene(t, 'what is logged by default', async (t, world) => {
  const { engine, logged } = world
  const server = await serve(world, ([name, key]) =>
    /SUBSCRIBE$/.test(name!) ? list([name!.toLowerCase(), key!, 1], '>') : undefined,
  )
  const reconnect = { random: () => 1 }
  const client = new RedisClient({ engine, reconnect }).connect(['localhost', 1])
  await world.pump()
  const handlers = [
    () => {
      throw new Error('plain')
    },
    () => {
      throw Object.assign(new Error('with a code'), { code: 'E_CODE' })
    },
    () => Promise.reject('no error'),
  ]
  for (const handler of handlers) void client.subscribe('a', handler)
  await world.pump()
  server.peers[1]!.write(list(['message', 'a', 'x'], '>'))
  server.peers[0]!.write(list(['invalidate', 'x'], '>'))
  await world.pump()
  t.match(logged, [
    /^RedisClient localhost:1: Error: plain\n {4}at /,
    'RedisClient localhost:1: with a code (E_CODE)',
    'RedisClient localhost:1: a hook threw "no error": throw an Error instead (ERR_HOOK)',
  ])
  server.peers[0]!.close()
  await world.pump()
  t.equal(logged[3], 'RedisClient localhost:1: the server ended the connection (ERR_CLOSED)')
  client.close()
  await world.pump()
  const other = new RedisClient({ engine, reconnect: false }).connect(2)
  await world.pump()
  t.match(logged[4], /^RedisClient 2: /)
  t.equal(await other.closed, 'error')
})

scene(t, 'hooks that fail disturb nothing', async (t, world) => {
  const server = await serve(world, answer)
  class Failing extends RedisClient {
    readonly told: string[] = []
    override on_connect(): void {
      throw new Error('on_connect')
    }
    override async on_disconnect(_: RedisError): Promise<void> {
      throw new Error('on_disconnect')
    }
    override async on_push(): Promise<void> {
      throw new Error('on_push')
    }
    override on_error(error: Error): unknown {
      this.told.push(error.message)
      if (error.message === 'on_push') throw new Error('on_error')
      return error.message === 'on_connect' ? Promise.reject(new Error('later')) : undefined
    }
    override on_close(): void {
      throw new Error('on_close')
    }
  }
  const client = new Failing({ engine: world.engine }).connect(1)
  await world.pump()
  server.peers[0]!.write(list(['invalidate', 'x'], '>'))
  await world.pump()
  const get = client.get('a')
  await world.pump()
  t.equal(await get, 'x')
  server.peers[0]!.close()
  await world.pump()
  client.close()
  await world.pump()
  t.same(client.told, ['on_connect', 'on_push', 'on_disconnect', 'on_close'])
  t.match(world.logged, [/later/, /on_error/])
})

/** The promise of on_push held all replies: whoever awaited one in there waited for ever. */
scene(t, 'a promise of on_push holds the next one, and no reply', async (t, world) => {
  const server = await serve(world, answer)
  const client = await connected(world)
  const told: unknown[] = []
  let go = (): void => {}
  client.on_push = async (_, [key]) => {
    told.push(key, await client.get('a'))
    await new Promise<void>(resolve => (go = resolve))
  }
  const pushes = ['b', 'c'].map(key => list(['invalidate', key], '>'))
  server.peers[0]!.write(pushes.join(''))
  await world.pump()
  t.same(told, ['b', 'x'])
  const get = client.get('a')
  await world.pump()
  t.equal(await get, 'x')
  go()
  await world.pump()
  t.same(told, ['b', 'x', 'c', 'x'])
  client.close()
})

scene(t, 'while the engine stops it does not connect', async (t, world) => {
  const client = await connected(world)
  const stopped = world.engine.stop()
  const other = new RedisClient({ engine: world.engine })
  t.throws(() => other.connect(1), { code: 'ERR_INVALID_STATE' })
  await world.pump()
  await stopped
  t.same([client.state, other.state], ['closed', 'closed'])
})
