/** Errors of a Datagram: the peer that they are about. */

import t from 'tap'
import { about } from '../../../src/channels/datagrams/datagram-error.ts'
import { WriteError } from '../../../src/errors.ts'

t.test('errors with an address', async t => {
  const error = new WriteError('EMSGSIZE', 'too long')
  t.equal(about(['127.0.0.1', 9], error), error)
  t.match(error, { code: 'EMSGSIZE', remote_address: ['127.0.0.1', 9] })
})
