import { Buffer } from 'node:buffer'
import t from 'tap'
import { bytesOf, copyOf, INTEGER_CODES } from '../../../src/core/struct/struct-codes.ts'
import { layOutOf, pack, unpack } from '../struct-kit.ts'

t.test('every code in both orders, as Python packs it', async t => {
  // The output of python3.11: struct.pack('<…', …).hex()
  // prettier-ignore
  const values = [
    127, 0, 32767, 4660, 2147483647, 305419896, -19088744, 4275878552, 81985529216486895n,
    18364758544493064720n,
  ]
  const little = '7f00ff7f3412ffffff7f7856341298badcfe98badcfeefcdab89674523011032547698badcfe'
  const big = '7f007fff12347fffffff12345678fedcba98fedcba980123456789abcdeffedcba9876543210'
  for (const [mark, hex] of [
    ['<', little],
    ['>', big],
    ['!', big],
  ] as const) {
    t.equal(pack(`${mark}bBhHiIlLqQ`, ...values), hex)
    t.same(unpack(`${mark}bBhHiIlLqQ`, hex), values)
  }
  for (const [mark, hex] of [
    ['<', '0000c03f00000000000002c0'],
    ['>', '3fc00000c002000000000000'],
  ] as const) {
    t.equal(pack(`${mark}fd`, 1.5, -2.25), hex)
    t.same(unpack(`${mark}fd`, hex), [1.5, -2.25])
  }
  t.equal(pack('!?3x2?', true, false, true), '010000000001')
  t.same(unpack('!?3x2?', '010000000001'), [true, false, true])
  t.equal(pack('<c2cs', 'a', Buffer.alloc(1), 'ÿ', 'z'), '6100ff7a')
  t.same(
    unpack('<c2cs', '6100ff7a'),
    ['a', '\0', 'ÿ', 'z'].map(text => Buffer.from(text, 'latin1')),
  )
})

t.test('values that do not fit', async t => {
  const integers: [code: string, min: number, max: number][] = [
    ['b', -128, 127],
    ['B', 0, 255],
    ['h', -32768, 32767],
    ['H', 0, 65535],
    ['i', -2147483648, 2147483647],
    ['I', 0, 4294967295],
    ['l', -2147483648, 2147483647],
    ['L', 0, 4294967295],
  ]
  for (const [code, min, max] of integers) {
    t.same(unpack(`<2${code}`, pack(`<2${code}`, min, max)), [min, max])
    for (const value of [min - 1, max + 1, 0.5, NaN, Infinity]) {
      const must = `must be an integer from ${min} to ${max}; got ${value}`
      const message = `Struct "<x2${code}": values[1] (${code}) ${must}`
      t.throws(() => pack(`<x2${code}`, 0, value), { code: 'ERR_STRUCT', message })
    }
    for (const value of [1n, '1', null, undefined, [1], true])
      t.throws(() => pack(`<${code}`, value), { code: 'ERR_STRUCT' })
  }
  for (const [code, min, max] of [
    ['q', -(2n ** 63n), 2n ** 63n - 1n],
    ['Q', 0n, 2n ** 64n - 1n],
  ] as const) {
    t.same(unpack(`!2${code}`, pack(`!2${code}`, min, max)), [min, max])
    t.same(
      unpack(`!2${code}`, pack(`!2${code}`, 7, Number.MAX_SAFE_INTEGER)),
      [7n, 2n ** 53n - 1n],
      'a safe integer will do',
    )
    const must = `must be a bigint (or a safe integer) from ${min} to ${max}; got ${max + 1n}n`
    const message = `Struct "${code}": values[0] (${code}) ${must}`
    t.throws(() => pack(code, max + 1n), { code: 'ERR_STRUCT', message })
    for (const value of [min - 1n, 2 ** 53, 1.5, '1', null, undefined])
      t.throws(() => pack(code, value), { code: 'ERR_STRUCT' })
  }
  t.throws(() => pack('Q', -1), { message: /got -1n?$/ })

  t.throws(() => pack('f', 3.5e38), {
    message: 'Struct "f": values[0] (f) must be a number that a 32-bit float can hold; got 3.5e+38',
  })
  t.throws(() => pack('d', 1n), { message: 'Struct "d": values[0] (d) must be a number; got 1n' })
  t.same(unpack('<2f2d', pack('<2f2d', -Infinity, NaN, Infinity, NaN)), [
    -Infinity,
    NaN,
    Infinity,
    NaN,
  ])

  for (const value of [
    '',
    'ab',
    'Ā',
    '😀',
    Buffer.alloc(0),
    Buffer.alloc(2),
    65,
    null,
    undefined,
    ['a'],
  ]) {
    t.throws(() => pack('c', value), {
      message:
        /^Struct "c": values\[0\] \(c\) must be one byte, or one character up to U\+00FF; got /,
    })
  }
  t.equal(pack('3s3s', 'é', new Uint8Array([1])), 'c3a900010000', 'what is shorter is padded')
  t.throws(() => pack('3s', 'éé'), {
    message:
      'Struct "3s": values[0] (s) must be a Uint8Array or a string of at most 3 bytes (UTF-8); ' +
      'got "éé"',
  })
  t.throws(() => pack('3s', Buffer.alloc(4)), { message: /; got 4 bytes$/ })
  t.throws(() => pack('3s', 5), { message: /; got 5$/ })

  t.equal(
    pack('8?', 0, '', null, NaN, 1, 'x', [], {}),
    '0000000001010101',
    'truth is what JavaScript calls true',
  )
  t.same(unpack('2?', '0002'), [false, true])
})

t.test('a value that does not fit writes nothing', async t => {
  const { fields } = layOutOf('!HcsQf')
  const bytes = Buffer.alloc(16, 0xee)
  for (const field of fields) t.equal(field.write(bytes, field.offset, Symbol('no')), false)
  t.same(bytes, Buffer.alloc(16, 0xee))
})

t.test('bytes: of text and bytes, and copies', async t => {
  t.equal(INTEGER_CODES, 'bBhHiIlLqQ')
  t.same(bytesOf('é'), Buffer.from([0xc3, 0xa9]))
  const array = new Uint8Array([1, 2, 3])
  t.equal(bytesOf(array), array)
  t.equal(bytesOf(5), undefined)
  const buffer = Buffer.from('abcd')
  const copy = copyOf(buffer, 1, 2)
  buffer.fill(0)
  t.equal(copy.toString(), 'bc')
})
