import t, { type Test } from 'tap'
import {
  PendingRequests,
  type RequestOptions,
} from '../../../src/envelope/consumers/pending-requests.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { fate, scene, thrown, type World } from '../../kit.ts'
import { Moved, Taken } from './kit.ts'

class Other extends message('other') {}

interface Asking extends World {
  readonly requests: PendingRequests
  /** What on_progress has thrown. */
  readonly told: unknown[]
  /** Asks, and gives the promise and the trace id. */
  ask(options?: RequestOptions<any>): { answer: Promise<unknown>; id: string }
}

function asking(t: Test, title: string, body: (t: Test, asking: Asking) => Promise<void>) {
  return scene(t, title, async (t, world) => {
    const told: unknown[] = []
    const requests = new PendingRequests(world.engine, error => told.push(error))
    const ask: Asking['ask'] = (options = {}) => {
      let id = ''
      const answer = requests.ask(options, given => {
        id = given
        return true
      })
      return { answer, id }
    }
    await body(t, { ...world, requests, ask, told })
    requests.close('local')
  })
}

const moved = (id: string | null, state: string | null) =>
  new Moved({ by: 'a', x: 1, mm: { id, state } })

asking(t, 'an answer has the trace id, and a state', async (t, { ask, requests }) => {
  const progress: unknown[] = []
  const one = ask({ on_progress: message => progress.push((message as Moved).mm.state) })
  const other = ask()
  t.not(one.id, other.id)
  for (const [id, state] of [
    ['none', 's'],
    [null, 's'],
    [one.id, null],
  ] as const)
    t.equal(requests.answer(moved(id, state)), false)
  for (const state of ['a', 'q', 'r', 'r', 'own']) t.ok(requests.answer(moved(one.id, state)))
  t.ok(requests.answer(moved(other.id, 'r')))
  t.strictSame(progress, ['a', 'q', 'r', 'r', 'own'])
  const answer = moved(one.id, 's')
  t.ok(requests.answer(answer))
  t.equal(await one.answer, answer)
  t.equal(requests.answer(answer), false, 'once')
  t.equal(await fate(other.answer), 'open')
})

// What it rejected with ended the process.
asking(t, 'an on_progress that throws, or rejects', async (t, { ask, requests, told }) => {
  const error = new Error('odd')
  const throws = () => {
    throw error
  }
  for (const on_progress of [throws, () => Promise.reject(error)]) {
    const { answer, id } = ask({ on_progress })
    requests.answer(moved(id, 'r'))
    const last = moved(id, 's')
    requests.answer(last)
    t.equal(await answer, last)
  }
  t.strictSame(told, [error, error])
})

asking(t, 'failure', async (t, { ask, requests }) => {
  const error = ask()
  const taken = new Taken({ name: 'a', mm: { id: error.id, state: 'f' } })
  requests.answer(taken as never)
  t.equal(await fate(error.answer), 'rejected ERR_TAKEN')
  const message = ask()
  requests.answer(moved(message.id, 'f'))
  t.equal(await fate(message.answer), 'rejected ERR_FAILED')
  const other = ask({ expect: 'game.moved' })
  requests.answer(new Other({ mm: { id: other.id, state: 's' } }))
  t.equal(await fate(other.answer), 'rejected ERR_FAILED')
  const right = ask({ expect: 'game.moved' })
  requests.answer(moved(right.id, 's'))
  t.ok(await right.answer)
  const invalid = ask()
  t.equal(requests.fail(invalid.id, new Taken({ name: 'b' })), true)
  t.equal(requests.fail(invalid.id, new Taken({ name: 'b' })), false)
  t.equal(requests.fail(null, new Taken({ name: 'b' })), false)
  t.equal(await fate(invalid.answer), 'rejected ERR_TAKEN')
})

asking(t, 'its end', async (t, { ask, requests, advance }) => {
  const late = ask({ timeout: 10 })
  const patient = ask({ timeout: Infinity })
  const usual = ask()
  await advance(10)
  t.equal(await fate(late.answer), 'rejected ERR_TIMEOUT')
  await advance(29_990)
  t.equal(await fate(usual.answer), 'rejected ERR_TIMEOUT')
  t.equal(await fate(patient.answer), 'open')
  requests.close('remote')
  t.equal(await fate(patient.answer), 'rejected ERR_CLOSED')
  t.equal(await fate(requests.ask({}, () => false)), 'rejected ERR_CLOSED')
})

asking(t, 'misuse', async (t, { ask, requests }) => {
  for (const wrong of [{ timeout: 0 }, { timeout: '5' }, { on_progress: 5 }, { time: 5 }, null])
    t.equal(
      thrown(() => ask(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  const broken = () =>
    void requests.ask({}, () => {
      throw new Taken({ name: 'a' })
    })
  t.equal(thrown(broken), 'ERR_TAKEN')
  for (let count = 0; count < 10_000; count++) ask({ timeout: Infinity })
  t.equal(await fate(ask().answer), 'rejected ERR_OVERFLOW')
})
