import t from 'tap'
import { Message } from '../../src/envelope/message.ts'
import { AsyncRunnable, message } from '../../src/envelope/runnable.ts'
import { integer } from '../../src/envelope/schema/scalars.ts'
import { shape } from '../../src/envelope/schema/shape.ts'
import { thrown } from '../kit.ts'

t.test('message() makes a class', async t => {
  const schema = shape({ x: integer })
  class Move extends message('game.move', schema) {}
  t.strictSame(
    [Move.type_name, Move.schema, Move.allow_batch, Move.run_when],
    ['game.move', schema, true, 'received'],
  )
  t.ok(new Move({ x: 1 }) instanceof AsyncRunnable)
  t.equal(new Move({ x: 1 }).run({ consumer: undefined }), undefined)
})

t.test('of another class', async t => {
  class Counted extends Message {
    readonly count = 1
  }
  class Move extends message('game.move', undefined, Counted) {}
  t.strictSame([new Move().count, Move.run_when], [1, 'always'])
  class Always extends message('game.always', undefined, AsyncRunnable) {}
  t.equal(Always.run_when, 'always')
})

t.test('misuse', async t => {
  for (const args of [[''], [5], ['a', 5], ['a', undefined, 5], ['a', undefined, class {}]])
    t.equal(
      thrown(() => message(...(args as [string]))),
      'ERR_INVALID_ARGUMENT',
    )
})
