/** Text on Bun, whose sockets had the whole heap collected again and again. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { handedOn } from '../../../src/io/runtimes/text-bytes.ts'

t.test('text is handed on as it is, and on Bun as its bytes', async t => {
  const bytes = Uint8Array.of(1)
  t.same(
    [handedOn('é', 'latin1', false), handedOn('é', 'latin1', true), handedOn('é', 'utf8', true)],
    ['é', Buffer.of(0xe9), Buffer.of(0xc3, 0xa9)],
  )
  t.equal(handedOn(bytes, 'latin1', true), bytes)
  t.equal(typeof handedOn('é', 'latin1'), 'bun' in process.versions ? 'object' : 'string')
})
