import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  checkDelimiter,
  type Delimiter,
  type ReadArguments,
  type ReadDelimiter,
  readerFor,
} from '../../src/core/delimiters.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { CountReader, EmptyReader } from '../../src/core/reading/count-readers.ts'
import { DelimitedReader } from '../../src/core/reading/delimited-reader.ts'
import { PatternReader } from '../../src/core/reading/pattern-reader.ts'
import { PayloadReader } from '../../src/core/reading/payload-reader.ts'
import {
  ChunkReader,
  FramedReader,
  type OwnReader,
  READER,
} from '../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../src/core/reading/recv-buffer.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import type { Encoding } from '../../src/types.ts'

const own: Delimiter<[string, number]> = { cut: () => 5 }

t.test('valid values of read_delimiter, and the reader of each', async t => {
  const rows: [value: ReadDelimiter, reader: Function][] = [
    [null, ChunkReader],
    ['\r\n', DelimitedReader],
    [' ', DelimitedReader],
    ['\0', DelimitedReader],
    [Buffer.from('x'), DelimitedReader],
    [new Uint8Array(1), DelimitedReader],
    [0, EmptyReader],
    [1, CountReader],
    [2 ** 40, CountReader],
    [/\n/, PatternReader],
    [/a*b/g, PatternReader],
    [/^a/my, PatternReader],
    [new Struct('!LH'), FramedReader],
    [new NetStruct('!H$'), FramedReader],
    [length_prefix(), PayloadReader],
    [length_prefix({ offset: 1, header: true }), FramedReader],
    [own, FramedReader],
    [Object.assign(() => {}, { cut: () => 5 }), FramedReader],
    [{ needs: 0, cut: () => 5 }, FramedReader],
    [new NetStruct('B$'), FramedReader],
    [new Struct('x'), FramedReader],
    [{ [READER]: () => new CountReader(1, null) }, CountReader],
  ]
  for (const [value, reader] of rows) {
    t.ok(checkDelimiter(value) === value)
    t.ok(readerFor(value, { encoding: null, regex_search: true }) instanceof reader, reader.name)
  }
})

t.test('invalid values, with the reason', async t => {
  const rows: [value: unknown, message: RegExp][] = [
    [
      '',
      RegExp(
        '^read_delimiter: an empty string would match everywhere; ' +
          'use null to get whatever arrives; got ""',
      ),
    ],
    [new Uint8Array(0), /^read_delimiter: an empty Uint8Array/],
    [-5, /^read_delimiter: a count of bytes must be an integer of at least 0; got -5/],
    [1.5, /got 1\.5/],
    [NaN, /got NaN/],
    [Infinity, /got Infinity/],
    [2 ** 53, /count of bytes/],
    [
      /a*/,
      RegExp(
        '^read_delimiter: a RegExp must not match the empty string: ' +
          'reading would never end; got /a\\*/',
      ),
    ],
    [/(?:)/, /never end/],
    [/$/, /never end/],
    [/x*/gy, /never end/],
    [/^/m, /never end/],
    // A format without bytes was taken, and failed at the first byte of a peer.
    [new Struct('!'), /^read_delimiter: a format without bytes would match everywhere/],
    [new NetStruct(''), /format without bytes/],
    [undefined, /^read_delimiter: must be null, a string.*got undefined/],
    [true, /^read_delimiter: must be null.*got true/],
    [false, /got false/],
    [5n, /got 5n/],
    [Symbol('x'), /must be null/],
    [[], /must be null/],
    [['\n'], /must be null/],
    [{}, /must be null/],
    [{ cut: 5 }, /must be null/],
    [() => 5, /must be null/],
    [new Uint16Array(2), /must be null/],
    [new ArrayBuffer(2), /must be null/],
    [new Date(), /must be null/],
  ]
  for (const [value, message] of rows)
    t.throws(() => checkDelimiter(value), {
      name: 'InvalidDelimiterError',
      code: 'ERR_INVALID_DELIMITER',
      message,
    })
})

t.test('checking a RegExp leaves its lastIndex alone', async t => {
  const pattern = /a/g
  pattern.lastIndex = 3
  checkDelimiter(pattern)
  t.equal(pattern.lastIndex, 3)
})

