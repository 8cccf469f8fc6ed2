/** Options that do not exist are refused, with what was probably meant. */

import t from 'tap'
import { type Checks, checkText, countFrom } from '../../src/core/checks.ts'
import {
  checkAddressOptions,
  checkOptions,
  noSuchOption,
  optionsOf,
  withDefaults,
} from '../../src/core/options.ts'

// `new Engine({ bufferLimit })`, `stop(5000)`, `length_prefix(2)` and others were taken without a
// word, and meant the default.
t.test('names and kinds', async t => {
  const names = ['size', 'endian']
  class Own {
    size = 1
  }
  for (const options of [{}, { size: 1 }, Object.create(null), new Own()])
    checkOptions('call', options, names)
  const rows: [options: unknown, message: string][] = [
    [{ sise: 2 }, 'call: there is no option "sise"; did you mean size?'],
    [{ size: 1, x: 2 }, 'call: there is no option "x"; there are: size, endian'],
    [{ x: undefined }, 'call: there is no option "x"; there are: size, endian'],
    [2, 'call: options must be an object, { size, endian }; got 2'],
    [null, 'call: options must be an object, { size, endian }; got null'],
    [[], 'call: options must be an object, { size, endian }; got []'],
    [new Map(), 'call: options must be an object, { size, endian }; got an object (Map)'],
  ]
  for (const [options, message] of rows)
    t.throws(() => checkOptions('call', options, names), { code: 'ERR_INVALID_ARGUMENT', message })
  t.throws(() => checkOptions('call', 5, []), {
    message: 'call: options must be left out: there are none; got 5',
  })
  t.equal(noSuchOption('call', 'x', []).message, 'call: there is no option "x"; there are none')
})

// `backoff: 5`, `transport: 5`, `subjects: 'x'` and others were taken without a word.
t.test('values, by a table of checks', async t => {
  const checks = { size: countFrom(1), name: checkText }
  checkOptions('call', { size: 1, name: undefined }, checks)
  checkOptions('call', { name: 'a' }, checks, ['name'])
  const nested = { inner: optionsOf(checks, 'name') }
  const inner = { size: 2 }
  t.equal(nested.inner('inner', inner), inner)
  const rows: [options: unknown, table: Checks<any>, message: string][] = [
    [{ size: 'x' }, checks, 'call: size must be an integer of at least 1, or Infinity; got "x"'],
    [{ sise: 2 }, checks, 'call: there is no option "sise"; did you mean size?'],
    [{ name: null, size: 1 }, checks, 'call: name must be text; got null'],
    [{ size: 1 }, checks, 'call: name must be text; got undefined'],
    [5, checks, 'call: options must be an object, { size, name }; got 5'],
    [{ inner: 5 }, nested, 'call: inner: options must be an object, { size }; got 5'],
    [{ inner: { name: 'a' } }, nested, 'call: inner: there is no option "name"; there are: size'],
    [{ inner: { size: 0 } }, nested, 'call: inner: size must be an integer of at least 1'],
  ]
  for (const [options, table, message] of rows) {
    const needed = table === checks ? ['name'] : []
    t.throws(() => checkOptions('call', options, table, needed), { code: 'ERR_INVALID_ARGUMENT' })
    try {
      checkOptions('call', options, table, needed)
    } catch (error) {
      t.equal((error as Error).message.slice(0, message.length), message)
    }
  }
})

t.test('an option that is undefined has its default', async t => {
  const defaults = { size: 1, name: 'a' }
  t.strictSame(withDefaults(defaults, {}), defaults)
  t.strictSame(withDefaults(defaults, { size: undefined, name: '' }), { size: 1, name: '' })
})

t.test('after an address', async t => {
  checkAddressOptions('listen', 1, {}, [])
  const rows: [address: unknown, options: unknown, message: string][] = [
    [4040, 'localhost', 'connect: an address is one value: connect(["localhost", 4040])'],
    ['::1', 4040, 'connect: an address is one value: connect(["::1", 4040])'],
    [
      4040,
      () => {},
      'connect: there is no callback; override on_connect, or await connect(…).opened',
    ],
    [4040, { hots: 1 }, 'connect: there is no option "hots"; there are none'],
    ['/x', 'utf8', 'connect: options must be left out: there are none; got "utf8"'],
  ]
  for (const [address, options, message] of rows)
    t.throws(() => checkAddressOptions('connect', address, options, []), {
      code: 'ERR_INVALID_ARGUMENT',
      message,
    })
  t.throws(() => checkAddressOptions('listen', 1, () => {}, []), { message: /override on_listen/ })
})
