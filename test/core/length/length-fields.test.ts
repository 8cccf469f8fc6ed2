import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  BerField,
  DigitsField,
  IntegerField,
  type LengthField,
  Uint32Field,
  VarintField,
} from '../../../src/core/length/length-fields.ts'
import { seeded } from '../oracle.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const ascii = (text: string) => Buffer.from(text).toString('hex')
const digits = (base: 10 | 16, count: number, until = '') =>
  new DigitsField(base, count, Buffer.from(until))

/** Some lengths of each kind of field, and how each is written. */
const ROWS: [name: string, field: LengthField, ...lengths: [length: number, bytes: string][]][] = [
  ['1 byte', new IntegerField(1, true), [0, '00'], [255, 'ff']],
  ['3 bytes', new IntegerField(3, false), [1, '010000'], [2 ** 24 - 1, 'ffffff']],
  ['4 bytes', new Uint32Field(), [0x01020304, '01020304'], [2 ** 32 - 1, 'ffffffff']],
  ['7 bytes', new IntegerField(7, true), [2 ** 40 + 5, '00010000000005']],
  ['7, little', new IntegerField(7, false), [2 ** 40 + 5, '05000000000100']],
  ['8 bytes', new IntegerField(8, true), [2 ** 53 - 1, '001fffffffffffff']],
  ['8, little', new IntegerField(8, false), [10, '0a00000000000000']],
  ['varint', new VarintField(), [0, '00'], [127, '7f'], [128, '8001'], [321, 'c102']],
  ['varint, long', new VarintField(), [2 ** 53 - 1, 'ffffffffffffff0f']],
  ['BER', new BerField(), [0, '00'], [127, '7f'], [128, '8180'], [300, '82012c']],
  ['BER, long', new BerField(), [2 ** 53 - 1, '871fffffffffffff']],
  ['4 digits', digits(16, 4), [4, ascii('0004')], [65535, ascii('ffff')]],
  ['decimal', digits(10, 0, ' '), [0, ascii('0 ')], [10, ascii('10 ')]],
  ['decimal, long', digits(10, 0, ':'), [10 ** 15 - 1, ascii('999999999999999:')]],
  ['chunk', digits(16, 0, '\r\n'), [26, ascii('1a\r\n')]],
]

t.test('writes and reads', async t => {
  for (const [name, field, ...lengths] of ROWS) {
    for (const [length, bytes] of lengths) {
      const size = field.sizeOf(length)
      const target = Buffer.alloc(size + 2, 0xee)
      field.write(target, 1, length, size)
      t.equal(target.toString('hex'), `ee${bytes}ee`, `${name}: ${length}`)
      t.equal(field.measure(target, 1, target.length), size)
      t.equal(field.measure(target, 1, size + 1), size)
      t.equal(field.read(target, 1, size), length)
      t.ok(size <= field.longest && length <= field.most)
      for (let end = 1; end <= size; end++) {
        const least = field.measure(target, 1, end)
        t.ok(least > end - 1 && least <= size, `${name}: ${end - 1} bytes of ${size}`)
      }
      t.ok(field.measure(target, 9, 1) >= 1, 'the field may begin behind the end')
    }
  }
})

t.test('PROPERTY: what is written is read', async t => {
  const random = seeded(7)
  for (const [name, field] of ROWS) {
    const target = Buffer.alloc(field.longest)
    for (let round = 0; round < 200; round++) {
      const length = Math.floor((random(2 ** 30) / 2 ** 30) * (field.most / 2 ** random(50)))
      const size = field.sizeOf(length)
      field.write(target, 0, length, size)
      if (field.measure(target, 0, size) !== size || field.read(target, 0, size) !== length)
        t.fail(`${name}: ${length}`)
    }
  }
})

t.test('BER lengths may be longer than necessary', async t => {
  t.equal(new BerField().measure(hex('8400'), 0, 2), 5)
  t.equal(new BerField().read(hex('840000002a'), 0, 5), 42)
})

t.test('invalid fields are refused at their first invalid byte', async t => {
  const rows: [field: LengthField, bytes: string, message: string][] = [
    [
      new VarintField(),
      'ffffffffffffffff',
      'read_delimiter: a varint must end within 8 bytes; got "ffffffffffffffff"',
    ],
    [new BerField(), '80', 'read_delimiter: a BER length must have 1 to 8 bytes; got 0'],
    [new BerField(), '89', 'read_delimiter: a BER length must have 1 to 8 bytes; got 9'],
    [
      digits(16, 4),
      ascii('00g'),
      'read_delimiter: a length must be of 4 digits of base 16; got "00g"',
    ],
    [
      digits(10, 0, ' '),
      ascii('1a'),
      'read_delimiter: a length must be of 1 to 15 digits of base 10, and then " "; got "1a"',
    ],
    [
      digits(10, 0, ' '),
      ascii('0000000000000001'),
      'read_delimiter: a length must be of 1 to 15 digits of base 10, and then " "; ' +
        'got "0000000000000001"',
    ],
    [digits(10, 0, ' '), ascii(' '), /and then " "; got " "/ as never],
    [digits(16, 0, '\r\n'), ascii('1a\rx'), /got "1a\\rx"/ as never],
    [digits(16, 0, '\r\n'), ascii('-'), /got "-"/ as never],
  ]
  for (const [field, text, message] of rows) {
    const bytes = hex(text)
    t.throws(() => field.measure(bytes, 0, bytes.length), {
      code: 'ERR_INVALID_DELIMITER',
      message,
    })
    t.doesNotThrow(() => field.measure(bytes, 0, bytes.length - 1))
  }
})

t.test('lengths above the safe integers', async t => {
  const rows: [field: LengthField, bytes: string][] = [
    [new IntegerField(7, true), '20000000000000'],
    [new IntegerField(8, true), 'ffffffffffffffff'],
    [new IntegerField(8, false), '0000000000002000'],
    [new VarintField(), 'ffffffffffffff7f'],
    [new BerField(), '8720000000000000'],
  ]
  for (const [field, text] of rows) {
    const bytes = hex(text)
    t.throws(() => field.read(bytes, 0, field.measure(bytes, 0, bytes.length)), {
      code: 'ERR_INVALID_DELIMITER',
      message: /a length must be a safe integer; got \d/,
    })
  }
})

t.test('the most digits', async t => {
  t.equal(DigitsField.most(10), 15)
  t.equal(16 ** DigitsField.most(16) - 1 < Number.MAX_SAFE_INTEGER, true)
})
