import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Delimiter } from '../../../src/core/delimiters.ts'
import { NetStruct } from '../../../src/core/struct/net-struct.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

t.test('packs as Python does when the lengths are written by hand', async t => {
  // The output of python3.11, for example struct.pack('!ih5s5b', 1, 5, b'hello', 1, 2, 3, 4,
  // 5).hex() for 'ih$5b'
  const golden: [format: string, values: unknown[], packed: string][] = [
    ['ih$5b', [1, Buffer.from('hello'), 1, 2, 3, 4, 5], '00000001000568656c6c6f0102030405'],
    ['2H$', [9, Buffer.alloc(0)], '00090000'],
    [
      '<BH$I$d',
      [1, Buffer.from('abc'), Buffer.from('hi'), 0.5],
      '010300616263020000006869000000000000e03f',
    ],
    ['!q$x', [Buffer.from('four')], '0000000000000004666f757200'],
    ['Q$', [Buffer.alloc(0)], '0000000000000000'],
  ]
  for (const [format, values, packed] of golden) {
    const struct = new NetStruct(format)
    t.equal(struct.pack(...values).toString('hex'), packed, format)
    t.same(struct.unpack(hex(packed)), values, format)
    t.same(
      struct.unpack(new Uint8Array(hex(`ff${packed}`)).subarray(1)),
      values,
      'from a Uint8Array in the middle of others',
    )
  }
})

t.test('sizes and counts', async t => {
  const rows: [format: string, minimum_size: number, initial_size: number, count: number][] = [
    ['ih$5b', 11, 6, 7],
    ['H$', 2, 2, 1],
    ['B$xxI$2h', 11, 1, 4],
    [' 2H $ ', 4, 4, 2],
    ['<Lq', 12, 12, 2],
    ['', 0, 0, 0],
  ]
  for (const [format, minimum_size, initial_size, count] of rows) {
    t.match(
      new NetStruct(format),
      { format, minimum_size, initial_size, count, needs: minimum_size },
      format,
    )
  }
})

t.test('every integer code can be a length', async t => {
  for (const code of 'bBhHiIlLqQ') {
    for (const mark of ['', '<', '=']) {
      const struct = new NetStruct(`${mark}${code}$H`)
      t.same(struct.unpack(struct.pack('héllo', 7)), [Buffer.from('héllo'), 7], `${mark}${code}`)
    }
  }
})

t.test('formats that are refused', async t => {
  const before = 'must follow an integer, its length; got'
  const refused: [format: string, message: string][] = [
    ['$', `'$' at position 0 ${before} nothing`],
    ['$$', `'$' at position 0 ${before} nothing`],
    ['H$$', `'$' at position 2 ${before} '$'`],
    ['f$', `'$' at position 1 ${before} 'f'`],
    ['4s$', `'$' at position 2 ${before} '4s'`],
    ['!Hx$', `'$' at position 3 ${before} 'x'`],
    ['?$', `'$' at position 1 ${before} '?'`],
    ['c$', `'$' at position 1 ${before} 'c'`],
    ['0H$', `'$' at position 2 ${before} '0H'`],
    ['i5$', "'$' at position 2 takes no count"],
    ['i1$', "'$' at position 2 takes no count"],
    ['H$Z', '"Z" at position 2: unknown code'],
  ]
  for (const [format, message] of refused) {
    t.throws(
      () => new NetStruct(format),
      { code: 'ERR_STRUCT', message: `NetStruct ${JSON.stringify(format)}: ${message}` },
      format,
    )
  }
})

