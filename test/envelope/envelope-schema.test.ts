import t from 'tap'
import {
  envelope_schema,
  EnvelopeSchema,
  error_schema,
  full_schema,
  incoming_schema,
  outgoing_schema,
} from '../../src/envelope/envelope-schema.ts'
import { MessageMeta } from '../../src/envelope/meta.ts'
import { thrown } from '../kit.ts'
import { faultsOf, inShort } from './kit.ts'

const meta = (id: string | null, state: string | null, language: string | null = null) =>
  MessageMeta.of({ id, state, language })

t.test('only t is required', async t => {
  t.strictSame(envelope_schema.check({ t: 'a' }), { t: 'a', p: null, i: null })
  t.strictSame(incoming_schema.check({ t: 'a', s: 's' }), { t: 'a', p: null, i: null, l: null })
  t.strictSame(outgoing_schema.check({ t: 'a', l: 'sv' }), { t: 'a', p: null, i: null, s: null })
  t.strictSame(error_schema.check({ t: 'a' }), { t: 'a', p: null, i: null, s: 'f' })
  const whole = { t: 'a', p: { x: 1 }, i: 'b', s: 'r', l: 'sv' }
  t.strictSame(full_schema.check({ ...whole, other: 1 }), whole)
  t.strictSame(
    faultsOf(() => envelope_schema.check({})),
    [{ loc: ['t'], msg: 'field required', type: 'value_error.missing' }],
  )
})

t.test('long names of the keys, and numbers for texts', async t => {
  t.strictSame(full_schema.check({ t: 5, id: 5.5, i: 'x', state: true, language: false }), {
    t: '5',
    p: null,
    i: '5.5',
    s: 'True',
    l: 'False',
  })
  t.equal(full_schema.check({ t: 'a', i: '🙂'.repeat(20) }).i?.length, 40)
})

t.test('faults', async t => {
  const faults = (schema: EnvelopeSchema, value: unknown): string[] =>
    inShort(faultsOf(() => schema.check(value)))
  t.strictSame(faults(full_schema, { t: [], p: 5, i: {}, s: 'toolong', l: 'x'.repeat(21) }), [
    't: type_error.str',
    'p: type_error.dict',
    'id: type_error.str',
    'state: value_error.any_str.max_length',
    'language: value_error.any_str.max_length',
  ])
  t.strictSame(
    faultsOf(() => envelope_schema.check({ t: null, i: 'x'.repeat(21) })),
    [
      { loc: ['t'], msg: 'none is not an allowed value', type: 'type_error.none.not_allowed' },
      {
        loc: ['id'],
        msg: 'ensure this value has at most 20 characters',
        type: 'value_error.any_str.max_length',
        ctx: { limit_value: 20 },
      },
    ],
  )
  t.strictSame(
    faultsOf(() => error_schema.check({ t: 'a', s: 's' })),
    [
      {
        loc: ['state'],
        msg: "unexpected value; permitted: 'f'",
        type: 'value_error.const',
        ctx: { given: 's', permitted: ['f'] },
      },
    ],
  )
  t.equal(error_schema.check({ t: 'a', s: 'f' }).s, 'f')
})

t.test('what is no object', async t => {
  const kinds = [5, 1.5, null, true, 'ab', [1]].map(
    value => faultsOf(() => incoming_schema.check(value))[0],
  )
  t.strictSame(
    kinds.map(fault => fault?.msg.replace(/^.* /, '')),
    ['int', 'float', 'NoneType', 'bool', 'str', 'list'],
  )
  t.strictSame(kinds[0], {
    loc: ['__root__'],
    msg: 'IncomingEnvelopeSchema expected dict not int',
    type: 'type_error',
  })
  t.strictSame(inShort(faultsOf(() => incoming_schema.check([]))), ['t: value_error.missing'])
  t.strictSame(inShort(faultsOf(() => incoming_schema.check(''))), ['t: value_error.missing'])
  t.strictSame(incoming_schema.check({ t: 'a', p: [] }).p, {})
  t.strictSame(incoming_schema.check({ t: 'a', p: '' }).p, {})
})

t.test('the order of the wire', async t => {
  const json = (schema: EnvelopeSchema, mm: MessageMeta) =>
    JSON.stringify(schema.make('s.pong', null, mm))
  t.equal(json(outgoing_schema, meta('a', 's')), '{"t":"s.pong","p":null,"i":"a","s":"s"}')
  t.equal(json(outgoing_schema, meta(null, null)), '{"t":"s.pong","p":null,"i":null,"s":null}')
  t.equal(json(error_schema, meta('a', null)), '{"t":"s.pong","p":null,"i":"a","s":"f"}')
  t.equal(json(envelope_schema, meta('a', 's')), '{"t":"s.pong","p":null,"i":"a"}')
  t.equal(json(incoming_schema, meta('a', 's', 'sv')), '{"t":"s.pong","p":null,"i":"a","l":"sv"}')
  t.equal(
    json(full_schema, meta('a', 's', 'sv')),
    '{"t":"s.pong","p":null,"i":"a","s":"s","l":"sv"}',
  )
  const received = MessageMeta.of({ id: 'a', language: 'sv', env: 'in' })
  t.equal(json(full_schema, received), '{"t":"s.pong","p":null,"i":"a","s":null}')
  for (const long of [
    meta('x'.repeat(21), null),
    meta(null, 'toolong'),
    meta(null, null, 'x'.repeat(21)),
  ])
    t.equal(
      thrown(() => full_schema.make('a', null, long)),
      'ERR_VALIDATION',
    )
})

t.test('the options of a schema', async t => {
  for (const options of [undefined, {}, { name: 'a', sate: true }, { name: 'a', state: 's' }])
    t.throws(() => new EnvelopeSchema(options as never), { code: 'ERR_INVALID_ARGUMENT' })
})
