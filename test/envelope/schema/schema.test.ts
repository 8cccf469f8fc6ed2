import t from 'tap'
import { list } from '../../../src/envelope/schema/list.ts'
import { integer, text } from '../../../src/envelope/schema/scalars.ts'
import { optional } from '../../../src/envelope/schema/schema.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { tried } from '../kit.ts'

t.test('every schema carries the Standard Schema interface', async t => {
  const { version, vendor, validate } = shape({ at: shape({ x: integer }) })['~standard']
  t.strictSame([version, vendor], [1, 'sluice'])
  t.strictSame(await validate({ at: { x: 1 } }), { value: { at: { x: 1 } } })
  t.strictSame(await validate({ at: { x: 'a' } }), {
    issues: [{ message: 'value is not a valid integer', path: ['at', 'x'] }],
  })
})

t.test('optional', async t => {
  const note = optional(text.max(2))
  t.strictSame([tried(note, null), tried(note, undefined), tried(note, 'a')], [null, null, 'a'])
  t.strictSame(tried(note, 'abc'), [': value_error.any_str.max_length'])
  const named = optional(text, 'nobody')
  t.strictSame(
    [tried(named, null), tried(named, undefined), named.fallback],
    ['nobody', 'nobody', 'nobody'],
  )
  t.throws(() => optional(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
})

// All messages without the field had one and the same list, so what one added the next one had.
t.test('the fallback of a field', async t => {
  const tags = shape({ tags: optional(list(text), []) })
  const one = tried(tags, {}) as { tags: string[] }
  one.tags.push('mine')
  t.strictSame(tried(tags, {}), { tags: [] })
  t.throws(() => optional(integer, 'x' as never), { code: 'ERR_INVALID_ARGUMENT' })
})
