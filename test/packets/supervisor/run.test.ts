/** One job at work, over channels that a test moves by hand. */

import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import type { Job } from '../../../src/packets/supervisor/job.ts'
import { JobRun } from '../../../src/packets/supervisor/run.ts'
import { fate, scene, type World } from '../../kit.ts'
import { act, FakeChannel, numbersOf, tell } from '../kit.ts'

function make({ engine }: World, job: Partial<Job> = {}, count = 1) {
  const log: string[] = []
  const run = new JobRun(
    {
      on_suspend: (_, { message }) => void log.push(`suspend: ${message}`),
      on_shutdown: () => void log.push('shutdown'),
      on_cleanup: () => void log.push('cleanup'),
      ...job,
    } as Job,
    {
      engine,
      shape: '2020',
      startDeathTime: 10_000,
      statusInterval: 4000,
      queueLimit: 100,
      queueSize: 1e9,
      report: error => void log.push(error.message),
    },
  )
  const { on_channel_open, on_catastrophic_disconnect, on_message } = run.callbacks
  const channels = Array.from(
    { length: count },
    (_, n) => new FakeChannel(`c${n}`, on_channel_open, on_catastrophic_disconnect, on_message),
  )
  return { run, channels, log, main: channels[0]! }
}

const STATUS = tell(0, 'mephisto').copy({
  packet_type: 'return_status',
  sender_id: 'mephisto_server',
  data: {} as never,
})

/** A run that is active; the router is as in the original. */
async function active(world: World, job: Partial<Job> = {}, count = 1) {
  const made = make(world, job, count)
  const opening = made.run.open(made.channels)
  for (const channel of made.channels) {
    channel.connect()
    channel.on_message(channel.channel_id, STATUS)
    channel.take()
  }
  await opening
  return made
}

scene(t, 'it opens when all channels are alive', async (t, world) => {
  const { run, channels } = make(world, {}, 2)
  const [one, two] = channels as [FakeChannel, FakeChannel]
  const opening = run.open(channels)
  t.strictSame([one.opens, two.opens, run.state], [1, 1, 'opening'])
  one.connect()
  t.strictSame(one.take(), ['alive mephisto→c0 {"confirms":null}', 'request_status mephisto→c0'])
  t.equal(await fate(opening), 'open')
  // One that forgets to call on_channel_open is looked at.
  two.alive = true
  await world.advance(400)
  await opening
  t.match(two.take(), [/^alive/, /^request_status/])
  t.equal(run.state, 'active')
  await world.advance(4100)
  t.match([one.take(), two.take()], [[/^request_status/], [/^request_status/]])
  t.match(run.stats(), [
    { channel_id: 'c0', is_alive: true, queued: 0, opened: 1, mode: 'asking', lost: 0 },
    { channel_id: 'c1' },
  ])
  t.strictSame(
    [...run.channels],
    [
      ['c0', one],
      ['c1', two],
    ],
  )
  void run.shutdown()
})

scene(t, 'not alive in time', async (t, world) => {
  const { run, channels, log } = make(world, {}, 2)
  const opening = run.open(channels)
  channels[0]!.connect()
  await Promise.all([
    t.rejects(opening, { code: 'ERR_NOT_ALIVE', message: /within 10000 ms: c1; is the server/ }),
    world.advance(10_100),
  ])
  t.strictSame(
    channels.map(({ closed }) => closed),
    [true, true],
  )
  t.match(await run.closed, { reason: 'lost', error: { code: 'ERR_NOT_ALIVE' } })
  t.strictSame(log, ['shutdown', 'cleanup'])
  channels[1]!.connect()
  t.strictSame(channels[1]!.take(), [], 'too late')
})

scene(t, 'lost while it opens', async (t, world) => {
  const { run, channels, main } = make(world)
  const opening = run.open(channels)
  main.on_catastrophic_disconnect('c0', new Error('refused'))
  main.on_catastrophic_disconnect('c0')
  await t.rejects(opening, { code: 'ERR_LOST', message: 'channel c0 is lost: refused' })
  t.equal(run.state, 'closed')
})

scene(t, 'shut down while it opens, and before', async (t, world) => {
  const { run, channels, main } = make(world)
  const opening = run.open(channels)
  const [end] = await Promise.all([run.shutdown(), t.rejects(opening, { code: 'ERR_CLOSED' })])
  t.match(end, { reason: 'lost' })
  t.equal(main.closed, true)
  const early = make(world)
  void early.run.shutdown()
  await t.rejects(early.run.open(early.channels), { code: 'ERR_CLOSED' })
  t.equal(early.main.closed, true)
})

