/** The connection of a relay to its server: when it stands, what is repeated, what an error is. */

import t, { type Test } from 'tap'
import { InvalidArgumentError } from '../../../src/errors.ts'
import { NatsError } from '../../../src/protocols/nats/errors.ts'
import { NatsLine } from '../../../src/relay/nats/nats-line.ts'
import { RelayError } from '../../../src/relay/relay.ts'
import { isAway } from '../../../src/relay/relay-line.ts'
import { fate, scene, type World } from '../../kit.ts'
import { jet, type JetServer } from '../../protocols/nats/jetstream/kit.ts'

const AWAY = 'rejected ERR_RELAY_UNAVAILABLE'
const CLOSED = 'rejected ERR_RELAY_CLOSED'

function line(
  title: string,
  body: (
    t: Test,
    world: World,
    server: JetServer,
    one: NatsLine,
    stood: boolean[],
  ) => Promise<void>,
): void {
  void scene(t, title, async (t, world) => {
    const { server, client } = await jet(world)
    client.close()
    const stood: boolean[] = []
    const one = new NatsLine('nats://localhost', { engine: world.engine }, isAgain =>
      stood.push(isAgain),
    )
    await body(t, world, server, one, stood)
    one.client.close()
    await world.pump()
    t.equal(one.state, 'closed')
  })
}

line('its states', async (t, world, server, one, stood) => {
  const patient = one.persist(async () => 'done').catch(error => error.code)
  t.equal(one.state, 'opening')
  t.equal(await fate(one.attempt(async () => 1)), AWAY)
  await world.pump()
  t.strictSame([one.state, stood, await patient], ['standing', [false], 'done'])
  t.equal(await one.attempt(async () => 1), 1)
  server.last.close()
  await world.pump()
  t.equal(one.state, 'away')
  t.equal(await fate(one.attempt(async () => 1)), AWAY)
  const waits = one.persist(async () => 2)
  const hurries = one.persist(async () => 3, 10).catch(error => error.code)
  await world.advance(10)
  t.equal(await hurries, 'ERR_RELAY_UNAVAILABLE')
  const third = one.persist(async () => 3, 60_000)
  await world.advance(1000)
  t.strictSame([one.state, stood, await waits, await third], ['standing', [false, true], 2, 3])
  const closed = one.close()
  t.equal(await fate(one.attempt(async () => 1)), CLOSED)
  t.equal(await fate(one.persist(async () => 1)), CLOSED)
  await world.pump()
  await closed
  t.match(world.logged, [/a relay by NATS: the connection to the server was lost/])
})

line('what is repeated', async (t, world, _, one) => {
  await world.pump()
  let calls = 0
  const notReady = new NatsError('ERR_NATS_JETSTREAM', 'later', { status: 503, err_code: 10008 })
  const work = async (): Promise<number> => {
    if (++calls < 3) throw notReady
    return calls
  }
  const repeated = one.persist(work)
  await world.pump()
  await world.advance(50)
  await world.advance(50)
  t.equal(await repeated, 3)
  calls = 0
  const impatient = one.persist(work, 40).catch(error => error.code)
  await world.pump()
  await world.advance(50)
  t.equal(await impatient, 'ERR_RELAY_UNAVAILABLE')
  const refused = one.persist(async () => {
    throw new NatsError('ERR_NATS_PERMISSION', 'no')
  })
  t.equal(await fate(refused), 'rejected ERR_RELAY_REFUSED')
})

