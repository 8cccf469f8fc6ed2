/** What Bun calls, and whom that reaches. */

import t from 'tap'
import { HANDLERS } from '../../../src/io/bun/handlers.ts'
import { BunServer } from '../../../src/io/bun/server.ts'
import { FakeBun, FakeSocket } from './kit.ts'

t.test('the server gets a socket first, and its owner what follows', async t => {
  const bun = new FakeBun()
  const server = new BunServer(bun, HANDLERS).listen({ port: 1 }, () => {})
  const taken: unknown[] = []
  server.accept = socket => taken.push(socket)
  const handle = bun.accept()
  t.same(taken, [handle])
  const told: unknown[] = []
  handle.data = {
    onData: (...what: unknown[]) => told.push(['data', ...what]),
    onDrain: (...what: unknown[]) => told.push(['drain', ...what]),
    onEnd: (...what: unknown[]) => told.push(['end', ...what]),
    onClose: (...what: unknown[]) => told.push(['close', ...what]),
  }
  HANDLERS.open(handle)
  t.equal(taken.length, 1, 'Bun says so again when TLS begins')
  handle.received('a')
  handle.drained(1)
  handle.ended()
  handle.closed()
  t.same(told, [
    ['data', Buffer.from('a'), handle],
    ['drain', handle],
    ['end', handle],
    ['close', undefined, handle],
  ])
})

t.test('Bun catches what a handler throws, and nothing does', async t => {
  t.equal(HANDLERS.error(new FakeSocket(), new Error('x')), undefined)
})
