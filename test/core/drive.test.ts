/** The inner half of an engine: what channels do with it, on a clock that stands. */

import t from 'tap'
import { Drive, LIFE, type Owned, type Publish } from '../../src/core/drive.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { nodeFiles, nodeThreads, nodeTls } from '../../src/io/node.ts'

function setUp(buffer_limit = Infinity) {
  const clock = new ManualClock()
  const network = new MemoryNetwork()
  const published: unknown[] = []
  const publish: Publish = (event, channel, details) => published.push([event, channel, details])
  const drive = new Drive({
    adopt: () => undefined as never,
    network,
    tls: nodeTls,
    files: nodeFiles,
    threads: nodeThreads,
    clock,
    buffer_limit,
    publish,
  })
  return { drive, clock, network, published }
}

function channel(): Owned {
  return {
    close: () => {},
    end: () => {},
    closed: Promise.resolve(),
    state: 'active',
    [LIFE]: {
      gauge: () => ({ kind: 'stream', bytes_read: 1, bytes_written: 2, bytes_held: 3 }),
    },
  }
}

t.test('its parts are those that it was given', async t => {
  const { drive, clock, network } = setUp(5)
  t.equal(drive.network, network)
  t.equal(drive.tls, nodeTls)
  t.equal(drive.files, nodeFiles)
  t.equal(drive.clock, clock)
  t.equal(drive.weights.limit, 5)
  t.equal(drive.isStopping, false)
  clock.advance(7)
  t.equal(drive.now, clock.now())
})

t.test('remembers the channels that are open, and counts what happens to them', async t => {
  const { drive, published } = setUp()
  const one = channel()
  drive.remember(one)
  t.same([...drive.channels], [one])
  drive.note('connect', one, { duration: 5 })
  t.same(published, [['connect', one, { duration: 5 }]])
  t.match(drive.stats(), {
    channels: { streams: { active: 1 } },
    connected: 1,
    bytes_read: 1,
    bytes_written: 2,
    bytes_held: 3,
    timers: 0,
  })
  drive.forget(one)
  t.equal(drive.channels.size, 0)
  t.match(drive.stats(), { channels: { streams: { active: 0 } }, bytes_held: 0 })
})

t.test('stats count the timers of the program, not what channels wait for', async t => {
  const { drive } = setUp()
  const cancel = drive.after(5, () => {})
  t.equal(drive.stats().timers, 0)
  drive.turns.add(() => {})
  drive.timers.add(5, 0, () => {})
  t.equal(drive.stats().timers, 2)
  cancel()
})

t.test('turns: once for each wake; alone is the only one that had the last turn', async t => {
  const { drive, clock } = setUp()
  const log: string[] = []
  const [one, other] = [{ turn: () => log.push('one') }, { turn: () => log.push('other') }]
  drive.wake(one)
  t.same(log, [], 'not at once')
  clock.advance(0)
  t.same(log, ['one'])
  t.same([drive.turns.isAlone(one), drive.turns.isAlone(other)], [true, false])
  drive.wake(other)
  t.equal(drive.turns.isAlone(one), false)
  clock.advance(0)
  t.same(log, ['one', 'other'])
})

t.test('weighs what channels hold, until they let go', async t => {
  const { drive } = setUp(100_000)
  const told: number[] = []
  const holder = {
    weight: 60_000,
    crowded: (limit: number): void => {
      told.push(limit)
      holder.weight = 0
    },
  }
  const other = { weight: 50_000, crowded: () => t.fail('the other holds more') }
  drive.weigh(holder)
  drive.letGo(holder)
  drive.weigh(other)
  t.same(told, [])
  drive.weigh(holder)
  t.same(told, [100_000])
})

t.test('time: one alarm of the clock for all that wait, none when nothing does', async t => {
  const { drive, clock } = setUp()
  const log: string[] = []
  const cancel = drive.after(50, () => log.push('never'))
  drive.after(100, () => log.push('after'))
  const deadline = {
    bucket: undefined,
    look: (now: number) => {
      log.push(`look ${now}`)
      return Infinity
    },
  }
  drive.watch(deadline, clock.now() + 200)
  cancel()
  t.equal(clock.pending, 1)
  clock.advance(100)
  t.same(log, ['after'])
  clock.advance(150)
  t.match(log, ['after', /^look 2\d\d$/])
  drive.watch(deadline, clock.now() + 200)
  drive.watch(deadline, Infinity)
  t.equal(clock.pending, 0)
})
