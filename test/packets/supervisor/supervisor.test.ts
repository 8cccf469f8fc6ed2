/** Jobs that come and go; what each of them does is in run.test.ts. */

import t from 'tap'
import { MockArchitect } from '../../../src/packets/mocks/mock-architect.ts'
import { MockServer } from '../../../src/packets/mocks/mock-server.ts'
import { Packet } from '../../../src/packets/packet.ts'
import type { Job, Run } from '../../../src/packets/supervisor/job.ts'
import { Supervisor, type SupervisorOptions } from '../../../src/packets/supervisor/supervisor.ts'
import { type Stage, stage } from '../../messages/kit.ts'
import { FakeChannel, tell } from '../kit.ts'

function make({ engine }: Stage, options: SupervisorOptions = {}) {
  const log: string[] = []
  const on_error = (error: Error): void => void log.push(error.message)
  return { supervisor: new Supervisor({ engine, on_error, ...options }), log }
}

/** A job whose server answers like the original's. */
async function register(world: Stage, supervisor: Supervisor, job: Partial<Job> = {}) {
  const architect = new MockArchitect({ context: world.context })
  const registering = supervisor.register_job({ architect, ...job })
  await world.pump()
  return { run: await registering, architect, server: architect.server }
}

/** Ends everything: the promises need the clock. */
async function end(world: Stage, ...promises: Promise<unknown>[]): Promise<void> {
  for (let n = 0; n < 3; n++) await world.advance(2100)
  await Promise.all(promises)
}

stage(t, 'register, send, receive, shut down', async (t, world) => {
  const { supervisor, log } = make(world)
  const seen: unknown[] = []
  const { run, server, architect } = await register(world, supervisor, {
    handlers: { agent_action: ({ data }) => void seen.push(data) },
  })
  t.strictSame([run.state, [...supervisor.runs]], ['active', [run]])
  t.match(server.last_alive_packet, { sender_id: 'mephisto' })
  server.send_agent_act('ann', { n: 1 })
  server.send({ packet_type: 'odd', sender_id: 'ann', receiver_id: 'mephisto' })
  server.send_agent_act('ann', { n: 2 })
  await world.pump()
  t.strictSame(seen, [{ n: 1 }, { n: 2 }])
  t.match(log, [/nobody handles packet odd/])
  const { channel_id } = architect.channels[0]!
  t.equal(supervisor.send(tell(1), channel_id), true)
  t.equal(supervisor.send(tell(1), 'another'), false)
  t.throws(() => supervisor.send({} as never, channel_id), { code: 'ERR_PACKET' })
  await world.pump()
  t.match(server.last_packet, { type: 'tell' })
  await end(world, supervisor.shutdown(), server.close())
  t.strictSame([run.state, supervisor.runs.size], ['closed', 0])
  await t.rejects(supervisor.register_job({ architect }), { code: 'ERR_INVALID_STATE' })
})

/** An option that was undefined took the place of its default: no packet fitted the queue. */
stage(t, 'options that are undefined have their defaults', async (t, world) => {
  const { supervisor } = make(world, {
    shape: undefined,
    start_death_time: undefined,
    queue_limit: undefined,
    queue_size: undefined,
  })
  const { run, server } = await register(world, supervisor)
  t.equal(run.send(tell(1)), true)
  await world.pump()
  t.match(server.last_packet, { type: 'tell' })
  await end(world, supervisor.shutdown(), server.close())
})

stage(t, 'an agent registers once, however often it asks', async (t, world) => {
  const { supervisor } = make(world)
  let count = 0
  const { run, server } = await register(world, supervisor, {
    on_register: () => void count++,
  })
  for (let n = 0; n < 3; n++) server.register_mock_agent('ann')
  server.register_mock_worker('bob')
  server.register_mock_worker('bob')
  await world.pump()
  t.equal(count, 2)
  t.equal(server.packets.filter(({ type }) => type === 'provider_details').length, 5)
  t.match([...run.agents.keys()], ['ann', 'agent-1'])
  await end(world, supervisor.shutdown(), server.close())
})

stage(t, 'one run is lost, the others go on', async (t, world) => {
  const { supervisor } = make(world)
  const first = new MockArchitect({
    context: world.context,
    channel: { lost: { max_attempts: 1 }, on_error: () => {} },
  })
  const registering = supervisor.register_job({ architect: first })
  await world.pump()
  const lost = await registering
  const { run, server } = await register(world, supervisor)
  await first.server.close()
  await end(world)
  t.match(await lost.closed, { reason: 'lost' })
  t.strictSame([run.state, [...supervisor.runs]], ['active', [run]])
  await end(world, supervisor.shutdown(), server.close())
})

