import { Buffer } from 'node:buffer'
import t from 'tap'
import { length_prefix, type LengthPrefix } from '../../../src/core/length/length-prefix.ts'
import type { LengthPrefixOptions } from '../../../src/core/length/length-prefix-options.ts'
import type { Data } from '../../../src/types.ts'
import { chunkings, difference, oracleAll, pick, type Random, rounds, seeded } from '../oracle.ts'
import { readAll } from '../reading/reader-kit.ts'

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
    const header = (options?.offset ?? 0) + Number(options?.size ?? 4)
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
  for (let round = 0; round < rounds(100); round++) {
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
      'length_prefix: a payload of 256 bytes does not fit ' +
      'a length field of at most 1 bytes (adjust 0)',
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
  t.throws(
    () => length_prefix({ size: 'decimal', adjust: 3, counts_itself: true }).pack('ab'),
    { code: 'ERR_STRUCT', message: /of 2 bytes does not fit.*adjust 3/ },
    'not even if the digits are counted, too',
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
    message: /a length must be at least 2, with adjust -2; got 1/,
  })
  t.equal(delimiter.cut(hex('0001'), 0, 1), 2)
  t.same(delimiter.cut(hex('0002'), 0, 2), { size: 2, data: [Buffer.alloc(0)] })
})

t.test('the largest lengths are numbers too', async t => {
  t.equal(length_prefix({ size: 6 }).cut(hex('ffffffffffff'), 0, 6), 2 ** 48 + 5)
  t.equal(length_prefix().cut(hex('ffffffff'), 0, 4), 2 ** 32 + 3)
})

t.test('invalid options', async t => {
  t.throws(() => length_prefix({ size: 9 }), { code: 'ERR_INVALID_ARGUMENT' })
})

t.test('a sum of lengths that is no safe integer is told as the largest one', async t => {
  const bytes = hex('001fffffffffffff')
  t.equal(length_prefix({ size: 8 }).cut(bytes, 0, 8), Number.MAX_SAFE_INTEGER)
})

t.test('lengths that count themselves', async t => {
  const rows: [options: LengthPrefixOptions, payload: string, frame: string][] = [
    [{ size: 'decimal' }, '12345678', '11 12345678'],
    [{ size: 'decimal' }, '1234567', '9 1234567'],
    [{ size: 'decimal' }, 'x'.repeat(98), `102 ${'x'.repeat(98)}`],
    // An extended header of pax counts the line end, too.
    [{ size: 'decimal', adjust: -1, trailer: '\n' }, 'path=a', '9 path=a\n'],
    [{ size: 'hex', digits: 4 }, '', '0004'],
    [{ size: 2, offset: 1 }, 'ab', '\0\0\x04ab'],
  ]
  for (const [options, payload, frame] of rows) {
    const delimiter = length_prefix({ ...options, counts_itself: true })
    const bytes = Buffer.from(frame)
    t.equal(delimiter.pack(payload).toString(), frame)
    t.same(delimiter.cut(bytes, 0, bytes.length), {
      size: bytes.length,
      data: [Buffer.from(payload)],
    })
  }
  t.throws(() => length_prefix({ counts_itself: true }).cut(hex('00000003'), 0, 4), {
    code: 'ERR_INVALID_DELIMITER',
    message: /a length must be at least 4, as it counts itself; got 3/,
  })
  t.throws(() => length_prefix({ size: 1, counts_itself: true }).pack(Buffer.alloc(255)), {
    code: 'ERR_STRUCT',
  })
})

t.test('a trailer', async t => {
  const netstring = length_prefix({ size: 'decimal', until: ':', trailer: ',' })
  t.equal(netstring.pack('hello').toString(), '5:hello,')
  const bytes = Buffer.from('5:hello,0:;')
  t.same(netstring.cut(bytes, 0, 7), 8)
  t.same(netstring.cut(bytes, 0, 11), { size: 8, data: [Buffer.from('hello')] })
  t.throws(() => netstring.cut(bytes, 8, 11), {
    code: 'ERR_INVALID_DELIMITER',
    message: 'read_delimiter: a message must end with its trailer, 2c; got "3b"',
  })
})