t.test('values that do not fit', async t => {
  const struct = new NetStruct('Hb$hB$c')
  const refused: [values: unknown[], message: string][] = [
    [[1, 'a', 2, 'b'], 'it packs 5 values; got 4'],
    [[1, 5, 2, 'b', 'c'], 'values[1] ($) must be a Uint8Array or a string (UTF-8); got 5'],
    [
      [1, 'a', 2, undefined, 'c'],
      'values[3] ($) must be a Uint8Array or a string (UTF-8); got undefined',
    ],
    [
      [1, Buffer.alloc(128), 2, 'b', 'c'],
      'values[1] ($) must be no longer than its length field (b) can say; got 128 bytes',
    ],
    [
      [1, 'a', 2, 'é'.repeat(128), 'c'],
      'values[3] ($) must be no longer than its length field (B) can say; got 256 bytes',
    ],
    [[-1, 'a', 2, 'b', 'c'], 'values[0] (H) must be an integer from 0 to 65535; got -1'],
    [
      [1, 'a', 40_000, 'b', 'c'],
      'values[2] (h) must be an integer from -32768 to 32767; got 40000',
    ],
    [
      [1, 'a', 2, 'b', 'cc'],
      'values[4] (c) must be one byte, or one character up to U+00FF; got "cc"',
    ],
  ]
  for (const [values, message] of refused) {
    t.throws(() => (struct as NetStruct).pack(...values), {
      code: 'ERR_STRUCT',
      message: `NetStruct "Hb$hB$c": ${message}`,
    })
  }
  t.equal(
    struct.pack(1, Buffer.alloc(127), 2, new Uint8Array(255), 'c').length,
    3 + 127 + 3 + 255 + 1,
    'as long as may be',
  )
})

t.test('unpack takes exactly one message', async t => {
  const struct = new NetStruct('H$H$b')
  // It was an error of Node about "the first argument".
  for (const bytes of [undefined, null, 'text', [1, 2]])
    t.throws(() => struct.unpack(bytes as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^unpack: bytes must be a Uint8Array; got /,
    })
  t.throws(() => struct.unpack(Buffer.alloc(4)), {
    code: 'ERR_STRUCT',
    message: 'NetStruct "H$H$b": this message has at least 5 bytes; got 4',
  })
  t.throws(() => struct.unpack(hex('00036162')), {
    message: /this message has at least 7 bytes; got 4$/,
  })
  t.throws(() => struct.unpack(hex('00000001')), {
    message: /this message has at least 6 bytes; got 4$/,
  })
  t.throws(() => struct.unpack(hex('000000000101')), {
    message: /this message has 5 bytes; got 6$/,
  })
})

t.test('invalid lengths', async t => {
  const negative = (code: string, value: string) =>
    `NetStruct "${code}$": the length (${code}) of a $ arrived negative: ${value}`
  for (const [code, bytes, value] of [
    ['b', 'ff', '-1'],
    ['h', '8000', '-32768'],
    ['i', 'fffffffe', '-2'],
    ['q', 'ffffffffffffffff', '-1'],
  ] as const) {
    const struct = new NetStruct(`${code}$`)
    t.throws(() => struct.cut(hex(bytes), 0, bytes.length / 2), {
      code: 'ERR_STRUCT',
      message: negative(code, value),
    })
    t.throws(() => struct.unpack(hex(bytes)), {
      code: 'ERR_STRUCT',
      message: negative(code, value),
    })
  }
  t.throws(() => new NetStruct('Q$').cut(hex('0020000000000000'), 0, 8), {
    code: 'ERR_STRUCT',
    message:
      'NetStruct "Q$": the length (Q) of a $ arrived above the safe integers: 9007199254740992',
  })
  t.equal(
    new NetStruct('Q$').cut(hex('001ffffffffffff7'), 0, 8),
    2 ** 53 - 1,
    'a number that is no size either, but the limit says so',
  )
  t.equal(
    new NetStruct('Q$').cut(hex('001fffffffffffff'), 0, 8),
    2 ** 53 - 1,
    'and always a number that the contract allows',
  )
})

// Whether a message was told as too long, or its second length as invalid, depended on chunks.
t.test('REGRESSION: an invalid length waits until the message may be complete', async t => {
  const struct = new NetStruct('B$b$2s')
  t.equal(struct.cut(hex('01aaff'), 0, 3), 5)
  t.throws(() => struct.cut(hex('01aaff0000'), 0, 5), { message: /negative: -1/ })
})

