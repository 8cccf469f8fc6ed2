import t from 'tap'
import { type Fault, INVALID } from '../../../src/envelope/schema/faults.ts'
import { guard, isRefused } from '../../../src/envelope/schema/names.ts'
import { inShort } from '../kit.ts'

function guarded(value: unknown): unknown {
  const faults: Fault[] = []
  return guard(value, faults) === INVALID ? inShort(faults) : 'fine'
}

t.test('names that reach a prototype', async t => {
  t.strictSame(['__proto__', 'constructor', 'prototype', 'proto', 'a'].map(isRefused), [
    true,
    true,
    true,
    false,
    false,
  ])
  t.strictSame(guarded(JSON.parse('{"a":[{"__proto__":{}}]}')), ['a.0.__proto__: value_error.name'])
  t.strictSame(guarded({ constructor: 1 }), ['constructor: value_error.name'])
  t.equal(guarded({ a: [1, null, 'constructor', { b: true }] }), 'fine')
})

t.test('depth and number of values', async t => {
  let deep: unknown = 1
  for (let depth = 0; depth < 32; depth++) deep = depth % 2 ? [deep] : { a: deep }
  t.equal(guarded(deep), 'fine')
  t.match(guarded([deep]), [/value_error.depth$/])
  t.equal(guarded(Array(99_999).fill(0)), 'fine')
  t.match(guarded({ a: Array(100_000).fill(0) }), [/value_error.count$/])
})
