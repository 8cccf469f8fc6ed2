import t from 'tap'
import {
  parseBoolean,
  parseDecimal,
  parseDuration,
  parseInteger,
  parseSeq,
  parseSize,
} from '../../src/messages/values.ts'

t.test('booleans', async t => {
  t.strictSame(['yes', 'true', '1', 'no', 'false', '0'].map(parseBoolean), [
    true,
    true,
    true,
    false,
    false,
    false,
  ])
  t.strictSame(['', 'Yes', 'on', '01', 'constructor'].map(parseBoolean), Array(5).fill(undefined))
})

t.test('integers', async t => {
  t.strictSame(['0', '10', '-7', '0x1F', '-0x10', '9007199254740991', '-0'].map(parseInteger), [
    0,
    10,
    -7,
    31,
    -16,
    2 ** 53 - 1,
    0,
  ])
  t.strictSame(
    ['', '1.5', '1e3', '+1', ' 1', '0x', '9007199254740993', '--1'].map(parseInteger),
    Array(8).fill(undefined),
  )
})

t.test('64 bits', async t => {
  t.strictSame(['0', '-1', '0xff', '9223372036854775807', '-9223372036854775808'].map(parseSeq), [
    0n,
    -1n,
    255n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])
  t.strictSame(['', 'x', '1.5', '9223372036854775808'].map(parseSeq), Array(4).fill(undefined))
})

t.test('sizes', async t => {
  t.strictSame(['0b', '10b', '64kb', '1mb', '2gb'].map(parseSize), [0, 10, 65536, 2 ** 20, 2 ** 31])
  t.strictSame(['8bit', '1kbit', '1mbit', '8gbit', '10bit'].map(parseSize), [
    1,
    128,
    131072,
    2 ** 30,
    1.25,
  ])
  t.strictSame(
    ['10', '1.5kb', 'kb', '1KB', '-1b', '1 kb', '1toString', ''].map(parseSize),
    Array(8).fill(undefined),
  )
})

t.test('durations', async t => {
  t.strictSame(['5ms', '30s', '2m', '1h', '1d', '500us', '3ns'].map(parseDuration), [
    5,
    30_000,
    120_000,
    3_600_000,
    86_400_000,
    0.5,
    3 / 1e6,
  ])
  t.strictSame(
    ['10', '1.5s', 's', '-1s', '1sec', '', `${'9'.repeat(400)}s`].map(parseDuration),
    Array(7).fill(undefined),
  )
})

t.test('numbers with a fraction', async t => {
  t.strictSame(
    ['1.5kb', '2kb', '0.5x', '1.b', '.5b', '1.5'].map(text => parseDecimal(text, parseSize)),
    [1536, 2048, undefined, undefined, undefined, undefined],
  )
})
