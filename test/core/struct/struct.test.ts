import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Delimiter } from '../../../src/core/delimiters.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import type { StructFields, StructValues } from '../../../src/core/struct/struct.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

/**
 * The output of python3.11 for `struct.pack(format, *values).hex()`. Its struct.unpack returned the
 * values.
 */
// prettier-ignore
const GOLDEN: [format: string, values: unknown[], packed: string][] = [
  [
    '<bBhHiIlLqQ',
    [
      -128, 255, -32768, 65535, -2147483648, 4294967295, -2147483648, 4294967295,
      -9223372036854775808n, 18446744073709551615n,
    ],
    '80ff0080ffff00000080ffffffff00000080ffffffff0000000000000080ffffffffffffffff',
  ],
  [
    '>bBhHiIlLqQ',
    [-2, 3, -4, 5, -6, 7, -8, 9, -10n, 11n],
    'fe03fffc0005fffffffa00000007fffffff800000009fffffffffffffff6000000000000000b',
  ],
  [
    '!bBhHiIlLqQ',
    [
      127, 0, 32767, 4660, 2147483647, 305419896, -19088744, 4275878552, 81985529216486895n,
      18364758544493064720n,
    ],
    '7f007fff12347fffffff12345678fedcba98fedcba980123456789abcdeffedcba9876543210',
  ],
  [
    '<bBhHiIlLqQ',
    [
      127, 0, 32767, 4660, 2147483647, 305419896, -19088744, 4275878552, 81985529216486895n,
      18364758544493064720n,
    ],
    '7f00ff7f3412ffffff7f7856341298badcfe98badcfeefcdab89674523011032547698badcfe',
  ],
  ['<fd', [1.5, -2.25], '0000c03f00000000000002c0'],
  ['!fd', [1.5, -2.25], '3fc00000c002000000000000'],
  [
    '>ddd',
    [0.1, 5e-324, 1.7976931348623157e308],
    '3fb999999999999a00000000000000017fefffffffffffff',
  ],
  ['<ff', [Infinity, -Infinity], '0000807f000080ff'],
  ['!f', [3.4028234663852886e38], '7f7fffff'],
  ['!?3x2?', [true, false, true], '010000000001'],
  ['<c2cs', [hex('61'), hex('00'), hex('ff'), hex('7a')], '6100ff7a'],
  ['!4H', [1, 2, 3, 4], '0001000200030004'],
  ['!10s', [hex('68656c6c6f0000000000')], '68656c6c6f0000000000'],
  ['!10s', [hex('30313233343536373839')], '30313233343536373839'],
  ['!0sH', [hex(''), 258], '0102'],
  ['!0H0xB', [7], '07'],
  ['< 2h\t3x \n L', [-1, 1, 2], 'ffff010000000002000000'],
  ['!04B', [1, 2, 3, 4], '01020304'],
  ['>LH', [1, 2], '000000010002'],
  ['!12B', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], '000102030405060708090a0b'],
  ['<', [], ''],
  ['!5x', [], '0000000000'],
]

t.test('unpack takes bytes only', async t => {
  for (const bytes of [undefined, null, 'ab', [1, 2]])
    t.throws(() => new Struct('!H').unpack(bytes as never), { code: 'ERR_INVALID_ARGUMENT' })
})

t.test('packs and unpacks as Python does', async t => {
  for (const [format, values, packed] of GOLDEN) {
    const struct = new Struct(format)
    t.match(struct, {
      format,
      size: packed.length / 2,
      needs: packed.length / 2,
      count: values.length,
    })
    t.equal(struct.pack(...values).toString('hex'), packed, format)
    t.same(struct.unpack(hex(packed)), values, format)
    t.same(
      struct.unpack(new Uint8Array(hex(`ff${packed}`)).subarray(1)),
      values,
      'from a Uint8Array in the middle of others',
    )
  }
})