t.test('a header', async t => {
  const rows: [options: LengthPrefixOptions, header: string, frame: string][] = [
    [{ offset: 1, size: 1 }, '51', '51 02 6869'],
    [{ size: 1, after: 1 }, '07', '02 07 6869'],
    [{ offset: 1, size: 1, after: 2 }, '010203', '01 02 0203 6869'],
    [{ size: 1 }, '', '02 6869'],
    [{ offset: 1, size: 1, padding: 0 }, '02', '02 02 6869 0000'],
    [{ size: 1, after: 2, padding: 2 }, '0103', '02 0103 6869 000000'],
  ]
  for (const [options, header, frame] of rows) {
    const delimiter = length_prefix({ ...options, header: true })
    const bytes = hex(frame.replaceAll(' ', ''))
    t.same(delimiter.pack(hex(header), 'hi'), bytes, frame)
    const cut = { size: bytes.length, data: [hex(header), Buffer.from('hi')] }
    t.same(delimiter.cut(bytes, 0, bytes.length), cut, frame)
    t.equal(delimiter.text, false)
  }
  const typed = length_prefix({ offset: 1, header: true })
  t.equal(typed.pack('Q', 'x').toString('latin1'), 'Q\0\0\0\x01x', 'text is taken, too')
  t.throws(() => typed.pack('', 'x'), {
    code: 'ERR_STRUCT',
    message: 'length_prefix: a header must have 1 bytes; got 0',
  })
  t.throws(() => typed.pack(5 as never, 'x'), {
    message: 'length_prefix: header must be a string or a Uint8Array; got 5',
  })
  t.throws(() => typed.pack('Q', 5 as never), {
    message: 'length_prefix: payload must be a string or a Uint8Array; got 5',
  })
  t.equal(length_prefix({ size: 1, after: 1, padding: 1 }).pack('x').toString('hex'), '010078')
})

t.test('markers', async t => {
  const packets = length_prefix({ ...PKT_LINE, header: true })
  t.equal(packets.pack('0001', '').toString(), '0001')
  const target = Buffer.from('......')
  t.equal(packets.pack_into!(target, 1, '0000', ''), 4)
  t.equal(packets.pack_into!(target, 3, '0001', ''), 4, 'it does not fit')
  t.equal(target.toString(), '.0000.')
  for (const [header, payload] of [
    ['0004', ''],
    ['0005', ''],
    ['000', ''],
    ['0000', 'x'],
    ['00000', ''],
  ] as const)
    t.throws(() => packets.pack(header, payload), { code: 'ERR_STRUCT' }, header)
  const bare = length_prefix(PKT_LINE)
  t.same(bare.cut(Buffer.from('0000'), 0, 4), { size: 4, data: [Buffer.alloc(0)] })
})

/** The framing of git: four hexadecimal digits that count themselves. */
const PKT_LINE = { size: 'hex', digits: 4, counts_itself: true, markers: true } as const

type Row = [
  protocol: string,
  delimiter: LengthPrefix<[Buffer, Buffer]> | LengthPrefix,
  stream: string,
  ...messages: string[][],
]

