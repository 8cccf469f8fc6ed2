/** What waits to be sent. */

import t from 'tap'
import { Backlog, sizeOf } from '../../../src/io/bun/backlog.ts'

t.test('keeps the order, and forgets what has gone', async t => {
  const backlog = new Backlog()
  backlog.push('é', 'latin1')
  backlog.push('é', 'utf8')
  backlog.push(Uint8Array.of(1, 2, 3), 'utf8')
  t.equal(backlog.bytes, 6)
  t.same([...backlog.all()], [0xe9, 0xc3, 0xa9, 1, 2, 3])
  backlog.gone(2)
  t.same([...backlog.all()], [0xa9, 1, 2, 3])
  backlog.push('a', 'latin1')
  backlog.gone(4)
  t.same([[...backlog.all()], backlog.bytes], [[97], 1])
  backlog.gone(1)
  t.equal(backlog.bytes, 0)
  backlog.push('b', 'latin1')
  t.same([...backlog.all()], [98])
})

t.test('how many bytes that is', async t => {
  t.equal(sizeOf('é', 'latin1'), 1)
  t.equal(sizeOf('é', 'utf8'), 2)
  t.equal(sizeOf('00ff', 'hex'), 2)
  t.equal(sizeOf(Uint8Array.of(1, 2, 3), 'utf8'), 3)
})