// It asked for the whole message. So at the end of a stream chunks decided whether a length was
// seen that made the message too long.
t.test('cut asks for no more than the next length', async t => {
  const struct = new NetStruct('H$H$b')
  const bytes = Buffer.from('??\0\x02ab\0\x03cde\x07rest', 'latin1')
  const size = (length: number) => {
    const cut = struct.cut(bytes, 2, 2 + length)
    return typeof cut === 'number' ? cut : `whole: ${cut.size}`
  }
  t.same([1, 2, 5, 6, 7, 9, 10, 14].map(size), [2, 6, 6, 10, 10, 10, 'whole: 10', 'whole: 10'])
  const cut = struct.cut(bytes, 2, bytes.length)
  bytes.fill(0xff)
  t.same(
    cut,
    { size: 10, data: [Buffer.from('ab'), Buffer.from('cde'), 7] },
    'byte strings are copies: the receive buffer is used again',
  )

  for (const format of ['', '0s', '<']) {
    const message = `NetStruct "${format}": a format without bytes is not a valid delimiter`
    t.throws(() => new NetStruct(format).cut(bytes, 0, 5), { code: 'ERR_STRUCT', message })
  }
})

t.test('any chunks give the same messages, and each string costs one question', async t => {
  const struct = new NetStruct('<bH$q2I$xB$f')
  const values = (n: number) =>
    [
      n,
      Buffer.alloc(n * 3, n),
      BigInt(n),
      n + 1,
      Buffer.alloc(n % 5, 0xaa),
      Buffer.alloc(200 - n, 1),
      n / 2,
    ] as const
  const messages = Array.from({ length: 40 }, (_, n) => [...values(n)])
  const stream = Buffer.concat(messages.map((_, n) => struct.pack(...values(n))))
  let x = 1
  const random = () => ((x = (x * 48271) % 2147483647) % 90) + 1
  for (const chunk of [() => 1, () => 2, () => 7, () => 64, () => stream.length, random]) {
    const { delivered, questions } = cutInChunks(struct, stream, chunk)
    t.same(delivered, messages)
    t.ok(
      questions <= messages.length * 5,
      `${questions} questions: first byte, minimum, and one for each string`,
    )
  }
})

t.test('the types of the fields come from the format', async t => {
  const struct = new NetStruct('ih$5b')
  const fields: [number, Buffer, number, number, number, number, number] = struct.unpack(
    struct.pack(1, 'hello', 1, 2, 3, 4, 5),
  )
  t.equal(fields.length, 7)
  // @ts-expect-error: the length is not a value
  t.throws(() => struct.pack(1, 5, 'hello', 1, 2, 3, 4, 5), { code: 'ERR_STRUCT' })
  const typed: Delimiter<[Buffer, number]> = new NetStruct('H$H')
  // @ts-expect-error: the byte string comes as a Buffer
  const mistyped: Delimiter<[string]> = new NetStruct('H$')
  const loose: NetStruct = struct
  t.same(
    [typed, mistyped, loose].map(each => each.needs),
    [4, 2, 11],
  )
})

/**
 * Feeds a delimiter as a stream does: it is asked again only when as many bytes are there as it
 * asked for.
 */
function cutInChunks(
  delimiter: Delimiter,
  stream: Buffer,
  chunk: () => number,
): { delivered: unknown[][]; questions: number } {
  const delivered: unknown[][] = []
  let questions = 0
  let start = 0
  let wanted = 1
  for (let end = 0; end < stream.length;) {
    end = Math.min(end + chunk(), stream.length)
    while (end > start && end - start >= wanted) {
      questions++
      const cut = delimiter.cut(stream, start, end)
      wanted = typeof cut === 'number' ? cut : 1
      if (typeof cut === 'number') break
      delivered.push(cut.data)
      start += cut.size
    }
  }
  return { delivered, questions }
}
