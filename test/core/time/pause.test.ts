import t from 'tap'
import { DRIVE, LIFE } from '../../../src/core/drive.ts'
import { Pause, pause } from '../../../src/core/time/pause.ts'
import { scene, type World } from '../../kit.ts'

function start({ engine }: World, told: string[]): Pause {
  return new Pause(
    engine[DRIVE],
    100,
    () => told.push('over'),
    () => told.push('stopped'),
  )
}

scene(t, 'it is over after its time, unless it is cancelled', async (t, world) => {
  const told: string[] = []
  const one = start(world, told)
  start(world, told).cancel()
  t.equal(world.engine.channels.size, 1)
  t.equal(world.engine.stats().channels.streams.opening, 0, 'it is no connection')
  await world.advance(100)
  await one.closed
  t.same(told, ['over'])
  t.equal(one[LIFE].gauge(), undefined)
})

scene(t, 'an engine that stops ends it', async (t, world) => {
  const told: string[] = []
  start(world, told)
  const waits = pause(world.engine[DRIVE], 100)
  await world.engine.stop()
  t.same(told, ['stopped'])
  t.equal(await waits, false)
})

/**
 * A connection that ends because the engine stops is lost, and its owner waits before the next
 * attempt. That wait began too late for `stop` to see it, which looks once for what is open: it
 * went on, and the owner connected again in an engine that had stopped.
 */
scene(t, 'so does one that is stopping already; not inside the call', async (t, world) => {
  const told: string[] = []
  const drive = world.engine[DRIVE]
  drive.isStopping = true
  start(world, told)
  start(world, told).cancel()
  t.same(told, [])
  t.equal(await pause(drive, 0), false)
  t.same(told, ['stopped'])
  drive.isStopping = false
})

scene(t, 'as a promise', async (t, world) => {
  const waits = pause(world.engine[DRIVE], 100)
  await world.advance(100)
  t.equal(await waits, true)
})
