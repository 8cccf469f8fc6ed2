import t from 'tap'
import { list } from '../../../src/envelope/schema/list.ts'
import { integer, text } from '../../../src/envelope/schema/scalars.ts'
import { optional } from '../../../src/envelope/schema/schema.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { thrown } from '../../kit.ts'
import { tried } from '../kit.ts'

t.test('list', async t => {
  const few = list(integer).min(1).max(2)
  t.strictSame(tried(few, [1, 2]), [1, 2])
  t.strictSame(tried(few, []), [': value_error.list.min_items'])
  t.strictSame(tried(few, [1, 2, 3]), [': value_error.list.max_items'])
  t.strictSame(tried(few, {}), [': type_error.list'])
  t.strictSame(tried(few, null), [': type_error.list'])
  t.strictSame(tried(few, ['a', null]), ['0: type_error.integer', '1: type_error.none.not_allowed'])
  t.strictSame(tried(list(text), Array(10_001).fill('')), [': value_error.list.max_items'])
})

t.test('what was given is not changed', async t => {
  const lines = list(shape({ note: optional(text) }))
  const given = [{}, { note: 'a' }, {}]
  t.strictSame(tried(lines, given), [{ note: null }, { note: 'a' }, { note: null }])
  t.strictSame(given, [{}, { note: 'a' }, {}])
  t.equal(tried(lines, [given[1]]) !== given, true)
})

t.test('misuse', async t => {
  t.equal(
    thrown(() => list(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => list(text).min(-1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => list(text).max('a' as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => list(text).min(2).max(1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.match(tried(list(integer).min(20_000).max(30_000), Array(20_000).fill(1)), { length: 20_000 })
})
