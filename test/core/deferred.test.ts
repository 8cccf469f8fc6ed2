/** A promise that is settled from outside. */

import t from 'tap'
import { deferred } from '../../src/core/deferred.ts'

t.test('resolved and rejected from outside', async t => {
  const good = deferred<number>()
  const bad = deferred<void>()
  const error = new Error('no')
  good.resolve(5)
  good.resolve(6)
  bad.reject(error)
  t.equal(await good.promise, 5, 'once')
  await t.rejects(bad.promise, error)
})