line('what an error is to a relay', async (t, world, _, one) => {
  await world.pump()
  const code = (error: unknown): string => (one.shown(error) as RelayError).code
  t.equal(code(new NatsError('ERR_NATS_TIMEOUT', '')), 'ERR_RELAY_UNAVAILABLE')
  t.equal(code(new NatsError('ERR_NATS_CLOSED', '')), 'ERR_RELAY_CLOSED')
  t.equal(code(new NatsError('ERR_NATS_MAX_PAYLOAD', '')), 'ERR_RELAY_REFUSED')
  const none = new NatsError('ERR_NATS_JETSTREAM', 'no JetStream', { status: 503 })
  t.equal(code(none), 'ERR_RELAY_REFUSED')
  t.equal((one.shown(none) as Error).cause, none)
  t.equal(code(new InvalidArgumentError('x')), 'ERR_INVALID_ARGUMENT')
  t.equal(isAway(one.shown(new NatsError('ERR_NATS_DISCONNECTED', ''))), true)
  t.equal(isAway(new Error('other')), false)
  one.client.close()
  await world.pump()
  t.equal(code(new NatsError('ERR_NATS_TIMEOUT', '')), 'ERR_RELAY_CLOSED')
  t.equal(code(new RelayError('ERR_RELAY_REFUSED', '')), 'ERR_RELAY_REFUSED')
})

line('a server that refuses the login', async (t, world, server, one) => {
  server.isPonging = false
  for (let i = 0; i < 3; i++) {
    await world.pump()
    server.last.say("-ERR 'Authorization Violation'")
    server.last.end()
    await world.pump()
    await world.advance(2000)
  }
  t.equal(await fate(one.stands), 'rejected ERR_RELAY_REFUSED')
  t.equal(one.state, 'closed')
  server.isPonging = true
})

line('streams: made once for each connection, and never smaller', async (t, world, server, one) => {
  const config = { name: 'S', subjects: ['s'], max_age: 10, max_msgs_per_subject: 5 }
  const other = '{"error":{"code":400,"err_code":10058,"description":"in use"}}'
  let answer = '{"config":{},"state":{}}'
  let found: object = {}
  server.replies = {
    'STREAM.CREATE': () => answer,
    'STREAM.INFO': () => JSON.stringify({ config: found, state: {} }),
    'STREAM.UPDATE': () => '{"config":{},"state":{}}',
  }
  await world.pump()
  const all = Promise.all([one.ensure(config), one.ensure(config)])
  await world.pump()
  await all
  t.equal(server.asked.length, 1)
  one.forget('S')
  answer = '{"error":{"code":500,"err_code":1,"description":"no"}}'
  const refused = one.ensure(config).catch(error => error.code)
  await world.pump()
  t.equal(await refused, 'ERR_NATS_JETSTREAM')
  answer = other
  for (const [max_age, max_msgs_per_subject] of [
    [5, 9],
    [0, -1],
    [undefined, undefined],
  ]) {
    one.forget('S')
    found = max_age === undefined ? {} : { max_age: max_age * 1e6, max_msgs_per_subject }
    const wider = one.ensure(config)
    await world.pump()
    await wider
    const [, body] = server.asked.at(-1)!.split('UPDATE.S ')
    t.match(JSON.parse(body!), {
      max_age: max_age === 5 ? 1e7 : 0,
      max_msgs_per_subject: max_msgs_per_subject ?? 0,
    })
  }
})

// Two lines that come back to an empty server make it at the same time: one of them was refused.
line('streams: somebody else makes it at this moment', async (t, world, server, one) => {
  const fault = (code: number, err_code: number): string =>
    JSON.stringify({ error: { code, err_code, description: `fault ${err_code}` } })
  let info = '{"config":{},"state":{}}'
  server.replies = {
    'STREAM.CREATE': () => fault(400, 10065),
    'STREAM.INFO': () => info,
    'STREAM.UPDATE': () => '{"config":{},"state":{}}',
  }
  await world.pump()
  const ensure = async (): Promise<string> => {
    one.forget('S')
    const ended = one.ensure({ name: 'S', subjects: ['s'] }).then(
      () => 'there',
      (error: Error) => error.message,
    )
    await world.pump()
    return ended
  }
  t.equal(await ensure(), 'there')
  info = fault(404, 10059)
  t.match(await ensure(), /fault 10065/, 'it is another one')
  info = fault(503, 10008)
  t.match(await ensure(), /fault 10008/)
})
