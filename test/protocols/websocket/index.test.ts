import t from 'tap'
import * as websocket from '../../../src/protocols/websocket/index.ts'

t.test('what sluice/websocket has', async t => {
  t.same(Object.keys(websocket).sort(), [
    'HandshakeError',
    'ProtocolError',
    'UpgradeRequest',
    'WebSocketClient',
    'WebSocketConnection',
    'WebSocketServer',
  ])
})
