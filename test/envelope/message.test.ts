import t from 'tap'
import { ErrorMessage } from '../../src/envelope/error-message.ts'
import { Message, Unpacked } from '../../src/envelope/message.ts'
import { message } from '../../src/envelope/runnable.ts'
import { integer } from '../../src/envelope/schema/scalars.ts'
import { optional } from '../../src/envelope/schema/schema.ts'
import { shape } from '../../src/envelope/schema/shape.ts'
import type { StandardSchema } from '../../src/envelope/schema/standard.ts'
import { thrown } from '../kit.ts'
import { faultsOf, inShort } from './kit.ts'

class Move extends message('game.move', shape({ x: integer, y: integer })) {}
class Turn extends message('game.turn', shape({ by: optional(integer, 90) })) {}
class Plain extends message('game.plain') {}

t.test('fields, data with all of them, or both: the fields win', async t => {
  t.strictSame(new Move({ x: 1, y: 2 }).data, { x: 1, y: 2 })
  t.strictSame(new Move({ data: { x: 1, y: 2 } }).data, { x: 1, y: 2 })
  t.strictSame(new Move({ data: { x: 1, y: 2 }, x: 3 } as never).data, { x: 3, y: 2 })
  t.strictSame(new Turn().data, { by: 90 })
  t.strictSame(new Turn({ by: 5 }).data, { by: 5 })
  t.equal(new Plain().data, null)
  const { mm } = new Plain()
  t.equal(new Turn(new Unpacked('unchecked', mm) as never).data, 'unchecked')
  t.equal(new Plain({ x: 1 } as never).data, null, 'without a schema there is no payload')
})

t.test('a message that exists is valid', async t => {
  const faults = faultsOf(() => new Move({ x: 'a' } as never))
  t.strictSame(inShort(faults), ['x: type_error.integer', 'y: value_error.missing'])
  for (const wrong of [null, 5, []])
    t.equal(
      thrown(() => new Move(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  t.equal(
    thrown(() => new Message(5)),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('what is known about it', async t => {
  const move = new Move({ x: 1, y: 2, mm: { id: 'a', user_pk: 1, language: 'sv' } })
  t.equal(move.type_name, 'game.move')
  t.strictSame([move.mm.id, move.mm.user_pk, move.mm.state], ['a', 1, null])
  move.user = 'ann'
  const turn = Turn.from_message(move, { by: 1, state: 's' })
  t.strictSame({ ...turn.mm }, { ...move.mm, state: 's' })
  t.strictSame([turn.user, turn.data.by], ['ann', 1])
  t.equal(Plain.from_message(turn).mm.state, null)
  t.equal(
    thrown(() => Plain.from_message({} as never)),
    'ERR_INVALID_ARGUMENT',
  )
  for (const init of [5, null] as never[])
    t.equal(
      thrown(() => Plain.from_message(turn, init)),
      'ERR_INVALID_ARGUMENT',
    )
  t.strictSame({ ...new Plain({ mm: null } as never).mm }, { ...new Plain().mm })
})

t.test('an error message is a message', async t => {
  const error = new ErrorMessage()
  t.ok((error as unknown) instanceof Message)
  t.notOk((error as unknown) instanceof Move)
  for (const other of [null, 5, {}, new Error('a')]) t.notOk((other as unknown) instanceof Message)
  t.ok(new Move({ x: 1, y: 2 }) instanceof Message)
})

t.test('a schema that answers later is for what was received', async t => {
  const late: StandardSchema = {
    '~standard': { version: 1, vendor: 'a', validate: () => Promise.reject(new Error('no')) },
  }
  class Late extends message('late', late) {}
  t.equal(
    thrown(() => new Late({ a: 1 } as never)),
    'ERR_UNSUPPORTED_OPTION',
  )
})