t.test('the settings reach the reader', async t => {
  const read = (
    delimiter: ReadDelimiter,
    encoding: Encoding | null,
    regex_search = true,
  ): unknown => {
    const buffer = new RecvBuffer()
    buffer.append(Buffer.from('é5;', 'latin1'))
    return readerFor(delimiter, { encoding, regex_search }).next(buffer, 100)
  }
  t.equal(read(null, 'latin1'), 'é5;')
  t.equal(read(';', 'latin1'), 'é5')
  t.same(read(';', null), Buffer.from('é5', 'latin1'))
  t.equal(read(new Uint8Array([0x35]), 'latin1'), 'é')
  t.equal(read('é', 'latin1'), '', 'a string is searched for in the encoding of the channel')
  t.equal(read('é', 'utf8'), undefined)
  t.equal(read(2, 'hex'), 'e935')
  t.equal(read(/\d;/, 'latin1'), 'é')
  t.equal((read(/.\d/, 'latin1', false) as string[])[0], 'é5')
  t.same(read(new Struct('BBB'), 'latin1'), [0xe9, 0x35, 0x3b])
})

t.test('the bytes of a delimiter may be changed after they were set', async t => {
  const bytes = new Uint8Array([10])
  const reader = readerFor(bytes, { encoding: 'latin1', regex_search: true })
  bytes[0] = 13
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('a\rb\n'))
  t.equal(reader.next(buffer, 100), 'a\rb')
})

t.test('the encoding in which a string is searched for', async t => {
  const wire: Record<string, string> = {
    latin1: 'latin1',
    ascii: 'ascii',
    utf16le: 'utf16le',
    utf8: 'utf8',
    hex: 'utf8',
    base64: 'utf8',
    base64url: 'utf8',
  }
  const read = (encoding: Encoding | null, bytes: Buffer): unknown => {
    const buffer = new RecvBuffer()
    buffer.append(bytes)
    return readerFor('~é', { encoding, regex_search: true }).next(buffer, 100)
  }
  for (const [encoding, expected] of Object.entries(wire) as [Encoding, Encoding][]) {
    const message = Buffer.from('message', expected)
    const bytes = Buffer.concat([message, Buffer.from('~é', expected)])
    t.equal(read(encoding, bytes), message.toString(encoding), encoding)
  }
  t.same(read(null, Buffer.from('message~é', 'utf8')), Buffer.from('message'))
})

// ---- types: the test is that `tsc -p test` passes -----------------------------------------------

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_equal: Equal<A, B>): void => {}

t.test('the types come from the table', async t => {
  same<ReadDelimiter, null | string | number | Uint8Array | RegExp | Delimiter | OwnReader>(true)
  same<ReadArguments<null>, [data: any]>(true)
  same<ReadArguments<'\n'>, [data: any]>(true)
  same<ReadArguments<5>, [data: any]>(true)
  same<ReadArguments<RegExp>, [data: any]>(true)
  same<ReadArguments<Buffer>, [data: any]>(true)
  same<ReadArguments<typeof own>, [string, number]>(true)
  same<ReadArguments<Struct<'!LH'>>, [number, number]>(true)
  same<ReadArguments<ReadDelimiter>, any[]>(true)
  t.pass()
})

t.test('what is too long is skipped if that is set, and if its end can be found', async t => {
  const rows: [delimiter: ReadDelimiter, skips: true | undefined][] = [
    ['\n', true],
    [Buffer.of(0), true],
    [/\r?\n/, true],
    [/\n+/, undefined],
    [5, undefined],
    [length_prefix(), undefined],
  ]
  for (const [delimiter, skips] of rows)
    for (const encoding of [null, 'utf16le'] as const) {
      const settings = { encoding, regex_search: true, overflow: 'skip' } as const
      t.equal(readerFor(delimiter, settings).skips, skips)
      t.equal(readerFor(delimiter, { ...settings, overflow: 'hold' }).skips, undefined)
    }
  const match = { encoding: null, regex_search: false, overflow: 'skip' } as const
  t.equal(readerFor(/\n/, match).skips, undefined)
})
