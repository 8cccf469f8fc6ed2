import t from 'tap'
import { noop } from '../../src/core/noop.ts'

t.test('it does nothing', async t => {
  t.equal(noop(), undefined)
})