scene(t, 'packets go over the channel that their agent was heard on', async (t, world) => {
  const seen: number[] = []
  const handlers = { act: ({ data }: { data: { n: number } }) => void seen.push(data.n) }
  const { run, channels } = await active(world, { handlers }, 2)
  const [one, two] = channels as [FakeChannel, FakeChannel]
  two.on_message('c1', act(1))
  t.strictSame([seen, run.agents.get('ann')!.channel_id], [[1], 'c1'])
  t.equal(run.send(tell(1)), true)
  t.equal(run.send(tell(2, 'bob')), true)
  t.equal(run.send(tell(3, 'bob').to_sendable_dict() as never, 'c1'), true)
  await world.pump()
  t.strictSame([numbersOf(one.sent), numbersOf(two.sent)], [[2], [1, 3]])
  t.throws(() => run.send(tell(1), 'c9'), { code: 'ERR_CLOSED', message: /no channel c9/ })
  t.throws(() => run.send({} as never), { code: 'ERR_PACKET' })
  const giant = tell(1).copy({ data: { n: 'x'.repeat(1_000_000) } as never })
  t.throws(() => run.send(giant), { code: 'ERR_PACKET', message: /at most 1000000 bytes/ })
  await run.ready()
  await run.ready('c1')
  t.equal(run.close_channel('c1'), true)
  t.equal(run.close_channel('c1'), false)
  t.equal(two.closed, true)
  two.on_message('c1', act(2))
  two.on_catastrophic_disconnect('c1')
  t.strictSame([run.state, seen], ['active', [1]])
  run.close_channel('c0')
  t.throws(() => run.send(tell(1, 'new')), { message: /no channel at all/ })
  t.match(await run.shutdown(), { reason: 'shutdown', error: undefined, unsent: 0 })
  t.equal(run.send, run.send)
})

scene(t, 'no packet is lost or doubled while the connection flaps', async (t, world) => {
  const { run, main } = await active(world)
  for (let n = 0; n < 50; n++) {
    main.room = n % 3
    main.alive = n % 2 === 0
    if (main.alive) main.on_channel_open('c0')
    t.equal(run.send(tell(n)), true)
    await world.advance(60)
  }
  Object.assign(main, { alive: true, room: Infinity })
  main.on_send_ready('c0')
  await world.advance(200)
  const told = main.sent.filter(({ type }) => type === 'tell')
  t.strictSame(
    numbersOf(told),
    Array.from({ length: 50 }, (_, n) => n),
  )
  void run.shutdown()
})

scene(t, 'a channel is lost: suspend, shut down, clean up', async (t, world) => {
  const work = deferred<void>()
  const { run, main, log } = await active(world, {
    on_suspend: () => work.promise,
  })
  main.alive = false
  run.send(tell(1))
  main.on_catastrophic_disconnect('c0', new Error('gone'))
  t.strictSame([run.state, main.closed, run.send(tell(2))], ['suspended', false, false])
  main.on_message('c0', act(1))
  main.on_channel_open('c0')
  main.on_catastrophic_disconnect('c0')
  t.equal(await fate(run.shutdown()), 'open')
  work.resolve()
  t.match(await run.closed, {
    reason: 'lost',
    error: { code: 'ERR_LOST', message: 'channel c0 is lost: gone' },
    unsent: 1,
  })
  t.strictSame([log, main.closed, run.state], [['shutdown', 'cleanup'], true, 'closed'])
})

scene(t, 'a hook that never ends does not keep a channel open', async (t, world) => {
  const { run, main } = await active(world, { on_suspend: () => new Promise(() => {}) })
  main.on_catastrophic_disconnect('c0')
  await world.advance(5100)
  t.match(await run.closed, { error: { message: 'channel c0 is lost' } })
  t.equal(main.closed, true)
})

scene(t, 'shutting down: what was sent has its time', async (t, world) => {
  const { run, main } = await active(world)
  main.room = 0
  run.send(tell(1))
  const soon = run.shutdown(1000)
  t.strictSame([run.state, run.send(tell(2))], ['closing', false])
  t.equal(await fate(soon), 'open')
  main.room = 1
  main.on_send_ready('c0')
  await world.advance(200)
  t.match(await soon, { unsent: 0 })
  t.strictSame(numbersOf(main.sent), [1])
  const late = await active(world)
  late.main.room = 0
  late.run.send(tell(1))
  const ending = late.run.shutdown(1000)
  await world.advance(1100)
  t.match(await ending, { unsent: 1 })
})

scene(t, 'a channel whose close throws', async (t, world) => {
  const { run, main, log } = await active(world)
  main.close = () => {
    throw new Error('no')
  }
  await run.shutdown(0)
  t.strictSame(log, ['no', 'shutdown', 'cleanup'])
})
