/** Keep-alive as a socket of Node's takes it. What the kernel makes of it: socket-options. */

import { Socket } from 'node:net'
import t from 'tap'
import { HAS_PROBES, keepAlive, setKeepAlive } from '../../src/io/keep-alive.ts'

t.test('within what Linux takes', async t => {
  t.same(keepAlive(false), [false, 0])
  t.same(keepAlive(false, { interval: 5000 }), [false, 0])
  t.same(keepAlive(7000), [true, 7000])
  t.same(keepAlive(1), [true, 1000], 'Node takes 0 s to mean two hours')
  t.same(keepAlive(Infinity), [true, 32_767_000])
  t.same(keepAlive(7000, {}), [true, 7000])
  t.same(keepAlive(7000, { interval: 3000, count: 4 }), [true, 7000, 3000, 4])
  t.same(keepAlive(7000, { interval: 1 }), [true, 7000, 1000, undefined])
  t.same(keepAlive(7000, { count: 4 }), [true, 7000, undefined, 4])
})

t.test('a socket is told', async t => {
  const calls = t.captureFn(() => {})
  setKeepAlive({ setKeepAlive: calls } as unknown as Socket, [true, 7000, 3000, 4])
  t.same(calls.args(), [[true, 7000, 3000, 4]])
  t.equal(HAS_PROBES, Socket.prototype.setKeepAlive.length > 2)
})
