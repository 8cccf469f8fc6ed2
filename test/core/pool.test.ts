/** Pool: what is given is taken again, up to its bound. */

import t from 'tap'
import { Pool } from '../../src/core/pool.ts'

t.test('what was given last is taken first', async t => {
  const pool = new Pool<string>(2)
  t.equal(pool.take(), undefined, 'empty at first')
  pool.give('a')
  pool.give('b')
  t.equal(pool.take(), 'b')
  t.equal(pool.take(), 'a')
  t.equal(pool.take(), undefined, 'empty again')
})

t.test('a full pool drops what it is given', async t => {
  const pool = new Pool<number>(2)
  for (const each of [1, 2, 3]) pool.give(each)
  t.same([pool.take(), pool.take(), pool.take()], [2, 1, undefined])
})
