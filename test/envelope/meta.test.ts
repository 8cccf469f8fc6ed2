import t from 'tap'
import { MessageMeta, MessageStates, NO_META } from '../../src/envelope/meta.ts'
import { thrown } from '../kit.ts'

t.test('what is left out is null', async t => {
  const meta = MessageMeta.of({ id: 'a', user_pk: 5, language: undefined })
  t.strictSame(
    { ...meta },
    { id: 'a', user_pk: 5, consumer_name: null, language: null, state: null, env: null },
  )
  t.equal(MessageMeta.of(meta), meta)
  t.strictSame({ ...meta.with('b', 's') }, { ...meta, id: 'b', state: 's' })
  t.equal(MessageMeta.of({}).user_pk, null)
  t.equal(NO_META.id, null)
  t.strictSame(Object.values(MessageStates), ['a', 'q', 'r', 's', 'f'])
})

t.test('misuse', async t => {
  for (const wrong of [{ i: 'a' }, { id: 5 }, null, 'a'])
    t.equal(
      thrown(() => MessageMeta.of(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
