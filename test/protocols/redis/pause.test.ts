import t from 'tap'
import { LIFE } from '../../../src/core/drive.ts'
import { Pause } from '../../../src/protocols/redis/pause.ts'
import { scene, type World } from '../../kit.ts'

function pause({ engine }: World, told: string[]): Pause {
  return new Pause(
    engine,
    100,
    () => told.push('over'),
    () => told.push('stopped'),
  )
}

scene(t, 'it is over after its time, unless it is cancelled', async (t, world) => {
  const told: string[] = []
  const one = pause(world, told)
  pause(world, told).cancel()
  t.equal(world.engine.channels.size, 1)
  await world.advance(100)
  await one.closed
  t.same(told, ['over'])
  t.equal(one[LIFE].gauge().bytes_held, 0)
})

scene(t, 'an engine that stops ends it', async (t, world) => {
  const told: string[] = []
  pause(world, told)
  await world.engine.stop()
  t.same(told, ['stopped'])
})
