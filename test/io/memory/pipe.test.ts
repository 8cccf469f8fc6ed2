/** One direction of a pipe: what belongs to the system, and what is lost when an end goes. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Pipe } from '../../../src/io/memory/pipe.ts'

function pipe(capacity: number, ...chunks: string[]): Pipe {
  const pipe = new Pipe()
  pipe.capacity = capacity
  for (const chunk of chunks) pipe.push(Buffer.from(chunk), false)
  return pipe
}

t.test('gives bytes in order, however they are cut', async t => {
  const { size, total, queued } = pipe(4, 'abc', 'def')
  t.same([size, total, queued], [6, 6, 2])
  const bytes = pipe(4, 'abc', 'def')
  t.same(
    [2, 3, 9, 1].map(many => bytes.take(many).toString()),
    ['ab', 'cde', 'f', ''],
  )
  t.same([bytes.size, bytes.total, bytes.queued], [0, 6, 0])
})

t.test('does not give what a cork holds back', async t => {
  const bytes = pipe(10, 'ab')
  bytes.push(Buffer.from('cd'), true)
  t.equal(bytes.queued, 2)
  t.equal(bytes.take(10).toString(), 'ab')
  t.equal(bytes.take(10).length, 0)
  bytes.corked = 0
  t.equal(bytes.take(10).toString(), 'cd')
})

t.test('cut loses what the system had not taken', async t => {
  const bytes = pipe(4, 'abc', 'def')
  bytes.cut('end')
  t.same([bytes.size, bytes.total, bytes.queued, bytes.tail], [4, 4, 0, 'end'])
  t.equal(bytes.take(10).toString(), 'abcd')
})

t.test('abandon loses all, and counts what the system had as sent', async t => {
  const bytes = pipe(4, 'abc', 'def')
  bytes.abandon()
  t.same([bytes.size, bytes.total, bytes.reader, bytes.tail], [0, 4, 'gone', 'open'])
  bytes.break()
  t.same([bytes.total, bytes.tail], [4, 'break'])
  t.equal(bytes.take(10).length, 0)
})