stage(t, 'one channel, one job', async (t, world) => {
  const { supervisor } = make(world)
  const { architect, server, run } = await register(world, supervisor)
  const [channel] = architect.channels
  t.equal(supervisor.close_channel(channel!.channel_id), true)
  t.equal(supervisor.close_channel(channel!.channel_id), false)
  t.equal(channel!.is_closed(), true)
  const ending = supervisor.shutdown_job(run.job)
  await end(world, ending, server.close())
  t.match(await ending, { reason: 'shutdown' })
  t.equal(await supervisor.shutdown_job(run.job), undefined)
})

stage(t, 'a server that accepts and never answers', async (t, world) => {
  const { supervisor } = make(world)
  const { context } = world
  const server = new MockServer({ context, answers: false })
  const { run } = await register(world, supervisor, {
    architect: new MockArchitect({ context, server }),
  })
  run.send(tell(1))
  await world.pump()
  t.strictSame([run.stats()[0]!.mode, run.stats()[0]!.queued], ['asking', 1])
  await world.advance(1100)
  t.strictSame([run.stats()[0]!.mode, run.stats()[0]!.queued], ['asking', 1])
  t.match(server.last_packet, { type: 'tell', place: { number: 1 } }, 'it is sent, and kept')
  await end(world, supervisor.shutdown(), server.close())
})

stage(t, 'no connection within start_death_time', async (t, world) => {
  const { supervisor } = make(world, { start_death_time: 500 })
  const channel = new FakeChannel('never')
  const registering = supervisor.register_job({ architect: { get_channels: () => [channel] } })
  await Promise.all([
    t.rejects(registering, { code: 'ERR_NOT_ALIVE' }),
    world.pump().then(() => world.advance(600)),
  ])
  t.strictSame([channel.closed, supervisor.runs.size], [true, 0])
})

stage(t, 'architects that do not do their work', async (t, world) => {
  const { supervisor } = make(world)
  const fails = (get_channels: () => unknown): Promise<Run> =>
    supervisor.register_job({ architect: { get_channels } as never })
  await t.rejects(
    fails(() => {
      throw new Error('no server')
    }),
    { message: 'no server' },
  )
  for (const channels of [undefined, [], [5], [new FakeChannel('a'), new FakeChannel('a')]])
    await t.rejects(
      fails(() => channels),
      { code: 'ERR_INVALID_ARGUMENT' },
    )
  const architect = { get_channels: () => [new FakeChannel('a')] }
  for (const job of [
    undefined,
    {},
    { architect: {} },
    { architect, handlers: 5 },
    { architect, handlers: { tell: 5 } },
    { architect, on_status: 'x' },
  ])
    await t.rejects(supervisor.register_job(job as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(supervisor.runs.size, 0)
})

stage(t, 'errors', async (t, world) => {
  const supervisor = new Supervisor({ engine: world.engine })
  const { server } = await register(world, supervisor)
  server.send({ packet_type: 'odd', sender_id: 'ann', receiver_id: 'mephisto' })
  await world.pump()
  t.match(world.logged.splice(0), [/^run \d+: channel .*nobody handles/])
  supervisor.on_error = () => {
    throw new Error('in on_error')
  }
  server.send(new Packet({ packet_type: 'odd', sender_id: 'ann', receiver_id: 'mephisto' }))
  await world.pump()
  t.strictSame(world.logged.splice(0), ['in on_error'])
  supervisor.on_error = () => Promise.reject(new Error('rejected'))
  server.send(new Packet({ packet_type: 'odd', sender_id: 'ann', receiver_id: 'mephisto' }))
  await world.pump()
  t.strictSame(world.logged.splice(0), ['rejected'])
  delete (supervisor as { on_error?: unknown }).on_error
  supervisor.on_error(new Error('by hand'))
  t.strictSame(world.logged, ['by hand'])
  await end(world, supervisor.shutdown({ timeout: 0 }), server.close())
})

t.test('invalid options', async t => {
  for (const options of [
    { shape: '2021' },
    { engine: {} },
    { on_error: 5 },
    { queue_limit: 0 },
    { start_death_time: '1' },
  ])
    t.throws(() => new Supervisor(options as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new Supervisor({ packet_size: 1 } as never), { message: /no option/ })
  const supervisor = new Supervisor()
  t.throws(() => supervisor.shutdown({ timeout: -1 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => supervisor.shutdown({ time: 1 } as never), { code: 'ERR_INVALID_ARGUMENT' })
  await supervisor.shutdown()
})
