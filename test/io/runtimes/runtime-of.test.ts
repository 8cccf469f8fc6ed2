/** The name of the runtime. */

import t from 'tap'
import { runtimeOf } from '../../../src/io/runtimes/runtime-of.ts'

t.test('says what runs it', async t => {
  t.equal(runtimeOf({ node: '26.3.0' }), 'Node 26.3.0')
  t.equal(runtimeOf({ node: '26.3.0', bun: '1.4.5' }), 'Bun 1.4.5')
  t.equal(runtimeOf({ node: '26.3.0', deno: '2.9.6' }), 'Deno 2.9.6')
})
