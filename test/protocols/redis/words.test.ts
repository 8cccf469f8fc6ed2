/** The words of commands that have options, or take one thing or several. */

import t from 'tap'
import {
  listOf,
  pairsOf,
  readWords,
  setWords,
  xaddWords,
} from '../../../src/protocols/redis/words.ts'

t.test('one or several', async t => {
  t.strictSame([listOf('a'), listOf(['a', 1]), listOf([])], [['a'], ['a', 1], []])
  t.throws(() => listOf('a', true), { message: /must be one array/ })
  t.strictSame(pairsOf('x', { a: 1, b: '2' }), ['a', 1, 'b', '2'])
  for (const wrong of [{}, null, 5])
    t.throws(() => pairsOf('x', wrong as never), { message: /^x must be an object with a field/ })
})

t.test('options become words', async t => {
  t.strictSame(setWords({}), [])
  const all = { ex: 1, px: 2, nx: true, xx: true, keepttl: true }
  t.strictSame(setWords(all), ['EX', 1, 'PX', 2, 'NX', 'XX', 'KEEPTTL'])
  t.strictSame(setWords({ nx: false }), [])
  t.strictSame(xaddWords({}), ['*'])
  t.strictSame(xaddWords({ id: '1-0', maxlen: 5 }), ['MAXLEN', '~', 5, '1-0'])
  t.strictSame(xaddWords({ maxlen: 5, exact: true }), ['MAXLEN', '=', 5, '*'])
  t.strictSame(readWords('xread', { a: '0', b: '$' }, {}), ['STREAMS', 'a', 'b', '0', '$'])
  const words = ['COUNT', 1, 'BLOCK', 0, 'STREAMS', 'a', '0']
  t.strictSame(readWords('xread', { a: '0' }, { count: 1, block: 0 }), words)
})

// `set('a', 'b', { ex: 'x' })` was the server's to refuse.
t.test('values that are none', async t => {
  const rows: [call: () => unknown, message: RegExp][] = [
    [() => setWords({ ex: 0 }), /^set: ex must be a whole number of at least 1; got 0/],
    [() => setWords({ nx: 1 as never }), /^set: nx must be true or false/],
    [() => xaddWords({ maxlen: -1 }), /^xadd: maxlen must be/],
    [() => readWords('xread', { a: '0' }, { block: 'x' as never }), /^xread: block must be/],
  ]
  for (const [call, message] of rows) t.throws(call, { code: 'ERR_INVALID_ARGUMENT', message })
})
