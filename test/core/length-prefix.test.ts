import { Buffer } from 'node:buffer'
import t from 'tap'
import { length_prefix, type LengthPrefixOptions } from '../../src/core/length-prefix.ts'
import type { Data } from '../../src/types.ts'
import { seeded } from './oracle.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

t.test('packs and cuts: size, byte order, offset, adjust', async t => {
  const rows: [options: LengthPrefixOptions | undefined, payload: Data, frame: string][] = [
    [undefined, 'abc', '00000003616263'],
    [{}, '', '00000000'],
    [{ size: 1 }, 'é', '02c3a9'],
    [{ size: 2 }, new Uint8Array([255]), '0001ff'],
    [{ size: 2, endian: 'little' }, 'ab', '02006162'],
    [{ size: 3, endian: 'little', offset: 2 }, 'ab', '00000200006162'],
    [{ size: 6 }, 'a', '00000000000161'],
    [{ size: 6, endian: 'little' }, 'a', '01000000000061'],
    [{ size: 2, adjust: -2 }, 'ab', '00046162'],
    [{ size: 2, adjust: -2 }, '', '0002'],
    [{ size: 1, adjust: 2 }, 'abcd', '0261626364'],
    [{ size: 1, offset: 3, adjust: -4 }, 'a', '0000000561'],
  ]
  for (const [options, payload, frame] of rows) {
    const delimiter = length_prefix(options)
    const bytes = hex(frame)
    const name = `${JSON.stringify(options)} ${frame}`
    t.same(delimiter.pack(payload), bytes, name)
    const stream = Buffer.concat([hex('ffff'), bytes, hex('ee')])
    t.same(
      delimiter.cut(stream, 2, stream.length),
      { size: bytes.length, data: [Buffer.from(payload as string)] },
      name,
    )
    t.same(
      delimiter.cut(stream, 2, stream.length - 1),
      { size: bytes.length, data: [Buffer.from(payload as string)] },
      name,
    )
    const header = (options?.offset ?? 0) + (options?.size ?? 4)
    for (let end = 3; end < 2 + bytes.length; end++) {
      t.equal(
        delimiter.cut(stream, 2, end),
        end < 2 + header ? header : bytes.length,
        `${name}: it says how many it takes`,
      )
    }
    t.match(delimiter, { needs: header, text: true })
  }
})

t.test('the payload is a view: nothing is copied without need', async t => {
  const bytes = hex('0001ff')
  const cut = length_prefix({ size: 2 }).cut(bytes, 0, 3)
  t.equal(typeof cut === 'object' && cut.data[0].buffer, bytes.buffer)
})

t.test('PROPERTY: what is packed is cut', async t => {
  const random = seeded(1)
  for (let round = 0; round < 300; round++) {
    const size = 1 + random(6)
    const options = {
      size,
      endian: random(2) === 0 ? 'big' : 'little',
      offset: random(4),
      adjust: random(20) - 10,
    } as const
    const payload = Buffer.from(Array.from({ length: 10 + random(230) }, () => random(256)))
    const delimiter = length_prefix(options)
    const frame = delimiter.pack(payload)
    t.same(
      delimiter.cut(Buffer.concat([frame, frame]), frame.length, 2 * frame.length),
      { size: frame.length, data: [payload] },
      JSON.stringify(options),
    )
  }
})

t.test('a payload whose length does not fit the field', async t => {
  t.equal(length_prefix({ size: 1 }).pack(Buffer.alloc(255)).length, 256)
  t.throws(() => length_prefix({ size: 1 }).pack(Buffer.alloc(256)), {
    code: 'ERR_STRUCT',
    message:
      'length_prefix: a payload of 256 bytes does not fit a length field of 1 bytes (adjust 0)',
  })
  t.throws(() => length_prefix({ size: 1, adjust: -1 }).pack(Buffer.alloc(255)), {
    code: 'ERR_STRUCT',
  })
  t.equal(length_prefix({ size: 1, adjust: 1 }).pack(Buffer.alloc(256)).length, 257)
  t.throws(
    () => length_prefix({ size: 4, adjust: 3 }).pack('ab'),
    { code: 'ERR_STRUCT', message: /of 2 bytes does not fit.*adjust 3/ },
    'less than nothing',
  )
  t.throws(() => length_prefix().pack(5 as never), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'length_prefix: payload must be a string or a Uint8Array; got 5',
  })
})

t.test('packs into memory that is given', async t => {
  const prefix = length_prefix({ size: 2, endian: 'little', offset: 1 })
  const target = Buffer.alloc(12, 0xff)
  t.equal(prefix.pack_into!(target, 2, 'hé'), 6)
  t.equal(target.toString('hex'), 'ffff00030068c3a9ffffffff')
  t.equal(prefix.pack_into!(target, 7, Buffer.from('abc')), 6, 'it does not fit')
  t.equal(target.toString('hex'), 'ffff00030068c3a9ffffffff')
  t.equal(prefix.pack_into!(target, 6, Buffer.from('abc')), 6)
  t.equal(target.toString('hex'), 'ffff00030068000300616263')
  t.equal(
    prefix.pack(Buffer.from('abc')).toString('hex'),
    '000300616263',
    'nothing of what was in the pool',
  )
})

t.test('a length that is negative after adjust is an error of the peer', async t => {
  const delimiter = length_prefix({ size: 2, adjust: -2 })
  t.throws(() => delimiter.cut(hex('0001ff'), 0, 3), {
    code: 'ERR_INVALID_DELIMITER',
    message: /a length of 1 with adjust -2 is negative/,
  })
  t.equal(delimiter.cut(hex('0001'), 0, 1), 2)
  t.same(delimiter.cut(hex('0002'), 0, 2), { size: 2, data: [Buffer.alloc(0)] })
})

t.test('the largest lengths are numbers too', async t => {
  t.equal(length_prefix({ size: 6 }).cut(hex('ffffffffffff'), 0, 6), 2 ** 48 + 5)
  t.equal(length_prefix().cut(hex('ffffffff'), 0, 4), 2 ** 32 + 3)
})

t.test('invalid options', async t => {
  const rows: [options: object, message: string][] = [
    [{ size: 0 }, 'length_prefix: size must be an integer from 1 to 6; got 0'],
    [{ size: 7 }, 'length_prefix: size must be an integer from 1 to 6; got 7'],
    [{ size: 1.5 }, 'length_prefix: size must be an integer from 1 to 6; got 1.5'],
    [{ size: '4' }, 'length_prefix: size must be an integer from 1 to 6; got "4"'],
    [{ endian: 'middle' }, "length_prefix: endian must be 'big' or 'little'; got \"middle\""],
    [{ offset: -1 }, 'length_prefix: offset must be an integer of at least 0; got -1'],
    [{ offset: 0.5 }, 'length_prefix: offset must be an integer of at least 0; got 0.5'],
    [{ adjust: NaN }, 'length_prefix: adjust must be an integer; got NaN'],
    [{ adjust: null }, 'length_prefix: adjust must be an integer; got null'],
    [{ sise: 2 }, 'length_prefix: there is no option "sise"; did you mean size?'],
    [
      2 as never,
      'length_prefix: options must be an object, { size, endian, offset, adjust }; got 2',
    ],
  ]
  for (const [options, message] of rows)
    t.throws(() => length_prefix(options as LengthPrefixOptions), {
      code: 'ERR_INVALID_ARGUMENT',
      message,
    })
})
