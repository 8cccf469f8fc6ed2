import t from 'tap'
import { boolean, integer, text } from '../../../src/envelope/schema/scalars.ts'
import { optional } from '../../../src/envelope/schema/schema.ts'
import { anything, shape } from '../../../src/envelope/schema/shape.ts'
import { thrown } from '../../kit.ts'
import { tried } from '../kit.ts'

const point = shape({ x: integer, y: integer })
const player = shape({ name: text, at: optional(point), isIn: optional(boolean, true) })

t.test('what has exactly the fields is not copied', async t => {
  const given = { x: 1, y: 2 }
  t.equal(tried(point, given), given)
  const whole = { name: 'a', at: given, isIn: false }
  t.equal(tried(player, whole), whole)
})

t.test('the result has all fields in their order, and no others', async t => {
  const found = tried(point, { y: 2, z: 3, x: 1 })
  t.equal(JSON.stringify(found), '{"x":1,"y":2}')
  t.equal(JSON.stringify(tried(point, { y: 2, x: 1 })), '{"x":1,"y":2}')
  t.equal(JSON.stringify(tried(player, { name: 'a' })), '{"name":"a","at":null,"isIn":true}')
  const given = { name: 'a', at: { y: 1, x: 2 }, isIn: null }
  t.strictSame(tried(player, given), { name: 'a', at: { x: 2, y: 1 }, isIn: true })
  t.equal(given.isIn, null, 'what was given is not changed')
})

t.test('faults, with their paths', async t => {
  t.strictSame(tried(point, {}), ['x: value_error.missing', 'y: value_error.missing'])
  t.strictSame(tried(point, { x: 'a', y: null }), [
    'x: type_error.integer',
    'y: type_error.none.not_allowed',
  ])
  t.strictSame(tried(point, { x: undefined, y: 1 }), ['x: value_error.missing'])
  t.strictSame(tried(player, { name: 'a', at: { x: 1 } }), ['at.y: value_error.missing'])
  for (const wrong of [5, 'a', [], true]) t.strictSame(tried(point, wrong), [': type_error.dict'])
  for (const none of [null, undefined])
    t.strictSame(tried(point, none), [': type_error.none.not_allowed'])
})

t.test('names that reach a prototype are refused, also among fields that are dropped', async t => {
  const pollution = JSON.parse('{"x":1,"y":2,"__proto__":{"isAdmin":true}}')
  t.strictSame(tried(point, pollution), ['__proto__: value_error.name'])
  t.strictSame(tried(point, { x: 1, constructor: {} }), [
    'y: value_error.missing',
    'constructor: value_error.name',
  ])
  const inherited = Object.create({ x: 1, y: 2 })
  t.strictSame(tried(point, inherited), ['x: value_error.missing', 'y: value_error.missing'])
})

t.test('anything', async t => {
  t.strictSame(tried(anything, { a: [1] }), { a: [1] })
  t.equal(tried(anything, undefined), null)
  t.equal(tried(anything, null), null)
  t.strictSame(tried(anything, { prototype: 1 }), ['prototype: value_error.name'])
})

t.test('a shape is made of schemas', async t => {
  const more = shape({ ...point.fields, z: integer })
  t.strictSame(tried(more, { x: 1, y: 2, z: 3 }), { x: 1, y: 2, z: 3 })
  for (const wrong of [null, [], 'a', { a: 5 }, { a: undefined }, { constructor: text }])
    t.equal(
      thrown(() => shape(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
