import t from 'tap'
import { NotFoundError } from '../../src/envelope/builtin/common-errors.ts'
import { Envelope } from '../../src/envelope/envelope.ts'
import {
  add_envelopes,
  allEnvelopes,
  add_message,
  errors,
  get_envelope,
  get_error_type,
  get_message_registry,
  internal,
  ws_incoming,
  ws_outgoing,
} from '../../src/envelope/envelope-table.ts'
import { error_message } from '../../src/envelope/error-message.ts'
import { message } from '../../src/envelope/runnable.ts'
import { thrown } from '../kit.ts'

t.test('the four', async t => {
  const own = new Envelope({ name: 'ws_incoming' })
  t.equal(
    thrown(() => add_envelopes(own)),
    'ERR_INVALID_STATE',
    'taken from the beginning',
  )
  t.strictSame(['ws_incoming', 'ws_outgoing', 'internal', 'errors'].map(get_envelope), [
    ws_incoming,
    ws_outgoing,
    internal,
    errors,
  ])
  t.equal(get_error_type('error.not_found'), NotFoundError as unknown)
  t.strictSame([...get_message_registry('internal').keys()], ['s.ping', 's.close'])
  t.equal(ws_outgoing.allow_batch, true)
  t.strictSame(
    [ws_incoming, ws_outgoing, internal, errors].map(({ transport }) => transport?.type),
    [undefined, 'websocket.send', 'internal.msg', 'ws.error.send'],
  )
  t.equal(
    thrown(() => get_envelope('ws_incomming')),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => get_error_type('error.none')),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('other packages add theirs', async t => {
  class Note extends message('envelopes_test.note') {}
  class Full extends error_message('error.envelopes_test') {}
  const own = new Envelope({ name: 'envelopes_test' })
  add_envelopes(own, own)
  t.equal(get_envelope('envelopes_test'), own)
  t.equal(add_message('envelopes_test', 'ws_incoming')(Note), Note)
  t.equal(get_message_registry('envelopes_test').get('envelopes_test.note'), Note)
  t.equal(ws_incoming.registry.get('envelopes_test.note'), Note)
  add_message('errors')(Full)
  t.equal(get_error_type('error.envelopes_test'), Full as unknown)
  t.equal(
    thrown(() => add_message('errors')(Note)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => add_message('internal')(Full)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => add_message('none')(Note)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => add_envelopes({} as never)),
    'ERR_INVALID_ARGUMENT',
  )
  ws_incoming.registry.delete('envelopes_test.note')
  errors.registry.delete('error.envelopes_test')
})

t.test('all that are registered', async t => {
  const names = new Set([...allEnvelopes()].map(({ name }) => name))
  for (const name of ['ws_incoming', 'ws_outgoing', 'internal', 'errors']) t.ok(names.has(name))
})
