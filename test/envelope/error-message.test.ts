import t from 'tap'
import { error_message, ErrorMessage, isErrorClass } from '../../src/envelope/error-message.ts'
import { message } from '../../src/envelope/runnable.ts'
import { integer, text } from '../../src/envelope/schema/scalars.ts'
import { optional } from '../../src/envelope/schema/schema.ts'
import { anything, shape } from '../../src/envelope/schema/shape.ts'
import { ChannelError } from '../../src/errors.ts'
import { thrown } from '../kit.ts'

class Full extends error_message(
  'error.room-full',
  shape({ room: text, most: integer, msg: optional(text), list: anything }),
) {}

t.test('it is an Error with a code, and a message with a payload', async t => {
  const full = new Full({ room: 'tea', most: 4, list: [1], mm: { id: 'a' } })
  t.ok(full instanceof ChannelError)
  t.ok(full instanceof ErrorMessage)
  t.strictSame([full.code, full.type_name, full.mm.id], ['ERR_ROOM_FULL', 'error.room-full', 'a'])
  t.equal(String(full), 'Full: error.room-full: room: tea, most: 4, list: [1]')
  t.strictSame(full.data, { room: 'tea', most: 4, msg: null, list: [1] })
  class Nothing extends error_message('nothing') {}
  t.equal(new Nothing().message, 'nothing')
})

t.test('an answer to a message', async t => {
  class Enter extends message('enter') {}
  const enter = new Enter({ mm: { id: 'b', user_pk: 1 } })
  const full = Full.from_message(enter, { room: 'tea', most: 1, list: null, state: 'f' })
  t.strictSame([full.mm.id, full.mm.user_pk, full.mm.state], ['b', 1, 'f'])
  t.equal(isErrorClass(Full), true)
  t.equal(isErrorClass(Enter), false)
})

t.test('misuse', async t => {
  t.equal(isErrorClass(undefined as never), false)
  t.equal(
    thrown(() => new Full({ room: 'tea' } as never)),
    'ERR_VALIDATION',
  )
  t.equal(
    thrown(() => error_message('a', 5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => error_message(undefined as never)),
    'ERR_INVALID_ARGUMENT',
  )
})
