/** Options that do not exist are refused, with what was probably meant. */

import t from 'tap'
import { checkAddressOptions, checkOptions, noSuchOption } from '../../src/core/option-names.ts'

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
