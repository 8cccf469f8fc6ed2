/** What is news about a message that cannot be read. */

import t from 'tap'
import { Told } from '../../../src/core/reading/told.ts'

t.test('a message is too long once for each limit that is higher', async t => {
  const told = new Told()
  t.same(
    [10, 10, 5, 20, 10, 20].map(limit => told.isTooLong(1, limit)),
    [true, false, false, true, false, false],
  )
  t.equal(told.isTooLong(2, 10), true, 'another message')
  t.equal(told.isTooLong(1, 10), true)
})

t.test('a message is broken once, whatever was told of its length', async t => {
  const told = new Told()
  t.same([told.isBroken(1), told.isTooLong(1, 5), told.isBroken(1)], [true, true, false])
  t.same([told.isTooLong(1, 5), told.isBroken(3), told.isTooLong(3, 5)], [false, true, true])
})

t.test('after that everything is news', async t => {
  const told = new Told()
  told.isBroken(1)
  told.isTooLong(1, 5)
  told.forget()
  t.same([told.isBroken(1), told.isTooLong(1, 5)], [true, true])
})
