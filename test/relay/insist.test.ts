import t from 'tap'
import { insist } from '../../src/relay/insist.ts'
import { RelayError } from '../../src/relay/relay.ts'
import { fate, scene } from '../kit.ts'

const away = new RelayError('ERR_RELAY_UNAVAILABLE', 'away')

scene(t, 'it asks again while the server is away', async (t, { engine, advance }) => {
  let calls = 0
  const call = async (): Promise<string> => {
    if (++calls < 3) throw away
    return 'there'
  }
  const promise = insist(engine, () => true, call)
  t.equal(await fate(promise), 'open')
  await advance(2000)
  await advance(2000)
  t.equal(await promise, 'there')
})

scene(t, 'not if it is not wanted any more after the pause', async (t, { engine, advance }) => {
  let [isWanted, calls] = [true, 0]
  const call = (): Promise<never> => {
    calls++
    return Promise.reject(away)
  }
  const promise = insist(engine, () => isWanted, call)
  promise.catch(() => {})
  await advance(0)
  isWanted = false
  await advance(2000)
  await t.rejects(promise, away)
  t.equal(calls, 1)
})

scene(t, 'not if it is not wanted, and not after another error', async (t, { engine }) => {
  const refused = new RelayError('ERR_RELAY_REFUSED', 'no')
  await t.rejects(
    insist(
      engine,
      () => false,
      () => Promise.reject(away),
    ),
    away,
  )
  await t.rejects(
    insist(
      engine,
      () => true,
      () => Promise.reject(refused),
    ),
    refused,
  )
})

/**
 * It waited by a timer of the engine, and those end with the engine: what was asked of a relay
 * whose server was away never settled.
 */
scene(t, 'an engine that stops ends it', async (t, { engine, advance }) => {
  const isWanted = (): boolean => true
  const promise = insist(engine, isWanted, () => Promise.reject(away))
  promise.catch(() => {})
  await advance(0)
  await engine.stop()
  await t.rejects(promise, away)
})
