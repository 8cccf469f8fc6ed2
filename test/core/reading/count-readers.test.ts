/** The readers of a count. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { CountReader, EmptyReader, PeekReader } from '../../../src/core/reading/count-readers.ts'
import { NEED_MORE, TOO_LONG } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { readsAsTheOracle } from './reader-kit.ts'

t.test('PROPERTY: reads do not depend on chunks', async t => {
  readsAsTheOracle(t, 8, [1, 2, 5, 50])
})

t.test('a count', async t => {
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('abcde'))
  t.same(new CountReader(2, null).next(buffer), Buffer.from('ab'))
  const text = new CountReader(2, 'utf8')
  t.equal(text.next(buffer), 'cd')
  text.giveBack()
  t.equal(text.next(buffer), NEED_MORE)
})

t.test('a count that is looked at', async t => {
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('abc'))
  const reader = new PeekReader(2)
  const seen = reader.next(buffer) as Buffer
  reader.giveBack()
  t.same([seen, reader.next(buffer), buffer.length], [Buffer.from('ab'), Buffer.from('ab'), 3])
  t.equal(new PeekReader(4).next(buffer), NEED_MORE)
  seen[0] = 0
  t.same(buffer.take(3), Buffer.from('abc'), 'it is a copy')
})

t.test('a count of 0: one empty read for each assignment', async t => {
  const buffer = new RecvBuffer()
  const reader = new EmptyReader(null)
  t.equal(reader.held, 1, 'it is not idle')
  t.same(reader.next(buffer, 5), Buffer.alloc(0), 'without a byte')
  t.equal(reader.held, 0)
  t.equal(reader.next(buffer, 5), NEED_MORE)
  reader.giveBack()
  t.equal(reader.next(buffer, 5), NEED_MORE)
  reader.assigned()
  t.same(reader.next(buffer, 5), Buffer.alloc(0))
  buffer.append(Buffer.from('abcde'))
  t.equal(reader.next(buffer, 5), NEED_MORE)
  t.equal(reader.next(buffer, 4), TOO_LONG, 'what comes meanwhile is bounded')
  t.equal(new EmptyReader('utf8').next(buffer, 5), '')
})
