import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  type LengthPrefixOptions,
  readForm,
} from '../../../src/core/length/length-prefix-options.ts'

t.test('defaults', async t => {
  t.match(readForm({}), {
    field: { longest: 4, most: 2 ** 32 - 1 },
    offset: 0,
    after: 0,
    header: false,
    adjust: 0,
    counts_itself: false,
    markers: false,
    padding: -1,
    trailer: Buffer.alloc(0),
  })
})

t.test('each kind of field', async t => {
  const rows: [options: LengthPrefixOptions, longest: number][] = [
    [{ size: 8, endian: 'big' }, 8],
    [{ size: 'varint' }, 8],
    [{ size: 'ber' }, 9],
    [{ size: 'decimal' }, 16],
    [{ size: 'decimal', until: Uint8Array.of(0, 0) }, 17],
    [{ size: 'hex', digits: 4 }, 4],
  ]
  for (const [options, longest] of rows) t.equal(readForm(options).field.longest, longest)
})

t.test('padding is a byte of the header', async t => {
  for (const options of [
    { padding: 0, offset: 1, size: 'varint' },
    { padding: 6, offset: 4, size: 2, after: 2 },
    { padding: 4, after: 1 },
  ] as const)
    t.equal(readForm(options).padding, options.padding)
})

t.test('invalid options', async t => {
  const sizes = "an integer from 1 to 8, 'varint', 'ber', 'decimal' or 'hex'"
  const rows: [options: object, message: string][] = [
    [{ size: 0 }, `size must be ${sizes}; got 0`],
    [{ size: 9 }, `size must be ${sizes}; got 9`],
    [{ size: 1.5 }, `size must be ${sizes}; got 1.5`],
    [{ size: '4' }, `size must be ${sizes}; got "4"`],
    [{ endian: 'middle' }, "endian must be 'big' or 'little'; got \"middle\""],
    [
      { size: 'ber', endian: 'big' },
      'endian must be left out unless size is an integer; got "big"',
    ],
    [{ digits: 4 }, "digits must be left out unless size is 'decimal' or 'hex'; got 4"],
    [
      { size: 'varint', until: ' ' },
      "until must be left out unless size is 'decimal' or 'hex'; got \" \"",
    ],
    [{ size: 'hex', digits: 14 }, 'digits must be an integer from 1 to 13; got 14'],
    [{ size: 'decimal', digits: 0 }, 'digits must be an integer from 1 to 15; got 0'],
    [{ size: 'hex', digits: 4, until: ' ' }, 'until must be left out if there are digits; got " "'],
    [
      { size: 'hex', until: 'a' },
      'until must be at least one byte, and must not begin with a digit; got "a"',
    ],
    [
      { size: 'hex', until: '' },
      'until must be at least one byte, and must not begin with a digit; got ""',
    ],
    [{ size: 'hex', until: 5 }, 'until must be a string or a Uint8Array; got 5'],
    [{ offset: -1 }, 'offset must be an integer of at least 0; got -1'],
    [{ offset: 0.5 }, 'offset must be an integer of at least 0; got 0.5'],
    [{ after: -1 }, 'after must be an integer of at least 0; got -1'],
    [{ adjust: NaN }, 'adjust must be an integer; got NaN'],
    [{ adjust: null }, 'adjust must be an integer; got null'],
    [{ header: 1 }, 'header must be true or false; got 1'],
    [{ counts_itself: 'yes' }, 'counts_itself must be true or false; got "yes"'],
    [{ markers: null }, 'markers must be true or false; got null'],
    [
      { markers: true, offset: 1 },
      'markers must be left out if there is an offset or after; got true',
    ],
    [{ padding: -1 }, 'padding must be an integer of at least 0; got -1'],
    [{ padding: 0 }, 'padding must be the index of a byte of the header; got 0'],
    [
      { padding: 5, offset: 4, size: 2, after: 2 },
      'padding must be the index of a byte of the header; got 5',
    ],
    [
      { padding: 8, offset: 4, size: 2, after: 2 },
      'padding must be the index of a byte of the header; got 8',
    ],
    [
      { padding: 1, size: 'ber', after: 8 },
      'padding must be the index of a byte of the header; got 1',
    ],
    [{ trailer: null }, 'trailer must be a string or a Uint8Array; got null'],
  ]
  for (const [options, message] of rows)
    t.throws(() => readForm(options), {
      code: 'ERR_INVALID_ARGUMENT',
      message: `length_prefix: ${message}`,
    })
  t.throws(() => readForm({ sise: 2 } as never), {
    message: 'length_prefix: there is no option "sise"; did you mean size?',
  })
  t.throws(() => readForm(2 as never), {
    message: /options must be an object, { size, endian, .* }; got 2/,
  })
})