t.test('seeded random values survive a round trip, in any chunks', async t => {
  const random = mulberry32(0x51)
  const below = (n: number) => Math.floor(random() * n)
  const bits = (n: bigint, signed: boolean) => {
    const big = (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32))
    return signed ? BigInt.asIntN(Number(n), big) : BigInt.asUintN(Number(n), big)
  }
  const makers: Record<string, () => unknown> = {
    b: () => Number(bits(8n, true)),
    B: () => Number(bits(8n, false)),
    h: () => Number(bits(16n, true)),
    H: () => Number(bits(16n, false)),
    i: () => Number(bits(32n, true)),
    I: () => Number(bits(32n, false)),
    l: () => Number(bits(32n, true)),
    L: () => Number(bits(32n, false)),
    q: () => bits(64n, true),
    Q: () => bits(64n, false),
    f: () => Math.fround(random() * 1e6),
    d: () => random() * 1e300,
    '?': () => random() < 0.5,
    c: () => Buffer.from([below(256)]),
  }
  for (let round = 0; round < 200; round++) {
    let format = '<>!='.charAt(below(5))
    const values: unknown[] = []
    for (let items = below(6) + 1; items > 0; items--) {
      const code = 'bBhHiIlLqQfd?csx'.charAt(below(16))
      const count = below(4) + 1
      format += `${count}${code}`
      if (code === 's') values.push(Buffer.from(Array.from({ length: count }, () => below(256))))
      else if (code !== 'x') for (let n = 0; n < count; n++) values.push(makers[code]!())
    }
    const struct = new Struct(format)
    const packed = struct.pack(...values)
    t.same(struct.unpack(packed), values, format)
    const stream = Buffer.concat([packed, packed, packed])
    t.same(
      cutInChunks(struct, stream, () => below(7) + 1),
      [values, values, values],
      format,
    )
  }
})

t.test('cut', async t => {
  const struct = new Struct('!LH2s')
  const bytes = Buffer.from('??\0\0\0\x01\0\x02ab\0\0\0\x03\0\x04cd', 'latin1')
  for (let end = 3; end < 10; end++)
    t.equal(struct.cut(bytes, 2, end), 8, 'with less it says how many it takes')
  const cut = struct.cut(bytes, 2, 18)
  t.same(cut, { size: 8, data: [1, 2, Buffer.from('ab')] })
  t.same(struct.cut(bytes, 10, 18), { size: 8, data: [3, 4, Buffer.from('cd')] })
  bytes.fill(0xff)
  t.same(
    cut,
    { size: 8, data: [1, 2, Buffer.from('ab')] },
    'byte strings are copies: the receive buffer is used again',
  )

  for (const format of ['', '!', '0s', '0H']) {
    const message = `Struct "${format}": a format without bytes is not a valid delimiter`
    t.throws(() => new Struct(format).cut(bytes, 0, 5), { code: 'ERR_STRUCT', message })
  }
})

t.test('refusals', async t => {
  t.throws(() => new Struct('!L@'), {
    code: 'ERR_STRUCT',
    message: /^Struct "!L@": "@" at position 2: native sizes/,
  })
  t.throws(() => new Struct('!H$'), {
    code: 'ERR_STRUCT',
    message: /^Struct "!H\$": "\$" at position 2: only a NetStruct has it$/,
  })
  const struct = new Struct('!LH')
  // @ts-expect-error: two values, not one
  t.throws(() => struct.pack(1), {
    code: 'ERR_STRUCT',
    message: 'Struct "!LH": it packs 2 values; got 1',
  })
  // @ts-expect-error: nor three
  t.throws(() => struct.pack(1, 2, 3), {
    code: 'ERR_STRUCT',
    message: 'Struct "!LH": it packs 2 values; got 3',
  })
  // @ts-expect-error: a number, not a bigint
  t.throws(() => struct.pack(1, 2n), {
    code: 'ERR_STRUCT',
    message: 'Struct "!LH": values[1] (H) must be an integer from 0 to 65535; got 2n',
  })
  t.throws(() => struct.pack(1, 70_000), {
    code: 'ERR_STRUCT',
    message: 'Struct "!LH": values[1] (H) must be an integer from 0 to 65535; got 70000',
  })
  t.throws(() => struct.unpack(Buffer.alloc(5)), {
    code: 'ERR_STRUCT',
    message: 'Struct "!LH": a message has 6 bytes; got 5',
  })
  t.throws(() => struct.unpack(Buffer.alloc(7)), {
    code: 'ERR_STRUCT',
    message: 'Struct "!LH": a message has 6 bytes; got 7',
  })
})