/** One line for each protocol; the bytes are written from its standard or documentation. */
const PROTOCOLS: Row[] = [
  [
    'PostgreSQL',
    length_prefix({ offset: 1, counts_itself: true, header: true }),
    '52 00000008 00000000  5a 00000005 49  51 0000000e 53454c45435420313b00',
    ['52', '00000000'],
    ['5a', '49'],
    ['51', '53454c45435420313b00'],
  ],
  [
    'MySQL: the sequence stands behind the length',
    length_prefix({ size: 3, endian: 'little', after: 1, header: true }),
    '010000 00 0e  070000 01 00000002000000',
    ['00', '0e'],
    ['01', '00000002000000'],
  ],
  [
    'MQTT: CONNACK, PUBLISH, PINGRESP',
    length_prefix({ offset: 1, size: 'varint', header: true }),
    `20 02 0000  30 c102 ${'00'.repeat(321)}  d0 00`,
    ['20', '0000'],
    ['30', '00'.repeat(321)],
    ['d0', ''],
  ],
  [
    'LDAP: bind requests, the second in the long form of OpenLDAP',
    length_prefix({ offset: 1, size: 'ber', header: true }),
    '30 0c 020101 6007 0201030400 8000  30 84 0000000c 020101 6007 0201030400 8000',
    ['30', '020101600702010304008000'],
    ['30', '020101600702010304008000'],
  ],
  [
    'git pkt-line: a line, an empty one, a flush',
    length_prefix({ ...PKT_LINE, header: true }),
    `${Buffer.from('0006a\n00040000').toString('hex')}`,
    ['', '610a'],
    ['', ''],
    [Buffer.from('0000').toString('hex'), ''],
  ],
  [
    'FastCGI: BEGIN_REQUEST, STDOUT with padding',
    length_prefix({ offset: 4, size: 2, after: 2, padding: 6, header: true }),
    '01010001 0008 0000 0001000000000000  01060001 0003 0500 616263 0000000000',
    ['010100010000', '0001000000000000'],
    ['010600010500', '616263'],
  ],
  [
    'syslog, octet counting',
    length_prefix({ size: 'decimal' }),
    Buffer.from('11 <34>1 - a b0 4 <0>x').toString('hex'),
    [Buffer.from('<34>1 - a b').toString('hex')],
    [''],
    [Buffer.from('<0>x').toString('hex')],
  ],
  [
    'Zabbix',
    length_prefix({ offset: 5, size: 8, endian: 'little', header: true }),
    '5a425844 01 0a00000000000000 6167656e742e70696e67',
    ['5a42584401', '6167656e742e70696e67'],
  ],
  [
    'AMQP 0-9-1: a heartbeat',
    length_prefix({ offset: 3, header: true, trailer: Uint8Array.of(0xce) }),
    '08 0000 00000000 ce',
    ['080000', ''],
  ],
  [
    'HTTP/2: SETTINGS, and its acknowledgement',
    length_prefix({ size: 3, after: 6, header: true }),
    '000006 04 00 00000000 000300000064  000000 04 01 00000000',
    ['040000000000', '000300000064'],
    ['040100000000', ''],
  ],
]

t.test('the frames of protocols, cut and packed', async t => {
  for (const [protocol, delimiter, stream, ...messages] of PROTOCOLS) {
    const bytes = hex(stream.replaceAll(' ', ''))
    const packed = messages.map(each => delimiter.pack(...(each.map(hex) as [Buffer, Buffer])))
    // A BER length may be longer than necessary; it is packed in its shortest form.
    if (!protocol.startsWith('LDAP')) t.same(Buffer.concat(packed), bytes, protocol)
    const wanted = messages.map(each => each.map(hex))
    for (const [name, chunks] of chunkings(bytes, seeded(3)))
      t.same(
        readAll({ delimiter, encoding: 'utf8', limit: 400 }, chunks).map(([...each]) =>
          each.map(value => Buffer.from(value as string)),
        ),
        wanted,
        `${protocol}: ${name}`,
      )
  }
})

/** Forms of every kind, with everything at once. */
function someForm(random: Random): LengthPrefixOptions & { header: boolean } {
  const size = pick(random, [1, 2, 3, 4, 6, 7, 8, 'varint', 'ber', 'decimal', 'hex'] as const)
  const offset = random(3)
  const after = random(3)
  const isDigits = size === 'decimal' || size === 'hex'
  return {
    size,
    offset,
    after,
    header: random(2) === 0,
    counts_itself: random(2) === 0,
    trailer: pick(random, ['', ',', '\r\n']),
    adjust: pick(random, [0, 0, 1, -1, -5]),
    ...(typeof size === 'number' && { endian: pick(random, ['big', 'little'] as const) }),
    ...(isDigits && random(2) === 0 && { digits: 3 }),
    ...(offset > 0 && random(3) === 0 && { padding: 0 }),
  }
}

t.test('PROPERTY: every form packs what it cuts, and chunks make no difference', async t => {
  const random = seeded(5)
  for (let round = 0; round < rounds(100); round++) {
    const form = someForm(random)
    const delimiter = length_prefix(form) as LengthPrefix<any>
    const header = Buffer.from(Array.from({ length: form.offset! + form.after! }, () => random(4)))
    const messages = Array.from({ length: 4 }, () => {
      const payload = Buffer.from(Array.from({ length: 5 + random(200) }, () => random(256)))
      return form.header ? [header, payload] : [payload]
    })
    const stream = Buffer.concat(messages.map(each => delimiter.pack(...each)))
    const rules = { delimiter, encoding: null, limit: 1000 }
    const found = [
      difference(oracleAll(stream, rules), messages),
      ...chunkings(stream, random).map(([how, chunks]) => {
        const other = difference(readAll(rules, chunks), messages)
        return other && `${how}: ${other}`
      }),
    ].filter(each => each !== '')
    if (found.length > 0) t.same(found, [], JSON.stringify(form))
  }
})
