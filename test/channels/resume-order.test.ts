/** In which order the channels below one are resumed. */

import t from 'tap'
import { inTurn, noteResumed } from '../../src/channels/resume-order.ts'

t.test('behind the one that was resumed last', async t => {
  const above = {}
  const [a, b, c] = [{ is: 'a' }, { is: 'b' }, { is: 'c' }]
  const all = new Set([a, b, c])
  const order = (): string =>
    inTurn(above, all)
      .map(({ is }) => is)
      .join('')
  t.equal(order(), 'abc')
  noteResumed(above, b)
  t.equal(order(), 'cab')
  noteResumed(above, c)
  t.equal(order(), 'abc')
  noteResumed(above, a)
  all.delete(a)
  t.equal(order(), 'bc', 'it is gone')
  t.same(inTurn({}, all), [b, c], 'each has an order of its own')
})
