/** The bits of the holds. */

import t from 'tap'
import { BIT, HOLDS_ALL } from '../../../src/core/reading/holds.ts'

t.test('one bit each', async t => {
  const bits = Object.values(BIT)
  t.equal(
    bits.reduce((sum, bit) => sum | bit, 0),
    2 ** bits.length - 1,
  )
  t.equal(HOLDS_ALL, BIT.closed + BIT.tls)
})
