import t from 'tap'
import { Batch, Batch2 } from '../../../src/envelope/builtin/batch.ts'
import { ws_outgoing } from '../../../src/envelope/envelope-table.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { integer, text } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { thrown } from '../../kit.ts'

class Moved extends message('game.moved', shape({ by: text, x: integer })) {}
class Plain extends message('game.plain') {}

const moved = (by: string, x: number) => new Moved({ by, x, mm: { id: `${x}`, state: 's' } })

t.test('s.batch', async t => {
  const batch = Batch.start(moved('a', 1))
  batch.append(moved('b', 2))
  t.equal(
    JSON.stringify(ws_outgoing.pack(batch)),
    '{"t":"s.batch","p":{"t":"game.moved","payloads":[{"by":"a","x":1},{"by":"b","x":2}]},' +
      '"i":"1","s":"s"}',
  )
  t.strictSame(batch.parts, [
    { by: 'a', x: 1 },
    { by: 'b', x: 2 },
  ])
  const empty = Batch.start(new Plain())
  empty.append(new Plain())
  t.strictSame(empty.data.payloads, [null, null], 'no payload is kept')
  t.equal(Batch.allow_batch, false)
  t.equal(
    thrown(() => batch.append(new Plain())),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => batch.append(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('s.batch2', async t => {
  const batch = Batch2.start(moved('a', 1))
  batch.append(moved('b', 2))
  t.equal(
    JSON.stringify(batch.data),
    '{"t":"game.moved","common":null,"keys":["by","x"],"values":[["a",1],["b",2]]}',
  )
  const common = Batch2.start(moved('a', 1), ['by', 'team'])
  common.append(moved('a', 2))
  t.equal(
    JSON.stringify(common.data),
    '{"t":"game.moved","common":{"by":"a","team":null},"keys":["x"],"values":[[1],[2]]}',
  )
  t.strictSame(common.parts, [
    { by: 'a', team: null, x: 1 },
    { by: 'a', team: null, x: 2 },
  ])
  t.equal(
    thrown(() => common.append(moved('b', 3))),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => common.append(new Plain())),
    'ERR_INVALID_ARGUMENT',
  )
  const empty = Batch2.start(new Plain())
  empty.append(new Plain())
  t.strictSame(empty.parts, [{}, {}])
  const odd = new Batch2({ t: 'a', keys: ['x'], values: [[1]], common: 5 })
  t.strictSame(odd.parts, [{ x: 1 }])
  const short = new Batch2({ t: 'a', keys: ['x'], values: [[]], common: { y: 1 } })
  t.strictSame(short.parts, [{ y: 1, x: null }])
  class Other extends message('a', shape({})) {}
  short.append(new Other())
  t.strictSame(short.data.values, [[], [null]])
})

t.test('what is no message', async t => {
  for (const call of [
    () => Batch.start(undefined as never),
    () => Batch2.start({} as never),
    () => Batch2.start(moved('a', 1), 'x' as never),
  ])
    t.throws(call, { code: 'ERR_INVALID_ARGUMENT' })
})
