/** The connection of a relay, without one: a line whose client is the test. */

import t from 'tap'
import { RelayError } from '../../src/relay/relay.ts'
import { ENTRY, isAway, RelayLine, WAITING } from '../../src/relay/relay-line.ts'
import { scene } from '../kit.ts'

class Line extends RelayLine {
  override shown(error: unknown): Error {
    if (error instanceof RelayError) return error
    return error === 'away'
      ? new RelayError('ERR_RELAY_UNAVAILABLE', 'the server is away')
      : new RelayError('ERR_RELAY_REFUSED', String(error))
  }
}

const AWAY = { code: 'ERR_RELAY_UNAVAILABLE' }
const CLOSED = { code: 'ERR_RELAY_CLOSED' }

const said = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: Error) => error.message)

const done = async (): Promise<string> => 'done'

scene(t, 'it stands, is lost, and stands again', async (t, { engine, logged }) => {
  const stood: boolean[] = []
  const line = new Line(engine, 'Test', isAgain => void stood.push(isAgain))
  await t.rejects(line.attempt(done), AWAY)
  line.arrived()
  await line.stands
  t.equal(await line.attempt(done), 'done')
  line.lost()
  t.equal(line.state, 'away')
  await t.rejects(line.attempt(done), AWAY)
  line.arrived()
  await line.stands
  t.same(stood, [false, true])
  await t.rejects(
    line.attempt(async () => {
      throw 'no'
    }),
    { code: 'ERR_RELAY_REFUSED' },
  )
  line.tell(new Error('why'))
  t.match(logged.splice(0), [/a relay by Test: why/])
  line.checkOpen()
  line.over()
  t.throws(() => line.checkOpen(), CLOSED)
  await t.rejects(line.attempt(done), CLOSED)
  line.arrived()
  t.same([line.state, stood.length], ['closed', 2], 'a connection that came too late')
})

scene(t, 'a line of its own shows errors as they are', async (t, { engine }) => {
  const line = new RelayLine(engine, 'Test')
  line.arrived()
  await t.rejects(
    line.attempt(async () => {
      throw new TypeError('mine')
    }),
    TypeError,
  )
})

scene(t, 'it never stands', async (t, { engine }) => {
  const refused = new Line(engine, 'Test')
  refused.refused(new Error('wrong password'))
  await t.rejects(refused.stands, /wrong password/)
  await t.rejects(refused.persist(done), /wrong password/)
  const closed = new Line(engine, 'Test')
  closed.over()
  await t.rejects(closed.stands, CLOSED)
  closed.checkRefused()
})

/** Whoever came later was told that the relay is closed, and not why. */
scene(
  t,
  'it has closed by itself: every call says why, until the program closes it',
  async (t, world) => {
    const line = new Line(world.engine, 'Test')
    const password = new RelayError('ERR_RELAY_REFUSED', 'wrong password')
    line.failed(new Error('lost'))
    t.match(world.logged.splice(0), [/a relay by Test: lost/])
    line.checkRefused()
    line.refused(password)
    line.over()
    for (const call of [() => line.checkOpen(), () => line.checkRefused()]) t.throws(call, password)
    await t.rejects(line.attempt(done), password)
    line.shut()
    line.refused(password)
    line.checkRefused()
    t.equal(await said(line.attempt(done)), 'the relay is closed')
    const lost = new Line(world.engine, 'Test')
    lost.refused(new RelayError('ERR_RELAY_UNAVAILABLE', 'there is none'))
    lost.over()
    lost.checkRefused()
    t.match(lost.fate, { code: 'ERR_RELAY_CLOSED', message: 'the relay is closed: there is none' })
    const ended = new Line(world.engine, 'Test')
    ended.arrived()
    ended.failed(new Error('it has gone'))
    ended.over()
    t.equal(ended.fate.message, 'the relay is closed: it has gone')
    world.logged.length = 0
  },
)

scene(t, 'what may run twice is repeated while the server is away', async (t, world) => {
  const line = new Line(world.engine, 'Test')
  let count = 0
  const twice = (): Promise<string> =>
    line.attempt(async () => {
      if (++count === 1) throw 'away'
      return 'done'
    })
  const first = line.persist(twice)
  line.arrived()
  await world.pump()
  t.equal(count, 1)
  await world.advance(50)
  t.equal(await first, 'done')
  line.lost()
  const forever = line.persist(done)
  const patient = line.persist(done, 1000)
  const impatient = said(line.persist(done, 100))
  await world.advance(100)
  t.equal(await impatient, 'the server is away')
  line.arrived()
  t.same(await Promise.all([forever, patient]), ['done', 'done'])
  const lost = line.persist(() => line.attempt(() => Promise.reject('away')), 100)
  const told = said(lost)
  for (let i = 0; i < 4; i++) await world.advance(50)
  t.equal(await told, 'the server is away')
  t.equal(isAway(await lost.catch(error => error)), true)
})

scene(t, 'an engine that stops ends what is repeated', async (t, { engine, pump }) => {
  const line = new Line(engine, 'Test')
  line.arrived()
  const lost = said(line.persist(() => line.attempt(() => Promise.reject('away'))))
  await pump()
  const stopped = engine.stop()
  await pump()
  t.equal(await lost, 'the server is away')
  await stopped
  line.over()
})

// They were kept without a bound, for as long as there was no server.
scene(t, 'REGRESSION: what waits for the first connection has a bound', async (t, { engine }) => {
  const line = new Line(engine, 'Test')
  line.checkWaiting(WAITING - 3 * ENTRY)
  line.checkWaiting(ENTRY - 1)
  t.throws(() => line.checkWaiting(2), AWAY)
  t.throws(() => line.checkWaiting(1), { message: /more than 16777216 bytes would wait/ })
  line.over()
})
