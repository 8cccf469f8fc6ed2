import t from 'tap'
import { Envelope } from '../../src/envelope/envelope.ts'
import { outgoing_schema } from '../../src/envelope/envelope-schema.ts'
import { envelope_schema } from '../../src/envelope/envelope-schema.ts'
import { checkEvent, DictTransport, TextTransport } from '../../src/envelope/envelope-transports.ts'
import { message } from '../../src/envelope/runnable.ts'
import { integer } from '../../src/envelope/schema/scalars.ts'
import { shape } from '../../src/envelope/schema/shape.ts'

class Moved extends message('game.moved', shape({ x: integer })) {}

t.test('the events of the transports', async t => {
  const moved = new Moved({ x: 1, mm: { id: 'a', state: 's', user_pk: 5 } })
  const out = new Envelope({ name: 'out', schema: outgoing_schema, messages: [Moved] })
  t.strictSame(new TextTransport('websocket.send').wrap(out, moved), {
    text_data: '{"t":"game.moved","p":{"x":1},"i":"a","s":"s"}',
    type: 'websocket.send',
    i: 'a',
    t: 'game.moved',
    s: 's',
  })
  t.strictSame(new DictTransport('internal.msg').wrap(out, moved), {
    t: 'game.moved',
    p: { x: 1 },
    i: 'a',
    s: 's',
    type: 'internal.msg',
  })
  const inside = new Envelope({ name: 'in', schema: envelope_schema, messages: [Moved] })
  t.equal(new TextTransport('a').wrap(inside, moved).s, null)
  for (const Transport of [TextTransport, DictTransport])
    t.throws(() => new Transport(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
})

t.test('what is no event', async t => {
  checkEvent('here', { type: 'a' })
  for (const event of [undefined, null, 5, {}, { type: 5 }])
    t.throws(() => checkEvent('here', event), { code: 'ERR_INVALID_ARGUMENT' })
})
