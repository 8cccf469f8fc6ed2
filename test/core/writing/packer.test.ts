/** Packers: which value of a call of write_packed packs the others. */

import t from 'tap'
import { length_prefix } from '../../../src/core/length/length-prefix.ts'
import { NetStruct } from '../../../src/core/struct/net-struct.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import { isIntoPacker, takePacker } from '../../../src/core/writing/packer.ts'
import type { Encoding } from '../../../src/types.ts'

t.test('the first value packs if it can, and is taken off the others', async t => {
  for (const packer of [new Struct('!L'), new NetStruct('L'), length_prefix()]) {
    const values: unknown[] = [packer, 5]
    t.equal(takePacker(values, null, 'latin1'), packer)
    t.same(values, [5])
  }
})

t.test('otherwise the delimiter packs', async t => {
  const delimiter = new Struct('!L')
  const values: unknown[] = [5]
  t.equal(takePacker(values, delimiter, 'latin1'), delimiter)
  t.same(values, [5])
  t.equal(takePacker([], delimiter, null), delimiter)
})

t.test('if neither packs, it throws', async t => {
  for (const delimiter of [null, '\n', 5, { cut: () => 1 }, { pack: () => new Uint8Array() }])
    t.throws(() => takePacker([7], delimiter, null), {
      code: 'ERR_INVALID_ARGUMENT',
      message:
        /^write_packed must be given a Struct as its first argument, unless .* is one; got 7$/,
    })
})

// length_prefix read text in the encoding of the channel and wrote it as UTF-8: an echo changed
// both bytes and length.
t.test('REGRESSION: text for a packer that delivers text is in the encoding', async t => {
  const values = (encoding: Encoding | null, ...given: unknown[]): unknown[] => {
    takePacker(given, length_prefix(), encoding)
    return given
  }
  t.same(values('latin1', 'é'), [Buffer.of(0xe9)])
  t.same(values('hex', 'e9', 5, 'ff'), [Buffer.of(0xe9), 5, Buffer.of(0xff)])
  t.same(values('latin1', length_prefix({ size: 1 }), 'é'), [Buffer.of(0xe9)])
  t.same(values('utf8', 'é'), ['é'])
  t.same(values(null, 'é'), ['é'])
  t.throws(() => values('hex', 'e9\n'), { code: 'ERR_INVALID_ARGUMENT', message: /text in hex/ })
  const bytes = ['é', 1]
  takePacker(bytes, new Struct('2sB'), 'latin1')
  t.same(bytes, ['é', 1], 'a Struct delivers bytes')
})

t.test('some pack into memory that is there already', async t => {
  t.equal(isIntoPacker(length_prefix()), true)
  t.equal(isIntoPacker({ pack: () => new Uint8Array() }), false)
})
