/** What is taken for a promise. */

import t from 'tap'
import { isPromiseLike } from '../../src/core/promises.ts'

t.test('whatever has a method `then`', async t => {
  const then = (): void => {}
  for (const value of [Promise.resolve(), { then }, Object.assign(() => {}, { then })])
    t.equal(isPromiseLike(value), true)
  for (const value of [undefined, null, 5, 'then', {}, { then: 5 }, () => {}, []])
    t.equal(isPromiseLike(value), false)
})
