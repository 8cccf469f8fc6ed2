import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  asBuffer,
  checkCount,
  misfit,
  readFields,
  writeFields,
} from '../../../src/core/struct/struct-values.ts'
import { layOutOf } from '../struct-kit.ts'

t.test(
  'fields are written and read at their offsets, pads and the rest are left alone',
  async t => {
    const { where, fields } = layOutOf('!BxH')
    const bytes = Buffer.alloc(8, 0xee)
    writeFields(where, fields, bytes, 2, ['not this', 1, 2], 1)
    t.equal(bytes.toString('hex'), 'eeee01ee0002eeee')
    const data: unknown[] = ['before']
    readFields(fields, bytes, 2, data)
    t.same(data, ['before', 1, 2])
  },
)

t.test('values that do not fit are named', async t => {
  const { where, fields } = layOutOf('!HcsQf')
  t.throws(
    () => writeFields(where, fields, Buffer.alloc(16), 0, [9, 9, 1, 'ab'], 2),
    { message: /values\[3\] \(c\)/ },
    'the index counts from the first of all values',
  )
  t.match(misfit('Struct "x"', 2, 'H', 'small', Buffer.alloc(3)), {
    code: 'ERR_STRUCT',
    message: 'Struct "x": values[2] (H) must be small; got 3 bytes',
  })
  t.doesNotThrow(() => checkCount('Struct "2b"', 2, [1, 2]))
  t.throws(() => checkCount('Struct "2b"', 2, [1]), {
    code: 'ERR_STRUCT',
    message: 'Struct "2b": it packs 2 values; got 1',
  })
})

t.test('any Uint8Array is taken as a Buffer, without a copy', async t => {
  const array = new Uint8Array([1, 2, 3])
  const view = asBuffer(array.subarray(1))
  t.same(view, Buffer.from([2, 3]))
  t.equal(view.buffer, array.buffer)
  const buffer = Buffer.from('abcd')
  t.equal(asBuffer(buffer), buffer)
  t.throws(() => asBuffer('ab' as never), { message: /^unpack: bytes must be a Uint8Array; got / })
})
