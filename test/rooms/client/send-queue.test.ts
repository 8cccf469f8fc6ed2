/** What waits to be sent: its order and its bounds. */

import t from 'tap'
import { SendQueue } from '../../../src/rooms/client/send-queue.ts'

function make(): SendQueue {
  return new SendQueue({ max_queued: 3, max_queued_bytes: 10, max_queued_age: 100 })
}

function drain(queue: SendQueue): unknown[] {
  const all: unknown[] = []
  for (let each = queue.take(); each !== undefined; each = queue.take()) all.push(each.data)
  return all
}

t.test('order', async t => {
  const queue = make()
  t.ok(queue.isEmpty)
  queue.add('1', undefined, 0)
  queue.addCommand('command')
  queue.add('2', 'r', 0)
  t.same([queue.isEmpty, queue.length], [false, 2], 'a command is no message')
  queue.dropCommands()
  queue.begin(['a', 'b'])
  t.same(drain(queue), ['a', 'b', '1', '2'])
  t.same([queue.isEmpty, queue.length], [true, 0])
})

t.test('bounds', async t => {
  const queue = make()
  t.equal(queue.add('grüße', 'r', 0), undefined)
  t.equal(queue.add('1234', undefined, 0), 'max_queued_bytes', '7 bytes, not 5 letters, are there')
  t.equal(queue.add('123', undefined, 0), undefined)
  t.equal(queue.add('', undefined, 0), undefined)
  t.equal(queue.add('', undefined, 0), 'max_queued')
  queue.addCommand('a command that is longer than all bounds')
  t.equal(queue.take()?.room, 'r')
  t.equal(queue.add('1234567', undefined, 0), undefined, 'there is room again')
  drain(queue)
  t.equal(queue.add(new Uint8Array(10), undefined, 0), undefined, 'nothing of them is left')
})

t.test('bytes are copied', async t => {
  const queue = make()
  const bytes = Uint8Array.of(1, 2)
  queue.add(bytes, undefined, 0)
  bytes[0] = 9
  t.same(drain(queue), [Uint8Array.of(1, 2)])
})

t.test('age', async t => {
  const queue = make()
  queue.add('old', 'r', 0)
  queue.addCommand('command')
  queue.add('new', undefined, 50)
  t.same(queue.dropOld(100), [])
  t.match(queue.dropOld(101), [{ data: 'old', room: 'r' }])
  t.same([queue.length, drain(queue)], [1, ['command', 'new']])
})
