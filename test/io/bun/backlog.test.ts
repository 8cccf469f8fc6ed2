/** What waits to be sent. */

import t from 'tap'
import { Backlog } from '../../../src/io/bun/backlog.ts'

t.test('keeps the order, and forgets what has gone', async t => {
  const backlog = new Backlog()
  backlog.push(Uint8Array.of(0xe9))
  backlog.push(Uint8Array.of(0xc3, 0xa9))
  backlog.push(Uint8Array.of(1, 2, 3))
  t.equal(backlog.bytes, 6)
  t.same([...backlog.all()], [0xe9, 0xc3, 0xa9, 1, 2, 3])
  backlog.gone(2)
  t.same([...backlog.all()], [0xa9, 1, 2, 3])
  backlog.push(Uint8Array.of(97))
  backlog.gone(4)
  t.same([[...backlog.all()], backlog.bytes], [[97], 1])
  backlog.gone(1)
  t.equal(backlog.bytes, 0)
  backlog.push(Uint8Array.of(98))
  t.same([...backlog.all()], [98])
})
