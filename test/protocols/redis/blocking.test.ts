import t from 'tap'
import { Blocking } from '../../../src/protocols/redis/blocking.ts'
import { Command } from '../../../src/protocols/redis/command.ts'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { RedisOptions } from '../../../src/protocols/redis/target.ts'
import { scene, type World } from '../../kit.ts'
import { list, outcome, serve, target } from './kit.ts'

const CLOSED = new RedisError('ERR_CLOSED', 'the client was closed')

function make(world: World, options: RedisOptions = {}) {
  const blocking = new Blocking(target(world, options))
  const run = (key: string, timeout = Infinity): { value: unknown } => {
    const command = new Command(['BLPOP', key, 0])
    if (timeout !== Infinity) command.limit(world.engine, timeout, () => blocking.leave(command))
    blocking.run(command)
    return outcome(command.promise)
  }
  return { blocking, run }
}

scene(t, 'each command has a connection, and an idle one is used again', async (t, world) => {
  const server = await serve(world)
  const { blocking, run } = make(world)
  const both = [run('a'), run('b')]
  await world.pump()
  t.same(server.peers.map(({ news }) => news).sort(), [['BLPOP a 0'], ['BLPOP b 0']])
  for (const peer of server.peers) peer.write(list(['k', 'v']))
  await world.pump()
  t.same(
    both.map(({ value }) => value),
    [
      ['k', 'v'],
      ['k', 'v'],
    ],
  )
  run('c')
  await world.pump()
  t.equal(server.peers.length, 2)
  server.peers[0]!.write(list(['invalidate', 'x'], '>'))
  await world.pump()
  await closed(world, blocking)
})

async function closed(world: World, blocking: Blocking): Promise<void> {
  const closing = blocking.close(CLOSED)
  await world.pump()
  await closing
}

scene(t, 'more commands than connections wait for one', async (t, world) => {
  const server = await serve(world)
  const { blocking, run } = make(world, { blocking_connections: 1, limit: 2 })
  const first = run('a')
  const gone = run('b', 50)
  const third = run('c')
  const refused = run('d')
  await world.pump()
  t.equal(refused.value, 'ERR_OVERFLOW')
  await world.advance(50)
  t.equal(gone.value, 'ERR_TIMEOUT')
  // It had kept its place for ever, so that nobody else could wait.
  t.equal(run('d', 50).value, 'waits')
  await world.advance(50)
  server.peers[0]!.write(list(['a', 'v']))
  await world.pump()
  t.same(server.peers[0]!.news, ['BLPOP a 0', 'BLPOP c 0'])
  t.same([first.value, third.value], [['a', 'v'], 'waits'])
  // The connection is lost: whoever waits for one gets another.
  const fifth = run('e')
  server.peers[0]!.close()
  await world.pump()
  t.same([third.value, fifth.value, server.peers.length], ['ERR_CLOSED', 'waits', 2])
  const sixth = run('f')
  await closed(world, blocking)
  t.same([fifth.value, sixth.value], ['ERR_CLOSED', 'ERR_CLOSED'])
})

scene(t, 'a command whose time is over closes its connection', async (t, world) => {
  const server = await serve(world)
  const { blocking, run } = make(world)
  const other = run('b')
  const slow = run('a', 100)
  await world.pump()
  await world.advance(100)
  t.equal(slow.value, 'ERR_TIMEOUT')
  t.equal(other.value, 'waits')
  t.equal(server.channels.size, 1)
  await closed(world, blocking)
})

scene(t, 'an idle connection that is lost, or has the wrong database', async (t, world) => {
  const server = await serve(world, ([name]) => (name === 'BLPOP' ? list(['a', 'v']) : undefined))
  const { blocking, run } = make(world)
  run('a')
  await world.pump()
  server.peers[0]!.close()
  await world.pump()
  run('a')
  await world.pump()
  t.equal(server.peers.length, 2)
  blocking.retire()
  run('a')
  await world.pump()
  t.equal(server.peers.length, 3)
  await closed(world, blocking)
})

scene(t, 'nobody listens', async (t, world) => {
  const { run } = make(world)
  const lost = run('a')
  await world.pump()
  t.equal(lost.value, 'ERR_DISCONNECTED', 'it has not run')
  const server = await serve(world, () => '-ERR max number of clients reached\r\n')
  const refused = run('a')
  await world.pump()
  t.equal(refused.value, 'ERR')
  server.close()
})

/** It was used again, and took elements out of the database that was selected before. */
scene(t, 'another database is selected while it works', async (t, world) => {
  const server = await serve(world)
  const aim = target(world, { blocking_connections: 1 })
  const blocking = new Blocking(aim)
  const [first, second] = ['a', 'b'].map(key => {
    const command = new Command(['BLPOP', key, 0])
    blocking.run(command)
    return outcome(command.promise)
  })
  await world.pump()
  aim.db = 2
  server.peers[0]!.write(list(['a', 'v']))
  await world.pump()
  t.same(first!.value, ['a', 'v'])
  t.match(server.peers[1]!.commands, [['HELLO'], ['CLIENT'], ['SELECT', '2'], ['PING'], ['BLPOP']])
  aim.db = 3
  server.peers[1]!.write(list(['b', 'v']))
  await world.pump()
  t.same(second!.value, ['b', 'v'])
  t.equal(server.channels.size, 0)
  await closed(world, blocking)
})

scene(t, 'the engine stops: nobody is connected any more', async (t, world) => {
  await serve(world)
  const { run } = make(world, { blocking_connections: 1 })
  const all = ['a', 'b', 'c'].map(key => run(key))
  await world.pump()
  const stopped = world.engine.stop()
  await world.pump()
  await stopped
  t.same(
    all.map(({ value }) => value),
    ['ERR_CLOSED', 'ERR_DISCONNECTED', 'ERR_CLOSED'],
  )
})
