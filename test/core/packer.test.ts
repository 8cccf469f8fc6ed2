/** Packers: which value of a call of write_packed packs the others. */

import t from 'tap'
import { length_prefix } from '../../src/core/length-prefix.ts'
import { NetStruct } from '../../src/core/net-struct.ts'
import { isIntoPacker, takePacker } from '../../src/core/packer.ts'
import { Struct } from '../../src/core/struct.ts'

t.test('the first value packs if it can, and is taken off the others', async t => {
  for (const packer of [new Struct('!L'), new NetStruct('L'), length_prefix()]) {
    const values: unknown[] = [packer, 5]
    t.equal(takePacker(values, null), packer)
    t.same(values, [5])
  }
})

t.test('otherwise the delimiter packs', async t => {
  const delimiter = new Struct('!L')
  const values: unknown[] = [5]
  t.equal(takePacker(values, delimiter), delimiter)
  t.same(values, [5])
  t.equal(takePacker([], delimiter), delimiter)
})

t.test('if neither packs, it throws', async t => {
  for (const delimiter of [null, '\n', 5, { cut: () => 1 }, { pack: () => new Uint8Array() }])
    t.throws(() => takePacker([7], delimiter), {
      code: 'ERR_INVALID_ARGUMENT',
      message:
        /^write_packed must be given a Struct as its first argument, unless .* is one; got 7$/,
    })
})

t.test('some pack into memory that is there already', async t => {
  t.equal(isIntoPacker(length_prefix()), true)
  t.equal(isIntoPacker({ pack: () => new Uint8Array() }), false)
})
