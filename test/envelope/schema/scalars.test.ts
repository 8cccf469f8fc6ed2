import t from 'tap'
import { boolean, integer, number, one_of, text } from '../../../src/envelope/schema/scalars.ts'
import { thrown } from '../../kit.ts'
import { tried } from '../kit.ts'

const NONE = [': type_error.none.not_allowed']

t.test('text', async t => {
  t.equal(tried(text, 'a'), 'a')
  t.equal(tried(text, ''), '')
  t.strictSame(tried(text, null), NONE)
  t.strictSame(tried(text, undefined), NONE)
  t.strictSame(tried(text, 5), [': type_error.str'])
  t.strictSame(tried(text, 'x'.repeat(65_537)), [': value_error.any_str.max_length'])
  const nick = text.min(2).max(3).pattern(/^a/)
  t.equal(tried(nick, 'ab'), 'ab')
  t.strictSame(tried(nick, 'a'), [': value_error.any_str.min_length'])
  t.strictSame(tried(nick, 'abcd'), [': value_error.any_str.max_length'])
  t.strictSame(tried(nick, 'bb'), [': value_error.str.regex'])
  t.equal(tried(text.max(2), '🙂🙂'), '🙂🙂', 'characters, not units of UTF-16')
  t.equal(
    thrown(() => text.min(-1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => text.max(0.5)),
    'ERR_INVALID_ARGUMENT',
  )
  for (const pattern of [/a/g, /a/y, 'a'])
    t.equal(
      thrown(() => text.pattern(pattern as RegExp)),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('integer and number', async t => {
  t.equal(tried(integer, 5), 5)
  for (const wrong of [1.5, '5', true, [], {}, NaN, Infinity, 2 ** 53])
    t.strictSame(tried(integer, wrong), [': type_error.integer'])
  t.strictSame(tried(integer, null), NONE)
  t.strictSame(tried(integer, undefined), NONE)
  t.equal(tried(number, 1.5), 1.5)
  for (const wrong of ['1.5', true, NaN, -Infinity])
    t.strictSame(tried(number, wrong), [': type_error.float'])
  const die = integer.min(1).max(6)
  t.equal(tried(die, 1), 1)
  t.strictSame(tried(die, 0), [': value_error.number.not_ge'])
  t.strictSame(tried(die, 7), [': value_error.number.not_le'])
  t.strictSame(tried(number.min(0.5), 0.4), [': value_error.number.not_ge'])
  t.equal(
    thrown(() => integer.min(NaN)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => number.max('5' as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('boolean and one_of', async t => {
  t.equal(tried(boolean, false), false)
  t.strictSame(tried(boolean, 0), [': type_error.bool'])
  t.strictSame(tried(boolean, null), NONE)
  t.strictSame(tried(boolean, undefined), NONE)
  const colour = one_of('red', 'blue', 1)
  t.equal(tried(colour, 'red'), 'red')
  t.strictSame(tried(colour, 'green'), [': value_error.const'])
  t.strictSame(tried(colour, '1'), [': value_error.const'])
  t.strictSame(tried(colour, null), NONE)
  t.strictSame(tried(colour, undefined), NONE)
  t.equal(
    thrown(() => one_of()),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => one_of({} as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

/*
 * `integer.min(5).max(3)` was a schema that no number passes: the program learnt of it from its
 * users. A limit that only the default contradicts is no fault: the other may still follow.
 */
t.test('limits that nothing is within', async t => {
  const message = /: min must be at most max; got 5 and 3$/
  for (const call of [
    () => integer.min(5).max(3),
    () => integer.max(3).min(5),
    () => number.min(5).max(3),
    () => text.min(5).max(3),
    () => text.max(3).min(5),
  ])
    t.throws(call, { code: 'ERR_INVALID_ARGUMENT', message })
  t.equal(tried(integer.min(3).max(3), 3), 3)
  const long = 'x'.repeat(75_000)
  t.equal(tried(text.min(70_000).max(80_000), long), long)
})
