/** What is told of a connection on a handle, while it is open and afterwards. */

import { Socket } from 'node:net'
import t from 'tap'
import { HandleFacts } from '../../../src/io/fast/handle-facts.ts'
import { FakeHandle } from './kit.ts'

function make(): { facts: HandleFacts; handle: FakeHandle } {
  const facts = new HandleFacts()
  const handle = new FakeHandle()
  facts.handle = handle.as()
  return { facts, handle }
}

const told = ({
  local_address,
  remote_address,
  fileno,
  bytes_read,
  bytes_written,
}: HandleFacts) => [local_address, remote_address, fileno, bytes_read, bytes_written]

t.test('before there is a handle, nothing is known', async t => {
  const facts = new HandleFacts()
  t.same(told(facts), [undefined, undefined, undefined, 0, 0])
  facts.set_no_delay(true)
  facts.set_keep_alive(1000)
})

t.test('the handle is asked as long as there is one, and what it said last is kept', async t => {
  const { facts, handle } = make()
  Object.assign(handle, { bytesRead: 3, bytesWritten: 10, writeQueueSize: 4 })
  const first = [['127.0.0.1', 1], ['127.0.0.2', 2], 7, 3, 6]
  t.same(told(facts), first)
  handle.bytesRead = 5
  t.same(facts.bytes_read, 5)
  facts.keep()
  Object.assign(handle, { bytesRead: 100, bytesWritten: 100, writeQueueSize: 0, peer: {} })
  t.same(told(facts), [['127.0.0.1', 1], ['127.0.0.2', 2], 7, 5, 6])
  facts.forget()
  t.same(told(facts), [['127.0.0.1', 1], ['127.0.0.2', 2], undefined, 5, 6])
})

t.test('a peer that has gone has no address', async t => {
  const { facts, handle } = make()
  handle.peer = {}
  t.equal(facts.remote_address, undefined)
})

t.test('addresses that were told are not asked for', async t => {
  const { facts } = make()
  facts.told('/path', '')
  t.same([facts.local_address, facts.remote_address], ['/path', ''])
})

t.test('options go to the socket while it connects, then to the handle', async t => {
  const { facts, handle } = make()
  facts.set_no_delay(false)
  facts.set_keep_alive(5999)
  facts.set_keep_alive(1)
  facts.set_keep_alive(Infinity)
  facts.set_keep_alive(false)
  facts.set_keep_alive(5000, { interval: 3999, count: 4 })
  t.same(handle.calls, [
    ['setNoDelay', false],
    ['setKeepAlive', true, 5, undefined, undefined],
    ['setKeepAlive', true, 1, undefined, undefined],
    ['setKeepAlive', true, 32_767, undefined, undefined],
    ['setKeepAlive', false, 0, undefined, undefined],
    ['setKeepAlive', true, 5, 3, 4],
  ])
  const calls: unknown[] = []
  facts.socket = Object.assign(new Socket(), {
    setNoDelay: (on: boolean) => calls.push(['setNoDelay', on]),
    setKeepAlive: (on: boolean, delay: number) => calls.push(['setKeepAlive', on, delay]),
  }) as unknown as Socket
  facts.set_no_delay(true)
  facts.set_keep_alive(2500)
  facts.set_keep_alive(false)
  t.same(calls, [
    ['setNoDelay', true],
    ['setKeepAlive', true, 2500],
    ['setKeepAlive', false, 0],
  ])
})
