import t from 'tap'
import {
  beyond,
  checkLimit,
  checkLimits,
  type Fault,
  inside,
  INVALID,
  isNone,
  notPermitted,
  wrong,
} from '../../../src/envelope/schema/faults.ts'
import { thrown } from '../../kit.ts'

t.test('a fault has the form of the original', async t => {
  const faults: Fault[] = []
  t.equal(wrong(faults, 'value_error.missing', 'field required'), INVALID)
  inside(faults, 0, 't')
  isNone(faults)
  beyond(faults, 'any_str.max_length', 'has at most', 20, ' characters')
  notPermitted(faults, 'c', ['a', 1, true, false])
  notPermitted(faults, [], ['a'])
  t.strictSame(faults, [
    { loc: ['t'], msg: 'field required', type: 'value_error.missing' },
    { loc: [], msg: 'none is not an allowed value', type: 'type_error.none.not_allowed' },
    {
      loc: [],
      msg: 'ensure this value has at most 20 characters',
      type: 'value_error.any_str.max_length',
      ctx: { limit_value: 20 },
    },
    {
      loc: [],
      msg: "unexpected value; permitted: 'a', 1, True, False",
      type: 'value_error.const',
      ctx: { given: 'c', permitted: ['a', 1, true, false] },
    },
    {
      loc: [],
      msg: "unexpected value; permitted: 'a'",
      type: 'value_error.const',
      ctx: { given: 'object', permitted: ['a'] },
    },
  ])
})

t.test('a peer cannot make us list faults without end', async t => {
  const faults: Fault[] = []
  for (let count = 0; count < 1000; count++) isNone(faults)
  t.equal(faults.length, 100)
})

t.test('limits', async t => {
  t.equal(checkLimit('a', 5, true), 5)
  t.equal(checkLimit('a', -1.5, false), -1.5)
  for (const [limit, isCount] of [
    [-1, true],
    [1.5, true],
    [NaN, false],
    ['1', false],
  ] as const)
    t.equal(
      thrown(() => checkLimit('a', limit, isCount)),
      'ERR_INVALID_ARGUMENT',
    )
  for (const max of [undefined, 5, 6]) checkLimits('a', 5, max)
  t.equal(
    thrown(() => checkLimits('a', 5, 4)),
    'ERR_INVALID_ARGUMENT',
  )
})
