import t from 'tap'
import { Envelope } from '../../src/envelope/envelope.ts'
import { incoming_schema, outgoing_schema } from '../../src/envelope/envelope-schema.ts'
import { ErrorMessage } from '../../src/envelope/error-message.ts'
import { message } from '../../src/envelope/runnable.ts'
import { integer } from '../../src/envelope/schema/scalars.ts'
import { shape } from '../../src/envelope/schema/shape.ts'
import type { StandardSchema } from '../../src/envelope/schema/standard.ts'
import { fate, thrown } from '../kit.ts'
import { faultsOf } from './kit.ts'

class Move extends message('game.move', shape({ x: integer })) {}
class Plain extends message('game.plain') {}
const late: StandardSchema<unknown, { ok: boolean }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async value =>
      (value as { ok: boolean }).ok ? { value: { ok: true } } : { issues: [{ message: 'no' }] },
  },
}
class Late extends message('game.late', late) {}

const incoming = new Envelope({
  name: 'game_incoming',
  schema: incoming_schema,
  messages: [Move, Plain, Late],
})
const consumer = { channel_name: 'c!1', user_pk: 7, language: 'sv', user: { name: 'ann' } }

t.test('from the wire to a message', async t => {
  const data = incoming.parse('{"t":"game.move","p":{"x":1},"i":5}')
  const move = incoming.unpack(data, { consumer }) as Move
  t.ok(move instanceof Move)
  t.strictSame(move.data, { x: 1 })
  t.equal(move.user, consumer.user)
  t.strictSame(
    { ...move.mm },
    {
      id: '5',
      user_pk: 7,
      consumer_name: 'c!1',
      language: 'sv',
      state: null,
      env: 'game_incoming',
    },
  )
  const swiss = incoming.unpack(incoming.parse('{"t":"game.plain","l":"de"}'), { consumer })
  t.equal((swiss as Plain).mm.language, 'de')
  t.equal((swiss as Plain).data, null)
})

t.test('without a consumer', async t => {
  const plain = incoming.unpack({ t: 'game.plain', p: null, i: 'a', s: 's', l: 'en' }) as Plain
  t.strictSame(
    [plain.mm.user_pk, plain.mm.id, plain.mm.state, plain.user],
    [null, 'a', 's', undefined],
  )
  const mm = { id: 'z', user_pk: 3 }
  const known = incoming.unpack({ t: 'game.plain', p: null, i: 'a' }, { mm }) as Plain
  t.strictSame([known.mm.id, known.mm.user_pk, known.mm.env], ['z', 3, 'game_incoming'])
  t.equal(
    thrown(() => incoming.unpack({ t: 'game.plain', p: null, i: null }, { mm, consumer })),
    'ERR_INVALID_ARGUMENT',
  )
  const bare = { t: 'game.plain' } as never
  t.strictSame((incoming.unpack(bare) as Plain).mm.id, null)
  t.strictSame((incoming.unpack(bare, { consumer }) as Plain).mm.id, null)
  t.strictSame((incoming.unpack(bare, null as never) as Plain).mm.id, null)
})

t.test('what is not valid', async t => {
  t.equal(faultsOf(() => incoming.parse('{'))[0]?.type, 'value_error.jsondecode')
  t.equal(faultsOf(() => incoming.parse('{}'))[0]?.type, 'value_error.missing')
  t.equal(
    thrown(() => incoming.parse(Object.create(null))),
    'ERR_INVALID_ARGUMENT',
    'what cannot even be made a text',
  )
  t.strictSame(
    faultsOf(() => incoming.unpack({ t: 'game.move', p: null, i: null })),
    [{ loc: ['x'], msg: 'field required', type: 'value_error.missing' }],
  )
  try {
    incoming.unpack({ t: 'game.none', p: null, i: 'a' })
    t.fail('unknown')
  } catch (error) {
    t.ok(error instanceof ErrorMessage)
    const { data, mm, code } = error as ErrorMessage
    t.strictSame(data, { msg: null, type_name: 'game.none', envelope: 'game_incoming' })
    t.strictSame([mm.id, code], ['a', 'ERR_MSG_TYPE'])
  }
})

t.test('a schema that answers later', async t => {
  const good = await incoming.unpack({ t: 'game.late', p: { ok: true }, i: null })
  t.strictSame(good.data, { ok: true })
  t.equal(
    await fate(incoming.unpack({ t: 'game.late', p: {}, i: null }) as Promise<unknown>),
    'rejected ERR_VALIDATION',
  )
})

t.test('to the wire', async t => {
  const out = new Envelope({ name: 'game_outgoing', schema: outgoing_schema, messages: [Move] })
  const move = new Move({ x: 1, mm: { id: 'a', state: 's', user_pk: 5, consumer_name: 'c' } })
  t.equal(JSON.stringify(out.pack(move)), '{"t":"game.move","p":{"x":1},"i":"a","s":"s"}')
})

t.test('options', async t => {
  const plain = new Envelope({ name: 'a' })
  t.strictSame(
    [plain.logger_name, plain.layer_name, plain.allow_batch, plain.transport, plain.registry.size],
    ['envelope.a.event', 'default', false, undefined, 0],
  )
  const full = new Envelope({ name: 'a', allow_batch: true, logger_name: 'x', layer_name: 'y' })
  t.strictSame([full.logger_name, [...full.registry.keys()]], ['x', ['s.batch']])
  const name = 'a'
  for (const wrong of [
    {},
    { name: '' },
    { name, schema: {} },
    { name, mesages: [] },
    { name, messages: 5 },
  ])
    t.equal(
      thrown(() => new Envelope(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  for (const data of [null, undefined, 'a'])
    for (const call of [() => full.unpack(data as never), () => full.pack(data as never)])
      t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
})
