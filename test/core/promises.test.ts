/** What is taken for a promise, and how promises are counted. */

import t from 'tap'
import {
  answerLater,
  attempt,
  isPromiseLike,
  onRejection,
  Promises,
  quiet,
} from '../../src/core/promises.ts'
import { turn } from '../kit.ts'

t.test('whatever has a method `then` is a promise', async t => {
  const then = (): void => {}
  for (const value of [Promise.resolve(), { then }, Object.assign(() => {}, { then })])
    t.equal(isPromiseLike(value), true)
  for (const value of [undefined, null, 5, 'then', {}, { then: 5 }, () => {}, []])
    t.equal(isPromiseLike(value), false)
})

t.test('answerLater: the value of a promise is the answer, or why there is none', async t => {
  const told: unknown[] = []
  const error = new Error('none')
  for (const result of [1, Promise.resolve(2), Promise.resolve(), Promise.reject(error)])
    answerLater(
      result,
      value => void told.push(value),
      error => void told.push(error),
      false,
    )
  await turn()
  t.same(told, [2, error])
})

t.test('answerLater: what takes no callback answers by what it returns', async t => {
  const told: unknown[] = []
  const tell = (value: unknown): void => void told.push(value)
  for (const result of [1, Promise.resolve(2), undefined, Promise.resolve()])
    answerLater(result, tell, tell, true)
  await turn()
  t.same(told, [1, 2, undefined, undefined])
})

t.test('quiet: the same promise, at whose rejection nobody need look', async t => {
  const promise = Promise.reject(new Error('rejected'))
  t.equal(quiet(promise), promise)
  await turn()
  await t.rejects(promise, { message: 'rejected' })
})

t.test('onRejection: a rejection is told, whoever made the promise', async t => {
  const told: unknown[] = []
  const tell = (error: unknown): void => void told.push(error)
  onRejection(undefined, tell)
  onRejection(Promise.resolve(), tell)
  onRejection(Promise.reject(new Error('promise')), tell)
  onRejection(
    { then: (_: unknown, reject: (error: Error) => void) => reject(new Error('like')) },
    tell,
  )
  onRejection(
    {
      then: () => {
        throw new Error('threw')
      },
    },
    tell,
  )
  await turn()
  t.same(told.map(error => (error as Error).message).sort(), ['like', 'promise', 'threw'])
})

function setUp() {
  const told: string[] = []
  const promises = new Promises(
    { promiseRejected: (error, isLate) => told.push(`${error}${isLate ? ' late' : ''}`) },
    () => told.push('settled'),
  )
  return { told, promises }
}

t.test('settled is told once, when the last one has settled', async t => {
  const { told, promises } = setUp()
  t.equal(promises.areAny, false)
  let resolve = (): void => {}
  void promises.add(new Promise<void>(settle => (resolve = settle)))
  await promises.add(Promise.resolve())
  t.same([promises.areAny, told], [true, []])
  resolve()
  await turn()
  t.same([promises.areAny, told], [false, ['settled']])
})

t.test('a rejection is told first, and the promise of `add` does not reject', async t => {
  const { told, promises } = setUp()
  t.equal(await promises.add(Promise.reject('no')), undefined)
  t.same(told, ['no', 'settled'])
})

t.test('a thenable that settles twice counts once', async t => {
  const { told, promises } = setUp()
  let resolve = (): void => {}
  void promises.add(new Promise<void>(settle => (resolve = settle)))
  const twice = { then: (done: () => void): void => (done(), done()) }
  await promises.add(twice as unknown as PromiseLike<void>)
  t.same([promises.areAny, told], [true, []])
  resolve()
  await turn()
  t.same(told, ['settled'])
})

t.test('after abandon: a rejection is late, and nothing has settled', async t => {
  const { told, promises } = setUp()
  const [one, other] = [promises.add(Promise.reject('no')), promises.add(Promise.resolve())]
  promises.abandon()
  await Promise.all([one, other])
  t.same(told, ['no late'])
})

t.test('the number of holds, and what the first promise comes from', async t => {
  const promises = new Promises({ promiseRejected: () => {} }, () => {})
  const first = promises.add(Promise.resolve(), 'on_read')
  const second = promises.add(Promise.resolve(), 'on_write')
  t.same([promises.holds, promises.by], [1, 'on_read'])
  await Promise.all([first, second])
  await promises.add(Promise.resolve())
  t.same([promises.holds, promises.by], [2, ''])
})

t.test('attempt: what a hook throws is told, and what its promise rejects with', async t => {
  const told: unknown[] = []
  const tell = (error: unknown): void => void told.push(error)
  attempt(() => 5, tell)
  attempt(() => {
    throw 'thrown'
  }, tell)
  attempt(() => Promise.reject('rejected'), tell)
  await turn()
  t.strictSame(told, ['thrown', 'rejected'])
})
