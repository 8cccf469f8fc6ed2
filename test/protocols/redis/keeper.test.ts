import t from 'tap'
import type { Command } from '../../../src/protocols/redis/command.ts'
import type { RedisError } from '../../../src/protocols/redis/errors.ts'
import { Keeper, type KeeperOwner } from '../../../src/protocols/redis/keeper.ts'
import type { Push } from '../../../src/protocols/redis/reply.ts'
import { scene } from '../../kit.ts'
import { list, serve, target } from './kit.ts'

class Owner implements KeeperOwner {
  readonly told: string[] = []
  opened(): void {
    this.told.push('opened')
  }
  pushed({ kind }: Push): void {
    this.told.push(`pushed ${kind}`)
  }
  lost({ code }: RedisError, sent: readonly Command[], isOver: boolean, reason: string): void {
    this.told.push(`lost ${code} ${sent.length} ${isOver} ${reason}`)
  }
}

scene(t, 'it connects again, until it is closed', async (t, world) => {
  const server = await serve(world)
  const owner = new Owner()
  const keeper = new Keeper(target(world), owner)
  keeper.open()
  await world.pump()
  t.ok(keeper.ready?.isReady)
  server.peers[0]!.write(list(['invalidate', 'x'], '>'))
  await world.pump()
  server.peers[0]!.close()
  await world.pump()
  t.equal(keeper.ready, undefined)
  await world.advance(99)
  t.equal(server.peers.length, 1)
  await world.advance(1)
  t.equal(server.peers.length, 2)
  const closed = keeper.close(true)
  await world.pump()
  await closed
  t.same(owner.told, [
    'opened',
    'pushed invalidate',
    'lost ERR_CLOSED 0 false remote',
    'opened',
    'lost ERR_CLOSED 0 true local',
  ])
})

scene(t, 'closed while it waits', async (t, world) => {
  const owner = new Owner()
  const keeper = new Keeper(target(world), owner)
  keeper.open()
  await world.pump()
  t.same(owner.told, ['lost ERR_CLOSED 0 false error'])
  await keeper.close(false)
  await world.advance(100_000)
  t.equal(owner.told.length, 1)
})

scene(
  t,
  'it does not connect again if that is off, refused, or the engine stops',
  async (t, world) => {
    const off = new Owner()
    new Keeper(target(world, { reconnect: false }), off).open()
    await world.pump()
    t.same(off.told, ['lost ERR_CLOSED 0 true error'])
    const server = await serve(world, ([name]) =>
      name === 'HELLO' ? '-WRONGPASS no\r\n' : undefined,
    )
    const refused = new Owner()
    new Keeper(target(world, { password: 'x' }), refused).open()
    await world.pump()
    t.same(refused.told, ['lost WRONGPASS 0 true error'])
    server.answer = () => undefined
    const stopped = new Owner()
    new Keeper(target(world), stopped).open()
    await world.pump()
    const stopping = world.engine.stop()
    await world.pump()
    await stopping
    t.same(stopped.told, ['opened', 'lost ERR_CLOSED 0 true drain'])
  },
)

scene(t, 'what is refused later is tried again', async (t, world) => {
  const server = await serve(world)
  const owner = new Owner()
  const keeper = new Keeper(target(world, { password: 'x' }), owner)
  keeper.open()
  await world.pump()
  server.answer = ([name]) => (name === 'HELLO' ? '-WRONGPASS no\r\n' : undefined)
  server.peers[0]!.close()
  await world.pump()
  await world.advance(100)
  t.same(owner.told.slice(1), ['lost ERR_CLOSED 0 false remote', 'lost WRONGPASS 0 false error'])
  await keeper.close(false)
})

/** The timers of an engine go with it: the client waited for ever, and so did its promises. */
scene(t, 'the engine stops while it waits', async (t, world) => {
  const owner = new Owner()
  const keeper = new Keeper(target(world), owner)
  keeper.open()
  await world.pump()
  await world.engine.stop()
  t.same(owner.told, ['lost ERR_CLOSED 0 false error', 'lost ERR_CLOSED 0 true drain'])
  await keeper.close(false)
})