// ---- types: the test is that `tsc -p test` passes -----------------------------------------------

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type N = number
const same = <A, B>(_equal: Equal<A, B>): void => {}

t.test('the types of the fields come from the format', async t => {
  same<StructFields<'!LH'>, [N, N]>(true)
  same<StructFields<'bBhHiIlLfd'>, [N, N, N, N, N, N, N, N, N, N]>(true)
  same<StructFields<'<qQ?'>, [bigint, bigint, boolean]>(true)
  same<StructFields<'>cs10s'>, [Buffer, Buffer, Buffer]>(true)
  same<StructFields<'=4Hx3x'>, [N, N, N, N]>(true)
  same<StructFields<' 2h\t3x \n q '>, [N, N, bigint]>(true)
  same<StructFields<'12B'>, [N, N, N, N, N, N, N, N, N, N, N, N]>(true)
  same<StructFields<'0H0s03c'>, [Buffer, Buffer, Buffer, Buffer]>(true)
  same<StructFields<'00H000b1q'>, [bigint]>(true)
  same<StructFields<''>, []>(true)
  same<StructFields<'64H'>['length'], 64>(true)
  same<StructFields<'!64H64L64q64f64d'>['length'], 320>(true)
  same<StructFields<'65H'>['length'], number>(true)
  same<StructFields<'9999b'>[0], N>(true)
  same<StructFields<string>, any[]>(true)
  same<StructFields<'H' | 'q'>, [N] | [bigint]>(true)
  same<StructFields<`!H${string}`>, [N, ...any[]]>(true)
  same<StructFields<'!H@'>, any[]>(true)
  same<StructFields<'ih$5b'>, [N, Buffer, N, N, N, N, N]>(true)
  same<StructFields<'2H$q$'>, [N, Buffer, Buffer]>(true)
  same<StructFields<'$'>, any[]>(false)
  same<
    StructValues<'Bqcs?B$'>,
    [N, bigint | number, Uint8Array | string, Uint8Array | string, boolean, Uint8Array | string]
  >(true)

  const [a, b]: [number, number] = new Struct('!LH').unpack(new Struct('!LH').pack(1, 2))
  t.same([a, b], [1, 2])
  const [big, text]: [bigint, Buffer] = new Struct('q3s').unpack(new Struct('q3s').pack(1, 'abc'))
  t.same([big, text.toString()], [1n, 'abc'])
  // @ts-expect-error: a bigint is not a number
  const wrong: [number] = new Struct('q').unpack(Buffer.alloc(8))
  t.same(wrong, [0n])

  const loose: Struct = new Struct('!LH')
  t.equal(loose.pack(1, 2).length, 6, 'where the format does not matter, any Struct is a Struct')
  const delimiter: Delimiter = new Struct('!LH')
  const typed: Delimiter<[number, number]> = new Struct('!LH')
  // @ts-expect-error: two numbers are not a string
  const mistyped: Delimiter<[string]> = new Struct('!LH')
  t.same(
    [delimiter, typed, mistyped].map(each => each.needs),
    [6, 6, 6],
  )
  const format: string = '!H'
  t.same(new Struct(format).unpack(hex('0007')), [7])
})

/**
 * Feeds a delimiter as a stream does: it is asked again only when as many bytes are there as it
 * asked for.
 */
function cutInChunks(delimiter: Delimiter, stream: Buffer, chunk: () => number): unknown[][] {
  const messages: unknown[][] = []
  let start = 0
  let wanted = 1
  for (let end = 0; end < stream.length;) {
    end = Math.min(end + chunk(), stream.length)
    while (end > start && end - start >= wanted) {
      const cut = delimiter.cut(stream, start, end)
      wanted = typeof cut === 'number' ? cut : 1
      if (typeof cut === 'number') break
      messages.push(cut.data)
      start += cut.size
    }
  }
  return messages
}

function mulberry32(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}
