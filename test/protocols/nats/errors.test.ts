/** The errors of NATS: which code what a server says has. */

import t from 'tap'
import { ChannelError } from '../../../src/errors.ts'
import {
  clientClosed,
  disconnected,
  NatsError,
  serverError,
} from '../../../src/protocols/nats/errors.ts'

t.test('what a server says', async t => {
  const rows: [string, string][] = [
    ['Authorization Violation', 'ERR_NATS_AUTH'],
    ['User Authentication Expired', 'ERR_NATS_AUTH'],
    ['User Authentication Revoked', 'ERR_NATS_AUTH'],
    ['Permissions Violation for Publish to "a"', 'ERR_NATS_PERMISSION'],
    ['Maximum Payload Violation', 'ERR_NATS_MAX_PAYLOAD'],
    ['Slow Consumer', 'ERR_NATS_SLOW'],
    ['Stale Connection', 'ERR_NATS_STALE'],
    ['Unknown Protocol Operation', 'ERR_NATS_SERVER'],
  ]
  for (const [said, code] of rows) {
    const error = serverError(said)
    t.same([error.code, error.said], [code, said])
    t.match(error.message, said)
  }
})

t.test('details', async t => {
  const cause = new Error('x')
  const error = new NatsError('ERR_NATS_JETSTREAM', 'no', { cause, status: 404, err_code: 10059 })
  t.ok(error instanceof ChannelError)
  t.same([error.status, error.err_code, error.said, error.cause], [404, 10059, '', cause])
  t.same([clientClosed().code, clientClosed().status], ['ERR_NATS_CLOSED', 0])
  t.equal(disconnected(cause).cause, cause)
  const refused = clientClosed(serverError('Authorization Violation'))
  t.match(refused, {
    code: 'ERR_NATS_AUTH',
    message: /closed: the server said: Auth/,
    said: /Auth/,
  })
  t.match(clientClosed(cause), {
    code: 'ERR_NATS_CLOSED',
    message: 'the client has closed: x',
    cause,
  })
})
