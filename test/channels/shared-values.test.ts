/** The values of streams: shared by those that were given the same. */

import t from 'tap'
import { SharedValues } from '../../src/channels/shared-values.ts'
import { STREAM_DEFAULTS } from '../../src/channels/streams/stream-settings.ts'

t.test('streams that are given the same have the same object', async t => {
  const root = new SharedValues(STREAM_DEFAULTS)
  const lines = root.with('encoding', 'utf8', true).with('read_delimiter', '\n', true)
  t.same(lines.values, { ...STREAM_DEFAULTS, encoding: 'utf8', read_delimiter: '\n' })
  t.equal(root.with('encoding', 'utf8', true).with('read_delimiter', '\n', true), lines)
  t.not(root.with('encoding', 'latin1', true), root.with('encoding', 'utf8', true))
  t.same(root.values, STREAM_DEFAULTS)
})

t.test(
  'a stream that changes a setting while it is open has its own object, which is changed in place',
  async t => {
    const shared = new SharedValues(STREAM_DEFAULTS).with('encoding', 'utf8', true)
    const own = shared.with('read_delimiter', 5, false)
    t.not(own, shared.with('read_delimiter', 5, false))
    t.equal(own.with('read_delimiter', 6, true), own)
    t.same(
      [own.values.read_delimiter, shared.values.read_delimiter, own.values.encoding],
      [6, null, 'utf8'],
    )
  },
)

t.test('what is assigned while a stream is open lasts for that opening', async t => {
  const shared = new SharedValues(STREAM_DEFAULTS).assigned('encoding', 'utf8', true)
  const during = shared.assigned('read_delimiter', 5, false)
  t.not(during, shared)
  t.equal(during.assigned('read_delimiter', 6, false), during, 'changed in place')
  t.same([during.values.read_delimiter, during.values.encoding], [6, 'utf8'])
  t.equal(during.lasting, shared)
  t.equal(shared.lasting, shared)
  t.equal(shared.values.read_delimiter, null)

  const own = new SharedValues(STREAM_DEFAULTS, { ...STREAM_DEFAULTS }, true)
  const next = own.assigned('encoding', 'hex', false)
  t.same([next.values.encoding, next.lasting.values.encoding], ['hex', null], 'of one stream only')
})

t.test('but a setting of the next opening lasts', async t => {
  const shared = new SharedValues(STREAM_DEFAULTS)
  const alone = shared.assigned('connect_timeout', 5, false)
  t.equal(alone.lasting.values.connect_timeout, 5)
  const during = shared.assigned('read_delimiter', 5, false).assigned('connect_timeout', 6, false)
  t.same([during.values.connect_timeout, during.values.read_delimiter], [6, 5])
  t.same([during.lasting.values.connect_timeout, during.lasting.values.read_delimiter], [6, null])
  t.same(shared.values, STREAM_DEFAULTS)
})

// A program that makes a Struct for each connection, or sets the same setting over and over, must
// not fill the memory.
t.test('what is shared is bounded', async t => {
  const root = new SharedValues(STREAM_DEFAULTS)
  const all = Array.from({ length: 20 }, (_, i) => root.with('buffer_size', i + 1, true))
  t.same(
    all.map((each, i) => each === root.with('buffer_size', i + 1, true)),
    all.map((_, i) => i < 16),
  )
  const first = all[0] as SharedValues
  const back = first.with('buffer_size', 65_536, true)
  t.not(back, root)
  t.equal(
    back.with('buffer_size', 1, true),
    back,
    'no way leads on from a value that is not the default',
  )
})

t.test('read paths are lent by shared values, and kept by a stream of its own', async t => {
  const target = { on_read: () => {} }
  const lines = new SharedValues(STREAM_DEFAULTS).with('read_delimiter', '\n', true)
  const path = lines.paths.borrow(target, {} as never, false)
  t.equal(lines.paths.takeBack(path), true)
  const own = lines.with('read_delimiter', ';', false)
  t.equal(own.paths.takeBack(own.paths.borrow(target, {} as never, false)), false)
})
