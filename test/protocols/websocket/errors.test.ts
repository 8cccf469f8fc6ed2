import t from 'tap'
import { HandshakeError, ProtocolError } from '../../../src/protocols/websocket/errors.ts'

t.test('the errors of WebSocket', async t => {
  t.match(new HandshakeError('why'), {
    name: 'HandshakeError',
    code: 'ERR_WEBSOCKET_HANDSHAKE',
    message: 'why',
    status: 0,
    headers: {},
    body: '',
  })
  t.match(new HandshakeError('why', 404, { a: 'b' }, 'body'), {
    status: 404,
    headers: { a: 'b' },
    body: 'body',
  })
  t.match(new ProtocolError('why', 1002), {
    name: 'ProtocolError',
    code: 'ERR_WEBSOCKET_PROTOCOL',
    close_code: 1002,
  })
})
