/** Checks: what a value must be, and what is said if it is not. */

import t from 'tap'
import {
  anyValue,
  BACKOFF_CHECKS,
  type Check,
  checkBoolean,
  checkClosed,
  checkCount,
  checkDuration,
  checkFunction,
  checkName,
  checkRecord,
  checkText,
  checkWait,
  classOf,
  countFrom,
  having,
  instanceOf,
  isRecord,
  listOf,
  oneOf,
  wholeFrom,
} from '../../src/core/checks.ts'
import { thrown } from '../kit.ts'

t.test('switches, counts, times', async t => {
  t.same([checkBoolean('b', true), checkBoolean('b', false)], [true, false])
  for (const value of [0, 1, 'true', null, undefined])
    t.equal(
      thrown(() => checkBoolean('b', value)),
      'ERR_INVALID_ARGUMENT',
    )
  t.same(
    [checkCount('c', 0, 0), checkCount('c', 2 ** 53 - 1, 1), checkCount('c', Infinity, 1)],
    [0, 2 ** 53 - 1, Infinity],
  )
  for (const value of [-1, 0.5, NaN, -Infinity, 2 ** 53, '5', 5n, null, undefined, true])
    t.equal(
      thrown(() => checkCount('c', value, 0)),
      'ERR_INVALID_ARGUMENT',
    )
  t.equal(
    thrown(() => checkCount('c', 0, 1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.same(
    [checkDuration('d', 0.001), checkDuration('d', 1e300), checkDuration('d', Infinity)],
    [0.001, 1e300, Infinity],
  )
  for (const value of [0, -1, NaN, '5', 5n, null, undefined, true]) {
    t.throws(() => checkDuration('d', value), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^d must be a positive number of milliseconds, or Infinity/,
    })
  }
})

/** What each says of a value that is none; of the valid ones, that they are returned. */
t.test('what is said', async t => {
  class Engine {}
  const engine = new Engine()
  const own = { run() {} }
  const rows: [check: Check<any>, valid: any[], wrong: unknown, message: string][] = [
    [checkText, ['', 'a'], 5, 'x must be text; got 5'],
    [checkName, ['a'], '', 'x must be text that is not empty; got ""'],
    [checkName, ['a'], 5, 'x must be text that is not empty; got 5'],
    [checkFunction, [thrown], {}, 'x must be a function; got an object (Object)'],
    [checkRecord, [{}, { a: 1 }], [], 'x must be an object of names and values; got []'],
    [checkWait, [0, 0.5, Infinity], -1, 'x must be milliseconds, 0 or more; got -1'],
    [checkWait, [], '1', 'x must be milliseconds, 0 or more; got "1"'],
    [countFrom(1), [1, Infinity], 0, 'x must be an integer of at least 1, or Infinity; got 0'],
    [wholeFrom(0), [0, 5], 0.5, 'x must be a whole number of at least 0; got 0.5'],
    [wholeFrom(1), [1], Infinity, 'x must be a whole number of at least 1; got Infinity'],
    [wholeFrom(1, 9), [1, 9], 10, 'x must be a whole number from 1 to 9; got 10'],
    [oneOf<unknown>('a', 2, null), ['a', 2, null], 'b', 'x must be "a" or 2 or null; got "b"'],
    [instanceOf(Engine), [engine], {}, 'x must be an Engine; got an object (Object)'],
    [instanceOf(Map), [new Map()], null, 'x must be a Map; got null'],
    [classOf(Error), [Error, TypeError], Map, 'x must be Error, or a class that extends it; got'],
    [classOf(Error), [], new Error('e'), 'x must be Error, or a class that extends it; got'],
    [classOf(Map, 'Y does'), [], null, 'x must be Map, or a class that extends it, as Y does; got'],
    [having<typeof own>('run', 'a JobRunner'), [own], {}, 'x must be a JobRunner; got'],
    [having<typeof own>('run', 'a JobRunner'), [], null, 'x must be a JobRunner; got null'],
    [listOf(checkText, 'words'), [[], ['a']], 'a', 'x must be an array of words; got "a"'],
    [listOf(checkText, 'words'), [], ['a', 1], 'x[1] must be text; got 1'],
    [BACKOFF_CHECKS.first, [], 0, 'x must be a positive number of milliseconds'],
  ]
  for (const [check, valid, wrong, message] of rows) {
    for (const value of valid) t.equal(check('x', value), value)
    t.throws(() => check('x', wrong), { code: 'ERR_INVALID_ARGUMENT' })
    try {
      check('x', wrong)
    } catch (error) {
      t.equal((error as Error).message.slice(0, message.length), message)
    }
  }
  t.equal(anyValue('x', engine), engine)
})

// `headers: new Map([['a', 'b']])` was taken, and sent no header.
t.test('a Map is no object of names and values', async t => {
  class Own {
    size = 1
  }
  for (const value of [{}, Object.create(null), new Own()]) t.ok(isRecord(value))
  for (const value of [new Map([['a', 'b']]), [], null, 'a', undefined]) t.notOk(isRecord(value))
})

t.test('what is to be opened must be closed', async t => {
  t.equal(checkClosed('open()', 'channel', 'closed'), undefined)
  const check = (state: string, advice?: string) => () =>
    checkClosed('open()', 'channel', state, advice)
  t.equal(thrown(check('active')), 'ERR_INVALID_STATE')
  t.throws(check('active'), { message: 'open(): the channel is active; close() it first' })
  t.throws(check('active', 'wait'), { message: 'open(): the channel is active; wait' })
  const closing = 'open(): the channel is closing; await its `closed` first'
  t.throws(check('closing', 'wait'), { message: closing })
})
