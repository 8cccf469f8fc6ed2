/** What is told of a connection, and the options of its socket. */

import { Socket } from 'node:net'
import t from 'tap'
import { BunFacts } from '../../../src/io/bun/facts.ts'
import { FakeSocket } from './kit.ts'

t.test('asks for the addresses that are not known yet', async t => {
  const facts = new BunFacts()
  t.same(
    [facts.local_address, facts.remote_address, facts.fileno],
    [undefined, undefined, undefined],
  )
  const handle = new FakeSocket()
  facts.opened(handle)
  t.same(facts.local_address, ['127.0.0.1', 1])
  t.same(facts.remote_address, ['127.0.0.2', 2])
  t.equal(facts.fileno, 7)
  handle.fd = -1
  t.equal(facts.fileno, undefined)
  facts.opened(handle, '/path', '')
  t.same([facts.local_address, facts.remote_address], ['/path', ''])
  handle.remoteAddress = undefined
  facts.opened(handle)
  t.equal(facts.remote_address, undefined, 'of a peer that has gone')
})

t.test('options go to the socket, or to the one that connects', async t => {
  const facts = new BunFacts()
  t.equal(facts.handle.write(Uint8Array.of(97), 0, 1), -1)
  facts.set_no_delay(true)
  facts.set_keep_alive(5000)
  const handle = new FakeSocket()
  facts.opened(handle)
  facts.set_no_delay(false)
  facts.set_keep_alive(500)
  facts.set_keep_alive(false)
  t.same(handle.calls, ['no delay false', 'keep alive true 1000', 'keep alive false 0'])
  const socket = new Socket()
  const asked: unknown[] = []
  socket.setNoDelay = (...how) => (asked.push('no delay', ...how), socket)
  socket.setKeepAlive = ((...how: unknown[]) => (asked.push('keep alive', ...how), socket)) as never
  facts.socket = socket
  t.equal(facts.fileno, undefined)
  Object.assign(socket, { _handle: { fd: 8, close() {} } })
  t.equal(facts.fileno, 8)
  facts.set_no_delay(true)
  facts.set_keep_alive(2000)
  t.same(asked, ['no delay', true, 'keep alive', true, 2000])
})
