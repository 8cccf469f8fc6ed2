/** Read settings are compared by identity: equal ones are the same object. */

import t from 'tap'
import { readSettings } from '../../../src/core/reading/read-settings.ts'

t.test('the same object for the same settings', async t => {
  t.same(readSettings('utf8', true), {
    encoding: 'utf8',
    regex_search: true,
    overflow: 'hold',
  })
  t.equal(readSettings('utf8', true), readSettings('utf8', true))
  t.not(readSettings('utf8', true), readSettings('utf8', false))
  t.not(readSettings(null, true), readSettings('utf8', true))
  t.same(readSettings(null, false), {
    encoding: null,
    regex_search: false,
    overflow: 'hold',
  })
  t.equal(readSettings(null, false, 'hold'), readSettings(null, false))
  t.equal(readSettings('utf8', true, 'skip').overflow, 'skip')
})
