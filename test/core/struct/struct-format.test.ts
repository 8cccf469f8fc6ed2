import { Buffer } from 'node:buffer'
import t from 'tap'
import { parseFormat } from '../../../src/core/struct/struct-format.ts'
import { layOutOf, pack } from '../struct-kit.ts'

t.test('no mark, and =, are the order of this machine in standard sizes', async t => {
  // Another view of the same memory, so that this holds on a big-endian machine too. (Python's 'bH'
  // has an alignment byte.)
  const native = Buffer.from(new Uint16Array([258]).buffer).toString('hex')
  t.equal(pack('=bH', 1, 258), `01${native}`)
  t.equal(pack('bH', 1, 258), `01${native}`)
  t.equal(parseFormat('NetStruct', 'H', '!').order, 1, 'but a NetStruct says which it takes')
  t.equal(parseFormat('NetStruct', '<H', '!').order, 0)
})

t.test('counts, pads and white space', async t => {
  t.match(parseFormat('Struct', '< 2h\t03x \n s ', '='), {
    where: 'Struct "< 2h\\t03x \\n s "',
    order: 0,
    items: [
      { code: 'h', count: 2, counted: true, position: 3 },
      { code: 'x', count: 3, counted: true, position: 7 },
      { code: 's', count: 1, counted: false, position: 11 },
    ],
  })
  const { fields, size } = layOutOf('!x2hx3s0s0Hd')
  t.same(
    fields.map(field => [field.code, field.offset]),
    [
      ['h', 1],
      ['h', 3],
      ['s', 6],
      ['s', 9],
      ['d', 9],
    ],
  )
  t.equal(size, 17)
  t.match(layOutOf(''), { fields: [], size: 0 })
  t.match(layOutOf('!5x '), { fields: [], size: 5 })
  t.equal(layOutOf('65535b2147418112x').size, 2147483647, 'as much as may be')
})

t.test('formats that are refused', async t => {
  const refused: [format: string, message: string][] = [
    [
      '@i',
      '"@" at position 0: native sizes and alignment differ from machine to machine; ' +
        'use =, <, > or !',
    ],
    ['<n', '"n" at position 1: its size differs from machine to machine; use q'],
    ['<2N', '"N" at position 2: its size differs from machine to machine; use Q'],
    ['P', '"P" at position 0: a pointer means nothing to a peer; use Q'],
    ['b 4p', '"p" at position 3: Pascal strings are not supported; use s, or B$ in a NetStruct'],
    ['e', '"e" at position 0: half-precision floats are not supported; use f'],
    ['H<', '"<" at position 1: a byte order mark is allowed only at the start'],
    ['!!', '"!" at position 1: a byte order mark is allowed only at the start'],
    [' >H', '">" at position 1: a byte order mark is allowed only at the start'],
    ['<=', '"=" at position 1: a byte order mark is allowed only at the start'],
    ['4 H', '" " at position 1: a count must be followed by its code directly'],
    ['H$', '"$" at position 1: only a NetStruct has it'],
    ['bZ', '"Z" at position 1: unknown code'],
    ['b_', '"_" at position 1: unknown code'],
    ['b😀', '"😀" at position 1: unknown code'],
    ['-1H', '"-" at position 0: unknown code'],
    ['H4', 'a count without a code at position 2'],
    ['2147483648x', 'more than 2147483647 bytes at position 10'],
    ['b99999999999999999999999s', 'more than 2147483647 bytes at position 24'],
    ['65535bb', 'more than 65535 values at position 6'],
    ['9999999b', 'more than 65535 values at position 7'],
  ]
  for (const [format, message] of refused) {
    t.throws(
      () => layOutOf(format),
      {
        code: 'ERR_STRUCT',
        name: 'StructError',
        message: `Struct ${JSON.stringify(format)}: ${message}`,
      },
      format,
    )
  }
  t.throws(() => parseFormat('NetStruct', 5 as never, '!'), {
    code: 'ERR_STRUCT',
    message: 'NetStruct: a format must be a string; got 5',
  })
  t.equal(parseFormat('NetStruct', 'H$', '!').items.length, 2)
})
