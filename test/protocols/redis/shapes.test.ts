import t from 'tap'
import { entriesOf, recordOf, streamsOf } from '../../../src/protocols/redis/shapes.ts'

t.test('a map, in RESP3 and in RESP2', async t => {
  t.same(recordOf(new Map([['a', '1']])), { a: '1' })
  t.same(recordOf(['a', '1', 'b', '2']), { a: '1', b: '2' })
  t.same(recordOf([]), {})
  t.same(recordOf(new Map([[Buffer.from('a'), '1']])), { a: '1' })
  t.same(Object.keys(recordOf(['__proto__', '1'])), ['__proto__'])
})

t.test('the entries of a stream', async t => {
  t.same(entriesOf([['1-0', ['a', '1']], null, ['2-0', null]]), [
    { id: '1-0', fields: { a: '1' } },
    { id: '2-0', fields: {} },
  ])
})

t.test('streams: a map in RESP3, pairs in RESP2, nothing in both', async t => {
  const expected = { s: [{ id: '1-0', fields: { a: '1' } }] }
  t.same(streamsOf(new Map([['s', [['1-0', ['a', '1']]]]])), expected)
  t.same(streamsOf([['s', [['1-0', ['a', '1']]]]]), expected)
  t.same(streamsOf(null), {})
})

t.test('what is no list and no map', async t => {
  t.throws(() => recordOf(5), TypeError)
})
